"""Check a complete run before anybody reads it: what was rejected, and whether totals reconcile."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from clustering.contracts import CLUSTERS, SALES_BY_CATEGORY, STORE_CLUSTERS, STORES
from clustering.dictionaries import read_dictionary, write_dictionary
from clustering.joblog import job_log
from clustering.tables import read_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)

REASONS_NAMED = 3
SAME_MONEY = 1e-6
"""Relative difference up to which two totals of money are the same: both are exact sums."""


def rejected_too_much(
    source: str, unit: str, quality: dict[str, Any], max_rejected_share: float
) -> Iterator[str]:
    """Say so if a source rejected more than the configured share of its input.

    Parameters
    ----------
    source : {"internal", "external"}
        Where the rows come from.
    unit : {"sales", "rows"}
        What the share is a share of, and by what the largest reasons are found.
    quality : dict
        `rejected_share`, and `reasons`: a count of `rows` (and `sales`) for each reason.
    max_rejected_share : float
        From 0 to 1.
    """
    share = quality["rejected_share"]
    if share > max_rejected_share:
        reasons = quality["reasons"]
        largest = sorted(reasons, key=lambda name: (-abs(reasons[name][unit]), name))
        named = ", ".join(
            f"{name} ({reasons[name][unit]:,.0f} {unit})" for name in largest[:REASONS_NAMED]
        )
        yield (
            f"{source}: {share:.2%} of {unit} were rejected, more than check.max_rejected_share, "
            f"{max_rejected_share:.2%}; largest reasons: {named}. The rows are in the folder "
            f"{source}/rejected of the results; mend them, or raise the bound"
        )


def unreconciled(
    store_clusters: pl.DataFrame,
    sales: pl.DataFrame,
    internal_stores: pl.DataFrame,
    clusters: dict[str, pl.DataFrame],
) -> Iterator[str]:
    """Say where the result does not answer for exactly what went in.

    Parameters
    ----------
    store_clusters : polars.DataFrame
        The result, as its contract says.
    sales : polars.DataFrame
        Sales by category.
    internal_stores : polars.DataFrame
        Every store that the sales name.
    clusters : dict of polars.DataFrame
        Clusters of each source, by its name; of the external one, those of every view.
    """
    key = ["category", "store_nbr"]
    categories = sales.select("category").unique()
    stores = pl.concat(
        table.select("store_nbr")
        for table in (internal_stores, sales, clusters["internal"], clusters["external"])
    ).unique()
    expected = categories.join(stores, how="cross")
    for have, lack, text in (
        (expected, store_clusters, "are missing from the result"),
        (store_clusters, expected, "are in the result but in no input"),
    ):
        rows = have.join(lack, on=key, how="anti").sort(key)
        if rows.height:
            category, store = rows.row(0)[:2]
            yield f"{rows.height} rows {text}; the first is store {store} of {category!r}"
    known = clusters["internal"].rename({"view": "category"})
    both = store_clusters.join(known, on=key, how="left", validate="1:1")
    inferred = (pl.col("predicted_source") == "internal").fill_null(value=False)
    changed = both.filter(~pl.col("internal_cluster").eq_missing(pl.col("cluster")) & ~inferred)
    if changed.height:
        category, store = changed.sort(key).row(0)[:2]
        yield (
            f"{changed.height} internal clusters differ from the clustering; "
            f"the first is store {store} of {category!r}"
        )
    wrong_views = categories.join(
        _agreeing(store_clusters, clusters["external"]), on="category", how="anti"
    ).sort("category")
    if wrong_views.height:
        yield (
            f"external clusters of {wrong_views.height} categories are those of no view of the "
            f"clustering; the first category is {wrong_views.item(0, 0)!r}"
        )
    answered = pl.col("demand_cluster").is_not_null() & pl.col("merged_cluster").is_not_null()
    wrong = store_clusters.filter(answered == (pl.col("status") == "excluded"))
    if wrong.height:
        category, store = wrong.row(0)[:2]
        yield (
            f"{wrong.height} rows have a demand cluster exactly if they are excluded; "
            f"the first is store {store} of {category!r}"
        )


def _agreeing(store_clusters: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """Find the categories whose external clusters, unless inferred, are all those of some view."""
    inferred = pl.col("predicted_source").eq_missing("external")
    same = pl.col("external_cluster").eq_missing(pl.col("cluster"))
    return pl.concat(
        store_clusters.join(rows, on="store_nbr", how="left", validate="m:1")
        .group_by("category")
        .agg((same | inferred).all().alias("agrees"))
        .filter("agrees")
        .select("category")
        for rows in clusters.partition_by("view")
    ).unique()


def unmatched_money(sales: pl.DataFrame, quality: dict[str, Any]) -> Iterator[str]:
    """Say so if the sales by category are not the sales that were accepted or lack a need state."""
    unmapped = quality["reasons"].get("unmapped_sku", {"sales": 0.0})["sales"]
    accepted = quality["total_sales"] - quality["rejected_sales"]
    for column, expected in (("mapped_sales", accepted), ("total_sales", accepted + unmapped)):
        total = sales[column].sum()
        if abs(total - expected) > SAME_MONEY * max(abs(expected), 1.0):
            yield f"{column} add up to {total:,.2f} by category, but {expected:,.2f} were read"


def main(
    internal_input_quality: str,
    external_input_quality: str,
    internal_stores: str,
    sales_by_category: str,
    internal_clusters: str,
    external_clusters: str,
    store_clusters: str,
    checks: str,
    settings: dict[str, Any],
) -> None:
    """Check the run and write `checks`; any fault fails the run before it is published.

    Raises
    ------
    ValueError
        With every fault that was found.
    """
    internal = read_dictionary(internal_input_quality)["sales"]
    external = read_dictionary(external_input_quality)
    sales = read_table(sales_by_category, SALES_BY_CATEGORY)
    result = read_table(store_clusters, STORE_CLUSTERS)
    clusters = {
        "internal": read_table(internal_clusters, CLUSTERS),
        "external": read_table(external_clusters, CLUSTERS),
    }
    faults = [
        *rejected_too_much("internal", "sales", internal, **settings),
        *rejected_too_much("external", "rows", external, **settings),
        *unmatched_money(sales, internal),
        *unreconciled(result, sales, read_table(internal_stores, STORES), clusters),
    ]
    if faults:
        raise ValueError("; ".join(faults))
    statuses = dict(result["status"].value_counts().sort("status").iter_rows())
    logger.info("%d rows reconcile: %s", result.height, statuses)
    write_dictionary(
        {
            "categories": result["category"].n_unique(),
            "stores": result["store_nbr"].n_unique(),
            "rows": result.height,
            "statuses": statuses,
            "rejected_share": {
                "internal": internal["rejected_share"],
                "external": external["rejected_share"],
            },
            **settings,
        },
        checks,
    )


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
