"""Tables that describe stores, one row per store: read from files and stacked."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from clustering.csv_types import guess_types
from clustering.identifiers import identifier, is_blank
from clustering.raw_tables import lower_snake_case, naming_unreadable, scan_raw

logger = logging.getLogger(__name__)

STORE = "store_nbr"
SHOWN_STORES = 10
"""How many stores an error names."""


@dataclass(frozen=True, eq=False)
class StoreTable:
    """One table keyed by store.

    Attributes
    ----------
    files : tuple of str
        The files that were stacked, sorted.
    wins : frozenset of str
        Columns, in lower snake case, for which this table goes before any other.
    stores : polars.DataFrame
        `store_nbr` (Int64, unique) and the columns of the table.
    rejected : polars.DataFrame
        Rows without a valid store: `file`, `row` (1 is the first after a header), `store_nbr`
        as text, `reason` (`null_store` or `invalid_store`).
    """

    files: tuple[str, ...]
    wins: frozenset[str]
    stores: pl.DataFrame
    rejected: pl.DataFrame

    @property
    def name(self) -> str:
        """What messages and reports call the table: its first file, and how many more."""
        more = len(self.files) - 1
        return f"{self.files[0]} and {more} more" if more else self.files[0]

    @property
    def columns(self) -> list[str]:
        """The columns beside the store."""
        return [column for column in self.stores.columns if column != STORE]

    @property
    def rows(self) -> int:
        """Rows in the files, rejected ones included."""
        return self.stores.height + self.rejected.height


def read_store_table(files: Sequence[str], wins: Collection[str] = ()) -> StoreTable:
    """Read the files of one table and stack them; a column that a file lacks is null there.

    Columns of CSV files get their types from all CSV files of the table together
    (`clustering.csv_types`), Parquet columns keep theirs. Categories are text.

    Raises
    ------
    ValueError
        If a file cannot be read or lacks STORE_NBR, a column is of different kinds in different
        files, or a store has more than one row.
    """
    files = sorted(files)
    parts: list[tuple[str, pl.DataFrame]] = []
    texts: list[pl.DataFrame] = []
    rejected: list[pl.DataFrame] = []
    for file in files:
        accepted, without_store = _split_rows(file, _read_file(file))
        rejected.append(without_store)
        if file.endswith(".parquet"):
            parts.append((file, accepted))
        else:
            texts.append(accepted)
    if texts:
        text = pl.concat(texts, how="diagonal")
        parts.append(("CSV", text.select(STORE).hstack(guess_types(text.drop(STORE)))))
    table = StoreTable(
        files=tuple(files),
        wins=frozenset(map(lower_snake_case, wins)),
        stores=_stack(files, parts).sort(STORE),
        rejected=pl.concat(rejected),
    )
    _require_unique_stores(table)
    logger.info(
        "%s: %d rows, %d stores, %d columns, %d rows rejected",
        table.name,
        table.rows,
        table.stores.height,
        len(table.columns),
        table.rejected.height,
    )
    return table


def _read_file(file: str) -> pl.DataFrame:
    table = scan_raw(file, [STORE])
    with naming_unreadable([file]):
        frame = table.collect()
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def _split_rows(file: str, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate the rows that name a store from those that do not."""
    dtype = frame.schema[STORE]
    keys = frame.select(
        pl.col(STORE),
        row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        number=identifier(STORE, dtype),
        reason=pl.when(is_blank(STORE, dtype))
        .then(pl.lit("null_store"))
        .otherwise(pl.lit("invalid_store")),
    )
    accepted = frame.with_columns(keys["number"].alias(STORE)).filter(keys["number"].is_not_null())
    rejected = keys.filter(pl.col("number").is_null()).select(
        pl.lit(file).alias("file"), "row", pl.col(STORE).cast(pl.String), "reason"
    )
    return accepted, rejected


def _stack(files: Sequence[str], parts: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    """Stack named parts by column; numbers of different types become the wider type."""
    for column in sorted({column for _, frame in parts for column in frame.columns}):
        kinds = {
            _kind(frame.schema[column]): name
            for name, frame in parts
            if frame.schema.get(column, pl.Null) != pl.Null
        }
        if len(kinds) > 1:
            found = " but ".join(f"{kind} in {name}" for kind, name in sorted(kinds.items()))
            raise ValueError(
                f"{', '.join(files)}: column {column} is {found}; "
                "write one kind in all files of a table"
            )
    return pl.concat((frame for _, frame in parts), how="diagonal_relaxed")


def _kind(dtype: pl.DataType) -> str:
    return "number" if dtype.is_numeric() else str(dtype.base_type())


def _require_unique_stores(table: StoreTable) -> None:
    stores = table.stores[STORE]
    repeated = stores.filter(stores.is_duplicated()).unique().sort().to_list()
    if repeated:
        shown = ", ".join(map(str, repeated[:SHOWN_STORES]))
        rest = ", …" if len(repeated) > SHOWN_STORES else ""
        raise ValueError(
            f"{', '.join(table.files)}: {len(repeated)} stores have more than one row: "
            f"{shown}{rest}; keep one row per store"
        )
