"""Where a job says what it did: its settings first, a traceback last if it failed."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

CAUSE = "failed because: "
FORMAT = "%(asctime)s %(levelname)s %(message)s"


@contextmanager
def job_log(job: Any) -> Iterator[None]:  # noqa: ANN401  (Snakemake's object has no public type)
    """Log to the job's log file while the body runs; record an exception, then re-raise it.

    Parameters
    ----------
    job : snakemake.script.Snakemake
        The job that Snakemake hands to a script: its rule, wildcards, parameters and files.
    """
    path = Path(job.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=path, filemode="w", level=logging.INFO, format=FORMAT, force=True)
    logger.info("%s %s", job.rule, json.dumps(dict(job.wildcards)))
    for name, value in job.params.items():
        logger.info("setting %s = %s", name, json.dumps(value, ensure_ascii=False, default=str))
    for name, value in job.input.items():
        logger.info("input %s = %s", name, value)
    try:
        yield
    except Exception as error:
        logger.exception("%s%s", CAUSE, error)  # noqa: TRY401  (the cause stands above the traceback)
        raise
    for name, value in job.output.items():
        logger.info("output %s = %s", name, value)
    logger.info("done")


def failures(run_log: str) -> list[tuple[str, str, str]]:
    """Return the rule, the log file and the cause of every job that failed in a run.

    Parameters
    ----------
    run_log : str
        Snakemake's own log of the run.
    """
    text = Path(run_log).read_text(encoding="utf-8")
    failed = re.findall(
        r"^Error in rule (\w+):.*?^ +log: (.+?) \(check", text, re.MULTILINE | re.DOTALL
    )
    return [(rule, log, _cause(Path(log))) for rule, log in dict.fromkeys(failed)]


def _cause(log: Path) -> str:
    written = log.read_text(encoding="utf-8") if log.exists() else ""
    causes = re.findall(rf"{CAUSE}(.+)", written)
    return causes[-1] if causes else "the job ended before it could say why"
