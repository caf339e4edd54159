"""A script's version: a checksum of its text and of every module of this package that it uses."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

SCRIPTS = Path(__file__).parents[1]


def code_version(script: str) -> str:
    """Return the checksum of a script and of the modules that it imports, directly or not.

    Snakemake reruns a job when its script is touched but not when a module that the script imports
    is edited; as a parameter of the rule, this checksum reruns a job when, and only when, the text
    of its code changes.

    Parameters
    ----------
    script : str
        Name of a file in the folder of the scripts.
    """
    digest = hashlib.sha256()
    for path in sorted(_sources(SCRIPTS / script)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _sources(script: Path) -> set[Path]:
    found: set[Path] = set()
    pending = [script]
    while pending:
        path = pending.pop()
        if path not in found:
            found.add(path)
            pending.extend(_imported(path))
    return found


def _imported(path: Path) -> Iterator[Path]:
    """Files beside the scripts that one file imports."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.ImportFrom(module=str(module), names=aliases):
                names = [module, *(f"{module}.{alias.name}" for alias in aliases)]
            case ast.Import(names=aliases):
                names = [alias.name for alias in aliases]
            case _:
                continue
        files = (SCRIPTS.joinpath(*name.split(".")).with_suffix(".py") for name in names)
        yield from (file for file in files if file.is_file())
