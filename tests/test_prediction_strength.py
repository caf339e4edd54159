from itertools import combinations

import numpy as np
import pytest

from clustering.prediction_strength import prediction_strength
from tests.fits import kmeans

RANDOM = np.random.default_rng(11)


def by_pairs(points, k, seed, splits):
    """The definition of Tibshirani and Walther, pair of stores by pair of stores."""
    random = np.random.default_rng(seed)
    values = []
    for _ in range(splits):
        halves = [np.sort(half) for half in np.array_split(random.permutation(len(points)), 2)]
        for mine, other in (halves, halves[::-1]):
            own, foreign = kmeans(points[mine], k), kmeans(points[other], k)
            label = [int(((own - points[i]) ** 2).sum(axis=1).argmin()) for i in mine]
            predicted = [int(((foreign - points[i]) ** 2).sum(axis=1).argmin()) for i in mine]
            per_cluster = []
            for cluster in range(k):
                pairs = list(combinations([i for i, c in enumerate(label) if c == cluster], 2))
                kept = sum(predicted[i] == predicted[j] for i, j in pairs)
                per_cluster.append(kept / len(pairs) if pairs else 0.0)
            values.append(min(per_cluster))
    return np.mean(values)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_strength_is_the_share_of_pairs_that_the_other_half_keeps_together(k):
    points = RANDOM.normal(size=(41, 2))
    found = prediction_strength(points, k, kmeans, seed=4, splits=3)
    assert found == pytest.approx(by_pairs(points, k, seed=4, splits=3))


def test_real_clusters_predict_and_finer_ones_do_not():
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    points = np.vstack([RANDOM.normal(centre, 1, (30, 2)) for centre in centres])
    assert prediction_strength(points, 3, kmeans, seed=1) > 0.95
    assert prediction_strength(points, 5, kmeans, seed=1) < 0.7


def test_a_half_with_fewer_places_than_clusters_predicts_nothing():
    points = np.repeat([[0.0], [1.0], [5.0]], [20, 20, 1], axis=0)
    # The lonely store is in one half only, so the other half cannot form three clusters.
    assert prediction_strength(points, 3, kmeans, seed=1) == 0.0


def test_one_cluster_predicts_itself():
    for stores in (3, 20):
        assert prediction_strength(RANDOM.normal(size=(stores, 2)), 1, kmeans, seed=1) == 1.0


def test_the_seed_decides_the_halves():
    points = RANDOM.normal(size=(40, 2))
    found = [prediction_strength(points, 4, kmeans, seed=seed, splits=2) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
