"""Report which external features explain each category's internal clusters, if any do."""

import logging
from typing import TYPE_CHECKING

import polars as pl
from threadpoolctl import threadpool_limits

from clustering.contracts import CLUSTERS, FEATURES
from clustering.joblog import job_log
from clustering.place_drivers import PlaceDrivers, place_drivers
from clustering.seeds import derived_seed
from clustering.tables import read_table, write_report
from clustering.view_matrix import view_matrix

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)

PLACE_DRIVERS = {
    "category": pl.String,
    "stores": pl.Int64,
    "clusters": pl.Int64,
    "accuracy": pl.Float64,
    "baseline_accuracy": pl.Float64,
    "standard_error": pl.Float64,
    "explained": pl.Boolean,
    "reason": pl.String,
    "rank": pl.Int64,
    "feature": pl.String,
    "importance": pl.Float64,
    "cumulative_share": pl.Float64,
}
"""A row per category and feature that explains its clusters; one without a feature if none does."""


def explain_by_place(clusters: pl.DataFrame, features: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Find the external features that explain the internal clusters of each category.

    Parameters
    ----------
    clusters : polars.DataFrame
        The clusters contract of the internal source.
    features : polars.DataFrame
        The features contract of the external source. Views may share features.
    seed : int
        The seed of the configuration.

    Returns
    -------
    polars.DataFrame
        Rows of `PLACE_DRIVERS`, sorted by category and rank; see `place_drivers`.
    """
    place = view_matrix(features.drop("view").unique(["store_nbr", "feature"]))
    at = pl.DataFrame({"store_nbr": place.stores}).with_row_index("row")
    rows = []
    for (category,), members in clusters.partition_by("view", as_dict=True).items():
        both = at.join(members, on="store_nbr", maintain_order="left")
        found = place_drivers(
            place.values[both["row"].to_numpy()],
            both["cluster"].to_numpy(),
            derived_seed(seed, "explain_by_place", str(category)),
        )
        logger.info("%s: %d stores, %s", category, found.stores, found.reason)
        rows += _rows(str(category), found, place.features)
    return pl.DataFrame(rows, schema=PLACE_DRIVERS, orient="row").sort("category", "rank")


def _rows(category: str, found: PlaceDrivers, names: tuple[str, ...]) -> list[tuple[object, ...]]:
    """Return a row for each feature, or one that says why there is none."""
    evidence = (
        category,
        found.stores,
        found.clusters,
        found.accuracy,
        found.baseline_accuracy,
        found.standard_error,
        found.explained,
        found.reason,
    )
    drivers = zip(found.features, found.importances, found.cumulative_shares, strict=True)
    return [
        (*evidence, rank, names[feature], importance, share)
        for rank, (feature, importance, share) in enumerate(drivers, start=1)
    ] or [(*evidence, None, None, None, None)]


def main(internal_clusters: str, external_features: str, place_drivers: str, seed: int) -> None:
    """Read both sources and write `place_drivers`."""
    # Sums of floats would depend on the number of threads.
    with threadpool_limits(1):
        table = explain_by_place(
            read_table(internal_clusters, CLUSTERS), read_table(external_features, FEATURES), seed
        )
    write_report(table, place_drivers)
    logger.info(
        "%d of %d categories are explained by external features",
        table.filter("explained")["category"].n_unique(),
        table["category"].n_unique(),
    )


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
