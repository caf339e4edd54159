import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import pdist

from clustering.compositions import chain_shrinkage, hellinger

SHARES = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
SALES = np.array([10.0, 30.0, 60.0])


def test_the_mix_of_the_chain_weighs_stores_by_their_sales():
    # (10 * 1 + 30 * .5) of 100 is the first need state.
    assert chain_shrinkage(SHARES, SALES, 0.05).mix.tolist() == pytest.approx([0.25, 0.75])


def test_a_store_of_median_sales_is_drawn_by_the_strength_and_a_smaller_one_further():
    drawn = chain_shrinkage(SHARES, SALES, 0.2).apply(SHARES, SALES)
    # Prior sales: 30 * .2 / .8 = 7.5; pulls: 7.5 / 17.5, 7.5 / 37.5, 7.5 / 67.5.
    assert drawn[1].tolist() == pytest.approx([0.8 * 0.5 + 0.2 * 0.25, 0.8 * 0.5 + 0.2 * 0.75])
    assert drawn[0, 0] == pytest.approx(1 - 7.5 / 17.5 * 0.75)
    assert drawn[2, 0] == pytest.approx(7.5 / 67.5 * 0.25)


def test_without_strength_shares_stay_as_they_are():
    assert chain_shrinkage(SHARES, SALES, 0.0).apply(SHARES, SALES).tolist() == SHARES.tolist()


@given(
    hnp.arrays(np.float64, (6, 4), elements=st.floats(0.01, 100)),
    hnp.arrays(np.float64, 6, elements=st.floats(0.01, 1e6)),
    st.floats(0, 0.9),
)
def test_drawn_shares_still_add_up_to_one(amounts, sales, strength):
    shares = amounts / amounts.sum(axis=1, keepdims=True)
    drawn = chain_shrinkage(shares, sales, strength).apply(shares, sales)
    assert (drawn >= 0).all()
    assert drawn.sum(axis=1) == pytest.approx(np.ones(6))


def test_distances_between_roots_are_hellinger_distances():
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.6, 0.4, 0.0])
    # H**2 = 1 - sum(sqrt(p * q)); the Euclidean distance of the roots is sqrt(2) H.
    expected = np.sqrt(2 * (1 - np.sqrt(p * q).sum()))
    assert pdist(hellinger(np.array([p, q])))[0] == pytest.approx(expected)
