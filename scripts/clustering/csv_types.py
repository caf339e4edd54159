"""Which type a column of a CSV file has: the file itself knows only text."""

import polars as pl


def guess_types(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table of text columns with every column in the type that `guess_type` gives it."""
    return table.select(guess_type(column) for column in table)


def guess_type(text: pl.Series) -> pl.Series:
    """Return a text column as the first type that reads every known value of it.

    Blank text is unknown. The types are tried in this order: Null if nothing is known, Boolean
    (`true` or `false` in any case), Int64, Float64 (`nan` and `inf` included), String. Quotes and
    blanks around a value do not count. A column in which any number is padded with zeros
    ("007") is a code and stays text, as in readr.

    Parameters
    ----------
    text : polars.Series of String

    References
    ----------
    Wickham, Hester and Bryan, readr, `guess_parser`, for the padded numbers.
    """
    known = text.str.strip_chars().replace("", None)
    if known.null_count() == known.len():
        return known.cast(pl.Null)
    if known.str.to_lowercase().drop_nulls().is_in(["true", "false"]).all():
        return known.str.to_lowercase() == "true"
    if known.str.contains(r"^[+-]?0\d").any():
        return text
    for dtype in (pl.Int64, pl.Float64):
        number = known.cast(dtype, strict=False)
        if number.null_count() == known.null_count():
            return number
    return text
