import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from clustering.resampling import adjusted_rand_index, centres_of, contingency
from tests.fits import kmeans

LABELINGS = st.integers(1, 40).flatmap(
    lambda stores: st.tuples(
        *(st.lists(st.integers(0, 5), min_size=stores, max_size=stores) for _ in range(2))
    )
)


@given(LABELINGS)
def test_agreement_of_two_labelings_is_the_adjusted_rand_index_of_scikit_learn(labelings):
    first, second = (np.array(labels, dtype=np.int32) for labels in labelings)
    found = adjusted_rand_index(contingency(first, second))
    assert found == pytest.approx(adjusted_rand_score(first, second))


def test_a_contingency_table_keeps_a_row_and_a_column_for_every_label_from_0():
    table = contingency(np.array([2, 2, 0]), np.array([1, 1, 3]))
    assert table.tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [0, 2, 0, 0]]
    used = table[np.ix_([0, 2], [1, 3])]
    assert used.tolist() == contingency_matrix([2, 2, 0], [1, 1, 3]).tolist()


def test_where_there_are_fewer_places_than_clusters_each_place_is_one():
    points = np.array([[1.0], [5.0], [1.0], [1.0]])
    assert centres_of(points, 3, kmeans).tolist() == [[1.0], [5.0]]
    assert centres_of(points, 2, kmeans).tolist() == [[1.0], [5.0]]
    assert centres_of(points, 1, kmeans).tolist() == [[2.0]]
