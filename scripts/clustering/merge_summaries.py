"""What readers of the merged result look at first: demand clusters, and a line per category."""

from collections.abc import Mapping

import polars as pl

from clustering.money import exact_sum, millionths, money
from clustering.reconciliation import ROW, STATUSES
from clustering.side_prediction import SidePrediction
from clustering.store_status import kept_pairs


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


def category_table(store_clusters: pl.DataFrame, min_cluster_size: int) -> pl.DataFrame:
    """Sum every category up in one row.

    Parameters
    ----------
    store_clusters : polars.DataFrame
        Table of the contract of the same name.
    min_cluster_size : int
        The bound that demand clusters were held to.

    Returns
    -------
    polars.DataFrame
        `category`, `stores`; numbers of different `internal_clusters`, `external_clusters`,
        `merged_clusters`, `demand_clusters`; `smallest_demand_cluster`, in stores that are not
        predicted (null without any demand cluster); stores `clustered`, `reassigned`,
        `predicted`, `excluded`; `note`, null where nothing is to be said. Sorted by category.
    """
    counted = _stores("clustered") + _stores("reassigned")
    smallest = (
        store_clusters.filter(pl.col("demand_cluster").is_not_null())
        .group_by("category", "demand_cluster")
        .agg(counted.alias("smallest_demand_cluster"))
        .group_by("category")
        .agg(pl.col("smallest_demand_cluster").min())
    )
    clusters = [f"{kind}_cluster" for kind in ("internal", "external", "merged", "demand")]
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
        .join(smallest, on="category", how="left")
        .select(
            "category",
            "stores",
            *(f"{name}s" for name in clusters),
            "smallest_demand_cluster",
            *STATUSES,
            note=pl.when(pl.col("clustered") + pl.col("reassigned") == 0)
            .then(pl.lit("no store has both sides known"))
            .when(pl.col("smallest_demand_cluster") < min_cluster_size)
            .then(pl.lit(kept_pairs(min_cluster_size))),
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
