import numpy as np
import pytest
from scipy.spatial.distance import cdist

from clustering.correlation_pruner import CorrelationPruner
from clustering.feature_blocks import Block
from clustering.feature_space import SpaceSettings, fit_space

ONES = np.ones(6)
AS_GIVEN = {
    "transform": "none",
    "shrinkage": 0.0,
    "imputation": "median",
    "missing_indicator": False,
    "scaling": "none",
    "max_correlation": 1.0,
    "projection": "none",
    "pca_variance": None,
    "pca_components": None,
    "blocks": (),
}
VALUES = np.array([[1.0, 10.0], [2.0, 30.0], [4.0, 20.0], [8.0, 60.0], [16.0, 50.0], [100.0, 40.0]])


def space_of(values, weights=ONES, **settings):
    names = tuple(f"feature {column}" for column in range(values.shape[1]))
    return fit_space(values, weights, names, SpaceSettings(**(AS_GIVEN | settings)))


def points(values, weights=ONES, **settings):
    return space_of(values, weights, **settings).points(values, weights)


def test_without_any_step_points_are_the_features():
    assert points(VALUES).tolist() == VALUES.tolist()


@pytest.mark.parametrize(("strategy", "filled"), [("median", 4.0), ("mean", 6.2)])
def test_unknown_values_are_filled_as_asked(strategy, filled):
    values = VALUES.copy()
    values[5, 0] = np.nan
    assert points(values, imputation=strategy)[5, 0] == pytest.approx(filled)


def test_the_most_frequent_value_may_fill_unknown_ones():
    values = np.array([[1.0], [3.0], [3.0], [9.0], [8.0], [np.nan]])
    assert points(values, imputation="most_frequent")[5, 0] == 3.0


def test_an_unknown_value_may_be_predicted_from_the_other_features():
    first = np.linspace(0, 10, 40)
    values = np.column_stack([first, 3 * first + 1])
    values[33, 1] = np.nan
    filled = points(values, np.ones(40), imputation="iterative")
    assert filled[33, 1] == pytest.approx(3 * first[33] + 1, rel=1e-3)
    indicated = points(values, np.ones(40), imputation="iterative", missing_indicator=True)
    assert np.flatnonzero(indicated[:, 2]).tolist() == [33]


@pytest.mark.parametrize("imputation", ["median", "mean", "most_frequent", "iterative"])
def test_a_later_store_may_lack_what_no_store_lacked(imputation):
    space = space_of(VALUES, imputation=imputation, missing_indicator=True)
    later = space.points(np.array([[np.nan, 30.0]]), np.ones(1))
    assert later.shape == (1, 2)
    assert np.isfinite(later).all()


def test_having_been_unknown_may_be_a_feature():
    values = VALUES.copy()
    values[5, 0] = np.nan
    assert points(values, missing_indicator=True)[:, 2].tolist() == [0, 0, 0, 0, 0, 1]


def test_standard_scaling_gives_every_feature_the_same_variance():
    scaled = points(VALUES, scaling="standard")
    assert scaled.mean(axis=0) == pytest.approx([0, 0])
    assert scaled.std(axis=0) == pytest.approx([1, 1])


def test_robust_scaling_measures_in_quartiles_from_the_median():
    scaled = points(VALUES, scaling="robust")
    # First feature: median 6, quartiles 2.5 and 14.
    assert scaled[:, 0] == pytest.approx((VALUES[:, 0] - 6) / 11.5)


def test_minmax_scaling_brings_every_feature_to_zero_to_one():
    scaled = points(VALUES, scaling="minmax")
    assert scaled[:, 0] == pytest.approx((VALUES[:, 0] - 1) / 99)


def test_maxabs_scaling_keeps_zero_where_it_is():
    values = VALUES - 20
    assert points(values, scaling="maxabs")[:, 0] == pytest.approx(values[:, 0] / 80)


def test_of_two_correlated_features_the_first_is_kept():
    first = np.arange(6.0)
    noisy = first + np.array([0.1, -0.1, 0.1, -0.1, 0.1, -0.1])
    other = np.array([1.0, -1, 1, -1, 1, -1])
    values = np.column_stack([first, noisy, -first, other])
    assert abs(np.corrcoef(values.T)[0, 1]) > 0.9
    assert points(values, max_correlation=0.9).tolist() == values[:, [0, 3]].tolist()


def test_a_feature_correlated_with_a_dropped_one_only_is_kept():
    a = np.array([1.0, 0, -1, 0])
    c = np.array([0.0, 1, 0, -1])
    b = a + c  # correlates .71 with both, which do not correlate with each other
    kept = CorrelationPruner(0.7).fit(np.column_stack([a, b, c])).kept_
    assert kept.tolist() == [0, 2]


def test_components_are_kept_until_they_hold_the_variance_asked_for():
    random = np.random.default_rng(1)
    values = random.normal(size=(200, 3)) * [10, 3, 0.1]
    ones = np.ones(200)
    by_variance = {"projection": "pca_variance"}
    assert points(values, ones, **by_variance, pca_variance=0.5).shape == (200, 1)
    assert points(values, ones, **by_variance, pca_variance=0.95).shape == (200, 2)
    assert points(values, ones, **by_variance, pca_variance=0.999999).shape == (200, 3)


def test_so_many_components_are_kept_as_are_asked_for_and_there_are():
    values = np.random.default_rng(1).normal(size=(40, 4)) * [4, 3, 2, 1]
    ones = np.ones(40)
    found = points(values, ones, projection="pca_count", pca_components=2)
    centred = values - values.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    assert np.abs(found) == pytest.approx(np.abs(left[:, :2] * lengths[:2]))
    assert points(values, ones, projection="pca_count", pca_components=9).shape == (40, 4)


def test_components_of_a_kernel_are_those_of_its_centred_matrix():
    values = np.random.default_rng(2).normal(size=(30, 3))
    found = points(values, np.ones(30), projection="kernel_pca", pca_components=2)
    kernel = np.exp(-cdist(values, values, "sqeuclidean") / values.var(axis=0).sum())
    centring = np.eye(30) - 1 / 30
    roots, vectors = np.linalg.eigh(centring @ kernel @ centring)
    expected = vectors[:, ::-1][:, :2] * np.sqrt(roots[::-1][:2])
    assert np.abs(found) == pytest.approx(np.abs(expected))


def test_more_stores_than_a_kernel_takes_are_an_error():
    values = np.arange(5001.0)[:, None]
    with pytest.raises(ValueError, match="kernel_pca takes at most 5000 stores, there are 5001"):
        points(values, np.ones(5001), projection="kernel_pca", pca_components=1)


def test_hellinger_and_shrinkage_apply_to_shares():
    shares = np.array([[0.25, 0.75], [0.81, 0.19]])
    sales = np.array([100.0, 100.0])
    assert points(shares, sales, transform="hellinger")[0].tolist() == pytest.approx(
        [0.5, 0.75**0.5]
    )
    drawn = points(shares, sales, transform="none", shrinkage=0.5)
    assert drawn[0] == pytest.approx([(0.25 + 0.53) / 2, (0.75 + 0.47) / 2])


def test_fitting_again_leaves_the_first_space_as_it_was():
    space = space_of(VALUES, scaling="standard")
    before = space.points(VALUES, ONES)
    again = space.refit(VALUES[:3], ONES[:3])
    assert space.points(VALUES, ONES).tolist() == before.tolist()
    assert again.points(VALUES[:3], ONES[:3]).mean(axis=0) == pytest.approx([0, 0])


def test_every_block_has_the_variance_of_its_weight_however_many_features_it_has():
    random = np.random.default_rng(3)
    values = random.normal(size=(50, 7)) * [1, 1, 1, 1, 1, 1, 100]
    values[4, 6] = np.nan
    blocks = (
        Block("space", ("feature 6",), 0.7),
        Block("income", ("feature [0-5]",), 0.3),
    )
    for settings in (
        {"scaling": "standard"},
        {"scaling": "robust", "missing_indicator": True},
        {"projection": "pca_count", "pca_components": 2},
        {"projection": "kernel_pca", "pca_components": 3, "imputation": "iterative"},
        {"max_correlation": 0.1},
    ):
        found = points(values, np.ones(50), blocks=blocks, **settings)
        space = 2 if settings.get("missing_indicator") else 1
        space = 3 if settings.get("projection") == "kernel_pca" else space
        assert found[:, :space].var(axis=0).sum() == pytest.approx(0.7)
        assert found[:, space:].var(axis=0).sum() == pytest.approx(0.3)


def test_a_feature_is_pruned_for_one_of_its_own_block_only():
    first = np.arange(6.0)
    values = np.column_stack([first, first * 2, first * 3])
    blocks = (Block("a", ("feature 0", "feature 1"), 1.0), Block("b", ("feature 2",), 1.0))
    assert points(values, max_correlation=0.9).shape == (6, 1)
    assert points(values, max_correlation=0.9, blocks=blocks).shape == (6, 2)
