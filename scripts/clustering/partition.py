"""Parting the stores of a view into clusters, with labels that mean the same in every run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clustering.algorithms import ALGORITHMS, label_points

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Partition:
    """Clusters of the stores that were fitted on.

    Attributes
    ----------
    labels : ndarray of shape (n_stores,)
        From 1, the largest cluster first, ties by the coordinates of the centre; 0 for noise, the
        stores that an algorithm leaves outside all clusters.
    centres : ndarray of shape (n_clusters, n_dimensions)
        The mean of each cluster, cluster 1 first; no row if all stores are noise.
    """

    labels: Labels
    centres: Matrix


@dataclass(frozen=True)
class Nearest:
    """How far stores are from centres.

    Attributes
    ----------
    cluster : ndarray of shape (n_stores,)
        The nearest centre, from 1; or the cluster that a store keeps, whichever is nearest.
    distance : ndarray of shape (n_stores,)
        To its centre, in the space of the points.
    next_cluster, next_distance : ndarray of shape (n_stores,), or None
        The nearest of the other centres; None where there is one centre only.
    """

    cluster: Labels
    distance: Matrix
    next_cluster: Labels | None
    next_distance: Matrix | None


def partition(
    points: Matrix, k: int, algorithm: str, parameters: Mapping[str, Any], seed: int
) -> Partition:
    """Part points into k clusters, or as many as the algorithm finds.

    See `clustering.algorithms.label_points` for the parameters and errors. There may be fewer
    than k clusters, where an algorithm cannot tell k apart.
    """
    found = label_points(points, k, algorithm, parameters, seed)
    names = np.unique(found[found >= 0])
    count = len(names)
    numbers = np.where(found < 0, -1, np.searchsorted(names, found))
    centres = np.zeros((count, points.shape[1]))
    for number in range(count):
        centres[number] = points[numbers == number].mean(axis=0)
    if ALGORITHMS[algorithm].to_centres:
        # k-means may stop a step before labels and centres agree.
        numbers = nearest(points, centres).cluster.astype(np.int64) - 1
    sizes = np.bincount(numbers[numbers >= 0], minlength=count)
    order = canonical_order(centres, sizes)
    label_of = np.zeros(count + 1, dtype=np.int32)  # the last one is noise, number -1
    label_of[order] = np.arange(1, count + 1)
    return Partition(label_of[numbers], centres[order])


def fit_centres(
    points: Matrix, k: int, algorithm: str, parameters: Mapping[str, Any], seed: int
) -> Matrix:
    """Return the centres of a partition; the mean of the points if all of them are noise."""
    centres = partition(points, k, algorithm, parameters, seed).centres
    return centres if len(centres) else points.mean(axis=0, keepdims=True)


def canonical_order(centres: Matrix, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order of the centres by size, the largest first, ties by their coordinates."""
    order: NDArray[np.int64] = np.lexsort([*centres.T[::-1], -sizes])
    return order


def nearest(points: Matrix, centres: Matrix, kept: Labels | None = None) -> Nearest:
    """Return the nearest and the second nearest centre of every store; of equals, the first.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        Where the stores lie.
    centres : ndarray of shape (n_clusters, n_dimensions)
        At least one.
    kept : ndarray of shape (n_stores,), optional
        Clusters from 1 that stores keep, however near another centre is; 0 where they go to the
        nearest.
    """
    distances = np.sqrt(((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))
    ranked = distances
    if kept is not None:
        ranked = distances.copy()
        (stays,) = np.nonzero(kept)
        ranked[stays, kept[stays] - 1] = -1
    order = np.argsort(ranked, axis=1, kind="stable")
    by_rank = np.take_along_axis(distances, order, axis=1)
    labels = (order + 1).astype(np.int32)
    if len(centres) == 1:
        return Nearest(labels[:, 0], by_rank[:, 0], None, None)
    return Nearest(labels[:, 0], by_rank[:, 0], labels[:, 1], by_rank[:, 1])
