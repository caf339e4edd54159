"""Many tables of stores as one: the full join on the store, and whose column counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from clustering.store_tables import STORE, StoreTable


@dataclass(frozen=True)
class JoinedTables:
    """The full join of tables on the store.

    Attributes
    ----------
    stores : polars.DataFrame
        `store_nbr` of every store that any table names, sorted, and one column per name.
    table_of : dict of str to str
        The name of the table that a column comes from.
    left_out : list of (table, column, reason)
        Columns of the tables that are not in `stores`.
    """

    stores: pl.DataFrame
    table_of: dict[str, str]
    left_out: list[tuple[str, str, str]]


def join_store_tables(tables: Sequence[StoreTable]) -> JoinedTables:
    """Join tables on the store so that every store of any table has one row.

    Of a column that several tables have, only the values of the table that wins are used, so
    that one column never mixes two sources. Columns without a name are left out.

    Raises
    ------
    ValueError
        If no table names a store, or several tables have a column and not exactly one of them
        wins it.
    """
    owners = _owners(tables)
    parts = [
        table.stores.select(STORE, *(c for c in table.columns if owners.get(c) is table))
        for table in tables
    ]
    stores = reduce(lambda one, two: one.join(two, on=STORE, how="full", coalesce=True), parts)
    if stores.is_empty():
        raise ValueError(
            f"no row of {', '.join(table.name for table in tables)} has a valid STORE_NBR, "
            f"a positive whole number; rejected: {_examples(tables)}"
        )
    left_out = []
    for table in tables:
        for column in table.columns:
            if column not in owners:
                left_out.append((table.name, column, "the column has no name"))
            elif owners[column] is not table:
                reason = f"{owners[column].name} wins; no value of this table is used"
                left_out.append((table.name, column, reason))
    return JoinedTables(
        stores=stores.sort(STORE),
        table_of={column: table.name for column, table in owners.items()},
        left_out=left_out,
    )


def _owners(tables: Sequence[StoreTable]) -> dict[str, StoreTable]:
    """Return for every named column the one table whose values are used."""
    owners: dict[str, StoreTable] = {}
    conflicts = []
    for column in sorted({column for table in tables for column in table.columns if column}):
        holders = [table for table in tables if column in table.columns]
        winners = [table for table in holders if len(holders) == 1 or column in table.wins]
        if len(winners) == 1:
            owners[column] = winners[0]
        else:
            conflicts.append(f"{column} in {' and in '.join(sorted(t.name for t in holders))}")
    if conflicts:
        raise ValueError(
            f"several tables have the same column: {'; '.join(conflicts)}; "
            "name the column under `wins` of exactly one of these tables, the one to use"
        )
    return owners


def _examples(tables: Sequence[StoreTable]) -> str:
    reasons = (
        pl.concat(table.rejected for table in tables)
        .group_by("reason")
        .agg(pl.len(), pl.col(STORE).sort().first())
    )
    return (
        ", ".join(
            f"{rows} rows {reason}" + (f", such as '{store}'" if store is not None else "")
            for reason, rows, store in reasons.sort("reason").iter_rows()
        )
        or "no row, the files are empty"
    )
