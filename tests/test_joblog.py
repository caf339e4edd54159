import logging
from types import SimpleNamespace

import pytest

from clustering.joblog import failures, job_log


@pytest.fixture
def job(tmp_path):
    yield SimpleNamespace(
        rule="cluster_views",
        log=[str(tmp_path / "logs" / "job.log")],
        wildcards={"source": "internal"},
        params={"settings": {"max_k": 8}},
        input={"features": "features.parquet"},
        output={"clusters": "clusters.parquet"},
    )
    logging.basicConfig(force=True)


def lines(job):
    with open(job.log[0]) as file:  # noqa: PTH123
        return [line.split(" ", maxsplit=2)[2].strip() for line in file if " INFO " in line]


def test_a_log_begins_with_the_settings_and_ends_with_done(job):
    with job_log(job):
        logging.getLogger("clustering").info("3 stores")
    assert lines(job) == [
        'INFO cluster_views {"source": "internal"}',
        'INFO setting settings = {"max_k": 8}',
        "INFO input features = features.parquet",
        "INFO 3 stores",
        "INFO output clusters = clusters.parquet",
        "INFO done",
    ]


def test_a_failure_is_logged_with_its_traceback_and_raised(job, tmp_path):
    with pytest.raises(ValueError, match="column X"), job_log(job):
        raise ValueError("sales.csv: column X is missing")
    text = (tmp_path / "logs/job.log").read_text()
    assert "Traceback" in text
    assert "INFO done" not in text
    run_log = tmp_path / "run.log"
    run_log.write_text(
        "Error in rule cluster_views:\n    jobid: 3\n"
        f"    log: {job.log[0]} (check log file(s) for error details)\n"
        "Error in rule merge_clusters:\n    message: None\n"
        f"    log: {tmp_path}/absent.log (check log file(s) for error details)\n"
    )
    assert failures(str(run_log)) == [
        ("cluster_views", job.log[0], "sales.csv: column X is missing"),
        ("merge_clusters", f"{tmp_path}/absent.log", "the job ended before it could say why"),
    ]
