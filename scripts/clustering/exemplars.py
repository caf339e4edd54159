"""Stores that show what a cluster is like: those nearest to its centre."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]
Flags = NDArray[np.bool_]
Stores = NDArray[np.int64]

SHOWN = 3
SAME_DISTANCE = 9
"""Decimals to which distances are compared: of equally near stores the lowest number goes first."""


def exemplars(
    points: Matrix, stores: Stores, clusters: Labels, is_outlier: Flags
) -> dict[int, list[int]]:
    """Return by cluster the stores nearest to the mean of its points, the nearest first.

    Outliers neither are exemplars nor move the centre; a cluster of outliers alone has none.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        In the space that was clustered.
    stores, clusters, is_outlier : ndarray of shape (n_stores,)
        Of each point.
    """
    found: dict[int, list[int]] = {}
    for cluster in np.unique(clusters):
        mine = (clusters == cluster) & ~is_outlier
        centre = points[mine].mean(axis=0) if mine.any() else np.zeros(points.shape[1])
        distances = np.linalg.norm(points[mine] - centre, axis=1).round(SAME_DISTANCE)
        nearest = np.lexsort((stores[mine], distances))[:SHOWN]
        found[int(cluster)] = stores[mine][nearest].tolist()
    return found
