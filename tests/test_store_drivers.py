"""The reasons of a store are the features that speak for its cluster against the next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.feature_words import words_of
from clustering.profiles import profile_clusters
from clustering.store_drivers import NO_FEATURE, NO_OTHER, pulls, store_reasons
from clustering.view_matrix import ViewMatrix


def profiled(values, clusters, features):
    values, clusters = np.array(values, dtype=np.float64), np.array(clusters, dtype=np.int32)
    matrix = ViewMatrix(np.arange(len(values)), tuple(features), values, np.ones(len(values)))
    return profile_clusters(matrix, clusters), values, clusters


def reasons_of(values, clusters, others, features, *, are_shares=False):
    profiles, values, clusters = profiled(values, clusters, features)
    words = words_of(features, values, are_shares=are_shares)
    return store_reasons(profiles, words, values, clusters, np.array(others, dtype=np.int32))


def test_reasons_are_the_strongest_pulls_with_the_index_of_the_store():
    # The chain's means are .2, .2, .3 and .3; only the first three part the clusters.
    features = ["KIDS", "TEA", "WHITENING", "OTHER"]
    shares = np.repeat([[0.1, 0.1, 0.5, 0.3], [0.3, 0.3, 0.1, 0.3]], 2, axis=0)
    found = reasons_of(shares, [1, 1, 2, 2], [2, 2, 1, 1], features, are_shares=True)
    assert found[0] == "Kids index 50, tea index 50, whitening index 167"
    assert found[2] == "Kids index 150, tea index 150, whitening index 33"


def test_what_speaks_for_the_other_cluster_is_no_reason():
    # Pulls of the first store: income 4 - 0, rent (64 - 4) / 13; of the third: rent (4 - 16) / 13.
    values = [[10.0, 1.0], [10.0, 1.0], [10.0, 7.0], [2.0, 9.0], [2.0, 9.0], [2.0, 9.0]]
    found = reasons_of(values, [1, 1, 1, 2, 2, 2], [2, 2, 2, 1, 1, 1], ["income", "rent"])
    assert found[0] == "Rent index 17, income index 167"
    assert found[2] == "Income index 167"


def test_flags_are_said_and_what_has_no_index_is_said_in_deviations():
    # The mean of the last column is 0 and its deviation 2.
    values = [[1, 0, 2], [1, 0, 2], [0, 1, -2], [0, 1, -2]]
    features = ["has_fuel", "zone=URBAN", "growth"]
    found = reasons_of(values, [1, 1, 2, 2], [2, 2, 1, 1], features)
    assert found[0] == "With fuel, not urban, growth 1.0 sd above chain average"
    assert found[2] == "Without fuel, urban, growth 1.0 sd below chain average"


def test_unknown_values_are_no_reason():
    values = [[np.nan, 5.0], [9.0, 5.0], [1.0, 2.0], [1.0, 2.0]]
    found = reasons_of(values, [1, 1, 2, 2], [2, 2, 1, 1], ["income", "rent"])
    assert found[0] == "Rent index 143"


def test_a_store_between_clusters_and_one_without_another_cluster_say_so():
    values = [[0.0], [0.0], [2.0], [2.0], [1.9]]
    found = reasons_of(values, [1, 1, 2, 2, 1], [2, 2, 1, 1, 2], ["income"])
    assert found[4] == NO_FEATURE
    assert reasons_of(values, [1] * 5, [0] * 5, ["income"]) == [NO_OTHER] * 5
    partly = reasons_of(values, [1, 1, 2, 2, 1], [2, 2, 0, 1, 2], ["income"])
    assert partly[2:4] == [NO_OTHER, "Income index 169"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_pulls_add_up_to_the_difference_of_squared_distances(seed):
    random = np.random.default_rng(seed)
    clusters = np.concatenate([[1, 2, 3], random.integers(1, 4, 17)])
    profiles, values, clusters = profiled(random.normal(size=(20, 4)), clusters, "abcd")
    others = (clusters % 3 + 1).astype(np.int32)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    centres = {number: scaled[clusters == number].mean(axis=0) for number in (1, 2, 3)}
    expected = [
        ((z - centres[other]) ** 2).sum() - ((z - centres[own]) ** 2).sum()
        for z, own, other in zip(scaled, clusters, others, strict=True)
    ]
    assert pulls(profiles, values, clusters, others).sum(axis=1) == pytest.approx(expected)
