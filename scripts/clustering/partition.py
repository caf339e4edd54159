"""Parting the stores of a view into k clusters, with labels that mean the same in every run."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Nearest:
    """How far stores are from centres.

    Attributes
    ----------
    cluster : ndarray of shape (n_stores,)
        The nearest centre, from 1.
    distance : ndarray of shape (n_stores,)
        To it, in the space of the points.
    next_cluster, next_distance : ndarray of shape (n_stores,), or None
        The second nearest; None where there is one centre only.
    """

    cluster: Labels
    distance: Matrix
    next_cluster: Labels | None
    next_distance: Matrix | None


def fit_centres(points: Matrix, k: int, starts: int, seed: int) -> Matrix:
    """Return the centres of k clusters, the largest first, ties by the coordinates of the centre.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        At least k distinct ones.
    k : int
        How many clusters.
    starts : int
        Seedings by k-means++ (Arthur and Vassilvitskii, SODA 2007); the tightest result is kept.
    seed : int
        The same seed and points give the same centres.
    """
    kmeans: Any = KMeans(k, n_init=starts, random_state=seed).fit(points)
    return canonical_order(kmeans.cluster_centers_, np.bincount(kmeans.labels_, minlength=k))


def canonical_order(centres: Matrix, sizes: NDArray[np.int64]) -> Matrix:
    """Return the centres by size, the largest first, ties by their coordinates."""
    return centres[np.lexsort([*centres.T[::-1], -sizes])]


def nearest(points: Matrix, centres: Matrix) -> Nearest:
    """Return the nearest and the second nearest centre of every store; of equals, the first."""
    distances = np.sqrt(((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")
    by_rank = np.take_along_axis(distances, order, axis=1)
    labels = (order + 1).astype(np.int32)
    if len(centres) == 1:
        return Nearest(labels[:, 0], by_rank[:, 0], None, None)
    return Nearest(labels[:, 0], by_rank[:, 0], labels[:, 1], by_rank[:, 1])
