"""Merged clusters, and the demand clusters that remain when their sizes are held to bounds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering.aligned_views import UNKNOWN, Flags, Labels, Points
from clustering.cluster_capacity import hold_maximum
from clustering.cluster_sizes import SizeBounds, SizeSettings
from clustering.joint_space import centre_distances, nearest, scale_block, variance_explained

NONE = -1
"""Stands for no merged cluster."""

SAME_PLACE = 9
"""Decimals to which coordinates must agree to count as equal: far above rounding errors."""


@dataclass(frozen=True)
class DemandClusters:
    """The merged and the demand cluster of every store of a category.

    Attributes
    ----------
    labels : tuple of str
        The merged clusters, in canonical order: by internal, then by external cluster.
    merged, joined, demand : ndarray of shape (n_stores,)
        Places in `labels`: the pair; after small clusters were given up; and after clusters
        above the maximum gave stores away. `NONE` where a side is unknown.
    sizes, joined_sizes : ndarray of shape (n_labels,)
        Stores of each merged cluster that count toward the bounds; and after small ones joined.
    bounds : SizeBounds
        What the sizes are held to.
    variance_merged, variance_demand : float or None
        Share of the variance of the stores that count, in a space in which both sources weigh
        the same, that merged and that demand clusters explain; None if nothing varies.
    """

    labels: tuple[str, ...]
    merged: NDArray[np.intp]
    joined: NDArray[np.intp]
    demand: NDArray[np.intp]
    sizes: NDArray[np.intp]
    joined_sizes: NDArray[np.intp]
    bounds: SizeBounds
    variance_merged: float | None
    variance_demand: float | None

    @property
    def infeasible(self) -> str | None:
        """Why not every demand cluster can be within the bounds; None if each can."""
        return self.bounds.infeasible(int((self.sizes >= self.bounds.minimum).sum()))


def hold_sizes(
    clusters: tuple[Labels, Labels],
    points: tuple[Points, Points],
    counted: Flags,
    settings: SizeSettings,
    sales: NDArray[np.float64],
) -> DemandClusters:
    """Give up small merged clusters, then relieve those above the maximum.

    A merged cluster is large if it has the minimum of counted stores. Every store of a small one
    moves to the large one whose counted stores have the nearest mean point, in a space in which
    both sources weigh the same. A store with only one point is judged by it alone. Of clusters
    equally near, the first in canonical order is taken. Where no merged cluster is large, every
    store keeps its own. Large clusters above the maximum then give counted stores away to large
    ones with room, see `hold_maximum`; where the maximum is below the minimum, none has room.

    Parameters
    ----------
    clusters : tuple of two ndarrays of shape (n_stores,)
        Internal and external cluster, known or predicted; `UNKNOWN` if neither.
    points : tuple of two ndarrays of shape (n_stores, n_dimensions)
        Internal and external point; NaN where unknown.
    counted : ndarray of shape (n_stores,)
        Whether both sides of the store are known, not predicted.
    settings : SizeSettings
        The bounds.
    sales : ndarray of shape (n_stores,)
        Of the category, money. Of stores that would lose equally by going, those that sell less
        go first; stores alike in this too by their coordinates, and only then in the given order.
    """
    internal, external = clusters
    complete = (internal != UNKNOWN) & (external != UNKNOWN)
    pairs, places = np.unique(
        np.column_stack([internal[complete], external[complete]]), axis=0, return_inverse=True
    )
    merged = np.full(len(complete), NONE)
    merged[complete] = places
    sizes = np.bincount(merged[counted], minlength=len(pairs))
    bounds = settings.bounds(int(counted.sum()))
    large = np.flatnonzero(sizes >= bounds.minimum)
    joined = merged.copy()
    demand = merged
    blocks = [scale_block(block, counted) if counted.any() else block for block in points]
    if large.size:
        centres = [
            np.stack([block[counted & (merged == place)].mean(axis=0) for place in large])
            for block in blocks
        ]
        distances = centre_distances(blocks, centres)
        moving = complete & ~np.isin(merged, large)
        joined[moving] = large[nearest(distances[moving])]
        demand = joined.copy()
        held = hold_maximum(
            np.searchsorted(large, joined[counted]),
            distances[counted],
            bounds.maximum,
            _precedence(sales[counted], [block[counted] for block in blocks]),
        )
        demand[counted] = large[held]
    known = [block[counted] for block in blocks]
    return DemandClusters(
        labels=tuple(f"{pair[0]}_{pair[1]}" for pair in pairs),
        merged=merged,
        joined=joined,
        demand=demand,
        sizes=sizes,
        joined_sizes=np.bincount(joined[counted], minlength=len(pairs)),
        bounds=bounds,
        variance_merged=variance_explained(known, merged[counted]),
        variance_demand=variance_explained(known, demand[counted]),
    )


def _precedence(sales: NDArray[np.float64], blocks: list[Points]) -> NDArray[np.intp]:
    """Rank stores by what they are rather than by their numbers: by sales, then by coordinates."""
    coordinates = np.hstack(blocks).round(SAME_PLACE)
    ranks: NDArray[np.intp] = np.lexsort((*coordinates.T[::-1], sales)).argsort()
    return ranks
