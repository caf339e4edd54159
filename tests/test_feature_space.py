import numpy as np
import pytest

from clustering.correlation_pruner import CorrelationPruner
from clustering.feature_space import SpaceSettings, fit_space

ONES = np.ones(6)
AS_GIVEN = {
    "transform": "none",
    "shrinkage": 0.0,
    "imputation": "median",
    "missing_indicator": False,
    "scaling": "none",
    "max_correlation": 1.0,
    "pca_variance": 1.0,
}
VALUES = np.array([[1.0, 10.0], [2.0, 30.0], [4.0, 20.0], [8.0, 60.0], [16.0, 50.0], [100.0, 40.0]])


def points(values, weights=ONES, **settings):
    space = fit_space(values, weights, SpaceSettings(**(AS_GIVEN | settings)))
    return space.points(values, weights)


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
    assert points(values, ones, pca_variance=0.5).shape == (200, 1)
    assert points(values, ones, pca_variance=0.95).shape == (200, 2)
    assert points(values, ones, pca_variance=0.999999).shape == (200, 3)


def test_hellinger_and_shrinkage_apply_to_shares():
    shares = np.array([[0.25, 0.75], [0.81, 0.19]])
    sales = np.array([100.0, 100.0])
    assert points(shares, sales, transform="hellinger")[0].tolist() == pytest.approx(
        [0.5, 0.75**0.5]
    )
    drawn = points(shares, sales, transform="none", shrinkage=0.5)
    assert drawn[0] == pytest.approx([(0.25 + 0.53) / 2, (0.75 + 0.47) / 2])


def test_fitting_again_leaves_the_first_space_as_it_was():
    space = fit_space(VALUES, ONES, SpaceSettings(**(AS_GIVEN | {"scaling": "standard"})))
    before = space.points(VALUES, ONES)
    again = space.refit(VALUES[:3], ONES[:3])
    assert space.points(VALUES, ONES).tolist() == before.tolist()
    assert again.points(VALUES[:3], ONES[:3]).mean(axis=0) == pytest.approx([0, 0])
