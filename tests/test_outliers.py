import numpy as np

from clustering.outliers import flag_outliers

POINTS = np.vstack([np.random.default_rng(3).normal(size=(98, 3)), [[9, 9, 9], [-9, 9, -9]]])


def test_stores_far_from_all_others_are_flagged():
    assert np.flatnonzero(flag_outliers(POINTS, "isolation_forest", 0.02, 1)).tolist() == [98, 99]


def test_no_more_than_the_share_is_flagged():
    assert flag_outliers(POINTS, "isolation_forest", 0.1, 1).sum() == 10
    assert flag_outliers(POINTS, "isolation_forest", 0.009, 1).sum() == 0


def test_none_flags_none():
    assert not flag_outliers(POINTS, "none", 0.5, 1).any()


def test_stores_that_are_all_alike_have_no_outlier():
    assert not flag_outliers(np.zeros((50, 2)), "isolation_forest", 0.1, 1).any()


def test_the_seed_decides():
    draws = {flag_outliers(POINTS[:98], "isolation_forest", 0.3, s).tobytes() for s in (1, 1, 2)}
    assert len(draws) == 2
