"""What raw inputs were worth: rows and money accepted, rejected and why, and what disagrees."""

from typing import Any

import polars as pl

from clustering.money import MILLION
from clustering.need_state_map import normalised

EXAMPLES = 5


def sales_quality(sums: pl.DataFrame) -> dict[str, Any]:
    """Count the rows and the money of raw sales, accepted and rejected.

    Parameters
    ----------
    sums : polars.DataFrame
        `reason` (Enum, null if accepted), `rows`, `millionths`, `absolute`, any number of rows
        per reason.

    Returns
    -------
    dict
        `rows`, `accepted_rows`, `rejected_rows`; `total_sales` and `rejected_sales` (money, of the
        amounts that can be read, refunds subtracted); `rejected_share` (of money, refunds counted
        as positive); `reasons`: rows and sales per reason that occurs.
    """
    columns = ("rows", "millionths", "absolute")
    rejected = sums.filter(pl.col("reason").is_not_null())
    rows, total, absolute = sums.select(columns).sum().row(0)
    rejected_rows, rejected_total, rejected_absolute = rejected.select(columns).sum().row(0)
    reasons = rejected.group_by("reason").agg(pl.col(columns).sum()).sort("reason")
    return {
        "rows": rows,
        "accepted_rows": rows - rejected_rows,
        "rejected_rows": rejected_rows,
        "total_sales": total / MILLION,
        "rejected_sales": rejected_total / MILLION,
        "rejected_share": rejected_absolute / absolute if absolute else 0.0,
        "reasons": {
            reason["reason"]: {"rows": reason["rows"], "sales": reason["millionths"] / MILLION}
            for reason in reasons.iter_rows(named=True)
        },
    }


def map_quality(map_rows: pl.DataFrame) -> dict[str, Any]:
    """Count the rows of the need-state map, accepted and rejected, and these per `reason`."""
    rejected = map_rows["reason"].drop_nulls()
    return {
        "rows": map_rows.height,
        "accepted_rows": map_rows.height - rejected.len(),
        "rejected_rows": rejected.len(),
        "reasons": {
            reason: {"rows": rows}
            for reason, rows in rejected.value_counts(name="rows").sort("reason").iter_rows()
        },
    }


def category_disagreements(
    rows: pl.LazyFrame, sums: pl.DataFrame, products: pl.DataFrame
) -> dict[str, Any]:
    """Find products that are sold in another category than the map says.

    The sums tell whether there are any; only then are the rows read again to name the products.
    A map without a category for a product does not disagree; case and surrounding space do not
    count either.

    Parameters
    ----------
    rows : polars.LazyFrame
        `category`, `sku_nbr`, `product_group` and `reason` of every sales row.
    sums : polars.DataFrame
        `category`, `product_group` and `reason` of every combination in the rows.
    products : polars.DataFrame
        `product_group`, `map_categories`: where the map has its products.

    Returns
    -------
    dict
        `products`: how many; `examples`: a few of them, with both categories.
    """
    groups = products.select("product_group", "map_categories").unique("product_group")
    disagreeing = (
        sums.filter(pl.col("reason").is_null())
        .select("category", "product_group")
        .unique()
        .join(groups, on="product_group")
        .filter(
            pl.col("map_categories").list.len() > 0,
            ~pl.col("map_categories").list.contains(normalised("category")),
        )
    )
    if disagreeing.is_empty():
        return {"products": 0, "examples": []}
    found = (
        rows.filter(pl.col("reason").is_null())
        .select("category", "sku_nbr", "product_group")
        .join(disagreeing.lazy(), on=["category", "product_group"])
        .select("sku_nbr", "category", "map_categories")
        .unique(["sku_nbr", "category"])
        .collect(engine="streaming")
        .sort("sku_nbr", "category")
    )
    return {
        "products": found["sku_nbr"].n_unique(),
        "examples": found.head(EXAMPLES).to_dicts(),
    }
