import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from clustering import silhouette
from clustering.silhouette import silhouettes

RANDOM = np.random.default_rng(9)
POINTS = RANDOM.normal(size=(60, 3))


@given(st.lists(st.integers(1, 6), min_size=60, max_size=60))
def test_silhouettes_are_those_of_scikit_learn(labels):
    labels = np.array(labels, dtype=np.int32)
    expected = silhouette_score(POINTS, labels) if 1 < len(set(labels.tolist())) < 60 else None
    assert silhouettes(POINTS, [labels]) == [pytest.approx(expected)]


def test_several_labelings_share_one_pass_and_keep_their_order():
    labelings = [RANDOM.integers(1, k + 1, 60).astype(np.int32) for k in (2, 5, 3)]
    expected = [silhouette_score(POINTS, labels) for labels in labelings]
    assert silhouettes(POINTS, labelings) == pytest.approx(expected)


def test_it_does_not_matter_how_many_rows_are_held_at_a_time(monkeypatch):
    labels = RANDOM.integers(1, 4, 60).astype(np.int32)
    monkeypatch.setattr(silhouette, "ROWS", 7)
    assert silhouettes(POINTS, [labels]) == [pytest.approx(silhouette_score(POINTS, labels))]


def test_stores_that_belong_to_no_cluster_are_left_out():
    labels = RANDOM.integers(0, 4, 60).astype(np.int32)
    inside = labels > 0
    expected = silhouette_score(POINTS[inside], labels[inside])
    assert silhouettes(POINTS, [labels]) == [pytest.approx(expected)]


def test_a_store_alone_in_its_cluster_counts_as_zero():
    # 0 and 1 together: 1 - 1 / 10 and 1 - 1 / 9 from the store at 10; that one is alone.
    found = silhouettes(np.array([[0.0], [1.0], [10.0]]), [np.array([1, 1, 2], dtype=np.int32)])
    assert found == [pytest.approx((0.9 + 8 / 9 + 0) / 3)]


def test_stores_in_one_place_are_parted_by_nothing():
    labels = np.array([1, 1, 2, 2], dtype=np.int32)
    assert silhouettes(np.zeros((4, 2)), [labels]) == [0.0]


@pytest.mark.parametrize("labels", [[1, 1, 1], [1, 2, 3], [0, 0, 0], [0, 1, 1], [0, 1, 2]])
def test_there_is_no_silhouette_without_two_clusters_and_a_pair(labels):
    points = np.array([[0.0], [1.0], [5.0]])
    assert silhouettes(points, [np.array(labels, dtype=np.int32)]) == [None]
