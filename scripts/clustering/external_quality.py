"""What external tables were worth: what became of each column, and the rows without a store."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from clustering.feature_columns import Column, Outcome
from clustering.store_join import JoinedTables
from clustering.store_tables import StoreTable

COLUMN_REPORT = pl.Schema(
    {
        "table": pl.String,
        "column": pl.String,
        "outcome": pl.String,
        "reason": pl.String,
        "features": pl.String,
        "missing_share": pl.Float64,
    }
)


def column_report(columns: Sequence[Column], joined: JoinedTables) -> pl.DataFrame:
    """Return one row per column of any table: what became of it, and why.

    Returns
    -------
    polars.DataFrame
        `table`, `column`, `outcome` (feature, one-hot, attribute or dropped), `reason`,
        `features` (names, separated by "; ") and `missing_share` (stores without a known value
        ÷ all stores; null where the column was not joined).
    """
    joined_columns = [
        (
            joined.table_of[column.name],
            column.name,
            column.outcome.value,
            column.reason,
            "; ".join(feature.name for feature in column.values) if column.is_feature else "",
            column.missing_share,
        )
        for column in columns
    ]
    left_out = [
        (table, column, Outcome.DROPPED.value, reason, "", None)
        for table, column, reason in joined.left_out
    ]
    report = pl.DataFrame(joined_columns + left_out, schema=COLUMN_REPORT, orient="row")
    return report.sort("table", "column")


def external_quality(
    tables: Sequence[StoreTable], columns: Sequence[Column], report: pl.DataFrame
) -> dict[str, Any]:
    """Count what was rejected and left out, for readers and for the check before publishing.

    Parameters
    ----------
    tables : sequence of StoreTable
    columns : sequence of Column
        All columns of the joined tables.
    report : polars.DataFrame
        Of `column_report`.

    Returns
    -------
    dict
        `rows`, `accepted_rows`, `rejected_rows`, `rejected_share` (rejected rows ÷ rows) and
        `reasons` (rows per reason), over all tables and per table; `columns_dropped`;
        `non_finite_values` per column; `sensitive_columns` that were left out and used.
    """
    sensitive = [column for column in columns if column.is_sensitive]
    dropped = report.filter(pl.col("outcome") == Outcome.DROPPED.value)
    return {
        "source": "external",
        **_count_rows(tables),
        "tables": [
            {"files": list(table.files), "stores": table.stores.height, **_count_rows([table])}
            for table in sorted(tables, key=lambda table: table.files)
        ],
        "columns_dropped": dropped.select("table", "column", "reason").to_dicts(),
        "non_finite_values": {c.name: c.non_finite for c in columns if c.non_finite},
        "sensitive_columns": {
            "left_out": [c.name for c in sensitive if c.outcome == Outcome.DROPPED],
            "used": [c.name for c in sensitive if c.outcome != Outcome.DROPPED],
        },
    }


def _count_rows(tables: Sequence[StoreTable]) -> dict[str, Any]:
    rows = sum(table.rows for table in tables)
    reasons = pl.concat(table.rejected for table in tables)["reason"]
    return {
        "rows": rows,
        "accepted_rows": rows - reasons.len(),
        "rejected_rows": reasons.len(),
        "rejected_share": reasons.len() / rows if rows else 0.0,
        "reasons": {
            reason: {"rows": count}
            for reason, count in reasons.value_counts(name="rows").sort("reason").iter_rows()
        },
    }
