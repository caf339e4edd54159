import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from clustering.partition import canonical_order, fit_centres, nearest, partition

RANDOM = np.random.default_rng(5)


def test_cluster_one_is_the_largest():
    points = np.vstack([RANDOM.normal(m, 0.1, (n, 2)) for m, n in ((5, 10), (0, 40), (-5, 25))])
    centres = fit_centres(points, 3, "kmeans", {"n_init": 5}, seed=1)
    assert np.round(centres[:, 0]).tolist() == [0, -5, 5]


def test_equal_sizes_are_ordered_by_the_centre_first_coordinate_first():
    centres = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 1.0]])
    assert canonical_order(centres, np.array([4, 4, 4])).tolist() == [2, 1, 0]
    assert canonical_order(centres, np.array([5, 4, 4])).tolist() == [0, 2, 1]


def test_nearest_agrees_with_all_distances():
    points, centres = RANDOM.normal(size=(60, 4)), RANDOM.normal(size=(5, 4))
    distances = cdist(points, centres)
    found = nearest(points, centres)
    assert found.cluster.tolist() == (distances.argmin(axis=1) + 1).tolist()
    assert np.allclose(found.distance, distances.min(axis=1))
    assert np.allclose(found.next_distance, np.sort(distances, axis=1)[:, 1])
    assert np.allclose(distances[np.arange(60), found.next_cluster - 1], found.next_distance)


def test_a_store_between_two_centres_goes_to_the_first():
    assert nearest(np.array([[0.0]]), np.array([[1.0], [-1.0]])).cluster.tolist() == [1]


def test_a_single_centre_has_no_next():
    found = nearest(np.array([[3.0]]), np.array([[1.0]]))
    assert (found.cluster.tolist(), found.distance.tolist()) == ([1], [2.0])
    assert found.next_cluster is None
    assert found.next_distance is None


def test_a_store_keeps_its_cluster_however_near_another_centre_is():
    points, centres = np.array([[0.0], [1.0], [9.0]]), np.array([[0.0], [4.0], [10.0]])
    found = nearest(points, centres, kept=np.array([2, 0, 3], dtype=np.int32))
    assert found.cluster.tolist() == [2, 1, 3]
    assert found.distance.tolist() == [4, 1, 1]
    assert found.next_cluster.tolist() == [1, 2, 2]
    assert found.next_distance.tolist() == [0, 3, 5]


def test_more_starts_never_give_looser_clusters():
    points = RANDOM.normal(size=(150, 6))

    def looseness(starts):
        centres = fit_centres(points, 8, "kmeans", {"n_init": starts}, seed=2)
        return (nearest(points, centres).distance ** 2).sum()

    assert looseness(20) < looseness(1)


def test_clusters_are_those_of_scikit_learn_with_their_means_as_centres():
    points = RANDOM.normal(size=(50, 3))
    part = partition(points, 4, "ward", {}, seed=1)
    expected = fcluster(linkage(points, "ward"), 4, "maxclust")
    assert adjusted_rand_score(expected, part.labels) == 1
    for cluster, centre in enumerate(part.centres, start=1):
        assert centre == pytest.approx(points[part.labels == cluster].mean(axis=0))
    assert np.bincount(part.labels)[1:].tolist() == sorted(np.bincount(part.labels))[:0:-1]


def test_by_k_means_every_store_is_in_the_cluster_of_the_nearest_centre():
    for seed in range(5):
        points = np.random.default_rng(seed).normal(size=(300, 2))
        part = partition(points, 7, "kmeans", {"n_init": 1, "max_iter": 2}, seed)
        assert part.labels.tolist() == nearest(points, part.centres).cluster.tolist()


def test_noise_is_in_no_cluster_and_moves_no_centre():
    ring = np.array([[0.0, 1], [1, 0], [0, -1], [-1, 0], [0, 0]])
    points = np.vstack([ring, ring + 50, [[0.0, 500.0]]])
    part = partition(points, 1, "dbscan", {"eps": 0.05, "min_samples": 3}, seed=1)
    assert part.labels.tolist() == [1] * 5 + [2] * 5 + [0]
    assert part.centres.tolist() == [[0, 0], [50, 50]]


def test_noise_alone_has_no_cluster_and_its_mean_stands_in_for_a_centre():
    points = RANDOM.normal(size=(20, 2))
    part = partition(points, 1, "dbscan", {"eps": 1e-6}, seed=1)
    assert set(part.labels) == {0}
    assert part.centres.shape == (0, 2)
    centres = fit_centres(points, 1, "dbscan", {"eps": 1e-6}, seed=1)
    assert centres.tolist() == [points.mean(axis=0).tolist()]


def test_where_k_clusters_cannot_be_told_apart_there_are_fewer():
    points = np.repeat([[0.0, 0], [0, 1e-3], [5, 5], [9, 0]], 5, axis=0)
    part = partition(points, 4, "birch", {"threshold": 0.1}, seed=1)
    assert np.bincount(part.labels).tolist() == [0, 10, 5, 5]
