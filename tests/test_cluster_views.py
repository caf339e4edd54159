from copy import deepcopy
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from cluster_views import cluster_views, main, typed
from clustering.batches import batch_of
from clustering.clustered_view import cluster_view
from clustering.contracts import CLUSTERS, FEATURES, POINTS, SALES_BY_CATEGORY
from clustering.fitted_views import load_view
from clustering.tables import read_table, write_table
from clustering.view_matrix import view_matrix
from gather_views import check_complete
from tests.conftest import read_yaml
from tests.planted import long, sales_of, shares_view

CONFIG = read_yaml("base.yaml")["cluster"]
INTERNAL = typed(CONFIG["internal"])
EXTERNAL = typed(CONFIG["external"])
UNSHRUNK = replace(INTERNAL, space=replace(INTERNAL.space, shrinkage=0.0))
FEATURES_3, _ = shares_view()


def clustered(features, settings=INTERNAL, source="internal", seed=1):
    sales = sales_of(features) if source == "internal" else None
    (result,) = cluster_views(source, features, sales, settings, seed)
    return result


def labels(result):
    return result.clusters.sort("store_nbr")["cluster"].to_list()


@pytest.mark.parametrize("sizes", [(30, 50, 40), (25, 25, 25, 25, 25), (60, 60)])
def test_planted_clusters_and_their_number_are_found(sizes):
    features, truth = shares_view(sizes)
    result = clustered(features)
    assert result.quality["k"] == len(sizes)
    assert adjusted_rand_score(truth, labels(result)) > 0.95


def test_clusters_are_numbered_from_one_by_size():
    found = clustered(FEATURES_3).clusters["cluster"].value_counts().sort("cluster")
    assert found["cluster"].to_list() == [1, 2, 3]
    assert found["count"].to_list() == [50, 40, 30]


def test_every_store_gets_a_cluster_outliers_too():
    values = FEATURES_3.pivot(on="feature", index="store_nbr", values="value").drop("store_nbr")
    strange = np.zeros((3, 6))
    strange[[0, 1, 2], [5, 4, 3]] = 1.0
    features = long(np.vstack([values.to_numpy(), strange]))
    result = clustered(features, replace(INTERNAL, outlier_share=0.03))
    flagged = result.clusters.filter("is_outlier")
    assert {221, 222, 223} >= set(flagged["store_nbr"].to_list())
    assert flagged.height >= 2
    assert result.clusters.height == 123
    assert result.clusters["cluster"].null_count() == 0
    assert result.quality["outliers"] == flagged.height


def test_outliers_move_no_centre():
    random = np.random.default_rng(8)
    values = np.vstack([random.normal(0, 1, (60, 2)), random.normal(8, 1, (60, 2))])
    far = np.vstack([values, [[500.0, -500.0]]])
    plain = replace(EXTERNAL, space=replace(EXTERNAL.space, scaling="none", pca_variance=1.0))
    without = clustered(long(values), replace(plain, outliers="none"), "external")
    flagged = clustered(long(far), replace(plain, outlier_share=0.01), "external")
    assert flagged.clusters.filter("is_outlier")["store_nbr"].to_list() == [221]
    assert flagged.fitted.centres == pytest.approx(without.fitted.centres)


def test_the_same_stores_under_other_numbers_in_other_rows_get_the_same_clusters():
    noise = long(np.random.default_rng(4).dirichlet(np.full(5, 3.0), 90))
    renumbered = noise.with_columns(store_nbr=7 * (1000 - pl.col("store_nbr"))).sample(
        fraction=1.0, shuffle=True, seed=3
    )
    sales = sales_of(noise)
    same_sales = sales.with_columns(store_nbr=7 * (1000 - pl.col("store_nbr")))
    (first,) = cluster_views("internal", noise, sales, INTERNAL, 1)
    (second,) = cluster_views("internal", renumbered, same_sales, INTERNAL, 1)
    moved = second.clusters.with_columns(store_nbr=1000 - pl.col("store_nbr") // 7)
    key = ["store_nbr", "cluster", "is_outlier", "distance"]
    assert first.clusters.select(key).sort(key).equals(moved.select(key).sort(key))


def test_distances_and_margin_say_how_sure_an_assignment_is():
    result = clustered(FEATURES_3)
    joined = result.clusters.join(result.points, on="store_nbr")
    for row in joined.head(20).iter_rows(named=True):
        away = np.linalg.norm(result.fitted.centres - np.array(row["point"]), axis=1)
        assert row["distance"] == pytest.approx(away[row["cluster"] - 1])
        assert row["next_distance"] == pytest.approx(away[row["next_cluster"] - 1])
        assert row["next_distance"] == pytest.approx(np.sort(away)[1])
        assert row["margin"] == pytest.approx(1 - row["distance"] / row["next_distance"])


def test_variance_explained_is_the_share_of_squared_distances_that_clusters_take_away():
    result = clustered(FEATURES_3)
    points = np.array(result.points["point"].to_list())
    total = ((points - points.mean(axis=0)) ** 2).sum()
    within = (result.clusters["distance"] ** 2).sum()
    assert result.quality["variance_explained"] == pytest.approx(1 - within / total)
    assert result.quality["variance_explained"] > 0.5


def changed(**settings):
    """Whether another setting of the internal source changes what a view without clusters gives."""
    features = long(np.random.default_rng(4).dirichlet(np.full(5, 3.0), 80))
    tuned = deepcopy(CONFIG["internal"]) | settings
    first, second = clustered(features), clustered(features, typed(tuned))
    return first.quality | {"reason": ""} != second.quality | {"reason": ""}


@pytest.mark.parametrize(
    "settings",
    [
        {"transform": "none"},
        {"shrinkage": 0.5},
        {"scaling": "standard"},
        {"scaling": "robust"},
        {"max_correlation": 0.3},
        {"pca_variance": 0.6},
        {"outliers": "none"},
        {"outlier_share": 0.2},
        {"criterion": "davies_bouldin"},
        {"min_prediction_strength": 0.2},
        {"min_k": 5},
        {"starts": 1},
        {"min_stores": 1000},
    ],
)
def test_every_setting_changes_something(settings):
    assert changed(**settings)


def test_an_upper_bound_on_k_holds():
    result = clustered(FEATURES_3, replace(INTERNAL, max_k=2))
    assert result.quality["k"] == 2
    assert result.scores["k"].to_list() == [2]


def test_imputation_and_its_indicator_reach_the_external_source():
    values = np.random.default_rng(6).normal(size=(80, 4)) ** 2
    values[:20, 0] = np.nan
    features = long(values)
    qualities = [
        clustered(
            features,
            typed(CONFIG["external"] | {"imputation": imputation, "missing_indicator": indicator}),
            "external",
        ).quality
        for imputation, indicator in (("median", True), ("mean", True), ("median", False))
    ]
    assert len({quality["silhouette"] for quality in qualities}) == 3


def one_cluster(features, settings=INTERNAL, source="internal"):
    result = clustered(features, settings, source)
    assert result.quality["k"] == 1
    assert set(labels(result)) == {1}
    assert result.clusters.height == features["store_nbr"].n_unique()
    return result.quality["reason"]


def test_a_view_of_three_stores_is_one_cluster_with_the_reason():
    reason = one_cluster(long(np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])))
    assert reason == "3 stores, fewer than min_stores, 12"


def test_a_view_of_one_store_is_one_cluster():
    assert "1 stores" in one_cluster(long(np.array([[0.2, 0.8]])))


def test_a_view_of_one_need_state_is_one_cluster_with_the_reason():
    reason = one_cluster(long(np.ones((40, 1))))
    assert reason == "only one feature, need state 00: all 40 stores are alike"


def test_stores_that_are_all_alike_are_one_cluster():
    assert one_cluster(long(np.full((40, 4), 0.25))) == "nothing varies: all 40 stores are alike"


def test_stores_alike_but_for_outliers_are_one_cluster():
    values = np.full((40, 2), 0.5)
    values[0] = [1.0, 0.0]
    assert "39 stores that are no outliers" in one_cluster(long(values), UNSHRUNK)


def test_fewer_different_stores_than_min_k_are_one_cluster():
    values = np.repeat([[0.2, 0.8], [0.7, 0.3]], 20, axis=0)
    reason = one_cluster(long(values), replace(UNSHRUNK, min_k=3))
    assert reason == "stores lie in 2 different places, fewer than min_k"


def test_unknown_values_in_every_store_are_no_difference():
    assert "alike" in one_cluster(long(np.full((30, 2), np.nan)), EXTERNAL, "external")


def test_one_external_feature_is_enough():
    values = np.concatenate([np.arange(20.0), np.arange(100.0, 130.0)])[:, None]
    result = clustered(long(values), EXTERNAL, "external")
    assert result.quality["k"] == 2
    assert labels(result) == [2] * 20 + [1] * 30


def test_an_unexpected_error_names_the_view():
    first = pl.col("store_nbr") == 101
    broken = FEATURES_3.with_columns(value=pl.when(first).then(float("inf")).otherwise("value"))
    with pytest.raises(RuntimeError, match="external view 'CATEGORY' cannot be clustered"):
        clustered(broken, EXTERNAL, "external")


@given(st.text(min_size=1), st.integers(1, 20))
@settings(max_examples=50)
def test_a_view_has_one_batch_and_its_name_alone_decides_which(view, batches):
    assert 0 <= batch_of(view, batches) < batches
    assert batch_of(view, batches) == batch_of(view, batches)
    assert batch_of(view, 1) == 0


def test_views_spread_over_the_batches():
    counts = np.bincount([batch_of(f"CATEGORY {i}", 4) for i in range(400)], minlength=4)
    assert counts.min() > 60


def test_no_batch_to_deal_to_is_an_error():
    with pytest.raises(ValueError, match="batches = 0"):
        batch_of("A", 0)


VIEWS = ("HAND & BODY/LOTION", "ACNE/HSC", "Crème", "SMALL")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Cluster four views through files, in one batch and in three; return a reader."""
    folder = tmp_path_factory.mktemp("views")
    parts = [
        shares_view((20, 30), seed=3)[0].with_columns(view=pl.lit(VIEWS[0])),
        shares_view((20, 20, 20), seed=4)[0].with_columns(view=pl.lit(VIEWS[1])),
        shares_view((30, 30), seed=5)[0].with_columns(view=pl.lit(VIEWS[2])),
        shares_view((2, 2), seed=6)[0].with_columns(view=pl.lit(VIEWS[3])),
    ]
    features = pl.concat(parts)
    write_table(features, str(folder / "features.parquet"), FEATURES)
    write_table(sales_of(features), str(folder / "sales.parquet"), SALES_BY_CATEGORY)
    for batches in (1, 3):
        for batch in range(batches):
            main(
                features=str(folder / "features.parquet"),
                sales=str(folder / "sales.parquet"),
                **{
                    name: str(folder / f"{batches}" / f"{batch}" / f"{name}{suffix}")
                    for name, suffix in (
                        ("clusters", ".parquet"),
                        ("points", ".parquet"),
                        ("quality", ".parquet"),
                        ("scores", ".parquet"),
                        ("models", ""),
                    )
                },
                source="internal",
                batch=batch,
                settings=CONFIG["internal"] | {"batches": batches},
                seed=1,
            )
    return folder


def gathered(folder, batches, name, contract):
    return contract.conform(
        pl.concat(
            read_table(str(folder / f"{batches}" / f"{batch}" / f"{name}.parquet"), contract)
            for batch in range(batches)
        )
    )


def test_any_number_of_batches_gives_the_same_clusters_for_every_store_and_view(run):
    one, three = (gathered(run, batches, "clusters", CLUSTERS) for batches in (1, 3))
    assert one.equals(three)
    assert gathered(run, 1, "points", POINTS).equals(gathered(run, 3, "points", POINTS))
    check_complete(read_table(str(run / "features.parquet"), FEATURES), one)
    assert one["view"].unique().sort().to_list() == sorted(VIEWS)


def test_a_saved_view_assigns_stores_as_they_were_clustered(run):
    features = read_table(str(run / "features.parquet"), FEATURES)
    sales = read_table(str(run / "sales.parquet"), SALES_BY_CATEGORY)
    clusters = gathered(run, 1, "clusters", CLUSTERS)
    for view in VIEWS:
        fitted = load_view(str(run / "1" / "0" / "models"), view)
        matrix = view_matrix(features.filter(view=view), sales.filter(category=view))
        assigned = fitted.assign(matrix.values, matrix.weights)
        expected = clusters.filter(view=view)
        found = pl.DataFrame({"store_nbr": matrix.stores, "cluster": assigned.cluster})
        assert found.sort("store_nbr").equals(expected.select("store_nbr", "cluster"))


def test_a_view_that_was_not_saved_is_not_there(run):
    with pytest.raises(FileNotFoundError):
        load_view(str(run / "1" / "0" / "models"), "NO SUCH VIEW")


def test_each_batch_writes_the_views_that_are_dealt_to_it_and_no_other(run):
    counts = [
        read_table(str(run / "3" / f"{batch}" / "clusters.parquet"), CLUSTERS).height
        for batch in range(3)
    ]
    assert sum(counts) == 50 + 60 + 60 + 4
    expected = [0, 0, 0]
    for view, stores in zip(VIEWS, (50, 60, 60, 4), strict=True):
        expected[batch_of(view, 3)] += stores
    assert counts == expected


def test_clusters_of_one_view_do_not_depend_on_the_other_views():
    features = shares_view((20, 30), seed=3)[0]
    matrix = view_matrix(features, sales_of(features))
    alone = cluster_view("internal", "CATEGORY", matrix, INTERNAL, 1)
    other = features.with_columns(view=pl.lit("ANOTHER"), value=1 - pl.col("value"))
    both = cluster_views(
        "internal",
        pl.concat([other, features]),
        sales_of(pl.concat([features, other])),
        INTERNAL,
        1,
    )
    assert [result.fitted.view for result in both] == ["ANOTHER", "CATEGORY"]
    assert both[1].fitted.centres.tolist() == alone.fitted.centres.tolist()


def test_a_store_without_cluster_is_named():
    lost = FEATURES_3.select("view", "store_nbr").unique().filter(pl.col("store_nbr") != 150)
    with pytest.raises(ValueError, match="store 150 of view 'CATEGORY' has features but"):
        check_complete(FEATURES_3, lost)


def test_a_cluster_without_store_is_named():
    both = FEATURES_3.select("view", "store_nbr").unique()
    with pytest.raises(ValueError, match="store 101 of view 'CATEGORY' has a cluster but no feat"):
        check_complete(FEATURES_3.filter(pl.col("store_nbr") != 101), both)
