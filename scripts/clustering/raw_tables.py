"""Reading raw inputs: Parquet or CSV files whose columns are found whatever their case."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl


def scan_raw(path: str, required: Iterable[str]) -> pl.LazyFrame:
    """Scan one raw file lazily, with its columns renamed to lower snake case.

    Parameters
    ----------
    path : str
        A `.parquet`, `.csv` or `.csv.gz` file. Every column of a CSV is text, so that what an id
        or an amount means is decided in one place; text is UTF-8.
    required : iterable of str
        Columns, in lower snake case, that the file must have.

    Raises
    ------
    ValueError
        If the file is empty, unreadable or of another kind, two columns have the same name but
        for case, or a required column is missing; the message names file and columns.
    """
    table = _scan(path)
    try:
        names = table.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
    renamed = {name: lower_snake_case(_as_written(name, names)) for name in names}
    for new in renamed.values():
        same = [_as_written(old, names) for old in names if renamed[old] == new]
        if len(same) > 1:
            raise ValueError(f"{path}: columns {same} are one column, {new}; rename or drop one")
    missing = [name for name in required if name not in renamed.values()]
    if missing:
        raise ValueError(f"{path}: column {', '.join(missing).upper()} is missing; found {names}")
    return table.rename(renamed)


@contextmanager
def naming_unreadable(paths: Sequence[str]) -> Iterator[None]:
    """Turn an error while raw files are read into one that names the file.

    Raises
    ------
    ValueError
        Naming the first of the files that cannot be read to its end.
    """
    try:
        yield
    except (pl.exceptions.PolarsError, OSError):
        for path in paths:
            try:
                _scan(path).select(pl.all().count()).collect(engine="streaming")
            except (pl.exceptions.PolarsError, OSError) as error:
                what = str(error).splitlines()[0]
                raise ValueError(
                    f"{path}: cannot be read: {what}; is the file complete, and its text UTF-8?"
                ) from error
        raise


def _scan(path: str) -> pl.LazyFrame:
    if path.endswith(".parquet"):
        return pl.scan_parquet(path, glob=False)
    if path.endswith((".csv", ".csv.gz")):
        if Path(path).stat().st_size == 0:
            raise ValueError(f"{path}: the file is empty; a header row is expected")
        return pl.scan_csv(path, glob=False, infer_schema=False, raise_if_empty=False)
    raise ValueError(f"{path}: unknown kind of file; allowed are .parquet, .csv and .csv.gz")


def _as_written(name: str, names: Sequence[str]) -> str:
    """Undo what polars makes of the second of two equal headers."""
    original = re.sub(r"_duplicated_\d+$", "", name)
    return original if original in names else name


def lower_snake_case(name: str) -> str:
    """Return a column name in lower case, with every run of other signs as one underscore.

    Examples
    --------
    >>> lower_snake_case(" Median Income ($)")
    'median_income'
    """
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")
