"""The worth test, on tables small enough to reckon by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.view_matrix import ViewMatrix
from clustering.worth import explained_out_of_sample, region_groups, volume_grades, worth


def shares(*first_need_state):
    """Stores that sell two need states."""
    return np.array([(share, 1 - share) for share in first_need_state])


def matrix(values, sales):
    stores = np.arange(11, 11 + len(values))
    return ViewMatrix(stores, ("X", "Y"), values, np.array(sales, dtype=float))


def test_groups_explain_what_they_take_away_from_the_distance_to_the_known_mean():
    # Known means: 1 and 0 of the groups, .5 of all. Squared distances of X, twice those for X + Y:
    # to all .09 + .25 + .09 + .25 = .68; to the group .04 + 0 + .04 + 0 = .08.
    known, held_out = shares(1, 1, 0, 0), shares(0.8, 1, 0.2, 0)
    assert explained_out_of_sample(known, held_out, np.array([1, 1, 2, 2])) == pytest.approx(
        1 - 0.08 / 0.68
    )


def test_means_are_those_of_the_known_half():
    # Known means: .2 and .6 of the groups, .4 of all; held out all are .6.
    known, held_out = shares(0.2, 0.2, 0.6, 0.6), shares(0.6, 0.6, 0.6, 0.6)
    found = explained_out_of_sample(known, held_out, np.array([7, 7, 3, 3]))
    assert found == pytest.approx(1 - (2 * 0.16) / (4 * 0.04))


def test_groups_made_of_chance_are_worse_than_one_plan_for_all():
    # What was high is low: .01 from the mean of all, .04 from that of the group.
    known, held_out = shares(0.6, 0.6, 0.4, 0.4), shares(0.4, 0.4, 0.6, 0.6)
    assert explained_out_of_sample(known, held_out, np.array([1, 1, 2, 2])) == pytest.approx(-3)


def test_where_the_held_out_mixes_are_the_known_mean_nothing_can_be_explained():
    known, held_out = shares(0.2, 0.4), shares(0.3, 0.3)
    assert explained_out_of_sample(known, held_out, np.array([1, 2])) is None


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(-2, 3)), min_size=2, max_size=12
    )
)
def test_the_names_of_groups_do_not_matter_and_one_group_explains_nothing(rows):
    known, held_out = (shares(*column) for column in list(zip(*rows, strict=True))[:2])
    groups = np.array([group for *_, group in rows])
    found = explained_out_of_sample(known, held_out, groups)
    if found is None:
        return
    assert found <= 1
    assert explained_out_of_sample(known, held_out, 50 - 10 * groups) == pytest.approx(found)
    one = explained_out_of_sample(known, held_out, np.zeros(len(rows), dtype=np.int64))
    assert one == pytest.approx(0)


def test_grades_hold_the_smallest_stores_first_in_equal_numbers():
    sales = np.array([50.0, 10.0, 30.0, 20.0, 40.0])
    assert volume_grades(sales, 2).tolist() == [1, 0, 0, 0, 1]
    assert volume_grades(sales, 5).tolist() == [4, 0, 2, 1, 3]


@given(st.lists(st.floats(0, 1e6), min_size=4, max_size=40), st.integers(2, 4))
def test_grades_differ_by_at_most_one_store_and_never_part_the_larger_from_the_smaller(sales, k):
    sales = np.array(sales)
    grades = volume_grades(sales, k)
    sizes = np.bincount(grades, minlength=k)
    assert len(sizes) == k
    assert sizes.max() - sizes.min() <= 1
    for grade in range(k - 1):
        assert sales[grades == grade].max() <= sales[grades == grade + 1].min()


PLACES = "NNNNSSSEEW"
STORES = np.arange(1, 11)
REGIONS = dict(zip(STORES.tolist(), PLACES, strict=True))


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        (5, [0, 0, 0, 0, 1, 1, 1, 2, 2, 3]),
        (4, [0, 0, 0, 0, 1, 1, 1, 2, 2, 3]),
        (3, [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]),
        (2, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]),
    ],
)
def test_the_smallest_regions_are_merged_until_there_are_as_many_as_clusters(k, expected):
    assert region_groups(STORES, REGIONS, k).tolist() == expected


def test_stores_without_a_region_form_one():
    assert region_groups(STORES, {1: "N", 2: "N", 3: "N", 4: "S"}, 9).tolist() == [
        1, 1, 1, 2, 0, 0, 0, 0, 0, 0,
    ]  # fmt: skip


HALVES = (
    matrix(shares(0.2, 0.2, 0.8, 0.8), [1, 2, 3, 4]),
    matrix(shares(0.2, 0.2, 0.8, 0.8), [1, 3, 2, 4]),
)


def test_each_figure_is_the_mean_of_both_directions_with_groups_of_the_half_that_is_known():
    clusters = (np.array([1, 1, 2, 2]), np.array([1, 1, 2, 2]))
    found = worth(*HALVES, clusters, 2, {11: "N", 12: "N", 13: "N", 14: "S"})
    assert found.clusters == pytest.approx(1)
    # Grades of the first half are the clusters; those of the second put .2 and .8 together.
    assert found.volume_grades == pytest.approx((1 + 0) / 2)
    # N has the mean .4: .04 + .04 + .16 + 0 of the 4 x .09 around .5 remain.
    assert found.region == pytest.approx(1 - 0.24 / 0.36)
    assert found.region_groups == 2


def test_clusters_of_one_half_are_judged_on_the_other():
    good, bad = np.array([1, 1, 2, 2]), np.array([1, 2, 1, 2])
    assert worth(*HALVES, (good, bad), 2, None).clusters == pytest.approx(0.5)
    one_sided = (HALVES[0], matrix(shares(0.4, 0.4, 0.6, 0.6), [1, 2, 3, 4]))
    # Onward .2 and .8 foretell .4 and .6: 1 - .04 / .01; back they foretell .2 and .8:
    # 1 - .04 / .09, halved by the bad clusters' 0.
    assert worth(*one_sided, (good, bad), 2, None).clusters == pytest.approx((-3 + 0) / 2)
    assert worth(*one_sided, (bad, good), 2, None).clusters == pytest.approx((0 + 5 / 9) / 2)


def test_what_is_not_known_is_not_judged():
    found = worth(*HALVES, None, 2, None)
    assert (found.clusters, found.region, found.region_groups) == (None, None, 0)
    assert found.volume_grades is not None
    one = worth(*HALVES, None, 2, dict.fromkeys(range(11, 15), "N"))
    assert (one.region, one.region_groups) == (None, 1)
