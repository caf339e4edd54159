"""Run a job of the workflow, one at a time per environment, and print what it made."""

import argparse
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from ops import ROOT
from ops.arguments import ENVIRONMENTS
from ops.summary import summary

STATE = Path(".snakemake")


class RunningError(RuntimeError):
    """Another run of the environment is going on."""


@contextmanager
def held_lock(env: str) -> Iterator[int]:
    """Hold the lock of an environment; yield its file descriptor, for the run to inherit.

    Raises
    ------
    RunningError
        If another run holds it.
    """
    STATE.mkdir(exist_ok=True)
    with (STATE / f"run-{env}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunningError(
                f"another run of {env} is going on; wait for it or stop it"
            ) from None
        yield lock.fileno()


def clear_dead_run(snakemake: Sequence[str]) -> None:
    """Remove what a killed run left behind: its jobs, if any still run, and Snakemake's lock.

    A Snakemake that is alive in this folder, for another environment say, keeps its lock.
    """
    here = [process for process in psutil.process_iter(["cmdline", "cwd"]) if _is_here(process)]
    if any(_is_snakemake(process) for process in here):
        return
    orphans = [process for process in here if _is_script(process)]
    for process in orphans:
        process.kill()
    psutil.wait_procs(orphans)
    if any((STATE / "locks").glob("*.lock")):
        print("clearing the lock of a run that was killed")
        subprocess.run([*snakemake, "--unlock", "--quiet", "all"], check=True)


def _is_here(process: psutil.Process) -> bool:
    return str(process.info["cwd"]) == str(Path.cwd())


def _is_snakemake(process: psutil.Process) -> bool:
    command = process.info["cmdline"] or []
    return "snakemake" in command or any(Path(word).name == "snakemake" for word in command[:2])


def _is_script(process: psutil.Process) -> bool:
    return any(f"{STATE}/scripts/" in word for word in process.info["cmdline"] or [])


def main() -> int:
    """Run what the command line asks for; return Snakemake's exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="What follows -- goes to Snakemake: python -m ops.run merging_job -- --dry-run",
    )
    parser.add_argument("job", nargs="?", default="full_pipeline_job", help="default: %(default)s")
    parser.add_argument("--env", choices=ENVIRONMENTS, default="dev", help="default: %(default)s")
    parser.add_argument("--cores", default="all", help="a number, or all; default: %(default)s")
    parser.add_argument(
        "--directory", type=Path, default=Path(), help="where to run; default: here"
    )
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    asked, more = parser.parse_args(words[:split]), words[split + 1 :]
    os.chdir(asked.directory)
    snakemake = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *(asked.job, "--cores", asked.cores, "--config", f"env={asked.env}"),
    ]
    try:
        with held_lock(asked.env) as lock:
            clear_dead_run(snakemake)
            code = subprocess.run([*snakemake, *more], pass_fds=[lock], check=False).returncode
    except RunningError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if code == 0:
        print(f"\n{summary(Path('results') / asked.env)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
