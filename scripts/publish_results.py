"""Copy a complete, checked run to where readers look, and point `current` at it in one rename."""

import hashlib
import json
import logging
import os
import platform
import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from clustering.dictionaries import write_dictionary
from clustering.joblog import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)

PACKAGES = ("snakemake", "polars", "scikit-learn", "numpy", "scipy")


def publish(
    files: Iterable[Path], results: Path, settings: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Copy a run into `published/{run_id}` and swap the link `current` to it.

    Readers see the previous run until the new one is complete and on disk, then the new one.

    Parameters
    ----------
    files : iterable of pathlib.Path
        Files and folders below `results` that make up the run; they keep their relative paths.
    results : pathlib.Path
        The results of one environment.
    settings : dict
        The merged configuration, kept beside the results as `settings.yaml`.
    now : datetime.datetime
        In UTC; with a checksum of the content it names the run.

    Returns
    -------
    dict
        The manifest, which is also written as `manifest.json`: `run_id`, `created`, `env`,
        `versions`, and a checksum (SHA-256) per file.
    """
    published = results / "published"
    published.mkdir(parents=True, exist_ok=True)
    for abandoned in published.glob(".*.part"):
        shutil.rmtree(abandoned)
    part = published / f".{os.getpid()}.part"
    for file in files:
        _copy(file, part / file.relative_to(results))
    (part / "settings.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    checksums = {
        str(path.relative_to(part)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(part.rglob("*"))
        if path.is_file()
    }
    content = hashlib.sha256(json.dumps(checksums, sort_keys=True).encode()).hexdigest()
    manifest = {
        "run_id": f"{now:%Y-%m-%dT%H%M%SZ}-{content[:8]}",
        "created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "env": settings["env"],
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        "files": checksums,
    }
    write_dictionary(manifest, str(part / "manifest.json"))
    for path in (*part.rglob("*"), part):
        _to_disk(path)
    part.rename(published / manifest["run_id"])
    _to_disk(published)
    _point(results / "current", Path("published") / manifest["run_id"])
    _to_disk(results)
    return manifest


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".snakemake_timestamp"))
    else:
        shutil.copyfile(source, target)


def _point(link: Path, target: Path) -> None:
    """Make `link` point at `target` in one step: it never points nowhere."""
    new = link.with_name(f".{link.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _to_disk(path: Path) -> None:
    """Wait until a file, or the entries of a folder, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(files: str | Sequence[str], receipt: str, results: str, settings: dict[str, Any]) -> None:
    """Publish `files` of the run in `results`; write which run that was to `receipt`."""
    paths = [Path(file) for file in ([files] if isinstance(files, str) else files)]
    manifest = publish(paths, Path(results), settings, datetime.now(tz=UTC))
    logger.info("published %s, %d files", manifest["run_id"], len(manifest["files"]))
    write_dictionary({key: manifest[key] for key in ("run_id", "created", "env")}, receipt)


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
