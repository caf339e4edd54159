"""Exemplars are the stores nearest to the middle of their cluster."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.exemplars import exemplars


def exemplars_of(points, stores, clusters, outliers=()):
    return exemplars(
        np.array(points, dtype=np.float64),
        np.array(stores),
        np.array(clusters, dtype=np.int32),
        np.isin(stores, outliers),
    )


def test_the_three_nearest_to_the_centre_come_nearest_first_and_of_equals_the_lowest_number():
    found = exemplars_of(
        [[0, 0], [4, 0], [-4, 0], [0, 3], [0, -3], [50, 50]],
        [15, 14, 13, 12, 11, 99],
        [1, 1, 1, 1, 1, 2],
    )
    assert found == {1: [15, 11, 12], 2: [99]}


def test_outliers_are_no_exemplars_and_move_no_centre():
    points = [[0.0], [1.0], [2.0], [3.0], [1.4], [100.0]]
    found = exemplars_of(points, [1, 2, 3, 4, 5, 6], [1] * 6, outliers=(5, 6))
    # Without the outliers the centre is 1.5.
    assert found == {1: [2, 3, 1]}


def test_a_cluster_of_outliers_has_none():
    assert exemplars_of([[0.0], [1.0]], [1, 2], [1, 2], outliers=(2,)) == {1: [1], 2: []}


def test_points_without_coordinates_are_all_in_the_middle():
    assert exemplars_of(np.zeros((4, 0)), [8, 6, 7, 5], [1] * 4) == {1: [5, 6, 7]}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_exemplars_belong_to_their_cluster_whatever_the_order_of_rows(seed, k):
    random = np.random.default_rng(seed)
    points, stores = random.normal(size=(30, 2)), random.permutation(30) + 1
    clusters = np.concatenate([np.arange(1, k + 1), random.integers(1, k + 1, 30 - k)])
    found = exemplars_of(points, stores, clusters)
    of_store = dict(zip(stores.tolist(), clusters.tolist(), strict=True))
    assert all(of_store[store] == number for number, mine in found.items() for store in mine)
    order = random.permutation(30)
    assert exemplars_of(points[order], stores[order], clusters[order]) == found
