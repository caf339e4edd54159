"""The space in which both sources weigh the same."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from clustering.joint_space import centre_distances, nearest, scale_block, variance_explained

EVERY = np.array([True, True, True])


def test_a_block_is_centred_and_divided_by_the_root_of_its_total_variance():
    points = np.array([[-1.0, 10.0], [2.0, 6.0], [5.0, 14.0]])
    # Means 2 and 10, variances (9 + 0 + 9) / 3 = 6 and (0 + 16 + 16) / 3 = 32 / 3; total 50 / 3.
    spread = np.sqrt(50 / 3)
    expected = np.array([[-3, 0], [0, -4], [3, 4]]) / spread
    assert scale_block(points, EVERY) == pytest.approx(expected)


@pytest.mark.parametrize("columns", [1, 3, 40])
def test_every_block_has_total_variance_one_whatever_its_columns_and_units(columns):
    points = np.random.default_rng(1).normal(5, 300, (50, columns))
    scaled = scale_block(points, np.ones(50, dtype=bool))
    assert scaled.var(axis=0).sum() == pytest.approx(1)
    assert scaled.mean(axis=0) == pytest.approx(np.zeros(columns))


def test_only_the_reference_stores_decide_mean_and_variance():
    points = np.array([[0.0], [2.0], [101.0], [np.nan]])
    reference = np.array([True, True, False, False])
    # Mean 1, variance 1.
    assert scale_block(points, reference)[:3, 0].tolist() == [-1, 1, 100]
    assert np.isnan(scale_block(points, reference)[3, 0])


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
def test_a_block_without_variance_contributes_zero_and_keeps_unknown_stores_unknown(constant):
    # 0.1 * 3 / 3 is not exactly 0.1: what remains are rounding errors, not a variance.
    points = np.array([[constant] * 2] * 3 + [[constant + 1] * 2, [np.nan] * 2])
    reference = np.array([True, True, True, False, False])
    scaled = scale_block(points, reference)
    assert scaled[:4].tolist() == [[0, 0]] * 4
    assert np.isnan(scaled[4]).all()


def test_a_block_without_columns_stays_without_columns():
    assert scale_block(np.zeros((3, 0)), EVERY).shape == (3, 0)


def test_the_nearest_centre_agrees_with_distances_over_both_blocks_together():
    rng = np.random.default_rng(2)
    blocks = [rng.normal(size=(60, 4)), rng.normal(size=(60, 2))]
    centres = [rng.normal(size=(5, 4)), rng.normal(size=(5, 2))]
    expected = cdist(np.hstack(blocks), np.hstack(centres))
    found = centre_distances(blocks, centres)
    assert found == pytest.approx(expected)
    assert nearest(found).tolist() == expected.argmin(axis=1).tolist()


def test_a_source_that_is_unknown_has_no_say():
    blocks = [np.array([[np.nan], [9.0]]), np.array([[0.0], [np.nan]])]
    centres = [np.array([[0.0], [9.0]]), np.array([[5.0], [1.0]])]
    # The first point is judged by its second block (0: 1 is nearer than 5), and the other way.
    assert nearest(centre_distances(blocks, centres)).tolist() == [1, 1]


def test_of_centres_equally_near_the_first_is_taken_even_when_rounding_prefers_another():
    middle = np.array([[0.1 + 0.2]])
    # 0.3 lies as far from 0.6 as from 0, but 0.1 + 0.2 is a rounding error above 0.3.
    centres = np.array([[0.0], [0.6]])
    assert nearest(centre_distances([middle], [centres])).tolist() == [0]
    assert nearest(centre_distances([middle], [centres[::-1]])).tolist() == [0]


def test_the_variance_that_groups_explain_is_what_lies_between_their_means():
    # Means 1 and 7 of two groups, 4 of all: 4 * 9 = 36 of 36 + 4 * 1; the second block adds
    # 2 * 2 within the first group alone.
    blocks = [np.array([[0.0], [2], [6], [8]]), np.array([[1.0, 5], [-1, 5], [0, 5], [0, 5]])]
    assert variance_explained(blocks[:1], np.array([1, 1, 0, 0])) == pytest.approx(36 / 40)
    assert variance_explained(blocks, np.array([1, 1, 0, 0])) == pytest.approx(36 / 42)


def test_one_group_explains_nothing_and_a_group_per_point_all():
    points = np.random.default_rng(3).normal(size=(20, 3))
    assert variance_explained([points], np.zeros(20, dtype=int)) == pytest.approx(0, abs=1e-12)
    assert variance_explained([points], np.arange(20)) == pytest.approx(1)


@pytest.mark.parametrize("stores", [0, 4])
def test_where_nothing_varies_there_is_no_variance_to_explain(stores):
    blocks = [np.zeros((stores, 2)), np.zeros((stores, 0))]
    assert variance_explained(blocks, np.arange(stores)) is None
