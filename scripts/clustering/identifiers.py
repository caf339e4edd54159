"""Store and product numbers as raw inputs write them: whole numbers, decimals or text."""

import polars as pl

LARGEST_EXACT_FLOAT = 2**53
"""Above it neighbouring whole numbers share one floating-point value."""


def is_blank(column: str, dtype: pl.DataType) -> pl.Expr:
    """Whether a value is null, or text without any sign in it."""
    value = pl.col(column)
    if dtype == pl.String:
        return value.is_null() | (value.str.strip_chars() == "")
    return value.is_null()


def identifier(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return the values of a raw column as Int64, null where they are not positive whole numbers.

    Text is trimmed; `"7"`, `"007"`, `"7.0"` and `7.0` are the number 7. Booleans and other types
    are no identifiers, and neither is a floating-point number too large to be exact.

    Parameters
    ----------
    column : str
        The column to read.
    dtype : polars.DataType
        Its type in this file; it decides how a value is read.
    """
    value = pl.col(column)
    if dtype == pl.String:
        # "7.0" is how a spreadsheet writes 7; anything else that is not digits stays as it is.
        text = value.str.strip_chars().str.replace(r"^\+?(\d+)(\.0*)?$", "$1")
        number = text.cast(pl.Int64, strict=False)
    elif dtype.is_integer():
        number = value.cast(pl.Int64, strict=False)
    elif dtype.is_float() or dtype.is_decimal():
        float_value = value.cast(pl.Float64)
        exact = (float_value == float_value.floor()) & (float_value <= LARGEST_EXACT_FLOAT)
        number = pl.when(exact).then(float_value).cast(pl.Int64, strict=False)
    else:
        number = pl.when(value.is_null()).then(pl.lit(None, dtype=pl.Int64))
    return pl.when(number > 0).then(number).alias(column)
