"""Stores of small merged clusters join the nearest large one; large ones give stores away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import cdist

from clustering.cluster_sizes import SizeSettings
from clustering.reassignment import NONE, hold_sizes


def sizes(minimum, maximum=None, min_share=0, max_share=1):
    return SizeSettings(minimum, min_share, maximum, max_share)


def reassign(
    internal,
    external,
    internal_points,
    external_points,
    minimum,
    counted=None,
    maximum=None,
    sales=None,
):
    clusters = (np.array(internal, dtype=np.int32), np.array(external, dtype=np.int32))
    if counted is None:
        counted = (clusters[0] > 0) & (clusters[1] > 0)
    points = tuple(
        np.array(block, dtype=float).reshape(len(internal), -1)
        for block in (internal_points, external_points)
    )
    sales = np.zeros(len(internal)) if sales is None else np.array(sales, dtype=float)
    return hold_sizes(clusters, points, np.array(counted), sizes(minimum, maximum), sales)


def labels(result, places):
    return [None if place == NONE else result.labels[place] for place in places]


def test_a_store_of_a_small_cluster_moves_to_the_nearest_large_one():
    result = reassign(
        internal=[1, 1, 1, 2, 2, 1],
        external=[1, 1, 1, 1, 1, 2],
        internal_points=[0, 0, 0, 9, 9, 8],
        external_points=[0, 0, 0, 0, 0, 1],
        minimum=2,
    )
    # The last store is internally almost where the stores of 2_1 are.
    assert labels(result, result.merged) == ["1_1"] * 3 + ["2_1"] * 2 + ["1_2"]
    assert labels(result, result.demand) == ["1_1"] * 3 + ["2_1"] * 3
    assert dict(zip(result.labels, result.sizes.tolist(), strict=True)) == {
        "1_1": 3,
        "1_2": 1,
        "2_1": 2,
    }


def test_the_stores_of_one_small_cluster_move_one_by_one():
    result = reassign(
        internal=[1, 1, 1, 2, 2, 2, 3, 3],
        external=[1] * 8,
        internal_points=[0, 0, 0, 9, 9, 9, 1, 8],
        external_points=[0] * 8,
        minimum=3,
    )
    assert labels(result, result.demand[6:]) == ["1_1", "2_1"]


def test_a_cluster_of_exactly_the_minimum_size_is_large():
    kept = reassign([1, 1, 2, 2, 2], [1] * 5, [0, 0, 1, 1, 1], [0] * 5, minimum=2)
    assert labels(kept, kept.demand) == ["1_1"] * 2 + ["2_1"] * 3
    moved = reassign([1, 1, 2, 2, 2], [1] * 5, [0, 0, 1, 1, 1], [0] * 5, minimum=3)
    assert labels(moved, moved.demand) == ["2_1"] * 5


def test_without_any_large_cluster_every_store_keeps_its_own():
    result = reassign([1, 1, 2], [1, 1, 1], [0, 0, 5], [0, 0, 0], minimum=3)
    assert labels(result, result.demand) == ["1_1", "1_1", "2_1"]


def test_the_centre_of_a_large_cluster_is_the_mean_of_its_stores():
    # 1_1 has its mean at 4 (one of its stores is at 12), 2_1 at 10.
    result = reassign(
        internal=[1, 1, 1, 2, 2, 2, 3],
        external=[1] * 7,
        internal_points=[0, 0, 12, 10, 10, 10, 6.5],
        external_points=[0] * 7,
        minimum=3,
    )
    assert labels(result, result.demand[6:]) == ["1_1"]


@pytest.mark.parametrize(
    ("columns", "units"), [((40, 1), (1, 1)), ((1, 40), (1, 1)), ((1, 1), (1000, 1))]
)
def test_both_sources_weigh_the_same_whatever_their_columns_and_units(columns, units):
    # The last store is nearer to 1_1 in one source (.3 of the way) and nearer to 2_2 in the other
    # (.9 of the way), which is the stronger of the two: .09 + .81 against .49 + .01. Were the first
    # to weigh more for its columns or units, the store would go to 1_1.
    wide, narrow = [0] * 5 + [1] * 5 + [0.3], [0] * 5 + [1] * 5 + [0.9]
    first_is_wide = columns[0] * units[0] > columns[1] * units[1]
    places = (wide, narrow) if first_is_wide else (narrow, wide)
    internal_points, external_points = (
        np.outer(place, np.full(count, unit))
        for place, count, unit in zip(places, columns, units, strict=True)
    )
    result = reassign(
        [1] * 5 + [2] * 5 + [1], [1] * 5 + [2] * 5 + [2], internal_points, external_points, 5
    )
    assert labels(result, result.demand[10:]) == ["2_2"]


def test_a_source_in_which_nothing_varies_leaves_the_choice_to_the_other():
    result = reassign([1, 1, 2, 2, 1], [1, 1, 1, 1, 2], [0, 0, 4, 4, 3], [0.1] * 5, minimum=2)
    assert labels(result, result.demand[4:]) == ["2_1"]


def test_of_clusters_equally_near_the_first_in_canonical_order_is_taken():
    # 2 comes before 10 as a number, after it as text.
    result = reassign([10, 10, 2, 2, 3], [1] * 5, [0, 0, 2, 2, 1], [0] * 5, minimum=2)
    assert labels(result, result.demand[4:]) == ["2_1"]


def test_predicted_stores_do_not_count_and_are_judged_by_the_side_that_is_known():
    nan = np.nan
    result = reassign(
        internal=[1, 1, 2, 2, 2, 2],
        external=[1, 1, 2, 2, 1, 1],
        # The last two have a predicted internal cluster and no internal point.
        internal_points=[0, 0, 9, 9, nan, nan],
        external_points=[0, 0, 9, 9, 1, 7],
        counted=[True] * 4 + [False] * 2,
        minimum=2,
    )
    # Two predicted stores do not make 2_1 large.
    assert labels(result, result.merged[4:]) == ["2_1", "2_1"]
    assert labels(result, result.demand[4:]) == ["1_1", "2_2"]
    assert result.sizes[result.labels.index("2_1")] == 0


def test_a_predicted_store_whose_pair_is_large_keeps_it_wherever_it_lies():
    result = reassign(
        internal=[1, 1, 2, 2, 2],
        external=[1, 1, 2, 2, 2],
        internal_points=[0, 0, 9, 9, np.nan],
        external_points=[0, 0, 9, 9, 0],
        counted=[True] * 4 + [False],
        minimum=2,
    )
    assert labels(result, result.demand[4:]) == ["2_2"]


def test_predicted_stores_have_no_say_in_how_much_a_source_weighs():
    # The last but one is nearer to 2_2 internally (.9 of the way), nearer to 1_1 externally (.3).
    # The last, predicted, is so far off that counting it would leave internal points no weight.
    result = reassign(
        internal=[1, 1, 2, 2, 1, 1],
        external=[1, 1, 2, 2, 2, 1],
        internal_points=[0, 0, 1, 1, 0.9, 1000],
        external_points=[0, 0, 1, 1, 0.3, np.nan],
        counted=[True] * 5 + [False],
        minimum=2,
    )
    assert labels(result, result.demand[4:5]) == ["2_2"]


def test_a_store_with_an_unknown_side_has_no_merged_and_no_demand_cluster():
    nan = np.nan
    result = reassign([1, 1, 0, 2], [1, 1, 1, 0], [0, 0, nan, 1], [0, 0, 1, nan], minimum=1)
    assert labels(result, result.merged) == ["1_1", "1_1", None, None]
    assert labels(result, result.demand) == ["1_1", "1_1", None, None]


def test_a_category_without_any_complete_store_has_no_clusters():
    result = reassign([0, 0], [1, 0], [[], []], [1, np.nan], minimum=1)
    assert result.labels == ()
    assert result.demand.tolist() == [NONE, NONE]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_every_store_of_a_small_cluster_goes_where_an_independent_computation_says(seed, minimum):
    rng = np.random.default_rng(seed)
    internal, external = rng.integers(1, 4, 30), rng.integers(1, 4, 30)
    blocks = rng.normal(size=(30, 5)) + internal[:, None], rng.normal(size=(30, 2)) * 50
    result = reassign(internal, external, *blocks, minimum)
    joint = np.hstack([b / np.sqrt(np.trace(np.cov(b.T, bias=True))) for b in blocks])
    pairs = list(zip(internal.tolist(), external.tolist(), strict=True))
    large = sorted({pair for pair in pairs if pairs.count(pair) >= minimum})
    members = [[place for place, pair in enumerate(pairs) if pair == name] for name in large]
    expected = pairs
    if large:
        centres = np.array([joint[rows].mean(axis=0) for rows in members])
        nearest = cdist(joint, centres).argmin(axis=1)
        expected = [p if p in large else large[n] for p, n in zip(pairs, nearest, strict=True)]
    assert labels(result, result.demand) == [f"{i}_{e}" for i, e in expected]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 30), st.integers(1, 10))
def test_the_order_of_the_stores_does_not_matter_and_small_clusters_vanish(data, stores, minimum):
    # Whole coordinates on purpose: they make ties.
    whole = st.integers(0, 3)
    internal, external = (
        data.draw(arrays.arrays(np.int32, stores, elements=st.integers(0, 3))) for _ in range(2)
    )
    blocks = [
        data.draw(arrays.arrays(float, (stores, columns), elements=whole)) for columns in (2, 1)
    ]
    for block, side in zip(blocks, (internal, external), strict=True):
        block[side == 0] = np.nan
    result = reassign(internal, external, *blocks, minimum)
    order = np.array(data.draw(st.permutations(range(stores))))
    moved = reassign(internal[order], external[order], *(b[order] for b in blocks), minimum)
    assert labels(moved, moved.demand) == [labels(result, result.demand)[at] for at in order]
    complete = (internal > 0) & (external > 0)
    assert ((result.demand != NONE) == complete).all()
    if (result.sizes >= minimum).any():
        assert (
            np.bincount(result.demand[complete])[np.unique(result.demand[complete])].min()
            >= minimum
        )
    else:
        assert (result.demand == result.merged).all()


# --- the maximum ------------------------------------------------------------------------------

LINE = {
    # 1_1 at 0 to 4 (mean 2), 2_1 at 8, 9, 10 (mean 9), 3_1 at 20, 20 (mean 20).
    "internal": [1] * 5 + [2] * 3 + [3] * 2,
    "external": [1] * 10,
    "internal_points": [0, 1, 2, 3, 4, 8, 9, 10, 20, 20],
    "external_points": [0] * 10,
}


def sizes_of(result):
    return {
        result.labels[place]: int((result.demand == place).sum())
        for place in np.unique(result.demand[result.demand != NONE])
    }


def test_a_cluster_above_the_maximum_gives_away_those_that_lose_least():
    result = reassign(**LINE, minimum=2, maximum=4)
    # 4 is 2 from its mean and 5 from the next: it loses 3, less than any other.
    assert labels(result, result.demand) == ["1_1"] * 4 + ["2_1"] * 4 + ["3_1"] * 2
    assert result.infeasible is None
    assert labels(result, result.joined) == labels(result, result.merged)


def test_stores_go_one_by_one_and_may_gain_by_going():
    crowded = LINE | {"internal": [1] * 6 + [2] * 2 + [3] * 2}
    result = reassign(**crowded, minimum=2, maximum=4)
    # Means 3, 9.5 and 20. Of 0, 1, 2, 3, 4 and 8, 8 gains 3.5 by going, then 4 loses 4.5.
    assert labels(result, result.demand) == ["1_1"] * 4 + ["2_1"] * 4 + ["3_1"] * 2


def test_a_full_cluster_takes_no_store_and_what_finds_no_room_stays():
    result = reassign(**LINE, minimum=2, maximum=3)
    # 2_1 is full. To 3_1, which takes one, 4 loses 16 - 2, 3 loses 17 - 1, 0 loses 20 - 2.
    assert labels(result, result.demand) == ["1_1"] * 4 + ["3_1"] + ["2_1"] * 3 + ["3_1"] * 2
    assert result.infeasible == (
        "10 stores are too many for the 3 large clusters at the maximum size 3: "
        "the maximum is not held everywhere"
    )


def test_forty_stores_do_not_fit_into_two_clusters_of_fifteen():
    result = reassign([1] * 28 + [2] * 12, [1] * 40, range(40), [0] * 40, minimum=8, maximum=15)
    assert sizes_of(result) == {"1_1": 25, "2_1": 15}
    assert result.infeasible.startswith("40 stores are too many for the 2 large clusters")


def test_a_small_cluster_is_no_place_to_go_though_it_is_nearest():
    result = reassign(
        internal=[1, 1, 1, 1, 2, 2, 9],
        external=[1] * 7,
        internal_points=[0, 1, 2, 3, 50, 50, 4],
        external_points=[0] * 7,
        minimum=2,
        maximum=4,
    )
    # The store at 4 joins 1_1, which then has one too many: it goes again, to 2_1.
    assert labels(result, result.joined) == ["1_1"] * 4 + ["2_1"] * 2 + ["1_1"]
    assert labels(result, result.demand) == ["1_1"] * 4 + ["2_1"] * 3
    assert result.joined_sizes.tolist() == [5, 2, 0]


@pytest.mark.parametrize(("sales", "gone"), [([5, 4, 6, 7], 1), ([5, 4, 6, 3], 3)])
def test_of_stores_that_lose_equally_the_one_that_sells_least_goes(sales, gone):
    result = reassign(
        internal=[1, 1, 1, 1, 2, 2],
        external=[1] * 6,
        internal_points=[0, 0, 0, 0, 9, 9],
        external_points=[0] * 6,
        minimum=2,
        maximum=3,
        sales=[*sales, 1, 1],
    )
    expected = ["1_1"] * 4 + ["2_1"] * 2
    expected[gone] = "2_1"
    assert labels(result, result.demand) == expected


@pytest.mark.parametrize("sides", [(-1, 1, -1, 1), (1, -1, 1, -1), (1, 1, -1, -1)])
def test_of_stores_that_sell_the_same_too_the_place_decides_and_not_the_number(sides):
    result = reassign(
        internal=[1, 1, 1, 1, 2, 2],
        external=[1] * 6,
        internal_points=[0, 0, 0, 0, 9, 9],
        external_points=[*sides, 0, 0],
        minimum=2,
        maximum=3,
    )
    # All of 1_1 lie as far from both centres; two of them at -1, one of which goes.
    (gone,) = np.flatnonzero(result.demand != result.merged)
    assert sides[gone] == -1


def test_of_clusters_with_room_that_are_equally_near_the_first_is_taken():
    result = reassign(
        internal=[1, 1, 1, 2, 10],
        external=[1] * 5,
        internal_points=[0, 0, 0, 3, -3],
        external_points=[1, 1, 1, 0, 0],
        minimum=1,
        maximum=2,
        sales=[3, 1, 2, 0, 0],
    )
    # One of three stores at (0, 1) goes: to (3, 0) and to (-3, 0) it is as far.
    assert labels(result, result.demand) == ["1_1", "2_1", "1_1", "2_1", "10_1"]


def test_a_maximum_below_the_minimum_is_not_held_and_said():
    internal = [1] * 5 + [2] * 4
    clusters = (np.array(internal, dtype=np.int32), np.ones(9, dtype=np.int32))
    points = (np.arange(9.0)[:, None], np.zeros((9, 1)))
    every = np.ones(9, dtype=bool)
    # A third of 9 stores are 3.
    result = hold_sizes(clusters, points, every, sizes(4, max_share=0.34), np.zeros(9))
    assert sizes_of(result) == {"1_1": 5, "2_1": 4}
    assert result.infeasible == (
        "the minimum size 4 is above the maximum size 3 among 9 stores: the maximum is not held"
    )


def test_predicted_stores_neither_fill_a_cluster_nor_make_it_give_stores_away():
    nan = np.nan
    chain = {
        "internal": [1, 1, 1, 2, 2, 1, 1, 3],
        "external": [1] * 8,
        # The last three have a predicted internal cluster; the very last one's is small.
        "internal_points": [0, 1, 2, 9, 9, nan, nan, nan],
        "external_points": [0, 0, 0, 9, 9, 0, 0, 1],
        "counted": [True] * 5 + [False] * 3,
        "minimum": 2,
    }
    kept = reassign(**chain, maximum=3)
    assert labels(kept, kept.demand) == ["1_1"] * 3 + ["2_1"] * 2 + ["1_1"] * 3
    assert kept.infeasible is None
    relieved = reassign(**chain, maximum=2)
    # 1_1 gives nothing away where no other has room, and never a predicted store.
    assert labels(relieved, relieved.demand) == ["1_1"] * 3 + ["2_1"] * 2 + ["1_1"] * 3
    assert relieved.infeasible is not None


def test_what_consolidation_costs_is_the_variance_that_is_explained_before_and_after():
    result = reassign(
        internal=[1, 1, 2, 2, 2, 1],
        external=[1, 1, 1, 1, 1, 0],
        internal_points=[0, 2, 6, 8, 10, 99],
        external_points=[0, 0, 0, 0, 0, np.nan],
        minimum=3,
    )
    # Mean 5.2: 68.8 in all, of which 2 and 8 lie inside the pairs; one cluster explains nothing.
    assert result.variance_merged == pytest.approx(1 - 10 / 68.8)
    assert result.variance_demand == pytest.approx(0, abs=1e-12)


def one_by_one(joined, distances, maximum, sales):
    """The maximum as it is described: look at all stores and clusters again after every step."""
    held = joined.copy()
    while True:
        count = np.bincount(held, minlength=distances.shape[1])
        steps = [
            (round(distances[store, target] - distances[store, held[store]], 9), sale, target, at)
            for at, (store, sale) in enumerate(zip(range(len(held)), sales, strict=True))
            if count[held[store]] > maximum
            for target in range(distances.shape[1])
            if count[target] < maximum
        ]
        if not steps:
            return held
        *_, target, store = min(steps)
        held[store] = target


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(4, 20))
def test_the_maximum_is_held_as_an_independent_computation_holds_it(seed, minimum, maximum):
    rng = np.random.default_rng(seed)
    internal, external = rng.integers(1, 4, 30), rng.integers(1, 3, 30)
    blocks = rng.normal(size=(30, 5)) + internal[:, None], rng.normal(size=(30, 2)) * 50
    sales = rng.permutation(30)
    result = reassign(internal, external, *blocks, minimum, maximum=maximum, sales=sales)
    large = np.flatnonzero(result.sizes >= minimum)
    if not large.size or maximum < minimum:
        assert (result.demand == result.joined).all()
        return
    joint = np.hstack([b / np.sqrt(np.trace(np.cov(b.T, bias=True))) for b in blocks])
    centres = np.array([joint[result.merged == place].mean(axis=0) for place in large])
    joined = np.searchsorted(large, result.joined)
    expected = one_by_one(joined, cdist(joint, centres), maximum, sales)
    assert result.demand.tolist() == large[expected].tolist()


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 30), st.integers(1, 6), st.integers(1, 12))
def test_the_maximum_holds_wherever_it_can_and_the_minimum_too(data, stores, minimum, maximum):
    whole = st.integers(0, 3)
    internal, external = (
        data.draw(arrays.arrays(np.int32, stores, elements=st.integers(0, 3))) for _ in range(2)
    )
    blocks = [
        data.draw(arrays.arrays(float, (stores, columns), elements=whole)) for columns in (2, 1)
    ]
    for block, side in zip(blocks, (internal, external), strict=True):
        block[side == 0] = np.nan
    sales = np.arange(stores)
    held = {"minimum": minimum, "maximum": maximum}
    result = reassign(internal, external, *blocks, **held, sales=sales)
    order = np.array(data.draw(st.permutations(range(stores))))
    moved = reassign(
        internal[order], external[order], *(b[order] for b in blocks), **held, sales=sales[order]
    )
    assert labels(moved, moved.demand) == [labels(result, result.demand)[at] for at in order]
    complete = (internal > 0) & (external > 0)
    assert ((result.demand != NONE) == complete).all()
    large = result.sizes >= minimum
    # No cluster is new: stores are where they were, or in a cluster that was large.
    moved_to = result.demand[result.demand != result.merged]
    assert large[moved_to].all()
    found = sizes_of(result).values()
    if large.any():
        assert min(found) >= minimum
    feasible = large.any() and minimum <= maximum and complete.sum() <= large.sum() * maximum
    assert feasible == (result.infeasible is None)
    if feasible:
        assert max(found) <= maximum
