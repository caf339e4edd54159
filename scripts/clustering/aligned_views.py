"""A view over all stores of the chain: cluster and point of each, or that they are unknown."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

UNKNOWN = 0
"""Stands for no cluster, which count from 1."""

Labels = NDArray[np.int32]
Flags = NDArray[np.bool_]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class AlignedView:
    """What one view knows of every store of the chain.

    Attributes
    ----------
    clusters : ndarray of shape (n_stores,)
        `UNKNOWN` where the view does not have the store.
    points : ndarray of shape (n_stores, n_dimensions)
        The space in which the view was clustered; NaN where it does not have the store.
    """

    clusters: Labels
    points: Points

    @property
    def known(self) -> Flags:
        """Whether the view has the store."""
        known: Flags = self.clusters != UNKNOWN
        return known


def align_views(
    clusters: pl.DataFrame, points: pl.DataFrame, stores: NDArray[np.int64]
) -> dict[str, AlignedView]:
    """Align every view of a source on the same stores.

    Parameters
    ----------
    clusters : polars.DataFrame
        `view`, `store_nbr` and `cluster` of the clusters contract.
    points : polars.DataFrame
        Table of the points contract.
    stores : ndarray of shape (n_stores,)
        The stores of the chain, sorted.

    Returns
    -------
    dict
        By name of the view.

    Raises
    ------
    ValueError
        If a store with a cluster is not among `stores` or has no point, or the points of a view
        differ in length or are not finite.
    """
    views = clusters.partition_by("view", as_dict=True)
    located = points.partition_by("view", as_dict=True)
    nowhere = points.clear()
    return {
        str(view): _align(str(view), rows, located.get((view,), nowhere), stores)
        for (view,), rows in views.items()
    }


def unknown_view(n_stores: int) -> AlignedView:
    """Return a view that knows no store, as of a category in which nothing can be clustered."""
    return AlignedView(np.full(n_stores, UNKNOWN, dtype=np.int32), np.zeros((n_stores, 0)))


def _align(
    view: str, clusters: pl.DataFrame, points: pl.DataFrame, stores: NDArray[np.int64]
) -> AlignedView:
    rows = clusters.join(points, on="store_nbr", how="left").sort("store_nbr")
    for lacks, text in (
        (~pl.col("store_nbr").is_in(stores), "is no store of the chain"),
        (pl.col("point").is_null(), "has a cluster but no point"),
    ):
        for store in rows.filter(lacks)["store_nbr"].head(1):
            raise ValueError(f"store {store} of view {view!r} {text}")
    lengths = rows["point"].list.len().unique().sort().to_list()
    if len(lengths) > 1:
        raise ValueError(f"points of view {view!r} have {lengths} coordinates; one length expected")
    # An empty list explodes to a null.
    coordinates = rows["point"].explode().to_numpy() if lengths[0] else np.zeros(0)
    if not np.isfinite(coordinates).all():
        raise ValueError(f"points of view {view!r} have coordinates that are not finite")
    at = np.searchsorted(stores, rows["store_nbr"].to_numpy())
    aligned = AlignedView(
        np.full(len(stores), UNKNOWN, dtype=np.int32), np.full((len(stores), lengths[0]), np.nan)
    )
    aligned.clusters[at] = rows["cluster"].to_numpy()
    aligned.points[at] = coordinates.reshape(rows.height, lengths[0])
    return aligned
