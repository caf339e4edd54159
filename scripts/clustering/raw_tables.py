"""Reading raw inputs: Parquet or CSV files whose columns are found whatever their case."""

import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl


def scan_raw(path: str, required: Iterable[str], *, infer_types: bool = True) -> pl.LazyFrame:
    """Scan one raw file lazily, with its columns renamed to lower snake case.

    Parameters
    ----------
    path : str
        A `.parquet`, `.csv` or `.csv.gz` file; text is UTF-8.
    required : iterable of str
        Columns, in lower snake case, that the file must have.
    infer_types : bool
        Whether the types of a CSV's columns are inferred from all of its rows;
        otherwise every column is text.

    Raises
    ------
    ValueError
        If the file is empty, unreadable or of another kind, two columns have the same name but
        for case, or a required column is missing; the message names file and columns.
    """
    table = _scan(path, infer_types=infer_types)
    try:
        names = table.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
    renamed = {name: lower_snake_case(name) for name in names}
    for new in renamed.values():
        same = [old for old in names if renamed[old] == new]
        if len(same) > 1:
            raise ValueError(f"{path}: columns {same} are one column, {new}; rename or drop one")
    missing = [name for name in required if name not in renamed.values()]
    if missing:
        raise ValueError(f"{path}: column {', '.join(missing).upper()} is missing; found {names}")
    return table.rename(renamed)


def _scan(path: str, *, infer_types: bool) -> pl.LazyFrame:
    if path.endswith(".parquet"):
        return pl.scan_parquet(path, glob=False)
    if path.endswith((".csv", ".csv.gz")):
        if Path(path).stat().st_size == 0:
            raise ValueError(f"{path}: the file is empty; a header row is expected")
        return pl.scan_csv(
            path,
            glob=False,
            infer_schema=infer_types,
            infer_schema_length=None,
            raise_if_empty=False,
        )
    raise ValueError(f"{path}: unknown kind of file; allowed are .parquet, .csv and .csv.gz")


def lower_snake_case(name: str) -> str:
    """Return a column name in lower case, with every run of other signs as one underscore.

    Examples
    --------
    >>> lower_snake_case(" Median Income ($)")
    'median_income'
    """
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")
