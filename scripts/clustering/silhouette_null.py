"""Whether clusters are better parted than those that are found where there are none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering.partition import nearest
from clustering.resampling import Fit, centres_of
from clustering.seeds import derived_seed
from clustering.silhouette import silhouettes

Matrix = NDArray[np.float64]

MOST_STORES = 2_000
"""More stores are represented by as many, drawn at random."""

PERMUTATIONS = 39
"""The least p is 1 / 40."""

SAME_PLACE = 1e-9
"""An axis whose spread is this small against the first one is rounding."""


@dataclass(frozen=True)
class SilhouetteNull:
    """The silhouette of k clusters beside what stores without clusters give.

    Attributes
    ----------
    value : float
        Mean silhouette of the clusters.
    null : float
        Mean of the same over the permutations.
    p : float
        How often the permutations reach the value, (1 + reached) / (1 + permutations).
    """

    value: float
    null: float
    p: float


def silhouette_null(
    points: Matrix, k: int, fit: Fit, seed: int, permutations: int = PERMUTATIONS
) -> SilhouetteNull:
    """Compare the silhouette with that of independently permuted features.

    Clusters are made anew, in the same way, from the points and from every permutation; stores
    join the nearest centre.

    What is permuted is not the columns as they come. That would take away their correlation, so
    that any elongated cloud without clusters would look clustered; and so would shares, which lie
    in one dimension less than they have columns because they add up to one. Nor is it the
    principal axes: two clusters lie along a single axis, and permuting leaves that one as it is.
    Instead the points are turned to their principal axes, each axis is brought to variance 1, all
    are turned at random, and the features so made are permuted, each on its own; then turns and
    scale are undone. Each of these features mixes what is clustered with what is not. The
    permuted stores keep the mean and, but for chance, the covariance of the points, and nothing
    else; a normal cloud of whatever shape stays one, and shares stay in their dimensions. Where
    all points lie on one line there is nothing to turn: stores are drawn from the normal
    distribution.

    The null is not exact for clouds that are far from normal. Evenly spread or heavily skewed
    stores can part better than their permutations do, so p is one piece of evidence among several.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        In an order that does not depend on the numbers of the stores.
    k : int
        How many clusters, at least 2.
    fit : Fit
        Makes the clusters.
    seed : int
        Decides the stores that are drawn, the turns and the permutations.
    permutations : int
        How many.

    References
    ----------
    Phipson and Smyth, "Permutation p-values should never be zero", Statistical Applications in
    Genetics and Molecular Biology 9(1), 2010, for p. Liu, Hayes, Nobel and Marron, "Statistical
    significance of clustering for high-dimension, low-sample size data", Journal of the American
    Statistical Association 103, 2008, for a null that keeps the covariance.
    """
    random = np.random.default_rng(derived_seed(seed, "silhouette null"))
    if len(points) > MOST_STORES:
        points = points[np.sort(random.choice(len(points), MOST_STORES, replace=False))]
    value = _silhouette(points, k, fit)
    scores, spread, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    kept = max(1, int((spread > SAME_PLACE * spread[0]).sum()))
    null = np.array(
        [
            _silhouette(_without_clusters(scores[:, :kept], random) * spread[:kept], k, fit)
            for _ in range(permutations)
        ]
    )
    reached = int((null >= value).sum())
    return SilhouetteNull(value, float(null.mean()), (1 + reached) / (1 + permutations))


def _silhouette(points: Matrix, k: int, fit: Fit) -> float:
    """Return the mean silhouette of clusters made from the points; 0 where they are not parted."""
    labels = nearest(points, centres_of(points, k, fit)).cluster
    return silhouettes(points, [labels])[0] or 0.0


def _without_clusters(scores: Matrix, random: np.random.Generator) -> Matrix:
    """Turn scores of equal variance at random, permute every column, and turn them back."""
    stores, axes = scores.shape
    if axes == 1:
        drawn: Matrix = random.standard_normal(scores.shape) / np.sqrt(stores)
        return drawn
    turn: Matrix = np.linalg.qr(random.standard_normal((axes, axes)))[0]
    return random.permuted(scores @ turn, axis=0) @ turn.T
