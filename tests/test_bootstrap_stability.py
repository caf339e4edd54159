from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from clustering.bootstrap_stability import bootstrap_stability
from clustering.seeds import derived_seed
from tests.fits import joined, kmeans

RANDOM = np.random.default_rng(7)
NOISE = RANDOM.normal(size=(45, 2))
BLOBS = np.vstack([RANDOM.normal(place, 1, (20, 2)) for place in ((0, 0), (12, 0), (0, 12))])


def labelled(points, k):
    return np.array(joined(points, kmeans(points, k)), dtype=np.int32)


def samples(points, seed, resamples):
    random = np.random.default_rng(derived_seed(seed, "bootstrap"))
    return [np.sort(random.integers(len(points), size=len(points))) for _ in range(resamples)]


@pytest.mark.parametrize("k", [2, 4])
def test_stability_is_the_mean_agreement_of_samples_on_all_stores(k):
    labelings = [
        joined(NOISE, kmeans(NOISE[sample], k)) for sample in samples(NOISE, seed=3, resamples=5)
    ]
    expected = np.mean([adjusted_rand_score(*pair) for pair in combinations(labelings, 2)])
    found = bootstrap_stability(NOISE, labelled(NOISE, k), k, kmeans, seed=3, resamples=5)
    assert found.mean_ari == pytest.approx(expected)


@pytest.mark.parametrize("k", [2, 4])
def test_jaccard_is_the_likeness_of_a_cluster_to_its_best_match_among_drawn_stores(k):
    labels = labelled(NOISE, k)
    expected = []
    for cluster in range(1, k + 1):
        best = []
        for sample in samples(NOISE, seed=3, resamples=5):
            groups = joined(NOISE, kmeans(NOISE[sample], k))
            mine = {store for store in sample if labels[store] == cluster}
            theirs = [{store for store in sample if groups[store] == j} for j in range(1, k + 1)]
            best.append(max(len(mine & other) / len(mine | other) for other in theirs))
        expected.append(np.mean(best))
    found = bootstrap_stability(NOISE, labels, k, kmeans, seed=3, resamples=5)
    assert found.jaccard.tolist() == pytest.approx(expected)


def test_clusters_that_lie_apart_come_back_and_arbitrary_ones_do_not():
    real = bootstrap_stability(BLOBS, labelled(BLOBS, 3), 3, kmeans, seed=1)
    assert real.mean_ari == 1.0
    assert real.jaccard.tolist() == [1.0, 1.0, 1.0]
    finer = bootstrap_stability(BLOBS, labelled(BLOBS, 5), 5, kmeans, seed=1)
    assert finer.mean_ari < 0.9
    assert finer.jaccard.min() < 0.75


def test_a_store_that_is_not_drawn_says_nothing_of_its_cluster():
    points = np.vstack([BLOBS[:20], [[100.0, 100.0]]])
    labels = np.array([2] * 20 + [1], dtype=np.int32)
    found = bootstrap_stability(points, labels, 2, kmeans, seed=1)
    drawn = [20 in sample for sample in samples(points, seed=1, resamples=20)]
    assert 0 < sum(drawn) < 20
    assert found.jaccard[0] == 1.0


def test_stores_that_belong_to_no_cluster_are_no_cluster_but_may_spoil_one():
    labels = labelled(BLOBS, 3)
    labels[0] = 0
    spoilt = labelled(BLOBS, 3)[0]
    found = bootstrap_stability(BLOBS, labels, 3, kmeans, seed=1).jaccard
    assert len(found) == 3
    others = np.delete(found, spoilt - 1)
    assert others.tolist() == [1.0, 1.0]
    assert 0.9 < found[spoilt - 1] < 1.0


def test_a_sample_with_fewer_places_than_clusters_has_its_places_for_clusters():
    points = np.repeat([[0.0], [1.0], [5.0]], [20, 20, 1], axis=0)
    labels = np.repeat([1, 2, 3], [20, 20, 1]).astype(np.int32)
    found = bootstrap_stability(points, labels, 3, kmeans, seed=1)
    assert 0.9 < found.mean_ari < 1.0


def test_one_cluster_always_comes_back():
    found = bootstrap_stability(NOISE, np.ones(45, dtype=np.int32), 1, kmeans, seed=1)
    assert (found.mean_ari, found.jaccard.tolist()) == (1.0, [1.0])


def test_the_seed_decides_the_samples():
    labels = labelled(NOISE, 3)
    found = [
        bootstrap_stability(NOISE, labels, 3, kmeans, seed, resamples=4).mean_ari
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]
