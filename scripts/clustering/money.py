"""Money as whole millionths: integers add up to the same sum in any order, floats do not."""

import polars as pl

MILLION = 1_000_000
DECIMALS = 6
LARGEST_AMOUNT = 2**63 / MILLION
"""The first amount, positive or negative, whose millionths no longer fit Int64."""


def amount(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return the values of a raw column as Float64; null where they are no number.

    Text is trimmed and may hold a number in any notation without thousands separators, `nan` and
    `inf` included. Booleans, dates and other types are no amounts.

    Parameters
    ----------
    column : str
        The column to read; money.
    dtype : polars.DataType
        Its type in this file; it decides how a value is read.
    """
    value = pl.col(column)
    if dtype == pl.String:
        return value.str.strip_chars().cast(pl.Float64, strict=False)
    return value.cast(pl.Float64) if dtype.is_numeric() else pl.lit(None, dtype=pl.Float64)


def millionths(value: pl.Expr) -> pl.Expr:
    """Return amounts of money as Int64 millionths; null where they are not finite or too large."""
    fits = value.is_finite() & (value.abs() < LARGEST_AMOUNT)
    return pl.when(fits).then((value * MILLION).round()).cast(pl.Int64)


def exact_sum(value: pl.Expr) -> pl.Expr:
    """Return the sum of whole numbers as Int128, which no number of rows overflows."""
    return value.cast(pl.Int128).sum()


def money(column: str, parts: int = 1) -> pl.Expr:
    """Return whole `parts` of a millionth as money, Float64, to the nearest millionth."""
    # Polars multiplies by the reciprocal of a constant divisor; rounding takes its error back.
    return (pl.col(column).cast(pl.Float64) / (parts * MILLION)).round(DECIMALS)
