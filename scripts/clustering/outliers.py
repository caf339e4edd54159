"""Flagging stores that are unlike all others; a flagged store is kept, but fits nothing."""

import math

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

TREES = 200


def flag_outliers(
    points: NDArray[np.float64], method: str, share: float, seed: int
) -> NDArray[np.bool_]:
    """Return which stores are outliers.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        In an order that does not depend on the numbers of the stores.
    method : {"isolation_forest", "none"}
        Liu, Ting and Zhou, "Isolation forest", ICDM 2008; points that random cuts isolate soonest.
    share : float
        Largest share of the stores that is flagged, rounded down; stores as lonely as the
        first one that is not flagged are not flagged either.
    seed : int
        The same seed and points give the same flags.
    """
    count = math.floor(share * len(points))
    if method == "none" or count == 0:
        return np.zeros(len(points), dtype=np.bool_)
    forest = IsolationForest(n_estimators=TREES, random_state=seed).fit(points)
    loneliness = -forest.score_samples(points)
    flags: NDArray[np.bool_] = loneliness > np.sort(loneliness)[-count - 1]
    return flags
