import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import pdist

from clustering.compositions import (
    centred_log_ratio,
    chain_shrinkage,
    chi_square,
    fit_composition,
    hellinger,
    replace_zeros,
)

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


def test_distances_are_chi_square_distances():
    table = np.array([[10.0, 20, 70], [50, 30, 20], [5, 5, 40]])  # sales of stores by need state
    sales = table.sum(axis=1)
    shares = table / sales[:, None]
    points = fit_composition(shares, sales, "chi_square", 0.0).apply(shares, sales)
    columns = table.sum(axis=0) / table.sum()
    expected = np.sqrt((((shares[0] - shares[1]) ** 2) / columns).sum())
    assert pdist(points)[0] == pytest.approx(expected)


def test_a_need_state_that_the_chain_does_not_sell_counts_nothing():
    shares = np.array([[0.5, 0.5, 0.0]])
    assert chi_square(shares, np.array([0.25, 0.75, 0.0]))[0].tolist() == pytest.approx(
        [1.0, 0.5 / 0.75**0.5, 0.0]
    )


def test_zeros_are_replaced_and_the_rest_of_the_row_makes_room_in_proportion():
    replaced = replace_zeros(np.array([[0.6, 0.4, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]), 0.1)
    assert replaced[0].tolist() == pytest.approx([0.48, 0.32, 0.1, 0.1])
    assert replaced[1].tolist() == [0.25] * 4


def test_log_ratios_are_to_the_geometric_mean():
    shares = np.array([[0.2, 0.3, 0.5]])
    expected = np.log(shares[0] / (0.2 * 0.3 * 0.5) ** (1 / 3))
    assert centred_log_ratio(shares)[0] == pytest.approx(expected)
    assert centred_log_ratio(shares).sum() == pytest.approx(0)


def test_what_stands_in_for_zero_is_less_than_every_share_seen():
    shares = np.array([[0.9, 0.1, 0.0], [0.5, 0.3, 0.2]])
    sales = np.ones(2)
    fitted = fit_composition(shares, sales, "clr", 0.0)
    assert fitted.zero == pytest.approx(0.065)
    by_hand = np.array([0.9 * 0.935, 0.1 * 0.935, 0.065])
    assert fitted.apply(shares, sales)[0] == pytest.approx(np.log(by_hand) - np.log(by_hand).mean())


def test_stores_of_one_need_state_each_still_have_log_ratios():
    shares = np.eye(5)
    points = fit_composition(shares, np.ones(5), "clr", 0.0).apply(shares, np.ones(5))
    assert np.isfinite(points).all()
    assert (points.argmax(axis=1) == np.arange(5)).all()


def test_shrinkage_comes_before_the_transform():
    drawn = chain_shrinkage(SHARES, SALES, 0.2).apply(SHARES, SALES)
    found = fit_composition(SHARES, SALES, "hellinger", 0.2).apply(SHARES, SALES)
    assert found.tolist() == np.sqrt(drawn).tolist()
