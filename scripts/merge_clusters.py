"""Merge what stores sell and where they stand into one demand cluster per store and category."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import polars as pl

from clustering.aligned_views import AlignedView, align_views, unknown_view
from clustering.contracts import CLUSTERS, POINTS, SALES_BY_CATEGORY, STORE_CLUSTERS, STORES
from clustering.joblog import job_log
from clustering.merge_summaries import category_table, demand_cluster_table, prediction_table
from clustering.reassignment import reassign_small
from clustering.reconciliation import STATUSES, check_overlap, reconcile
from clustering.seeds import derived_seed
from clustering.side_prediction import SidePrediction, predict_side
from clustering.store_status import describe_stores, why_internal_unknown
from clustering.tables import read_table, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)

EXTERNAL_VIEW = "all"
ASSIGNMENT = ["view", "store_nbr", "cluster"]
"""The columns of the clusters contract that matter here; the others take memory."""


class MergeSettings(TypedDict):
    """How the sources are merged."""

    min_cluster_size: int
    seed: int


def merge_clusters(
    internal_clusters: pl.DataFrame,
    external_clusters: pl.DataFrame,
    internal_points: pl.DataFrame,
    external_points: pl.DataFrame,
    sales_by_category: pl.DataFrame,
    internal_stores: pl.DataFrame,
    *,
    min_cluster_size: int,
    seed: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give every store of the chain a demand cluster in every category, or the reason for none.

    Parameters
    ----------
    internal_clusters, external_clusters : polars.DataFrame
        `view`, `store_nbr` and `cluster` of the clusters contract.
    internal_points, external_points : polars.DataFrame
        Tables of the points contract.
    sales_by_category, internal_stores : polars.DataFrame
        Tables of the sales-by-category and the stores contract.
    min_cluster_size : int
        Stores, at least 1, that every demand cluster has where a category has one that large.
    seed : int
        Decides, with side and view, the random choices of predictions.

    Returns
    -------
    store_clusters : polars.DataFrame
        Table of the contract of the same name.
    predictions : polars.DataFrame
        What was predicted and on what evidence; see `prediction_table`.

    Raises
    ------
    ValueError
        If the sources have no store in common, or the result does not reconcile with them.
    """
    categories = sales_by_category["category"].unique().sort().to_list()
    external_views = dict.fromkeys(categories, EXTERNAL_VIEW)
    external_clusters = external_clusters.filter(
        pl.col("view").is_in(sorted(set(external_views.values())))
    )
    check_overlap(internal_clusters, external_clusters)
    stores = _stores_of_the_chain(internal_stores, sales_by_category, external_clusters)
    numbers = stores["store_nbr"].to_numpy()
    internals = align_views(internal_clusters, internal_points, numbers)
    externals = align_views(external_clusters, external_points, numbers)
    external_guesses = {
        view: _predict_external(view, externals[view], internals, seed) for view in externals
    }
    internal_guesses = {}
    sales = sales_by_category.partition_by("category", as_dict=True)
    parts = [STORE_CLUSTERS.columns.to_frame()]
    for category, view in external_views.items():
        internal = internals.get(category, unknown_view(len(numbers)))
        internal_guesses[category] = predict_side(
            internal.clusters,
            externals[view].points,
            externals[view].known,
            derived_seed(seed, "prediction", "internal", category),
        )
        parts.append(
            _merge_category(
                stores.join(sales[(category,)], on="store_nbr", how="left").select(
                    "store_nbr",
                    category=pl.lit(category),
                    why_internal_unknown=why_internal_unknown(),
                ),
                (internal, externals[view]),
                (internal_guesses[category], external_guesses[view]),
                min_cluster_size,
            )
        )
    store_clusters = pl.concat(parts)
    totals = reconcile(
        store_clusters,
        internal_clusters,
        external_clusters,
        sales_by_category,
        external_views,
        numbers.tolist(),
    )
    logger.info(
        "%d categories x %d stores = %d rows: %s",
        len(categories),
        len(numbers),
        store_clusters.height,
        ", ".join(f"{status} {totals[status].sum()}" for status in STATUSES),
    )
    predictions = prediction_table(external_guesses, internal_guesses)
    for row in predictions.filter(pl.col("stores_to_predict") > 0).iter_rows(named=True):
        logger.info(
            "%s side of %d stores, view %s: %s",
            row["side"],
            row["stores_to_predict"],
            row["view"],
            row["reason"],
        )
    return store_clusters, predictions


def _stores_of_the_chain(
    internal_stores: pl.DataFrame, sales_by_category: pl.DataFrame, external_clusters: pl.DataFrame
) -> pl.DataFrame:
    """Return every store that any source knows, sorted, and whether the internal one does."""
    internal = pl.concat(
        [
            table.select("store_nbr", is_internal=True)
            for table in (internal_stores, sales_by_category)
        ]
    )
    external = external_clusters.select("store_nbr", is_internal=False)
    return (
        pl.concat([internal, external]).group_by("store_nbr").agg(pl.col("is_internal").any())
    ).sort("store_nbr")


def _predict_external(
    view: str, external: AlignedView, internals: Mapping[str, AlignedView], seed: int
) -> SidePrediction:
    """Predict external clusters from the internal points of all categories, side by side."""
    views = [internals[category] for category in sorted(internals)]
    return predict_side(
        external.clusters,
        # The forest works in single precision; so many columns need not be wider before.
        np.hstack([internal.points.astype(np.float32) for internal in views]),
        np.any([internal.known for internal in views], axis=0),
        derived_seed(seed, "prediction", "external", view),
    )


def _merge_category(
    stores: pl.DataFrame,
    views: tuple[AlignedView, AlignedView],
    guesses: tuple[SidePrediction, SidePrediction],
    min_cluster_size: int,
) -> pl.DataFrame:
    """Merge the internal and the external view of a category, in this order."""
    internal, external = views
    clusters = (
        np.where(internal.known, internal.clusters, guesses[0].clusters),
        # Only beside a known internal cluster: a pair is never inferred as a whole.
        np.where(internal.known & ~external.known, guesses[1].clusters, external.clusters),
    )
    demand = reassign_small(
        clusters,
        (internal.points, external.points),
        counted=internal.known & external.known,
        min_cluster_size=min_cluster_size,
    )
    return describe_stores(
        stores,
        (internal.known, external.known),
        clusters,
        (guesses[0].reason, guesses[1].reason),
        demand,
        min_cluster_size,
    )


def main(
    internal_clusters: str,
    external_clusters: str,
    internal_points: str,
    external_points: str,
    sales_by_category: str,
    internal_stores: str,
    store_clusters: str,
    store_clusters_csv: str,
    demand_clusters: str,
    summary: str,
    predictions: str,
    settings: MergeSettings,
) -> None:
    """Read what both sources say of the stores and write what follows from it together."""
    sales = read_table(sales_by_category, SALES_BY_CATEGORY)
    merged, predicted = merge_clusters(
        read_table(internal_clusters, CLUSTERS).select(ASSIGNMENT),
        read_table(external_clusters, CLUSTERS).select(ASSIGNMENT),
        read_table(internal_points, POINTS),
        read_table(external_points, POINTS),
        sales,
        read_table(internal_stores, STORES),
        **settings,
    )
    for path in (store_clusters, store_clusters_csv):
        write_table(merged, path, STORE_CLUSTERS)
    write_table(demand_cluster_table(merged, sales), demand_clusters)
    write_table(category_table(merged, settings["min_cluster_size"]), summary)
    write_table(predicted, predictions)


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
