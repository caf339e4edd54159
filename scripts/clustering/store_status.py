"""What became of every store of a category, and why."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clustering.aligned_views import UNKNOWN, Flags, Labels
from clustering.contracts import STORE_CLUSTERS
from clustering.feature_sets import ALL
from clustering.reassignment import NONE, DemandClusters


def why_internal_unknown() -> pl.Expr:
    """Return why the internal side of a store would be unknown.

    It reads `is_internal` (whether the internal source names the store at all), `total_sales` and
    `mapped_sales` (money in the category; null where the store has no row in it).
    """
    return (
        pl.when(~pl.col("is_internal"))
        .then(pl.lit("not in the internal source"))
        .when(pl.col("total_sales").fill_null(0) <= 0)
        .then(pl.lit("sells nothing in this category"))
        .otherwise(pl.lit("sells nothing with a need state in this category"))
    )


def describe_stores(
    stores: pl.DataFrame,
    known: tuple[Flags, Flags],
    clusters: tuple[Labels, Labels],
    evidence: tuple[str, str],
    demand: DemandClusters,
    external_view: str,
) -> pl.DataFrame:
    """Return the rows of the store_clusters contract for one category.

    Parameters
    ----------
    stores : polars.DataFrame of shape (n_stores, 3)
        `category`, `store_nbr` and `why_internal_unknown`.
    known : tuple of two ndarrays of shape (n_stores,)
        Whether the internal and the external cluster come from clustering.
    clusters : tuple of two ndarrays of shape (n_stores,)
        Internal and external cluster, known or predicted; `UNKNOWN` if neither.
    evidence : tuple of str
        Why internal and external predictions are, or are not, good enough to be used.
    demand : DemandClusters
        What follows from the clusters.
    external_view : str
        The feature set that the external clusters were made from.
    """
    rows = stores.with_columns(
        internal_known=pl.Series(known[0]),
        external_known=pl.Series(known[1]),
        internal_cluster=_or_null(clusters[0], UNKNOWN),
        external_cluster=_or_null(clusters[1], UNKNOWN),
        merged=_or_null(demand.merged, NONE),
        joined=_or_null(demand.joined, NONE),
        demand=_or_null(demand.demand, NONE),
    )
    # Many stores share few fates; to word each once saves most of the memory at chain scale.
    fate = [name for name in rows.columns if name not in ("category", "store_nbr")]
    fates = rows.select(fate).unique()
    worded = _worded(fates, evidence, demand, _why_external_unknown(external_view))
    return rows.join(worded, on=fate, how="left", nulls_equal=True, maintain_order="left").select(
        STORE_CLUSTERS.columns.names()
    )


def _worded(
    fates: pl.DataFrame,
    evidence: tuple[str, str],
    demand: DemandClusters,
    why_external_unknown: str,
) -> pl.DataFrame:
    """Name the clusters of every fate, its status and its reason."""
    labels = pl.Series(demand.labels, dtype=pl.String)
    bounds = demand.bounds
    has_large = bool((demand.sizes >= bounds.minimum).any())
    complete = pl.col("merged").is_not_null()
    moved = pl.col("demand") != pl.col("merged")
    status = (
        pl.when(~complete)
        .then(pl.lit("excluded"))
        .when(~(pl.col("internal_known") & pl.col("external_known")))
        .then(pl.lit("predicted"))
        .when(moved)
        .then(pl.lit("reassigned"))
        .otherwise(pl.lit("clustered"))
    )
    predicted_source = (
        pl.when(complete & ~pl.col("internal_known"))
        .then(pl.lit("internal"))
        .when(complete & ~pl.col("external_known"))
        .then(pl.lit("external"))
    )
    joins = pl.when(pl.col("joined") != pl.col("merged")).then(
        pl.format(
            "moved from {} (size {}, minimum {}) to {}, the nearest large cluster",
            "merged_cluster",
            "size",
            pl.lit(bounds.minimum),
            "joined_cluster",
        )
    )
    gives_way = pl.when(pl.col("demand") != pl.col("joined")).then(
        pl.format(
            "moved from {} (size {}, maximum {}) to {}, the nearest large cluster with room",
            "joined_cluster",
            "joined_size",
            pl.lit(bounds.maximum),
            "demand_cluster",
        )
    )
    keeps = pl.when(complete & pl.lit(not has_large)).then(pl.lit(bounds.kept_pairs))
    reasons = (_unknown_side(evidence, why_external_unknown), joins, gives_way, keeps)
    return (
        fates.with_columns(
            status=status,
            predicted_source=predicted_source,
            merged_cluster=labels.gather(fates["merged"]),
            joined_cluster=labels.gather(fates["joined"]),
            demand_cluster=labels.gather(fates["demand"]),
            size=pl.Series(demand.sizes).gather(fates["merged"]),
            joined_size=pl.Series(demand.joined_sizes).gather(fates["joined"]),
        )
        .with_columns(reason=pl.concat_str(*reasons, separator="; ", ignore_nulls=True))
        .with_columns(reason=pl.when(pl.col("reason") != "").then("reason"))
    )


def _why_external_unknown(view: str) -> str:
    return "no external features" if view == ALL else f"no feature of the set {view} is known"


def _unknown_side(evidence: tuple[str, str], why_external_unknown: str) -> pl.Expr:
    """Return which side is unknown, why, and what was inferred of it or why nothing was."""
    internal_known, external_known = pl.col("internal_known"), pl.col("external_known")
    inferred = (
        pl.when(pl.col("status") == "predicted")
        .then(pl.lit("predicted"))
        .otherwise(pl.lit("not predicted"))
    )
    return (
        pl.when(~internal_known & ~external_known)
        .then(
            pl.format(
                "both sides unknown: {}; {}; nothing to predict from",
                "why_internal_unknown",
                pl.lit(why_external_unknown),
            )
        )
        .when(~internal_known)
        .then(
            pl.format(
                "internal side unknown: {}; {}: {}",
                "why_internal_unknown",
                inferred,
                pl.lit(evidence[0]),
            )
        )
        .when(~external_known)
        .then(
            pl.format(
                "external side unknown: {}; {}: {}",
                pl.lit(why_external_unknown),
                inferred,
                pl.lit(evidence[1]),
            )
        )
    )


def _or_null(numbers: NDArray[np.integer], missing: int) -> pl.Series:
    column = pl.Series(numbers)
    return column.set(column == missing, None)
