"""Clusters that hold more stores than they may give some away, at the least loss."""

import numpy as np
from numpy.typing import NDArray

SAME_LOSS = 9
"""Decimals to which losses must agree to count as equal: far above rounding errors."""


def hold_maximum(
    clusters: NDArray[np.intp],
    distances: NDArray[np.float64],
    maximum: int,
    precedence: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Move stores out of clusters above the maximum, those first that lose least by going.

    What a store loses is its distance to the new cluster minus that to its own. One by one, the
    store with the smallest loss goes, to the nearest cluster with room, until its old cluster is
    at the maximum or no cluster has room. Clusters at or below the maximum give no store away.

    Parameters
    ----------
    clusters : ndarray of shape (n_stores,)
        The cluster of every store, as a column of `distances`.
    distances : ndarray of shape (n_stores, n_clusters)
        From every store to every centre; centres stay where they are.
    maximum : int
        Stores that a cluster may have.
    precedence : ndarray of shape (n_stores,)
        Of stores that lose equally, the one with the lowest rank goes first.

    Returns
    -------
    ndarray of shape (n_stores,)
        No cluster exceeds the maximum if stores ≤ clusters x maximum.
    """
    held = clusters.copy()
    sizes = np.bincount(clusters, minlength=distances.shape[1])
    movable = np.flatnonzero(sizes[clusters] > maximum)
    with_room = np.flatnonzero(sizes < maximum)
    own = distances[movable, clusters[movable]]
    losses = (distances[np.ix_(movable, with_room)] - own[:, None]).round(SAME_LOSS)
    ranks, targets = np.broadcast_arrays(precedence[movable, None], with_room)
    # Losses never change and room is never gained: one pass in their order takes every step.
    for pair in np.lexsort((targets.ravel(), ranks.ravel(), losses.ravel())):
        row, column = divmod(int(pair), len(with_room))
        store, target = movable[row], with_room[column]
        cluster = held[store]
        if sizes[cluster] > maximum > sizes[target]:
            held[store] = target
            sizes[cluster] -= 1
            sizes[target] += 1
    return held
