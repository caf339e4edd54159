import numpy as np
from scipy.spatial.distance import cdist

from clustering.partition import canonical_order, fit_centres, nearest

RANDOM = np.random.default_rng(5)


def test_cluster_one_is_the_largest():
    points = np.vstack([RANDOM.normal(m, 0.1, (n, 2)) for m, n in ((5, 10), (0, 40), (-5, 25))])
    centres = fit_centres(points, 3, starts=5, seed=1)
    assert np.round(centres[:, 0]).tolist() == [0, -5, 5]


def test_equal_sizes_are_ordered_by_the_centre_first_coordinate_first():
    centres = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 1.0]])
    assert canonical_order(centres, np.array([4, 4, 4])).tolist() == [[0, 1], [0, 2], [1, 0]]


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


def test_more_starts_never_give_looser_clusters():
    points = RANDOM.normal(size=(150, 6))

    def looseness(starts):
        return (nearest(points, fit_centres(points, 8, starts, seed=2)).distance ** 2).sum()

    assert looseness(20) < looseness(1)
