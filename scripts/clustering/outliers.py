"""Flagging stores that are unlike all others; a flagged store is kept, but fits nothing."""

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import MinCovDet
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

Matrix = NDArray[np.float64]

TREES = 200
NEIGHBOURS = 20
STORES_PER_DIMENSION = 2
"""With fewer, half of the stores do not span the space, and their ellipse says nothing."""


def flag_outliers(points: Matrix, method: str, share: float, seed: int) -> NDArray[np.bool_]:
    """Return which stores are outliers.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        In an order that does not depend on the numbers of the stores.
    method : {"isolation_forest", "local_outlier_factor", "elliptic_envelope", "none"}
        How lonely a store is: how soon random cuts isolate it; how much sparser it lies than its
        neighbours; how far it is from the middle, measured by an ellipse of the central stores.
    share : float
        Largest share of the stores that is flagged, rounded down; stores as lonely as the
        first one that is not flagged are not flagged either.
    seed : int
        The same seed and points give the same flags.

    References
    ----------
    Liu, Ting and Zhou, "Isolation forest", ICDM 2008. Breunig, Kriegel, Ng and Sander, "LOF:
    identifying density-based local outliers", SIGMOD 2000. Rousseeuw and Van Driessen, "A fast
    algorithm for the minimum covariance determinant estimator", Technometrics 41, 1999.
    """
    count = math.floor(share * len(points))
    if method == "none" or count == 0:
        return np.zeros(len(points), dtype=np.bool_)
    loneliness = LONELINESS[method](points, seed)
    flags: NDArray[np.bool_] = loneliness > np.sort(loneliness)[-count - 1]
    return flags


def _isolation(points: Matrix, seed: int) -> Matrix:
    forest = IsolationForest(n_estimators=TREES, random_state=seed).fit(points)
    scores: Matrix = -forest.score_samples(points)
    return scores


def _sparsity(points: Matrix, _seed: int) -> Matrix:
    factor = LocalOutlierFactor(n_neighbors=min(NEIGHBOURS, len(points) - 1))
    with warnings.catch_warnings():
        # Stores in one place are infinitely dense, and whoever is next to them an outlier.
        warnings.filterwarnings("ignore", "Duplicate values", UserWarning)
        factor.fit(points)
    scores: Matrix = -factor.negative_outlier_factor_
    return scores


def _elliptic_distance(points: Matrix, seed: int) -> Matrix:
    """Squared Mahalanobis distances; none stands out where there are too few stores to tell."""
    centred = points - points.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    # Shares add up to 1, so their points span one dimension less than they have.
    spanned = lengths > lengths[0] * max(points.shape) * np.finfo(np.float64).eps
    if len(points) <= STORES_PER_DIMENSION * spanned.sum() or not lengths[0] > 0:
        return np.zeros(len(points))
    # The ellipse does not depend on units; these suit its solver.
    whitened = left[:, spanned] * math.sqrt(len(points))
    distances: Matrix = MinCovDet(random_state=seed).fit(whitened).dist_
    return distances


LONELINESS: dict[str, Callable[[Matrix, int], Matrix]] = {
    "isolation_forest": _isolation,
    "local_outlier_factor": _sparsity,
    "elliptic_envelope": _elliptic_distance,
}
"""What may be named in the configuration beside none; each takes the points and a seed."""
