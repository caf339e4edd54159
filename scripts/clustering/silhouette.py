"""How much nearer stores lie to their own cluster than to the next one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

ROWS = 512
"""Stores whose distances to all others are held at a time."""


def silhouettes(points: Matrix, labelings: Sequence[Labels]) -> list[float | None]:
    """Return the mean silhouette of each labeling, from one pass over the distances.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
    labelings : sequence of ndarray of shape (n_stores,)
        Labels from 1; stores labelled 0 belong to no cluster and are left out.

    Returns
    -------
    list of float or None
        From -1 to 1; None unless there are at least two clusters, one of them of several stores.

    References
    ----------
    Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis", Journal of Computational and Applied Mathematics 20, 1987.
    """
    members = [labels[:, None] == np.unique(labels[labels > 0]) for labels in labelings]
    edges = np.cumsum([0, *(member.shape[1] for member in members)])
    indicators = np.hstack(members).astype(np.float64)
    sums = [0.0] * len(members)
    for start in range(0, len(points), ROWS):
        rows = slice(start, start + ROWS)
        distances = cdist(points[rows], points) @ indicators
        for index, member in enumerate(members):
            mine = distances[:, edges[index] : edges[index + 1]]
            sums[index] += _sum(mine, member[rows], member.sum(axis=0))
    return [
        float(total / member.sum()) if 1 < member.shape[1] < member.sum() else None
        for total, member in zip(sums, members, strict=True)
    ]


def _sum(distances: Matrix, member: NDArray[np.bool_], sizes: NDArray[np.int64]) -> float:
    """Add up the silhouettes of some stores from their summed distances to each cluster.

    A store alone in its cluster has the silhouette 0.
    """
    if len(sizes) < 2:  # noqa: PLR2004  (there is no other cluster)
        return 0.0
    stores = member.any(axis=1)
    distances, member = distances[stores], member[stores]
    own_size = member @ sizes
    own = distances[member] / np.maximum(own_size - 1, 1)
    other = np.where(member, np.inf, distances / sizes).min(axis=1)
    larger = np.maximum(own, other)
    each = np.divide(other - own, larger, out=np.zeros_like(own), where=larger > 0)
    return float(each[own_size > 1].sum())
