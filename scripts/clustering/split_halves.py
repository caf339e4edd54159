"""Evidence from two halves of the sales: whether mixes and clusters last or are chance."""

import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from clustering.clustered_view import ClusterSettings, cluster_view
from clustering.view_matrix import ViewMatrix, view_matrix
from clustering.weeks import HALVES
from clustering.worth import SMALLEST_SPREAD, worth

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

logger = logging.getLogger(__name__)

EVIDENCE = {
    "split_half_reliability": pl.Float64,
    "half_agreement": pl.Float64,
    "worth_clusters": pl.Float64,
    "worth_volume_grades": pl.Float64,
    "worth_region": pl.Float64,
}
"""What two halves say of a view; null where they cannot."""


def half_matrices(features: pl.DataFrame, sales: pl.DataFrame) -> tuple[ViewMatrix, ViewMatrix]:
    """Return the matrices of both halves of a view; without any row of a half, an empty one.

    Parameters
    ----------
    features, sales : polars.DataFrame
        Rows of the contracts of half features and half sales that belong to one view.
    """
    first, second = (
        view_matrix(features.filter(half=number), sales.filter(half=number)) for number in HALVES
    )
    return first, second


def split_half_evidence(
    source: str,
    view: str,
    halves: tuple[ViewMatrix, ViewMatrix],
    settings: ClusterSettings,
    k: int,
    regions: Mapping[int, str] | None,
    seed: int,
) -> dict[str, float | None]:
    """Judge a view by what its two halves agree on.

    Stores that sell in both halves count. Each half is clustered for itself, by the settings of
    the view but with its k.

    Parameters
    ----------
    source, view : str
        What is clustered; with `seed` they decide every random choice.
    halves : tuple of two ViewMatrix
        The shares of each half, weighted by its sales.
    settings : ClusterSettings
        As of the view.
    k : int
        The number of clusters of the view.
    regions : mapping of int to str, or None
        The region of stores, where the chain has regions.
    seed : int
        The seed of the configuration.

    Returns
    -------
    dict
        The keys of `EVIDENCE`. All are None with fewer than `min_stores` stores in both halves;
        with k = 1 all but the reliability are; where a half cannot be parted, the agreement and
        the worth of the clusters are; where nothing varies, whatever compares what varies is.
    """
    evidence: dict[str, float | None] = dict.fromkeys(EVIDENCE)
    first, second = in_both(*halves)
    if len(first.stores) < settings.min_stores:
        logger.info("%s: %d stores in both halves, too few to compare", view, len(first.stores))
        return evidence
    evidence["split_half_reliability"] = reliability(first.values, second.values)
    if k == 1:
        return evidence
    fixed = replace(settings, k=k)
    labels = (
        _clusters(source, view, first, fixed, seed),
        _clusters(source, view, second, fixed, seed),
    )
    parted = all(len(np.unique(each)) > 1 for each in labels)
    if parted:
        evidence["half_agreement"] = agreement(*labels)
    found = worth(first, second, labels if parted else None, k, regions)
    logger.info("%s: %d stores in both halves; %s", view, len(first.stores), found)
    return evidence | {
        "worth_clusters": found.clusters,
        "worth_volume_grades": found.volume_grades,
        "worth_region": found.region,
    }


def in_both(first: ViewMatrix, second: ViewMatrix) -> tuple[ViewMatrix, ViewMatrix]:
    """Return both halves for the stores that are in both, in one order for both.

    Stores are ordered by what they sell in both halves, so that their numbers decide nothing.
    """
    common, in_first, in_second = np.intersect1d(first.stores, second.stores, return_indices=True)
    ours, theirs = _rows(first, in_first), _rows(second, in_second)
    sold = np.column_stack([ours.values, theirs.values, ours.weights, theirs.weights, common])
    order = np.lexsort(sold.T[::-1])
    return _rows(ours, order), _rows(theirs, order)


def _rows(matrix: ViewMatrix, rows: NDArray[np.int64]) -> ViewMatrix:
    return replace(
        matrix,
        stores=matrix.stores[rows],
        values=matrix.values[rows],
        weights=matrix.weights[rows],
    )


def _clusters(
    source: str, view: str, half: ViewMatrix, settings: ClusterSettings, seed: int
) -> Labels:
    """Return the clusters of one half, in the order of its stores."""
    clusters = cluster_view(source, view, half, settings, seed, judged=False).clusters
    ordered = pl.DataFrame({"store_nbr": half.stores}).join(
        clusters, on="store_nbr", how="left", maintain_order="left"
    )
    return ordered["cluster"].to_numpy()


def reliability(first: Matrix, second: Matrix) -> float | None:
    """Return how far the stores' shares in one half tell those in the other; at most 1.

    Pearson's correlation between the halves over the stores, need state by need state, averaged
    with the variance of each as its weight (the geometric mean of the variances in both halves),
    so that need states in which the stores hardly differ say little. It is the reliability of half
    of the sales; it is not stepped up to the whole by the formula of Spearman and Brown.

    Parameters
    ----------
    first, second : ndarray of shape (n_stores, n_features)
        Shares of the same stores, in the same order.

    Returns
    -------
    float or None
        About 0 where shares are chance; None where nothing varies.
    """
    ours, theirs = first - first.mean(axis=0), second - second.mean(axis=0)
    spreads = np.sqrt([(ours**2).mean(axis=0), (theirs**2).mean(axis=0)])
    varies = (spreads > SMALLEST_SPREAD).all(axis=0)
    if not varies.any():
        return None
    covariances = (ours * theirs).mean(axis=0)
    # A correlation times its weight is a covariance.
    return float(covariances[varies].sum() / spreads.prod(axis=0)[varies].sum())


def agreement(first: Labels, second: Labels) -> float:
    """Return the adjusted Rand index of two partitions of the same stores.

    1 says that they are the same whatever the names of the clusters; about 0, that they agree by
    chance (Hubert and Arabie, "Comparing partitions", Journal of Classification 2, 1985).
    """
    return float(adjusted_rand_score(first, second))
