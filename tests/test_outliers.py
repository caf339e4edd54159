import numpy as np
import pytest
from scipy.spatial.distance import cdist

from clustering.outliers import LONELINESS, flag_outliers

POINTS = np.vstack([np.random.default_rng(3).normal(size=(98, 3)), [[9, 9, 9], [-9, 9, -9]]])


METHODS = pytest.mark.parametrize("method", LONELINESS)


def test_the_configuration_allows_exactly_the_methods_that_there_are(schema):
    allowed = schema["$defs"]["view"]["properties"]["outliers"]["enum"]
    assert sorted(allowed) == sorted([*LONELINESS, "none"])


@METHODS
def test_stores_far_from_all_others_are_flagged(method):
    assert np.flatnonzero(flag_outliers(POINTS, method, 0.02, 1)).tolist() == [98, 99]


@METHODS
def test_no_more_than_the_share_is_flagged(method):
    assert flag_outliers(POINTS, method, 0.1, 1).sum() == 10
    assert flag_outliers(POINTS, method, 0.009, 1).sum() == 0


def test_none_flags_none():
    assert not flag_outliers(POINTS, "none", 0.5, 1).any()


@METHODS
def test_stores_that_are_all_alike_have_no_outlier(method):
    assert not flag_outliers(np.zeros((50, 2)), method, 0.1, 1).any()


def test_the_methods_differ():
    lopsided = np.exp(POINTS[:98])
    flags = {flag_outliers(lopsided, method, 0.2, 1).tobytes() for method in LONELINESS}
    assert len(flags) == 3


def test_the_local_outlier_factor_is_that_of_its_definition():
    points = POINTS[:40]
    distances = cdist(points, points)
    neighbours = np.argsort(distances, axis=1)[:, 1:21]
    radius = np.take_along_axis(distances, neighbours, axis=1)[:, -1]
    reach = np.maximum(radius[neighbours], np.take_along_axis(distances, neighbours, axis=1))
    density = 1 / reach.mean(axis=1)
    factor = density[neighbours].mean(axis=1) / density
    assert LONELINESS["local_outlier_factor"](points, 1) == pytest.approx(factor)


def test_an_ellipse_follows_the_direction_in_which_stores_scatter():
    random = np.random.default_rng(2)
    along = random.normal(size=(60, 1)) * [[10.0, 10.0]] + random.normal(size=(60, 2)) * 0.1
    beside = np.vstack([along, [[3.0, -3.0]], [[25.0, 25.0]]])
    assert np.flatnonzero(flag_outliers(beside, "elliptic_envelope", 0.02, 1)).tolist() == [60]


def test_an_ellipse_can_be_drawn_around_shares_which_add_up_to_one():
    shares = np.random.default_rng(3).dirichlet([20, 30, 50], 60)
    shares[7] = [0.8, 0.1, 0.1]
    assert flag_outliers(shares, "elliptic_envelope", 0.02, 1).nonzero()[0].tolist() == [7]


def test_no_ellipse_is_drawn_around_too_few_stores():
    points = np.random.default_rng(4).normal(size=(20, 10))
    assert not flag_outliers(points, "elliptic_envelope", 0.2, 1).any()


def test_the_seed_decides():
    draws = {flag_outliers(POINTS[:98], "isolation_forest", 0.3, s).tobytes() for s in (1, 1, 2)}
    assert len(draws) == 2
