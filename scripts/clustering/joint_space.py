"""A space of both sources in which each weighs the same: distances and variance in it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clustering.aligned_views import Flags, Points

ROUNDING = 1e-12
"""Spreads of this part of the coordinates, and distances this near each other, are rounding errors
(the joint space's unit is the spread of a source, so that distances of interest are near 1)."""


def scale_block(points: Points, reference: Flags) -> Points:
    """Centre a block of coordinates and divide it by the root of its total variance.

    The sum of squared distances between the reference stores is then the same for every block,
    whatever its number of columns and its units, and the shape of a block is kept. It is the
    scaling of blocks of variables in multiple factor analysis, by total variance (inertia)
    instead of the first eigenvalue.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        NaN where unknown.
    reference : ndarray of shape (n_stores,)
        The stores, at least one, all of them known, over which mean and variance are taken.

    Returns
    -------
    ndarray of shape (n_stores, n_dimensions)
        Zeros, NaN where unknown, if nothing varies among the reference stores.

    References
    ----------
    Escofier and Pagès, "Multiple factor analysis", Computational Statistics and Data Analysis 18
    (1994), 121-140.
    """
    measured = points[reference]
    centred = points - measured.mean(axis=0)
    spread = np.sqrt(measured.var(axis=0).sum())
    if spread <= ROUNDING * np.abs(measured).max(initial=0.0):
        return np.where(np.isnan(points), np.nan, 0.0)
    scaled: Points = centred / spread
    return scaled


def centre_distances(blocks: Sequence[Points], centres: Sequence[Points]) -> NDArray[np.float64]:
    """Return the Euclidean distance of each point to each centre over what is known of the point.

    Parameters
    ----------
    blocks : sequence of ndarray of shape (n_points, n_dimensions)
        One array per source; a source whose coordinates are NaN has no say on that point.
    centres : sequence of ndarray of shape (n_centres, n_dimensions)
        One array per source.

    Returns
    -------
    ndarray of shape (n_points, n_centres)
    """
    squares = np.zeros((len(blocks[0]), len(centres[0])))
    for block, block_centres in zip(blocks, centres, strict=True):
        for column, centre in enumerate(block_centres):
            squares[:, column] += np.nan_to_num(((block - centre) ** 2).sum(axis=1))
    return np.sqrt(squares)


def nearest(distances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the column of the nearest centre in each row; of centres equally near, the first."""
    as_near = distances <= distances.min(axis=1, keepdims=True) + ROUNDING
    first: NDArray[np.intp] = as_near.argmax(axis=1)
    return first


def variance_explained(blocks: Sequence[Points], groups: NDArray[np.integer]) -> float | None:
    """Return how much of the variance of points lies between groups: 1 - within ÷ total.

    Parameters
    ----------
    blocks : sequence of ndarray of shape (n_points, n_dimensions)
        One array per source, every coordinate known.
    groups : ndarray of shape (n_points,)
        The group of every point.

    Returns
    -------
    float or None
        From 0 to 1; None if nothing varies.
    """
    points = np.hstack(blocks)
    centred = points - points.mean(axis=0) if len(points) else points
    total = (centred**2).sum()
    if total == 0:
        return None
    members = [centred[groups == group] for group in np.unique(groups)]
    between = sum(len(rows) * (rows.mean(axis=0) ** 2).sum() for rows in members)
    return float(between / total)
