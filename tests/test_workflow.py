"""The workflow as an operator meets it: real runs, in folders of their own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
import yaml

from tests.chain import CATEGORIES, ONLY_EXTERNAL, STORES, WITHOUT_EXTERNAL, write_chain
from tests.chain import configuration as chain_configuration
from tests.conftest import ROOT

pytestmark = pytest.mark.workflow

JOBS = {
    "internal_preprocessing_job",
    "internal_clustering_job",
    "external_preprocessing_job",
    "external_clustering_job",
    "merging_job",
    "full_pipeline_job",
}
CLUSTERING = ("cluster_views", "gather_views", "explain_clusters")
CODE_FOLDERS = ("rules", "scripts", "config", "envs", "profiles", "ops")


def snakemake(folder, *words, root=ROOT, env=None, cores=2):
    command = [sys.executable, "-m", "snakemake", "--snakefile", root / "Snakefile"]
    return subprocess.run(
        [*command, "--directory", folder, "--cores", str(cores), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env=os.environ | (env or {}),
    )


def planned(folder, *words, **more):
    """The rules that a dry run would run."""
    run = snakemake(folder, *words, "--dry-run", **more)
    assert run.returncode == 0, run.stderr
    table = run.stdout + run.stderr
    return set(re.findall(r"^(?:local)?rule (\w+):", table, flags=re.MULTILINE))


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain") / "raw"
    write_chain(folder)
    (folder / "chain.yaml").write_text(yaml.safe_dump(chain_configuration(folder)))
    return folder


@pytest.fixture(scope="session")
def finished(chain, tmp_path_factory):
    """A folder in which the full pipeline has run on the chain, once per session."""
    folder = tmp_path_factory.mktemp("finished")
    run = snakemake(folder, "full_pipeline_job", "--configfile", chain / "chain.yaml")
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished folder that a test may spoil."""
    shutil.copytree(finished, tmp_path / "run", symlinks=True)
    return tmp_path / "run"


@pytest.fixture
def code(tmp_path):
    """A copy of the code that a test may edit."""
    folder = tmp_path / "code"
    for name in CODE_FOLDERS:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "Snakefile", folder / "Snakefile")
    return folder


def result(folder, env="dev"):
    return pl.read_parquet(folder / f"results/{env}/current/merged/store_clusters.parquet")


def test_every_store_is_answered_for_in_every_category(finished):
    rows = result(finished)
    expected = {(c, s) for c in CATEGORIES for s in (*STORES, ONLY_EXTERNAL)}
    assert set(rows.select("category", "store_nbr").rows()) == expected
    assert rows.height == len(expected)
    answered = rows.filter(pl.col("status") != "excluded")
    assert answered["demand_cluster"].null_count() == 0
    excluded = rows.filter(status="excluded")
    assert excluded["demand_cluster"].null_count() == excluded.height
    assert excluded["reason"].null_count() == 0


def test_stores_that_one_source_does_not_know_are_predicted_or_excluded_with_a_reason(finished):
    rows = result(finished)
    without = rows.filter(pl.col("store_nbr").is_in(WITHOUT_EXTERNAL))
    assert set(without["status"]) <= {"predicted", "excluded"}
    only = rows.filter(store_nbr=ONLY_EXTERNAL)
    assert set(only["status"]) <= {"predicted", "excluded"}
    unsold = rows.filter(pl.col("category") == "Crème", pl.col("store_nbr") > 60)
    assert set(unsold["status"]) <= {"predicted", "excluded"}
    assert unsold["reason"].null_count() == 0


def test_views_that_cannot_be_clustered_are_one_cluster_with_the_reason(finished):
    quality = pl.read_csv(finished / "results/dev/internal/quality.csv")
    by_view = {row["view"]: row for row in quality.iter_rows(named=True)}
    assert set(by_view) == set(CATEGORIES)
    assert by_view["THREE STORES"]["k"] == 1
    assert "3 stores" in by_view["THREE STORES"]["reason"]
    assert by_view["Crème"]["k"] == 3


def test_clusters_that_were_planted_in_the_sales_are_found(finished):
    rows = result(finished).filter(pl.col("category") == "HAND & BODY/LOTION")
    found = rows.filter(pl.col("store_nbr").is_in(list(STORES))).with_columns(
        planted=pl.col("store_nbr") % 3
    )
    assert found.select("internal_cluster", "planted").unique().height == 3


def test_rejected_rows_are_put_aside_and_counted(finished):
    quality = json.loads((finished / "results/dev/internal/input_quality.json").read_text())
    rows = {reason: count["rows"] for reason, count in quality["sales"]["reasons"].items()}
    assert {reason: count for reason, count in rows.items() if count} == {
        "null_sku": 1,
        "unmapped_sku": 1,
        "invalid_store": 1,
        "null_category": 1,
        "null_sales": 1,
        "non_finite_sales": 1,
    }
    rejected = pl.read_parquet(finished / "results/dev/internal/rejected/sales.parquet")
    assert rejected.height == 6


def test_a_complete_run_is_published_with_checksums(finished):
    current = finished / "results/dev/current"
    manifest = json.loads((current / "manifest.json").read_text())
    assert current.readlink().name == manifest["run_id"]
    assert "merged/store_clusters.csv" in manifest["files"]
    assert "internal/features.parquet" in manifest["files"]
    assert not [name for name in manifest["files"] if "timestamp" in name]


def test_every_job_has_a_log_that_begins_with_its_settings(finished):
    logs = list((finished / "logs/dev").rglob("*.log"))
    assert len(logs) == 13  # of nine rules; cluster_views has three batches, two rules two sources
    for log in logs:
        lines = log.read_text().splitlines()
        assert re.search(r" INFO (\w+) \{", lines[0])
        assert lines[-1].endswith("INFO done")
    merge = (finished / "logs/dev/merge_clusters.log").read_text().splitlines()
    assert '"min_cluster_size": 5' in merge[1]


def test_a_second_run_does_nothing(finished, chain):
    run = snakemake(finished, "--configfile", chain / "chain.yaml")
    assert run.returncode == 0
    assert "Nothing to be done" in run.stderr + run.stdout


def test_one_core_and_other_batches_give_the_same_bytes(finished, chain, tmp_path):
    batches = "cluster={internal: {batches: 5}, external: {batches: 2}}"
    words = ("merging_job", "--configfile", chain / "chain.yaml", "--config", batches)
    run = snakemake(tmp_path, *words, cores=1)
    assert run.returncode == 0, run.stderr
    name = "results/dev/merged/store_clusters.csv"
    assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_a_touch_or_a_fresh_checkout_reruns_nothing(copied, chain, code):
    for path in code.rglob("*"):
        path.touch()
    assert planned(copied, "--configfile", chain / "chain.yaml", root=code) == set()


@pytest.mark.parametrize(
    ("edited", "reruns", "spared"),
    [
        ("scripts/merge_clusters.py", {"merge_clusters"}, {"cluster_views", "preprocess_internal"}),
        ("scripts/clustering/partition.py", {"cluster_views"}, {"preprocess_internal"}),
        ("scripts/clustering/store_join.py", {"preprocess_external"}, {"preprocess_internal"}),
        ("scripts/check_results.py", {"check_results"}, {"merge_clusters"}),
        ("scripts/publish_results.py", {"publish_results"}, {"check_results"}),
        ("ops/summary.py", set(), {"publish_results", "preprocess_internal"}),
    ],
)
def test_an_edit_reruns_the_stages_that_use_it(copied, chain, code, edited, reruns, spared):
    with (code / edited).open("a") as file:
        file.write("# edited\n")
    rules = planned(copied, "--configfile", chain / "chain.yaml", root=code)
    assert reruns <= rules
    assert not spared & rules


@pytest.mark.parametrize(
    ("setting", "reruns", "spared"),
    [
        ("merge={min_cluster_size: 6}", "merge_clusters", "cluster_views"),
        ("cluster={external: {max_k: 3}}", "cluster_views", "preprocess_external"),
        ("preprocess={internal: {negative_sales: reject}}", "preprocess_internal", None),
        # Settings that swap their values are changes, though the set of values stays.
        ("cluster={internal: {starts: 4, max_k: 3}}", "cluster_views", "preprocess_internal"),
        ("seed=5", "cluster_views", "preprocess_internal"),
    ],
)
def test_a_changed_setting_reruns_the_stages_that_read_it(finished, chain, setting, reruns, spared):
    rules = planned(finished, "--configfile", chain / "chain.yaml", "--config", setting)
    assert reruns in rules
    assert spared not in rules


def test_a_dry_run_imports_no_heavy_library(chain, tmp_path):
    words = ["-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    more = ["--dry-run", "--configfile", chain / "chain.yaml"]
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *words, *more],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(re.findall(r"\| +([a-z_]+)$", run.stderr, flags=re.MULTILINE))
    assert "snakemake" in imported
    assert not imported & {"polars", "sklearn"}


def test_the_targets_are_listed_with_what_they_make(tmp_path):
    run = snakemake(tmp_path, "--list-target-rules")
    listed = re.findall(r"^(\w+_job) \(\w.{20,}\.\)$", run.stdout, flags=re.MULTILINE)
    assert set(listed) == JOBS


@pytest.mark.parametrize(
    ("job", "rules"),
    [
        ("internal_preprocessing_job", {"preprocess_internal"}),
        ("external_preprocessing_job", {"preprocess_external"}),
        ("internal_clustering_job", {"preprocess_internal", *CLUSTERING}),
        ("external_clustering_job", {"preprocess_external", *CLUSTERING}),
    ],
)
def test_a_job_builds_what_it_needs_and_nothing_more(chain, tmp_path, job, rules):
    assert planned(tmp_path, job, "--configfile", chain / "chain.yaml") == rules | {job}


def test_clusters_are_compared_with_regions_only_if_the_settings_name_one(chain, tmp_path):
    words = ("internal_clustering_job", "--configfile", chain / "chain.yaml", "--config")
    one_view = "cluster={internal: {views: {Crème: {region: store_name}}}}"
    for named in ("cluster={internal: {region: store_name}}", one_view):
        assert "preprocess_external" in planned(tmp_path, *words, named)


def test_a_single_asset_is_asked_for_by_its_file(chain, tmp_path):
    words = ("results/dev/external/features.parquet", "--configfile", chain / "chain.yaml")
    assert planned(tmp_path, *words) == {"preprocess_external"}


def test_a_source_that_does_not_exist_matches_no_rule(tmp_path):
    run = snakemake(tmp_path, "results/dev/other/clusters.parquet", "--dry-run")
    assert run.returncode != 0
    assert "MissingRuleException" in run.stderr + run.stdout


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"merge": {"min_cluster_sise": 3}}, "merge.min_cluster_sise: unknown key; did you mean"),
        ({"cluster": {"internal": {"min_k": 5, "max_k": 3}}}, "min_k: 5 is above cluster.internal"),
        ({"env": "live"}, "env: 'live' is not one of dev, staging, prod"),
        (
            {"sources": {"internal": {"sales": {"path": "absent.parquet"}}}},
            "sources.internal.sales.path: there is no file absent.parquet",
        ),
        ({"seed": "often"}, "seed: 'often' is not of type integer"),
    ],
)
def test_a_wrong_configuration_is_one_clear_message_before_any_job(tmp_path, config, message):
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(tmp_path, "--configfile", tmp_path / "wrong.yaml")
    told = run.stdout + run.stderr
    assert run.returncode != 0
    assert told.count(message) == 1
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "job", sorted(JOBS - {"external_preprocessing_job", "external_clustering_job"})
)
def test_raw_data_that_went_away_is_an_error_even_if_its_results_are_there(finished, chain, job):
    gone = "sources={internal: {sales: {path: absent.parquet}}}"
    words = (job, "--configfile", chain / "chain.yaml", "--config", gone, "--dry-run")
    run = snakemake(finished, *words)
    assert run.returncode != 0
    assert "sources.internal.sales.path: there is no file absent.parquet" in run.stdout + run.stderr


@pytest.mark.parametrize("job", ["external_preprocessing_job", "external_clustering_job"])
def test_a_job_does_not_ask_for_raw_data_that_it_does_not_need(finished, chain, job):
    gone = "sources={internal: {sales: {path: absent.parquet}}}"
    assert planned(finished, job, "--configfile", chain / "chain.yaml", "--config", gone) == set()


def test_staging_asks_for_the_folder_of_the_data(tmp_path):
    run = snakemake(tmp_path, "--config", "env=staging")
    assert run.returncode != 0
    assert "environment variable STORE_CLUSTERING_DATA is not set" in run.stdout + run.stderr


def test_environments_keep_apart(chain, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(chain, data)
    pl.concat(pl.scan_csv(data / "sales_2.csv", infer_schema=False) for _ in range(1)).sink_parquet(
        data / "sales.parquet"
    )
    (data / "traffic.parquet").rename(data / "foot_traffic.parquet")
    run = snakemake(
        tmp_path,
        *("internal_preprocessing_job", "external_preprocessing_job", "--config", "env=staging"),
        env={"STORE_CLUSTERING_DATA": str(data)},
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "results/staging/internal/features.parquet").exists()
    assert (tmp_path / "logs/staging/preprocess_internal.log").exists()
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["staging"]


def test_no_rule_writes_raw_data_that_an_environment_beside_dev_names(tmp_path):
    run = snakemake(tmp_path, "data/demo/sales.parquet", "--config", "env=prod", "--dry-run")
    assert run.returncode != 0
    assert "MissingRuleException" in run.stdout + run.stderr


def test_a_failed_run_ends_with_the_job_the_cause_and_the_log(chain, tmp_path):
    pl.DataFrame({"STORE": [1]}).write_csv(tmp_path / "broken.csv")
    config = chain_configuration(chain)
    config["sources"]["external"]["tables"] = [{"path": str(tmp_path / "broken.csv")}]
    (tmp_path / "broken.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(tmp_path, "external_clustering_job", "--configfile", tmp_path / "broken.yaml")
    assert run.returncode != 0
    end = "\n".join((run.stdout + run.stderr).splitlines()[-8:])
    assert "preprocess_external failed:" in end
    assert "broken.csv: column STORE_NBR is missing; found ['STORE']" in end
    assert "log: logs/dev/preprocess_external.log" in end
    log = (tmp_path / "logs/dev/preprocess_external.log").read_text()
    assert "Traceback" in log


def test_too_much_rejected_data_is_not_published_and_the_evidence_stays(copied, chain):
    before = (copied / "results/dev/current").readlink()
    words = ("--configfile", chain / "chain.yaml", "--config", "check={max_rejected_share: 0}")
    run = snakemake(copied, *words)
    told = run.stdout + run.stderr
    assert run.returncode != 0
    assert "internal: " in told
    assert "of sales were rejected, more than check.max_rejected_share" in told
    assert "unmapped_sku (7 sales)" in told
    assert (copied / "results/dev/current").readlink() == before
    assert (copied / "results/dev/internal/rejected/sales.parquet").exists()


def test_sources_without_a_common_store_are_an_error_that_shows_both(chain, tmp_path):
    table = pl.DataFrame({"STORE_NBR": [5001, 5002, 5003], "INCOME": [1.0, 2.0, 3.0]})
    table.write_csv(tmp_path / "elsewhere.csv")
    config = chain_configuration(chain)
    config["sources"]["external"]["tables"] = [{"path": str(tmp_path / "elsewhere.csv")}]
    (tmp_path / "apart.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(tmp_path, "merging_job", "--configfile", tmp_path / "apart.yaml")
    end = "\n".join((run.stdout + run.stderr).splitlines()[-8:])
    assert run.returncode != 0
    assert "5001" in end
    assert "11" in end


@pytest.mark.parametrize("seconds", [3.0, 6.0, 9.0])
def test_a_run_killed_at_any_moment_is_finished_by_the_next_with_the_same_bytes(
    copied, chain, finished, seconds
):
    before = (copied / "results/dev/current").readlink()
    words = [sys.executable, "-m", "ops.run", "--cores", "2", "--directory", copied, "--"]
    more = ["--configfile", chain / "chain.yaml", "--forceall"]
    command = [str(word) for word in (*words, *more)]
    places = {"cwd": ROOT}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    victim = subprocess.Popen(command, start_new_session=True, **places, **quiet)
    time.sleep(seconds)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    current = copied / "results/dev/current"
    assert (current / "merged/store_clusters.csv").exists()
    for name in ("merged/store_clusters.csv", "internal/clusters.parquet"):
        published = copied / "results/dev" / before / name
        assert published.read_bytes() == (finished / "results/dev" / before / name).read_bytes()
    resumed = subprocess.run(command[:-1], capture_output=True, text=True, check=False, **places)
    assert resumed.returncode == 0, resumed.stderr
    name = "results/dev/merged/store_clusters.csv"
    assert (copied / name).read_bytes() == (finished / name).read_bytes()
    assert "5 categories" in resumed.stdout


def test_two_runs_of_one_environment_do_not_meet(copied, chain):
    words = [sys.executable, "-m", "ops.run", "--", "--configfile", str(chain / "chain.yaml")]
    places = {"cwd": copied, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
    first = subprocess.Popen(
        [*words, "--forceall"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **places,
    )
    try:
        while not (copied / ".snakemake/run-dev.lock").exists():
            time.sleep(0.05)
        time.sleep(0.5)
        second = subprocess.run(words, capture_output=True, text=True, check=False, **places)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert second.returncode == 1
    assert "another run of dev is going on" in second.stderr


def test_the_embedded_data_runs_end_to_end(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "ops.run"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    rows = result(tmp_path)
    assert rows["category"].n_unique() == 13
    assert rows.height == 13 * 111
    assert "13 categories, 111 stores" in run.stdout
