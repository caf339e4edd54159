"""Profiles hold each cluster against the chain and against the rest of it."""

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clustering.profiles import PROFILES, cluster_totals, profile_clusters, profile_table
from clustering.view_matrix import ViewMatrix, view_matrix
from tests.planted import long


def matrix_of(values, weights=None):
    values = np.array(values, dtype=np.float64)
    n_stores, n_features = values.shape
    return ViewMatrix(
        stores=np.arange(1, n_stores + 1),
        features=tuple(f"f{place}" for place in range(n_features)),
        values=values,
        weights=np.ones(n_stores) if weights is None else np.array(weights, dtype=np.float64),
    )


def labels_of(*clusters):
    return np.array(clusters, dtype=np.int32)


def table_of(matrix, clusters):
    rows = pl.DataFrame({"view": "V", "store_nbr": matrix.stores, "cluster": clusters})
    return profile_table("V", profile_clusters(matrix, clusters), cluster_totals(rows, None))


def test_means_are_weighted_and_differences_are_to_the_rest_in_deviations_of_the_chain():
    found = profile_clusters(
        matrix_of([[0.2], [0.6], [0.4], [0.8]], weights=[3, 1, 2, 2]), labels_of(1, 1, 2, 2)
    )
    # (3 · .2 + .6) / 4, and (.4 + .8) / 2; the chain's variance is (3 · .25² + .15² + ...) / 8.
    assert found.means.ravel() == pytest.approx([0.3, 0.6])
    assert found.chain_means == pytest.approx([0.45])
    deviation = ((3 * 0.25**2 + 0.15**2 + 2 * 0.05**2 + 2 * 0.35**2) / 8) ** 0.5
    assert found.differences.ravel() == pytest.approx([-0.3 / deviation, 0.3 / deviation])
    assert found.index(found.means).ravel() == pytest.approx([100 * 0.3 / 0.45, 100 * 0.6 / 0.45])


def test_unknown_values_count_nowhere_and_are_reported():
    values = [[1.0, np.nan], [np.nan, np.nan], [3.0, 5.0], [5.0, 7.0]]
    found = profile_clusters(matrix_of(values), labels_of(1, 1, 2, 2))
    assert found.known.tolist() == [[1, 0], [2, 2]]
    assert found.means[:, 0] == pytest.approx([1.0, 4.0])
    assert found.chain_means == pytest.approx([3.0, 6.0])
    assert np.isnan(found.means[0, 1])
    assert np.isnan(found.differences[:, 1]).all()
    rows = table_of(matrix_of(values), labels_of(1, 1, 2, 2)).filter(cluster=1, feature="f1")
    assert rows.select("mean", "index", "standardised_difference").row(0) == (None, None, None)


def test_a_feature_with_a_negative_value_or_only_zeros_has_no_index():
    values = [[1.0, -1.0, 0.0], [3.0, 5.0, 0.0], [4.0, 6.0, 0.0]]
    table = table_of(matrix_of(values), labels_of(1, 2, 2))
    has_index = table.group_by("feature").agg(pl.col("index").is_not_null().all()).sort("feature")
    assert has_index["index"].to_list() == [True, False, False]
    assert table.filter(feature="f1")["standardised_difference"].null_count() == 0


@pytest.mark.parametrize("constant", [0.1, 1e9, 0.0])
def test_a_feature_that_does_not_vary_distinguishes_nothing(constant):
    # Weighted sums of equal numbers differ in the last bit.
    matrix = matrix_of(np.full((7, 1), constant), weights=[0.1, 0.7, 0.3, 0.9, 1.3, 0.2, 0.11])
    assert np.isnan(profile_clusters(matrix, labels_of(1, 1, 1, 2, 2, 2, 2)).differences).all()


def test_one_cluster_is_the_chain_and_has_no_rest_to_differ_from():
    table = table_of(matrix_of([[1.0, 4.0], [3.0, 2.0]]), labels_of(1, 1))
    assert table["index"].to_list() == pytest.approx([100, 100])
    assert table["standardised_difference"].null_count() == 2
    assert table["feature"].to_list() == ["f0", "f1"]


def test_features_are_ranked_by_the_size_of_their_difference_then_by_name():
    values = np.array([[1, 5, 2, 1], [1, 6, 2, 2], [0, 5.5, 0, 9], [0, 5.6, 0, 8]])
    table = table_of(matrix_of(values), labels_of(1, 1, 2, 2)).filter(cluster=1)
    assert table["feature"].to_list() == ["f0", "f2", "f3", "f1"]
    assert table["rank"].to_list() == [1, 2, 3, 4]
    assert table["standardised_difference"][2] < -1.9


def test_profiles_equal_plain_sql():
    random = np.random.default_rng(3)
    values = random.gamma(2, 2, (40, 5))
    values[random.random(values.shape) < 0.2] = np.nan
    features = long(values, first_store=1)
    clusters = pl.DataFrame(
        {"store_nbr": range(1, 41), "cluster": random.integers(1, 4, 40).astype(np.int32)}
    )
    weights = pl.DataFrame({"store_nbr": range(1, 41), "mapped_sales": random.gamma(3, 9, 40)})
    matrix = view_matrix(features, weights)
    labels = pl.DataFrame({"store_nbr": matrix.stores}).join(
        clusters, on="store_nbr", how="left", maintain_order="left"
    )["cluster"]
    found = profile_table(
        "CATEGORY",
        profile_clusters(matrix, labels.to_numpy()),
        cluster_totals(clusters.with_columns(view=pl.lit("CATEGORY")), None),
    )
    expected = duckdb.sql(
        """
        with known as (
            select feature, value, mapped_sales as w, cluster
            from features join clusters using (store_nbr) join weights using (store_nbr)
            where not isnan(value)
        ), chain as (
            select feature, sum(w * value) / sum(w) as mean,
                   sqrt(sum(w * value * value) / sum(w) - pow(sum(w * value) / sum(w), 2)) as sd
            from known group by feature
        ), each as (
            select feature, c.cluster, count(*) filter (known.cluster = c.cluster) as known_stores,
                   sum(w * value) filter (known.cluster = c.cluster)
                   / sum(w) filter (known.cluster = c.cluster) as mean,
                   sum(w * value) filter (known.cluster <> c.cluster)
                   / sum(w) filter (known.cluster <> c.cluster) as rest
            from known, (select distinct cluster from clusters) as c group by feature, c.cluster
        )
        select each.cluster, feature, known_stores, each.mean, chain.mean as chain_mean,
               100 * each.mean / chain.mean as index,
               (each.mean - rest) / sd as standardised_difference
        from each join chain using (feature) order by each.cluster, feature
        """
    ).pl()
    ordered = found.sort("cluster", "feature").select(expected.columns)
    for name in expected.columns[2:]:
        assert ordered[name].to_list() == pytest.approx(expected[name].to_list())
    assert dict(found.schema) == PROFILES


weighted_shares = st.integers(2, 4).flatmap(
    lambda features: st.tuples(
        arrays(np.float64, (12, features), elements=st.floats(0, 50)),
        arrays(np.float64, 12, elements=st.floats(1, 1e4)),
        st.lists(st.integers(1, 3), min_size=12, max_size=12),
    )
)


@settings(max_examples=60, deadline=None)
@given(weighted_shares)
def test_indices_average_to_100_by_the_weights_of_the_clusters(drawn):
    values, weights, clusters = drawn
    clusters = np.array(clusters, dtype=np.int32)
    found = profile_clusters(matrix_of(values, weights), clusters)
    of_clusters = np.array([weights[clusters == cluster].sum() for cluster in found.clusters])
    average = (found.index(found.means) * of_clusters[:, None]).sum(axis=0) / of_clusters.sum()
    assert average[found.has_index] == pytest.approx(100)


def test_totals_add_up_exactly_and_are_unknown_where_views_are_no_categories():
    clusters = pl.DataFrame(
        {"view": ["A"] * 4, "store_nbr": [1, 2, 3, 4], "cluster": [2, 1, 1, 1]},
        schema_overrides={"cluster": pl.Int32},
    )
    sales = pl.DataFrame(
        {
            "category": ["A", "A", "A", "A", "B"],
            "store_nbr": [1, 2, 3, 4, 1],
            "total_sales": [7.0, 0.1, 0.2, 0.3, 99.0],
            "mapped_sales": [6.0, 0.1, 0.2, 0.0, 99.0],
        }
    )
    assert cluster_totals(clusters, sales).rows() == [("A", 1, 3, 0.6, 0.3), ("A", 2, 1, 7.0, 6.0)]
    assert cluster_totals(clusters, None).rows() == [
        ("A", 1, 3, None, None),
        ("A", 2, 1, None, None),
    ]
