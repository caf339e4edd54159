"""Merged clusters, and the demand clusters that remain when small ones are given up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering.aligned_views import UNKNOWN, Flags, Labels, Points
from clustering.joint_space import nearest_centre, scale_block

NONE = -1
"""Stands for no merged cluster."""


@dataclass(frozen=True)
class DemandClusters:
    """The merged and the demand cluster of every store of a category.

    Attributes
    ----------
    labels : tuple of str
        The merged clusters, in canonical order: by internal, then by external cluster.
    sizes : ndarray of shape (n_labels,)
        Stores of each that count toward the minimum size.
    merged, demand : ndarray of shape (n_stores,)
        Places in `labels`; `NONE` where a side is unknown.
    """

    labels: tuple[str, ...]
    sizes: NDArray[np.intp]
    merged: NDArray[np.intp]
    demand: NDArray[np.intp]


def reassign_small(
    clusters: tuple[Labels, Labels],
    points: tuple[Points, Points],
    counted: Flags,
    min_cluster_size: int,
) -> DemandClusters:
    """Move every store of a small merged cluster to its nearest large one.

    A merged cluster is large if at least `min_cluster_size` counted stores have it. Stores move
    one by one, to the large cluster whose counted stores have the nearest mean point, in a space
    in which both sources weigh the same. A store with only one point is judged by it alone. Of
    clusters equally near, the first in canonical order is taken. Where no merged cluster is
    large, every store keeps its own.

    Parameters
    ----------
    clusters : tuple of two ndarrays of shape (n_stores,)
        Internal and external cluster, known or predicted; `UNKNOWN` if neither.
    points : tuple of two ndarrays of shape (n_stores, n_dimensions)
        Internal and external point; NaN where unknown.
    counted : ndarray of shape (n_stores,)
        Whether both sides of the store are known, not predicted.
    min_cluster_size : int
        At least 1.
    """
    internal, external = clusters
    complete = (internal != UNKNOWN) & (external != UNKNOWN)
    pairs, places = np.unique(
        np.column_stack([internal[complete], external[complete]]), axis=0, return_inverse=True
    )
    merged = np.full(len(complete), NONE)
    merged[complete] = places
    sizes = np.bincount(merged[counted], minlength=len(pairs))
    large = np.flatnonzero(sizes >= min_cluster_size)
    demand = merged.copy()
    moving = complete & ~np.isin(merged, large)
    if large.size and moving.any():
        blocks = [scale_block(block, counted) for block in points]
        centres = [
            np.stack([block[counted & (merged == place)].mean(axis=0) for place in large])
            for block in blocks
        ]
        demand[moving] = large[nearest_centre([block[moving] for block in blocks], centres)]
    labels = tuple(f"{pair[0]}_{pair[1]}" for pair in pairs)
    return DemandClusters(labels, sizes, merged, demand)
