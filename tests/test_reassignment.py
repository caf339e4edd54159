"""Stores of small merged clusters join the nearest large one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import cdist

from clustering.reassignment import NONE, reassign_small


def reassign(internal, external, internal_points, external_points, minimum, counted=None):
    clusters = (np.array(internal, dtype=np.int32), np.array(external, dtype=np.int32))
    if counted is None:
        counted = (clusters[0] > 0) & (clusters[1] > 0)
    points = tuple(
        np.array(block, dtype=float).reshape(len(internal), -1)
        for block in (internal_points, external_points)
    )
    return reassign_small(clusters, points, np.array(counted), minimum)


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
