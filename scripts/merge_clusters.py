"""Merge what stores sell and where they stand into one demand cluster per store and category."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
import polars as pl

from clustering.aligned_views import AlignedView, Flags, align_views, unknown_view
from clustering.cluster_sizes import SizeSettings
from clustering.contracts import (
    CLUSTER_NAMES,
    CLUSTERS,
    EXPLAINED_STORE_CLUSTERS,
    POINTS,
    SALES_BY_CATEGORY,
    STORE_CLUSTERS,
    STORE_REASONS,
    STORES,
)
from clustering.explained_stores import Explanation, explain_stores
from clustering.feature_sets import set_of_each
from clustering.joblog import job_log
from clustering.merge_summaries import (
    category_table,
    demand_cluster_table,
    prediction_table,
    size_table,
)
from clustering.reassignment import DemandClusters, hold_sizes
from clustering.reconciliation import STATUSES, check_overlap, reconcile
from clustering.seeds import derived_seed
from clustering.side_prediction import Coordinates, SidePrediction, predict_side
from clustering.store_status import describe_stores, why_internal_unknown
from clustering.tables import read_table, write_report, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)

ASSIGNMENT = ["view", "store_nbr", "cluster"]
"""The columns of the clusters contract that matter here; the others take memory."""


class MergeSettings(TypedDict):
    """How the sources are merged."""

    feature_sets: dict[str, str]
    min_cluster_size: int
    min_cluster_share: float
    max_cluster_size: int | None
    max_cluster_share: float
    seed: int


class Merged(NamedTuple):
    """What the merge gives; see the tables of these names in `merge_summaries` and `contracts`."""

    store_clusters: pl.DataFrame
    sizes: pl.DataFrame
    predictions: pl.DataFrame


def merge_clusters(
    internal_clusters: pl.DataFrame,
    external_clusters: pl.DataFrame,
    internal_points: pl.DataFrame,
    external_points: pl.DataFrame,
    sales_by_category: pl.DataFrame,
    internal_stores: pl.DataFrame,
    *,
    external_views: Mapping[str, str],
    sizes: SizeSettings,
    seed: int,
) -> Merged:
    """Give every store of the chain a demand cluster in every category, or the reason for none.

    Parameters
    ----------
    internal_clusters, external_clusters : polars.DataFrame
        `view`, `store_nbr` and `cluster` of the clusters contract.
    internal_points, external_points : polars.DataFrame
        Tables of the points contract.
    sales_by_category, internal_stores : polars.DataFrame
        Tables of the sales-by-category and the stores contract.
    external_views : mapping of str to str
        Every category of the sales, and the external view that it is merged with.
    sizes : SizeSettings
        What the sizes of demand clusters are held to.
    seed : int
        Decides, with side and view, the random choices of predictions.

    Returns
    -------
    Merged

    Raises
    ------
    ValueError
        If the sources have no store in common, an external view is missing, or the result does
        not reconcile with what went in.
    """
    stores = _stores_of_the_chain(internal_stores, sales_by_category, external_clusters)
    numbers = stores["store_nbr"].to_numpy()
    used = sorted(set(external_views.values()))
    external_clusters = external_clusters.filter(pl.col("view").is_in(used))
    if missing := set(used) - set(external_clusters["view"]):
        raise ValueError(f"external clusters have no view {', '.join(sorted(missing))}")
    check_overlap(internal_clusters, external_clusters)
    internals = align_views(internal_clusters, internal_points, numbers)
    externals = align_views(external_clusters, external_points, numbers)
    external_guesses = _predict_external(externals, internals, seed)
    internal_guesses = {}
    demand = {}
    sales = sales_by_category.partition_by("category", as_dict=True)
    parts = [STORE_CLUSTERS.columns.to_frame()]
    for category, view in sorted(external_views.items()):
        internal = internals.get(category, unknown_view(len(numbers)))
        internal_guesses[category] = predict_side(
            internal.clusters,
            externals[view].points,
            externals[view].known,
            derived_seed(seed, "prediction", "internal", category),
        )
        sold = stores.join(
            sales[(category,)], on="store_nbr", how="left", maintain_order="left"
        ).with_columns(category=pl.lit(category), why_internal_unknown=why_internal_unknown())
        part, demand[category] = _merge_category(
            sold,
            (internal, externals[view]),
            (internal_guesses[category], external_guesses[view]),
            sizes,
            view,
        )
        parts.append(part)
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
        len(external_views),
        len(numbers),
        store_clusters.height,
        ", ".join(f"{status} {totals[status].sum()}" for status in STATUSES),
    )
    merged = Merged(
        store_clusters, size_table(demand), prediction_table(external_guesses, internal_guesses)
    )
    _log_findings(merged)
    return merged


def _log_findings(merged: Merged) -> None:
    """Log a line for every category whose sizes could not be held, and for every prediction."""
    for category, note in (
        merged.sizes.filter(pl.col("note").is_not_null()).select("category", "note").iter_rows()
    ):
        logger.info("category %s: %s", category, note)
    for row in merged.predictions.filter(pl.col("stores_to_predict") > 0).iter_rows(named=True):
        logger.info(
            "%s side of %d stores, view %s: %s",
            row["side"],
            row["stores_to_predict"],
            row["view"],
            row["reason"],
        )


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
    externals: Mapping[str, AlignedView], internals: Mapping[str, AlignedView], seed: int
) -> dict[str, SidePrediction]:
    """Predict the clusters of every external view, once per store, from all that it sells."""
    points, known = _side_by_side([internals[category] for category in sorted(internals)])
    return {
        view: predict_side(
            external.clusters, points, known, derived_seed(seed, "prediction", "external", view)
        )
        for view, external in externals.items()
    }


def _side_by_side(views: Sequence[AlignedView]) -> tuple[Coordinates, Flags]:
    """Return the points of all views as one, and which stores any of them knows."""
    # The forest works in single precision; so many columns need not be wider before.
    points = np.hstack([view.points.astype(np.float32) for view in views])
    return points, np.any([view.known for view in views], axis=0)


def _merge_category(
    stores: pl.DataFrame,
    views: tuple[AlignedView, AlignedView],
    guesses: tuple[SidePrediction, SidePrediction],
    sizes: SizeSettings,
    external_view: str,
) -> tuple[pl.DataFrame, DemandClusters]:
    """Merge the internal and the external view of a category, in this order."""
    internal, external = views
    clusters = (
        np.where(internal.known, internal.clusters, guesses[0].clusters),
        # Only beside a known internal cluster: a pair is never inferred as a whole.
        np.where(internal.known & ~external.known, guesses[1].clusters, external.clusters),
    )
    demand = hold_sizes(
        clusters,
        (internal.points, external.points),
        counted=internal.known & external.known,
        settings=sizes,
        sales=stores["total_sales"].fill_null(0).to_numpy(),
    )
    rows = describe_stores(
        stores.select("category", "store_nbr", "why_internal_unknown"),
        (internal.known, external.known),
        clusters,
        (guesses[0].reason, guesses[1].reason),
        demand,
        external_view,
    )
    return rows, demand


def main(
    internal_clusters: str,
    external_clusters: str,
    internal_points: str,
    external_points: str,
    sales_by_category: str,
    internal_stores: str,
    internal_names: str,
    external_names: str,
    internal_reasons: str,
    external_reasons: str,
    store_clusters: str,
    store_clusters_csv: str,
    demand_clusters: str,
    summary: str,
    predictions: str,
    settings: MergeSettings,
) -> None:
    """Read what both sources say of the stores and write what follows from it together."""
    sales = read_table(sales_by_category, SALES_BY_CATEGORY)
    external_views = set_of_each(
        sales["category"].unique().sort().to_list(), settings["feature_sets"]
    )
    internal, external = (
        Explanation(
            read_table(clusters, CLUSTERS),
            read_table(names, CLUSTER_NAMES),
            read_table(reasons, STORE_REASONS),
        )
        for clusters, names, reasons in (
            (internal_clusters, internal_names, internal_reasons),
            (external_clusters, external_names, external_reasons),
        )
    )
    merged = merge_clusters(
        internal.clusters.select(ASSIGNMENT),
        external.clusters.select(ASSIGNMENT),
        read_table(internal_points, POINTS),
        read_table(external_points, POINTS),
        sales,
        read_table(internal_stores, STORES),
        external_views=external_views,
        sizes=SizeSettings(
            min_cluster_size=settings["min_cluster_size"],
            min_cluster_share=settings["min_cluster_share"],
            max_cluster_size=settings["max_cluster_size"],
            max_cluster_share=settings["max_cluster_share"],
        ),
        seed=settings["seed"],
    )
    explained = explain_stores(merged.store_clusters, internal, external, external_views)
    write_table(explained, store_clusters, EXPLAINED_STORE_CLUSTERS)
    write_report(EXPLAINED_STORE_CLUSTERS.conform(explained), store_clusters_csv)
    write_report(demand_cluster_table(merged.store_clusters, sales), demand_clusters)
    write_report(category_table(merged.store_clusters, merged.sizes, external_views), summary)
    write_report(merged.predictions, predictions)


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
