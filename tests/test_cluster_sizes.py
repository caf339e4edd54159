"""Bounds on the sizes of demand clusters, as numbers and as shares of a category."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.cluster_sizes import SizeBounds, SizeSettings


@pytest.mark.parametrize(
    ("settings", "stores", "bounds"),
    [
        ((8, 0, None, 1), 40, (8, 40)),
        # 10% of 101 stores are 10.1: a cluster of 10 has less, one of 11 has more.
        ((8, 0.1, None, 1), 101, (11, 101)),
        ((8, 0, None, 0.1), 101, (8, 10)),
        ((8, 0.1, None, 1), 40, (8, 40)),
        ((8, 0, 15, 0.5), 40, (8, 15)),
        ((8, 0, 15, 0.5), 20, (8, 10)),
        # In floating point 0.07 x 100 is above 7, and 0.29 x 100 below 29.
        ((1, 0.07, None, 1), 100, (7, 100)),
        ((1, 0, None, 0.29), 100, (1, 29)),
        ((1, 0, 15, 1), 0, (1, 0)),
    ],
)
def test_the_stricter_of_number_and_share_holds(settings, stores, bounds):
    found = SizeSettings(*settings).bounds(stores)
    assert (found.stores, found.minimum, found.maximum) == (stores, *bounds)


@pytest.mark.parametrize(
    ("bounds", "large", "why"),
    [
        ((0, 8, 0), 0, "no store has both sides known"),
        ((40, 8, 40), 0, "no merged cluster reaches the minimum size 8: pairs kept"),
        ((40, 8, 6), 2, "the minimum size 8 is above the maximum size 6 among 40 stores"),
        ((40, 8, 15), 2, "40 stores are too many for the 2 large clusters at the maximum size 15"),
        ((40, 8, 20), 2, None),
        ((40, 8, 40), 1, None),
    ],
)
def test_what_cannot_be_held_is_said_with_the_numbers(bounds, large, why):
    found = SizeBounds(*bounds).infeasible(large)
    assert found is None if why is None else found.startswith(why)


@given(st.integers(1, 20), st.floats(0, 1), st.floats(0.001, 1), st.integers(1, 10_000))
def test_shares_are_never_exceeded_nor_undercut(size, least, most, stores):
    bounds = SizeSettings(size, least, None, most).bounds(stores)
    assert bounds.minimum >= size
    assert bounds.minimum / stores >= least or bounds.minimum / stores == pytest.approx(least)
    assert bounds.maximum / stores <= most or bounds.maximum / stores == pytest.approx(most)
    assert bounds.maximum <= stores
