"""Feature sets: which features they hold, which category uses which, and a run with two of them."""

import subprocess
import sys

import polars as pl
import pytest
import yaml

from clustering.feature_sets import set_members, set_of_each
from tests.chain import CATEGORIES, configuration, write_chain
from tests.conftest import ROOT


def test_all_holds_every_feature_in_order_and_the_others_what_they_match():
    found = set_members({"pay": ["pay_?"]}, ["pay_b", "kind=a", "pay_a", "pay_ab"])
    assert found == {"all": ["pay_b", "kind=a", "pay_a", "pay_ab"], "pay": ["pay_b", "pay_a"]}


def test_categories_use_all_unless_another_set_is_chosen():
    assert set_of_each(["TEA", "COFFEE"], {"TEA": "traffic"}) == {"TEA": "traffic", "COFFEE": "all"}


@pytest.mark.parametrize(
    ("categories", "nearest"),
    [
        (["ORAL CARE", "HAIR CARE", "TEA", "COFFEE"], "'ORAL CARE', 'HAIR CARE', 'COFFEE'"),
        ([], "none"),
    ],
)
def test_a_category_that_does_not_occur_is_told_with_the_nearest(categories, nearest):
    with pytest.raises(ValueError, match=f"'ORAL-CARE' is not in the sales; nearest: {nearest}$"):
        set_of_each(categories, {"ORAL-CARE": "all"})


@pytest.mark.workflow
def test_a_run_merges_each_category_with_the_external_clusters_of_its_set(tmp_path):
    write_chain(tmp_path / "raw")
    config = configuration(tmp_path / "raw")
    config["cluster"]["internal"] |= {"max_k": 3, "starts": 1}
    config["preprocess"] = {"external": {"feature_sets": {"wealth": ["income"]}}}
    config["merge"] |= {"feature_sets": {"Crème": "wealth"}, "max_cluster_share": 0.4}
    (tmp_path / "chain.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "2"]
    run = subprocess.run(
        [*command, "--directory", tmp_path, "--configfile", tmp_path / "chain.yaml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    results = tmp_path / "results/dev"
    quality = pl.read_csv(results / "external/quality.csv")
    assert quality["view"].to_list() == ["all", "wealth"]
    given = pl.read_parquet(results / "external/clusters.parquet")
    merged = pl.read_parquet(results / "current/merged/store_clusters.parquet")
    for category in CATEGORIES:
        view = "wealth" if category == "Crème" else "all"
        known = merged.filter(
            pl.col("category") == category,
            pl.col("external_cluster").is_not_null(),
            pl.col("predicted_source").ne_missing("external"),
        ).select("store_nbr", cluster="external_cluster")
        assert known.equals(given.filter(view=view).select("store_nbr", "cluster"))
    summary = pl.read_csv(results / "current/merged/summary.csv")
    counted = summary["clustered"] + summary["reassigned"]
    assert (summary["maximum_size"] == counted * 2 // 5).all()
    held = summary.filter("feasible")
    assert (held["largest_demand_cluster"] <= held["maximum_size"]).all()
    assert summary.filter(~pl.col("feasible"))["note"].null_count() == 0
