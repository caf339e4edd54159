"""Reading and writing the tables that stages exchange: Parquet, and CSV for people."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from clustering.contracts import Contract

REPORT_DECIMALS = 6


def read_table(path: str, contract: Contract) -> pl.DataFrame:
    """Read a Parquet table that another stage wrote, and hold it to its contract.

    Raises
    ------
    ValueError
        If the table breaks the contract; the message names the file.
    """
    return _conform(pl.read_parquet(path), path, contract)


def read_tables(paths: Iterable[str], contract: Contract) -> pl.DataFrame:
    """Read the parts of one table and return it whole, sorted by its key."""
    parts = [read_table(path, contract) for path in paths]
    return contract.conform(pl.concat(parts))


def write_table(frame: pl.DataFrame, path: str, contract: Contract | None = None) -> None:
    """Write `frame` as the suffix of `path` says (.parquet or .csv), whole or not at all.

    A table that a stage reads again is held to its contract first.
    """
    table = frame if contract is None else _conform(frame, path, contract)
    if path.endswith(".csv"):
        write_whole(path, table.write_csv)
    else:
        # Parquet pages end where a frame's chunks end, and those depend on the number of threads.
        whole = table.rechunk()
        write_whole(path, lambda part: whole.write_parquet(part, compression="zstd"))


def write_report(frame: pl.DataFrame, path: str) -> None:
    """Write a table that people read as CSV, its fractions to six decimals, whole or not at all."""
    write_whole(path, lambda part: frame.write_csv(part, float_precision=REPORT_DECIMALS))


def write_whole(path: str, write: Callable[[Path], object]) -> None:
    """Call `write` on a file beside `path`, then rename it: readers see all of it or nothing."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _conform(frame: pl.DataFrame, path: str, contract: Contract) -> pl.DataFrame:
    try:
        return contract.conform(frame)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
