"""Names tell the clusters of a view apart, and claim no more than the figures show."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.cluster_names import name_clusters
from clustering.feature_words import words_of
from clustering.profiles import profile_clusters
from clustering.view_matrix import ViewMatrix


def names_of(values, clusters, features=None, *, are_shares=False):
    values = np.array(values, dtype=np.float64)
    features = features or [f"f{place}" for place in range(values.shape[1])]
    matrix = ViewMatrix(np.arange(len(values)), tuple(features), values, np.ones(len(values)))
    words = words_of(features, values, are_shares=are_shares)
    return name_clusters(profile_clusters(matrix, np.array(clusters, dtype=np.int32)), words)


def noise(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def test_a_name_leads_with_what_is_high_and_says_what_is_low():
    mixes = np.repeat([[0.5, 0.1, 0.4], [0.2, 0.3, 0.5], [0.2, 0.1, 0.7]], 10, axis=0)
    shares = mixes + 0.02 * noise(30, 3)
    names = names_of(
        shares, np.repeat([1, 2, 3], 10), ["WHITENING", "KIDS", "FRESH BREATH"], are_shares=True
    )
    assert names[0].startswith("Whitening-led")
    assert names[1] == "High kids, low whitening"
    assert names[2].startswith("Fresh breath-led")


def test_a_need_state_below_an_even_part_of_the_mix_is_high_but_does_not_lead():
    shares = np.repeat([[0.1, 0.5], [0.02, 0.55]], 10, axis=0) + [0.002, 0.05] * noise(20, 2)
    names = names_of(shares, np.repeat([1, 2], 10), ["KIDS", "WHITENING"], are_shares=True)
    assert names == ["High kids, low whitening", "Whitening-led, low kids"]


def test_places_are_high_or_low_urban_or_not():
    values = np.column_stack(
        [
            np.repeat([80.0, 40.0], 20) + 5 * noise(40, 1)[:, 0],
            [1.0] * 18 + [0.0] * 22,
            noise(40, 1, seed=1)[:, 0],
        ]
    )
    names = names_of(values, np.repeat([1, 2], 20), ["income", "urbanicity=URBAN", "rain"])
    assert names == ["High income", "Low income"]
    apart = values[:, 1:] + 0
    assert names_of(apart, np.repeat([1, 2], 20), ["urbanicity=URBAN", "rain"]) == [
        "Urban",
        "Not urban",
    ]


def test_features_that_say_the_same_are_said_once():
    income = np.repeat([80.0, 40.0], 20) + 20 * noise(40, 1)[:, 0]
    size = np.repeat([3.0, 2.0], 20) + noise(40, 1, seed=4)[:, 0]
    names = names_of(
        np.column_stack([income, income * 2 + 1, size]),
        np.repeat([1, 2], 20),
        ["income", "rent", "size"],
    )
    assert names == ["High income, high size", "Low income, low size"]


def test_a_feature_that_most_stores_lack_gives_no_name():
    gaps = np.full(40, np.nan)
    gaps[[0, 1, 2, 20, 21, 22]] = [100, 101, 99, 1, 2, 3]
    size = np.repeat([3.0, 2.0], 20) + noise(40, 1)[:, 0]
    names = names_of(np.column_stack([gaps, size]), np.repeat([1, 2], 20), ["gaps", "size"])
    assert names == ["High size", "Low size"]


def test_a_cluster_that_differs_little_says_so():
    middle, far = np.zeros(40), np.repeat([4.0, -4.0], 20)
    values = np.concatenate([middle, far])[:, None] + noise(80, 1)
    names = names_of(values, np.repeat([1, 2, 3], [40, 20, 20]), ["income"])
    assert names == ["Close to chain average", "High income", "Low income"]


def test_names_that_would_say_the_same_in_whatever_order_get_more_features():
    # The first two are high in a and b, which goes first differs; they part in c alone.
    mixes = np.repeat([[1.6, 1.4, 0.4, 0], [1.4, 1.6, -0.4, 0], [-1.5, -1.5, 0, 0]], 200, axis=0)
    names = names_of(mixes + noise(600, 4), np.repeat([1, 2, 3], 200), ["a", "b", "c", "d"])
    assert names[:2] == ["High a, high b, high c", "High b, high a, low c"]
    assert set(names[2].casefold().split(", ")) == {"low a", "low b"}


def test_the_last_resort_is_the_number_of_the_cluster():
    values = np.repeat([[1.0], [1.1], [-2.0]], 10, axis=0)
    names = names_of(values, np.repeat([2, 5, 7], 10), ["a"])
    assert names == ["High a (cluster 2)", "High a (cluster 5)", "Low a"]


def test_one_cluster_is_all_stores():
    assert names_of(noise(10, 2), [1] * 10) == ["All stores"]


def test_clusters_that_no_feature_tells_apart_still_have_different_names():
    assert names_of(np.ones((4, 2)), [1, 1, 2, 2]) == [
        "Close to chain average (cluster 1)",
        "Close to chain average (cluster 2)",
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 6),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([0, 1, 6]),
)
def test_names_are_unique_within_a_view(seed, k, n_features, are_shares, decimals):
    random = np.random.default_rng(seed)
    values = random.dirichlet(np.ones(n_features), 30).round(decimals)
    clusters = np.concatenate([np.arange(1, k + 1), random.integers(1, k + 1, 30 - k)])
    names = names_of(values, clusters, are_shares=are_shares)
    assert len(set(names)) == k


def test_of_features_that_differ_equally_the_first_by_name_is_said():
    values = np.repeat([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 5, axis=0)
    assert names_of(values, np.repeat([1, 2], 5), ["a", "b", "c"]) == ["A", "Not a"]
