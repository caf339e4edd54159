"""Tables as text, for the terminal."""

import polars as pl


def text_table(frame: pl.DataFrame) -> str:
    """Return every row and column of a table as people read it in a terminal."""
    with pl.Config(
        tbl_formatting="ASCII_MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=200,
        fmt_str_lengths=60,
    ):
        return str(frame)
