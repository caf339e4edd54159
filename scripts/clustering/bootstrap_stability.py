"""How far clusters come back when they are made again from stores drawn with replacement."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from clustering.partition import nearest
from clustering.resampling import Fit, adjusted_rand_index, centres_of, contingency
from clustering.seeds import derived_seed

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

RESAMPLES = 20
"""Bootstrap samples; every pair of them is compared."""


@dataclass(frozen=True)
class Stability:
    """What bootstrap samples say of k clusters.

    Attributes
    ----------
    mean_ari : float
        Mean adjusted Rand index of the labelings of all stores by two bootstrap samples.
    jaccard : ndarray of shape (n_clusters,)
        How well each cluster is found again, from 0 to 1; cluster 1 first.
    """

    mean_ari: float
    jaccard: Matrix


def bootstrap_stability(
    points: Matrix, labels: Labels, k: int, fit: Fit, seed: int, resamples: int = RESAMPLES
) -> Stability:
    """Make k clusters from each of several bootstrap samples and compare what they say.

    Stability, of the whole: all stores join the nearest centre of each sample, and two samples
    are compared by the adjusted Rand index of these labelings. Fang and Wang call the share of
    pairs of stores on which two samples disagree instability, 1 less the plain Rand index. That
    share falls by itself as k grows. The adjusted index relates it to what unrelated labelings of
    the same sizes would give: 1 - ARI = instability / chance. Chance is 2 (k - 1) / k^2 for k
    equal clusters, so that an index of .9 is an instability of .05 for k = 2, .032 for k = 5 and
    .022 for k = 8. Every pair of samples is compared, and not only disjoint pairs: the mean
    estimates the same number with half the fits.

    Jaccard, of each cluster: its stores in the sample, each counted once, beside the cluster of
    the sample that is most like them; both in one divided by in either, averaged over the samples
    that drew any of its stores. Hennig reads .75 as stable, under .6 as not to be trusted, under
    .5 as dissolved.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        In an order that does not depend on the numbers of the stores.
    labels : ndarray of shape (n_stores,)
        The clusters that are judged, from 1; 0 for stores that belong to none.
    k : int
        How many clusters the samples are parted into; one always comes back.
    fit : Fit
        Makes the clusters of a sample.
    seed : int
        Decides the samples.
    resamples : int
        How many samples, at least 2.

    References
    ----------
    Fang and Wang, "Selection of the number of clusters via the bootstrap method", Computational
    Statistics and Data Analysis 56(3), 2012. Hennig, "Cluster-wise assessment of cluster
    stability", Computational Statistics and Data Analysis 52(1), 2007.
    """
    if k == 1:
        return Stability(1.0, np.ones(labels.max()))
    random = np.random.default_rng(derived_seed(seed, "bootstrap"))
    # Sorted, because the order of the stores decides the seeding of k-means.
    draws = [np.sort(random.integers(len(points), size=len(points))) for _ in range(resamples)]
    joined = [nearest(points, centres_of(points[draw], k, fit)).cluster - 1 for draw in draws]
    pairs = combinations(joined, 2)
    return Stability(
        float(np.mean([adjusted_rand_index(contingency(*pair)) for pair in pairs])),
        _jaccard(labels, [np.unique(draw) for draw in draws], joined),
    )


def _jaccard(labels: Labels, drawn: list[NDArray[np.intp]], joined: list[Labels]) -> Matrix:
    """Average over the samples the likeness of each cluster to the cluster most like it."""
    found, samples = np.zeros(labels.max()), np.zeros(labels.max())
    for stores, groups in zip(drawn, joined, strict=True):
        both = contingency(labels[stores], groups[stores])
        sizes = both.sum(axis=1)
        either = sizes[:, None] + both.sum(axis=0) - both
        best = np.divide(both, either, out=np.zeros_like(both), where=either > 0).max(axis=1)
        height = len(sizes) - 1
        found[:height] += best[1:]
        samples[:height] += sizes[1:] > 0
    return np.divide(found, samples, out=np.zeros_like(found), where=samples > 0)
