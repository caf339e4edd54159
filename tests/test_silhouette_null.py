import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from clustering import silhouette_null as module
from clustering.silhouette_null import silhouette_null
from tests.fits import joined, kmeans

RANDOM = np.random.default_rng(4)
TWO = np.vstack([RANDOM.normal(0, 1, (40, 5)), RANDOM.normal(2.5, 1, (40, 5))])


def seen(points, permutations=6, seed=1):
    """Everything that clusters are made from: the points, then each permutation."""
    samples = []

    def fit(sample, k):
        samples.append(sample)
        return kmeans(sample, k)

    return silhouette_null(points, 2, fit, seed, permutations), samples


def silhouette_of(points):
    return silhouette_score(points, joined(points, kmeans(points, 2)))


def test_value_null_and_p_are_counted_from_the_permutations():
    found, samples = seen(RANDOM.normal(size=(50, 3)), permutations=9)
    value, *null = [silhouette_of(sample) for sample in samples]
    assert len(null) == 9
    assert found.value == pytest.approx(value)
    assert found.null == pytest.approx(np.mean(null))
    assert found.p == (1 + sum(each >= value for each in null)) / 10


def test_clusters_have_the_least_p_that_the_permutations_allow():
    assert silhouette_null(TWO, 2, kmeans, seed=1, permutations=19).p == 1 / 20


@pytest.mark.parametrize("seed", range(3))
def test_an_elongated_cloud_is_no_clusters_however_its_columns_correlate(seed):
    random = np.random.default_rng(seed)
    cloud = random.normal(size=(90, 4)) * [3, 1, 0.7, 0.5]
    turn = np.linalg.qr(random.normal(size=(4, 4)))[0]
    found = silhouette_null(cloud @ turn, 2, kmeans, seed=1, permutations=19)
    assert found.p > 0.05
    assert found.null == pytest.approx(found.value, abs=0.05)


def test_two_clusters_along_a_single_axis_are_still_clusters():
    on_axes = (TWO - TWO.mean(axis=0)) @ np.linalg.svd(TWO - TWO.mean(axis=0))[2].T
    assert silhouette_null(on_axes, 2, kmeans, seed=1, permutations=19).p == 1 / 20


def test_permuted_stores_keep_the_covariance_of_the_points_but_for_chance():
    points = RANDOM.normal(size=(400, 3)) * [5, 2, 1]
    _, (_, *permuted) = seen(points)
    along_axes = np.diag(np.linalg.eigvalsh(np.cov(points.T))[::-1])
    found = np.mean([np.cov(sample.T) for sample in permuted], axis=0)
    scale = np.sqrt(np.outer(np.diag(along_axes), np.diag(along_axes)))
    assert found / scale == pytest.approx(along_axes / scale, abs=0.1)


def test_shares_that_add_up_to_one_stay_in_their_dimensions():
    shares = RANDOM.dirichlet([5, 5, 5], 60)
    _, (_, *permuted) = seen(shares)
    assert {each.shape[1] for each in permuted} == {2}


def test_stores_on_one_line_are_compared_with_normal_ones():
    line = RANDOM.normal(size=(60, 1)) * [[1.0, 2.0]]
    assert silhouette_null(line, 2, kmeans, seed=1, permutations=19).p > 0.05
    apart = np.concatenate([line[:30], line[30:] + np.array([9.0, 18.0])])
    found = silhouette_null(apart, 2, kmeans, seed=1, permutations=19)
    assert found.p == 1 / 20
    assert found.null < found.value - 0.1


def test_a_large_view_is_represented_by_some_of_its_stores(monkeypatch):
    monkeypatch.setattr(module, "MOST_STORES", 30)
    found, samples = seen(TWO)
    assert {len(sample) for sample in samples} == {30}
    drawn = {tuple(point) for point in samples[0]}
    assert len(drawn) == 30
    assert drawn <= {tuple(point) for point in TWO}
    assert found == seen(TWO)[0]


def test_the_seed_decides_the_permutations():
    assert seen(TWO, seed=1)[0] == seen(TWO, seed=1)[0]
    assert seen(TWO, seed=1)[0].null != seen(TWO, seed=2)[0].null


def test_stores_in_fewer_places_than_clusters_are_no_error():
    places = np.repeat([[0.0, 0.0], [1.0, 3.0]], [15, 15], axis=0)
    found = silhouette_null(places, 3, kmeans, seed=1, permutations=3)
    assert found.value == pytest.approx(1.0)
