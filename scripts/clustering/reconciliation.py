"""Holding the merged result to what went in: nothing lost, nothing invented, nothing changed."""

from collections.abc import Mapping, Sequence

import polars as pl

STATUSES = ("clustered", "reassigned", "predicted", "excluded")
ROW = ["category", "store_nbr"]
EXAMPLES = 5


def check_overlap(internal_clusters: pl.DataFrame, external_clusters: pl.DataFrame) -> None:
    """Refuse sources that have no store in common.

    Parameters
    ----------
    internal_clusters, external_clusters : polars.DataFrame
        `view`, `store_nbr` and `cluster` of the clusters contract.

    Raises
    ------
    ValueError
        Showing how many stores each side has, and some of their numbers.
    """
    sides = [table["store_nbr"].unique().sort() for table in (internal_clusters, external_clusters)]
    if sides[0].is_in(sides[1].to_list()).any():
        return
    internal, external = (f"{side.len()} stores ({_some(side)})" for side in sides)
    raise ValueError(
        "no store has both an internal and an external cluster: internal clusters name "
        f"{internal}, external clusters {external}; STORE_NBR must mean the same in all raw tables"
    )


def reconcile(
    store_clusters: pl.DataFrame,
    internal_clusters: pl.DataFrame,
    external_clusters: pl.DataFrame,
    sales_by_category: pl.DataFrame,
    external_views: Mapping[str, str],
    stores: Sequence[int],
) -> pl.DataFrame:
    """Compare the result with its inputs, and count its rows by category and status.

    Parameters
    ----------
    store_clusters, sales_by_category : polars.DataFrame
        Tables of the contracts of the same names.
    internal_clusters, external_clusters : polars.DataFrame
        `view`, `store_nbr` and `cluster` of the clusters contract.
    external_views : mapping of str to str
        All categories, and the external view of each.
    stores : sequence of int
        All stores of the chain.

    Returns
    -------
    polars.DataFrame
        `category`, `stores` and a column per status, sorted by category.

    Raises
    ------
    ValueError
        Naming the category and store at which they disagree, if a row is missing or too many, a
        cluster differs from the one that went in, or a row's status and clusters contradict.
    """
    counts = (
        store_clusters.group_by("category")
        .agg((pl.col("status") == status).sum().cast(pl.Int64).alias(status) for status in STATUSES)
        .sort("category")
        .select("category", pl.sum_horizontal(STATUSES).alias("stores"), *STATUSES)
    )
    _check_rows(store_clusters, counts, external_views, stores)
    views = pl.DataFrame(
        {"category": list(external_views), "view": list(external_views.values())},
        schema={"category": pl.String, "view": pl.String},
    )
    _check_unchanged(store_clusters, internal_clusters.rename({"view": "category"}), "internal")
    _check_unchanged(store_clusters, views.join(external_clusters, on="view"), "external")
    _check_statuses(store_clusters)
    _refuse(
        sales_by_category.filter(pl.col("mapped_sales") > 0)
        .join(internal_clusters, left_on=ROW, right_on=["view", "store_nbr"], how="anti")
        .select(*ROW),
        "has sales with a need state but no internal cluster",
    )
    return counts


def _check_rows(
    store_clusters: pl.DataFrame,
    counts: pl.DataFrame,
    external_views: Mapping[str, str],
    stores: Sequence[int],
) -> None:
    if wrong := set(counts["category"]) ^ set(external_views):
        raise ValueError(
            f"categories of the sales and of the result differ: {_some(sorted(wrong))}"
        )
    _refuse(
        store_clusters.filter(~pl.col("store_nbr").is_in(list(stores))), "is no store of the chain"
    )
    for category, rows in (
        counts.filter(pl.col("stores") != len(stores)).select("category", "stores").iter_rows()
    ):
        raise ValueError(f"category {category!r} has {rows} rows for {len(stores)} stores")


def _check_unchanged(store_clusters: pl.DataFrame, given: pl.DataFrame, source: str) -> None:
    column = f"{source}_cluster"
    kept = store_clusters.filter(
        pl.col(column).is_not_null() & pl.col("predicted_source").ne_missing(source)
    )
    was, became = (
        table.select(*ROW, cluster=name).sort(ROW)
        for table, name in ((given, "cluster"), (kept, column))
    )
    if not was.equals(became):
        both = was.join(became, on=ROW, how="full", coalesce=True, suffix="_kept")
        _refuse(
            both.filter(pl.col("cluster").ne_missing(pl.col("cluster_kept"))),
            f"has another {source} cluster in the result than it was given",
        )


def _check_statuses(store_clusters: pl.DataFrame) -> None:
    excluded = pl.col("status") == "excluded"
    pair = pl.format("{}_{}", "internal_cluster", "external_cluster")
    predicted = pl.col("status") == "predicted"
    _refuse(
        store_clusters.filter(
            (excluded != pl.col("demand_cluster").is_null())
            | (~excluded & pl.col("merged_cluster").ne_missing(pair))
            | (excluded & pl.col("merged_cluster").is_not_null())
            | (predicted != pl.col("predicted_source").is_not_null())
        ),
        "has clusters that contradict its status",
    )


def _refuse(rows: pl.DataFrame, text: str) -> None:
    """Raise an error that names the first of these rows, if there are any."""
    if not rows.is_empty():
        first = rows.sort(*ROW).row(0, named=True)
        raise ValueError(
            f"merged clusters do not reconcile: category {first['category']!r}, store "
            f"{first['store_nbr']} {text}; rows like it: {rows.height}"
        )


def _some(names: Sequence[object] | pl.Series) -> str:
    text = ", ".join(str(name) for name in names[:EXAMPLES])
    return text + (", ..." if len(names) > EXAMPLES else "") or "none"
