import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from publish_results import main, publish

NOW = datetime(2026, 3, 1, 0, 0, 5, tzinfo=UTC)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results" / "dev"
    for name, text in {
        "merged/store_clusters.csv": "category,store_nbr\nA,1\n",
        "internal/models/a.skops": "model",
        "internal/models/.snakemake_timestamp": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def files(results):
    return [results / "merged/store_clusters.csv", results / "internal/models"]


def published(results, now=NOW):
    return publish(files(results), results, {"env": "dev", "seed": 1}, now)


def test_current_leads_to_a_complete_run_with_its_settings_and_checksums(results):
    manifest = published(results)
    current = results / "current"
    assert current.readlink().parts == ("published", manifest["run_id"])
    assert json.loads((current / "manifest.json").read_text()) == manifest
    assert (current / "settings.yaml").read_text() == "env: dev\nseed: 1\n"
    assert (current / "internal/models/a.skops").read_text() == "model"
    for name, checksum in manifest["files"].items():
        assert hashlib.sha256((current / name).read_bytes()).hexdigest() == checksum
    assert sorted(manifest["files"]) == [
        "internal/models/a.skops",
        "merged/store_clusters.csv",
        "settings.yaml",
    ]


def test_a_run_is_named_by_its_time_and_content(results):
    first = published(results)["run_id"]
    assert first.startswith("2026-03-01T000005Z-")
    (results / "merged/store_clusters.csv").write_text("category,store_nbr\nA,2\n")
    assert published(results)["run_id"] != first


def test_what_was_published_before_stays_when_build_outputs_change(results):
    first = published(results)["run_id"]
    (results / "merged/store_clusters.csv").write_text("new")
    second = published(results, NOW + timedelta(days=1))["run_id"]
    folder = results / "published"
    assert (folder / first / "merged/store_clusters.csv").read_text().startswith("category")
    assert (folder / second / "merged/store_clusters.csv").read_text() == "new"
    assert (results / "current/merged/store_clusters.csv").read_text() == "new"


def test_a_run_that_cannot_be_completed_leaves_current_as_it_was(results):
    first = published(results)["run_id"]
    with pytest.raises(FileNotFoundError):
        publish([*files(results), results / "absent"], results, {"env": "dev"}, NOW)
    assert (results / "current").readlink().name == first
    assert [run.name for run in (results / "published").glob("2*")] == [first]
    published(results, NOW + timedelta(hours=1))
    assert list((results / "published").glob(".*")) == []


def test_the_receipt_names_the_run(results):
    receipt = results / "published/latest.json"
    main(
        files=[str(file) for file in files(results)],
        receipt=str(receipt),
        results=str(results),
        settings={"env": "dev"},
    )
    assert json.loads(receipt.read_text())["run_id"] == (results / "current").readlink().name
