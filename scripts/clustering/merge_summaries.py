"""What readers of the merged result look at first: demand clusters, and a line per category."""

from collections.abc import Mapping

import polars as pl

from clustering.money import exact_sum, millionths, money
from clustering.reassignment import DemandClusters
from clustering.reconciliation import ROW, STATUSES
from clustering.side_prediction import SidePrediction


def demand_cluster_table(
    store_clusters: pl.DataFrame, sales_by_category: pl.DataFrame
) -> pl.DataFrame:
    """Count the stores of every demand cluster and add up what they sell.

    Parameters
    ----------
    store_clusters, sales_by_category : polars.DataFrame
        Tables of the contracts of the same names.

    Returns
    -------
    polars.DataFrame
        `category`, `demand_cluster`, `stores`, of which `clustered`, `reassigned`, `predicted`,
        and `sales` (of the category, money); sorted by category, internal and external cluster.
    """
    sides = pl.col("demand_cluster").str.split("_").list
    return (
        store_clusters.filter(pl.col("demand_cluster").is_not_null())
        .select(*ROW, "demand_cluster", "status")
        .join(sales_by_category, on=ROW, how="left")
        .group_by("category", "demand_cluster")
        .agg(
            pl.len().cast(pl.Int64).alias("stores"),
            *(_stores(status).alias(status) for status in STATUSES if status != "excluded"),
            exact_sum(millionths(pl.col("total_sales"))).alias("sales"),
        )
        .with_columns(money("sales"))
        .sort("category", *(sides.get(side).cast(pl.Int32) for side in (0, 1)))
    )


def size_table(demand: Mapping[str, DemandClusters]) -> pl.DataFrame:
    """Say per category what sizes were held to, whether they could be, and what it cost.

    Parameters
    ----------
    demand : mapping of str to DemandClusters
        By category.

    Returns
    -------
    polars.DataFrame
        `category`; `minimum_size` and `maximum_size` (stores that are not predicted); `feasible`,
        whether every demand cluster can be within them, else `note` says why not;
        `variance_explained_merged` and `variance_explained_demand`, before and after small
        clusters were given up and large ones relieved (shares, null if nothing varies).
    """
    columns = {
        "category": pl.String,
        "minimum_size": pl.Int64,
        "maximum_size": pl.Int64,
        "feasible": pl.Boolean,
        "note": pl.String,
        "variance_explained_merged": pl.Float64,
        "variance_explained_demand": pl.Float64,
    }
    rows = [
        (
            category,
            clusters.bounds.minimum,
            clusters.bounds.maximum,
            clusters.infeasible is None,
            clusters.infeasible,
            clusters.variance_merged,
            clusters.variance_demand,
        )
        for category, clusters in demand.items()
    ]
    return pl.DataFrame(rows, schema=columns, orient="row")


def category_table(
    store_clusters: pl.DataFrame, sizes: pl.DataFrame, external_views: Mapping[str, str]
) -> pl.DataFrame:
    """Sum every category up in one row.

    Parameters
    ----------
    store_clusters : polars.DataFrame
        Table of the contract of the same name.
    sizes : polars.DataFrame
        Of `size_table`.
    external_views : mapping of str to str
        The feature set of every category.

    Returns
    -------
    polars.DataFrame
        `category`, `feature_set`, `stores`; numbers of different `internal_clusters`,
        `external_clusters`, `merged_clusters`, `demand_clusters`; `smallest_demand_cluster` and
        `largest_demand_cluster`, in stores that are not predicted (null without any demand
        cluster); stores `clustered`, `reassigned`, `predicted`, `excluded`; then the columns of
        `sizes`, `note` last. Sorted by category.
    """
    counted = _stores("clustered") + _stores("reassigned")
    extremes = (
        store_clusters.filter(pl.col("demand_cluster").is_not_null())
        .group_by("category", "demand_cluster")
        .agg(counted.alias("size"))
        .group_by("category")
        .agg(
            pl.col("size").min().alias("smallest_demand_cluster"),
            pl.col("size").max().alias("largest_demand_cluster"),
        )
    )
    clusters = [f"{kind}_cluster" for kind in ("internal", "external", "merged", "demand")]
    views = pl.col("category").replace_strict(external_views, return_dtype=pl.String)
    return (
        store_clusters.group_by("category")
        .agg(
            pl.len().cast(pl.Int64).alias("stores"),
            *(
                pl.col(name).drop_nulls().n_unique().cast(pl.Int64).alias(f"{name}s")
                for name in clusters
            ),
            *(_stores(status).alias(status) for status in STATUSES),
        )
        .join(extremes, on="category", how="left")
        .join(sizes, on="category", how="left")
        .select(
            "category",
            views.alias("feature_set"),
            "stores",
            *(f"{name}s" for name in clusters),
            "smallest_demand_cluster",
            "largest_demand_cluster",
            *STATUSES,
            *(name for name in sizes.columns if name not in ("category", "note")),
            "note",
        )
        .sort("category")
    )


def prediction_table(
    external: Mapping[str, SidePrediction], internal: Mapping[str, SidePrediction]
) -> pl.DataFrame:
    """List what was predicted, and on what evidence.

    Parameters
    ----------
    external, internal : mapping
        Predictions of either side by view.

    Returns
    -------
    polars.DataFrame
        `side`, `view`, `stores_to_predict`, `training_stores`, `accuracy` and `baseline_accuracy`
        (fractions, out of fold, null where nothing was tested), `used`, `reason`; sorted by the
        first two.
    """
    columns = {
        "side": pl.String,
        "view": pl.String,
        "stores_to_predict": pl.Int64,
        "training_stores": pl.Int64,
        "accuracy": pl.Float64,
        "baseline_accuracy": pl.Float64,
        "used": pl.Boolean,
        "reason": pl.String,
    }
    rows = [
        (
            side,
            view,
            found.to_predict,
            found.training_stores,
            found.accuracy,
            found.baseline_accuracy,
            found.used,
            found.reason,
        )
        for side, views in (("external", external), ("internal", internal))
        for view, found in views.items()
    ]
    return pl.DataFrame(rows, schema=columns, orient="row").sort("side", "view")


def _stores(status: str) -> pl.Expr:
    return (pl.col("status") == status).sum().cast(pl.Int64)
