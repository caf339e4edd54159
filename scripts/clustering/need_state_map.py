"""The need-state map: which products serve which need states, and which rows cannot say so."""

from collections.abc import Sequence

import polars as pl

from clustering.identifiers import identifier, is_blank
from clustering.raw_tables import naming_unreadable, scan_raw

MAP_REASONS = pl.Enum(["null_product", "invalid_product", "null_need_state"])
"""Why a row of the map is rejected; the first that holds."""

TEXT = pl.String()


def read_need_states(paths: Sequence[str]) -> pl.DataFrame:
    """Read the rows of every need-state file as text, with what they say and what is wrong.

    Returns
    -------
    polars.DataFrame
        `file`; `product_id`, `need_state`, `category` as they stand in the file, category null
        where the file has none; `sku_nbr` (Int64); `reason` (null for an accepted row).

    Raises
    ------
    ValueError
        If a file cannot be read or lacks a column.
    """
    rows = pl.concat([_read_file(path) for path in paths])
    return rows.with_columns(identifier("product_id", TEXT).alias("sku_nbr")).with_columns(
        pl.coalesce(
            pl.when(fault).then(pl.lit(reason, dtype=MAP_REASONS))
            for reason, fault in {
                "null_product": is_blank("product_id", TEXT),
                "invalid_product": pl.col("sku_nbr").is_null(),
                "null_need_state": is_blank("need_state", TEXT),
            }.items()
        ).alias("reason")
    )


def _read_file(path: str) -> pl.DataFrame:
    scan = scan_raw(path, ["product_id", "need_state"])
    with naming_unreadable([path]):
        # All columns: a line with too many fields goes unnoticed when only the first are read.
        table = scan.collect()
    if "category" not in table.columns:
        table = table.with_columns(category=pl.lit(None))
    columns = pl.col("product_id", "need_state", "category").cast(pl.String)
    return table.select(pl.lit(path).alias("file"), columns)


def rejected_map_rows(map_rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the rejected rows as people read them: `file`, the text of the file, `reason`."""
    return map_rows.filter(pl.col("reason").is_not_null()).select(
        "file", "product_id", "need_state", "category", pl.col("reason").cast(pl.String)
    )


def products_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Reduce the accepted rows of the map to one row per product.

    Need states and categories are trimmed and upper-cased, so that rows which differ in case or
    surrounding space alone say the same. Products of which the map says the same form a group:
    sales need only be summed per group, of which there are far fewer than products.

    Parameters
    ----------
    rows : polars.DataFrame
        `sku_nbr`, `need_state`, `category`.

    Returns
    -------
    polars.DataFrame
        `sku_nbr`; `product_group` (Int64: the smallest product number of the group);
        `need_states` and `map_categories`, lists of distinct text in alphabetical order, the
        second empty where the map names no category. Sorted by `sku_nbr`.
    """
    category = normalised("category")
    return (
        rows.group_by("sku_nbr")
        .agg(
            normalised("need_state").unique().sort().alias("need_states"),
            category.filter(category != "").unique().sort().alias("map_categories"),
        )
        .with_columns(
            pl.col("sku_nbr").min().over("need_states", "map_categories").alias("product_group")
        )
        .sort("sku_nbr")
    )


def normalised(column: str) -> pl.Expr:
    """Return text without surrounding space, in upper case."""
    return pl.col(column).str.strip_chars().str.to_uppercase()
