"""What the methods share that make clusters again from other stores, or from part of them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

Fit = Callable[[Matrix, int], Matrix]
"""From points, of shape (n_stores, n_dimensions), and k to the centres of at most k clusters.

The points have at least k different places.
"""


def centres_of(points: Matrix, k: int, fit: Fit) -> Matrix:
    """Return the centres of k clusters; where there are fewer places, each place is one."""
    places = np.unique(points, axis=0)
    return places if len(places) <= k else fit(points, k)


def contingency(rows: Labels, columns: Labels) -> Matrix:
    """Count the stores that two labelings put together.

    Parameters
    ----------
    rows, columns : ndarray of shape (n_stores,)
        Labels from 0 of the same stores.

    Returns
    -------
    ndarray of shape (largest label of `rows` + 1, largest label of `columns` + 1)
    """
    height, width = int(rows.max()) + 1, int(columns.max()) + 1
    cells = np.bincount(rows.astype(np.int64) * width + columns, minlength=height * width)
    return cells.reshape(height, width).astype(np.float64)


def adjusted_rand_index(table: Matrix) -> float:
    """Return how far two labelings agree on which stores belong together, beyond chance.

    Parameters
    ----------
    table : ndarray
        Their contingency table.

    Returns
    -------
    float
        1 where they agree on every pair of stores, 0 on average where they are unrelated.

    References
    ----------
    Hubert and Arabie, "Comparing partitions", Journal of Classification 2, 1985.
    """
    both, first, second = (
        float((counts * (counts - 1)).sum())
        for counts in (table, table.sum(axis=1), table.sum(axis=0))
    )
    stores = table.sum()
    expected = first * second / (stores * (stores - 1)) if stores > 1 else both
    most = (first + second) / 2
    return 1.0 if most == expected else float((both - expected) / (most - expected))
