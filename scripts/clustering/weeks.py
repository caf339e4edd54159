"""Halves of the sales: alternate weeks, so that both halves see every season.

What two halves agree on lasts; what they do not agree on is chance. Where the sales are those of
a panel of shoppers, both halves hold the same shoppers, and their tastes pass for the stores'.
"""

import polars as pl

from clustering.identifiers import LARGEST_EXACT_FLOAT
from clustering.money import amount, money

HALVES = (1, 2)
UNREADABLE = 0
"""The half of a row whose file has weeks, but whose own week cannot be read: none."""

FIRST_MONDAY = 4
"""1970-01-05, in days since 1970-01-01."""


def half(dtype: pl.DataType | None) -> pl.Expr:
    """Return the half that the week of a row belongs to.

    A whole number is the number of a week: odd numbers are half 1, even ones half 2. A date lies
    in the week from Monday to Sunday (ISO 8601), counted from that of Monday 1970-01-05, which is
    week 0. Text may hold either, a date as `2024-12-30` with or without a time behind it.

    Parameters
    ----------
    dtype : polars.DataType or None
        The type of the column `week` in this file; None if it has no such column.

    Returns
    -------
    polars.Expr
        `half` (Int8): 1 or 2; `UNREADABLE`; null where the file has no weeks.
    """
    if dtype is None:
        return pl.lit(None, dtype=pl.Int8).alias("half")
    week = pl.coalesce(_number(dtype), _calendar_week(dtype))
    of_week = pl.when(week % 2 != 0).then(HALVES[0]).otherwise(HALVES[1])
    return pl.when(week.is_null()).then(UNREADABLE).otherwise(of_week).cast(pl.Int8).alias("half")


def _number(dtype: pl.DataType) -> pl.Expr:
    number = amount("week", dtype)
    whole = (number == number.floor()) & (number.abs() <= LARGEST_EXACT_FLOAT)
    return pl.when(whole).then(number).cast(pl.Int64)


def _calendar_week(dtype: pl.DataType) -> pl.Expr:
    value = pl.col("week")
    if dtype == pl.String:
        text = value.str.strip_chars().str.extract(r"^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$")
        date = text.str.to_date("%Y-%m-%d", strict=False)
    elif dtype in (pl.Date, pl.Datetime):
        date = value.dt.date()
    else:
        date = pl.lit(None, dtype=pl.Date)
    return (date.cast(pl.Int64) - FIRST_MONDAY) // 7


def sales_by_half(sums: pl.DataFrame) -> pl.DataFrame:
    """Return what every store sells in each half and category: the weights of its shares there.

    Parameters
    ----------
    sums : polars.DataFrame
        `category`, `store_nbr`, `half`, `reason`, `millionths`.

    Returns
    -------
    polars.DataFrame
        The contract of half sales, unsorted.
    """
    return (
        sums.filter(pl.col("reason").is_null(), pl.col("half").is_in(HALVES))
        .group_by(pl.col("category").alias("view"), "half", "store_nbr")
        .agg(pl.col("millionths").sum().alias("mapped_sales"))
        .with_columns(money("mapped_sales"))
    )


def rows_by_half(sums: pl.DataFrame) -> dict[str, int]:
    """Count the accepted rows of each half and those of none, by why they are of none.

    Parameters
    ----------
    sums : polars.DataFrame
        `half`, `reason`, `rows`.

    Returns
    -------
    dict
        `first_half`, `second_half`, `unreadable_week`, `file_without_weeks`.
    """
    accepted = sums.filter(pl.col("reason").is_null())
    rows = dict(accepted.group_by("half").agg(pl.col("rows").sum()).iter_rows())
    names = {
        "first_half": HALVES[0],
        "second_half": HALVES[1],
        "unreadable_week": UNREADABLE,
        "file_without_weeks": None,
    }
    return {name: rows.get(half, 0) for name, half in names.items()}
