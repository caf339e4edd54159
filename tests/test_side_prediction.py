"""An unknown cluster is predicted from the other source only where that beats the majority."""

import numpy as np
import pytest

from clustering.side_prediction import predict_side


def planted(stores=60, unknown=10, seed=1, noise=0.0):
    """Stores whose cluster is 1 left of zero and 2 right of it; the last ones are unknown."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(stores, 3))
    truth = np.where(points[:, 0] + noise * rng.normal(size=stores) > 0, 2, 1).astype(np.int32)
    clusters = truth.copy()
    clusters[stores - unknown :] = 0
    return points, truth, clusters


def everywhere(clusters):
    return np.ones(len(clusters), dtype=bool)


def test_a_real_relation_is_found_and_used():
    points, truth, clusters = planted(stores=130, unknown=10)
    points[120:, 0] = np.where(truth[120:] == 2, 2.0, -2.0)
    found = predict_side(clusters, points, everywhere(clusters), seed=0)
    assert found.used
    assert found.clusters[120:].tolist() == truth[120:].tolist()
    assert not found.clusters[:120].any()
    assert (found.to_predict, found.training_stores) == (10, 120)
    assert found.accuracy > 0.9
    assert "beats" in found.reason


def test_the_baseline_is_the_share_of_the_majority_and_points_that_tell_nothing_do_not_beat_it():
    clusters = np.array([1] * 20 + [2] * 10 + [0], dtype=np.int32)
    found = predict_side(clusters, np.ones((31, 2)), everywhere(clusters), seed=0)
    # Each of five folds has four stores of the one and two of the other.
    assert found.baseline_accuracy == pytest.approx(2 / 3)
    assert found.accuracy == pytest.approx(2 / 3)
    assert not found.used
    assert not found.clusters.any()
    assert "does not beat" in found.reason


def test_a_gain_within_one_standard_error_is_not_enough():
    rng = np.random.default_rng(5)
    points = rng.normal(size=(60, 2))
    clusters = rng.integers(1, 3, 60).astype(np.int32)
    clusters[50:] = 0
    found = predict_side(clusters, points, everywhere(clusters), seed=0)
    assert found.accuracy > found.baseline_accuracy
    assert not found.used
    assert not found.clusters.any()


def test_a_gain_of_exactly_one_standard_error_is_not_enough():
    points, _, clusters = planted(stores=35, seed=10, noise=1.5)
    found = predict_side(clusters, points.round(1), everywhere(clusters), seed=7)
    # Folds of five stores with gains 0, 0, 0, 0 and .2: their mean is .04, and so is the standard
    # error, sqrt((4 * .04 ** 2 + .16 ** 2) / 4 / 5). In floating point the mean comes out larger.
    assert found.accuracy - found.baseline_accuracy == pytest.approx(0.04)
    assert not found.used


def test_clusters_with_fewer_stores_than_folds_are_neither_learned_nor_predicted():
    points, _, clusters = planted()
    # Four stores of cluster 3 lie where the unknown stores lie.
    clusters[46:50] = 3
    points[46:] = 50.0
    found = predict_side(clusters, points, everywhere(clusters), seed=0)
    assert found.used
    assert found.training_stores == 46
    assert set(found.clusters[50:].tolist()) <= {1, 2}
    clusters[45] = 3
    points[45] = 50.0
    found = predict_side(clusters, points, everywhere(clusters), seed=0)
    assert found.training_stores == 50
    assert set(found.clusters[50:].tolist()) == {3}


@pytest.mark.parametrize(
    ("clusters", "columns", "reason"),
    [
        ([1] * 10 + [2] * 10, 1, "nothing to predict"),
        ([1] * 19 + [0], 1, "fewer than two clusters have the 5 stores"),
        ([1] * 15 + [2] * 4 + [0], 1, "fewer than two clusters have the 5 stores"),
        ([0] * 20, 1, "fewer than two clusters have the 5 stores"),
        ([1] * 10 + [2] * 9 + [0], 0, "the other side has no coordinates"),
    ],
)
def test_what_cannot_be_tested_is_not_predicted(clusters, columns, reason):
    clusters = np.array(clusters, dtype=np.int32)
    found = predict_side(clusters, np.zeros((20, columns)), everywhere(clusters), seed=0)
    assert not found.used
    assert found.accuracy is None
    assert reason in found.reason
    assert not found.clusters.any()


def test_stores_whose_other_side_is_unknown_are_neither_learned_from_nor_predicted():
    points, _, clusters = planted()
    other_known = everywhere(clusters)
    other_known[[0, 1, 59]] = False
    points[~other_known] = np.nan
    found = predict_side(clusters, points, other_known, seed=0)
    assert (found.to_predict, found.training_stores) == (9, 48)
    assert found.clusters[50:59].all()
    assert found.clusters[59] == 0


def test_a_missing_category_is_a_nan_that_the_forest_takes():
    points, truth, clusters = planted(stores=110)
    points[::3, 2] = np.nan
    points[100:, 0] = np.where(truth[100:] == 2, 2.0, -2.0)
    found = predict_side(clusters, points, everywhere(clusters), seed=0)
    assert found.clusters[100:].tolist() == truth[100:].tolist()


@pytest.mark.parametrize("seed", [0, 2])
def test_the_order_of_the_stores_does_not_matter(seed):
    # Noise and repeated points: the forest's draws matter.
    points, _, clusters = planted(seed=seed, noise=1.0)
    points = points.round(1)
    order = np.random.default_rng(seed).permutation(len(clusters))
    found = predict_side(clusters, points, everywhere(clusters), seed=7)
    moved = predict_side(clusters[order], points[order], everywhere(clusters), seed=7)
    assert found.used
    assert moved.clusters.tolist() == found.clusters[order].tolist()
    assert (moved.accuracy, moved.baseline_accuracy) == (found.accuracy, found.baseline_accuracy)
