"""How well clusters made from one half of the stores predict those of the other half."""

import numpy as np
from numpy.typing import NDArray

from clustering.partition import nearest
from clustering.resampling import Fit, contingency

Matrix = NDArray[np.float64]

SPLITS = 10
"""Random halvings, each used in both directions."""


def prediction_strength(points: Matrix, k: int, fit: Fit, seed: int, splits: int = SPLITS) -> float:
    """Return the mean prediction strength over random halvings of the stores.

    For each halving, both halves are clustered. For each cluster of one half, the share of its
    pairs of stores that the centres of the other half also put together is taken; the lowest
    share over the clusters counts. A cluster of one store has no pair and counts as 0, and so does
    a half of fewer than k distinct points.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        In an order that does not depend on the numbers of the stores.
    k : int
        How many clusters; one predicts itself, so that its strength is 1.
    fit : Fit
        Makes the clusters of a half.
    seed : int
        Decides the halvings.
    splits : int
        How many halvings; each is used in both directions.

    References
    ----------
    Tibshirani and Walther, "Cluster validation by prediction strength", Journal of Computational
    and Graphical Statistics 14(3), 2005.
    """
    if k == 1:
        return 1.0
    random = np.random.default_rng(seed)
    strengths = []
    for _ in range(splits):
        shuffled = random.permutation(len(points))
        first, second = (points[np.sort(half)] for half in np.array_split(shuffled, 2))
        if any(len(np.unique(half, axis=0)) < k for half in (first, second)):
            strengths.append(0.0)
            continue
        centres_first, centres_second = fit(first, k), fit(second, k)
        strengths.append(_strength(first, centres_first, centres_second))
        strengths.append(_strength(second, centres_second, centres_first))
    return float(np.mean(strengths))


def _strength(points: Matrix, own: Matrix, other: Matrix) -> float:
    mine, theirs = (nearest(points, centres).cluster - 1 for centres in (own, other))
    together = contingency(mine, theirs)
    sizes = together.sum(axis=1)
    pairs = sizes * (sizes - 1)
    kept = (together * (together - 1)).sum(axis=1)
    return float(np.divide(kept, pairs, out=np.zeros_like(kept), where=pairs > 0).min())
