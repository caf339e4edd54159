from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from cluster_views import Weights, cluster_views, main, typed, typed_overrides
from clustering.algorithms import ALGORITHMS
from clustering.batches import batch_of
from clustering.clustered_view import cluster_view
from clustering.contracts import (
    CLUSTERS,
    FEATURES,
    HALF_FEATURES,
    HALF_SALES,
    POINTS,
    SALES_BY_CATEGORY,
)
from clustering.dictionaries import read_dictionary, write_dictionary
from clustering.fitted_views import load_view, save_views
from clustering.tables import read_table, write_table
from clustering.view_matrix import view_matrix
from gather_views import as_text, check_complete, quality_of_views
from tests.conftest import read_yaml
from tests.planted import long, sales_of, shares_view

CONFIG = read_yaml("base.yaml")["cluster"]
FEW = {"max_k": 5, "starts": 5}  # as many as are planted anywhere here
INTERNAL = typed(CONFIG["internal"] | FEW)
EXTERNAL = typed(CONFIG["external"] | FEW)
UNSHRUNK = replace(INTERNAL, space=replace(INTERNAL.space, shrinkage=0.0))
FEATURES_3, _ = shares_view()


def without_weeks(sales):
    """Sales whose weeks nobody knows: there are no halves to compare."""
    halves = (HALF_FEATURES.columns, HALF_SALES.columns)
    return Weights(sales, *(columns.to_frame() for columns in halves))


def weights_of(features):
    return without_weeks(sales_of(features))


def clustered(features, settings=INTERNAL, source="internal", seed=1):
    weights = weights_of(features) if source == "internal" else None
    (result,) = cluster_views(source, features, weights, settings, seed)
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
    plain = replace(EXTERNAL, space=replace(EXTERNAL.space, scaling="none", projection="none"))
    without = clustered(long(values), replace(plain, outliers="none"), "external")
    flagged = clustered(long(far), replace(plain, outlier_share=0.01), "external")
    assert flagged.clusters.filter("is_outlier")["store_nbr"].to_list() == [221]
    assert flagged.fitted.centres == pytest.approx(without.fitted.centres)


@pytest.mark.parametrize("algorithm", ["kmeans", "ward", "spectral", "hdbscan"])
def test_the_same_stores_under_other_numbers_in_other_rows_get_the_same_clusters(algorithm):
    settings = replace(INTERNAL, algorithm=algorithm, max_k=4)
    noise = long(np.random.default_rng(4).dirichlet(np.full(5, 3.0), 90))
    renumbered = noise.with_columns(store_nbr=7 * (1000 - pl.col("store_nbr"))).sample(
        fraction=1.0, shuffle=True, seed=3
    )
    sales = sales_of(noise)
    same_sales = sales.with_columns(store_nbr=7 * (1000 - pl.col("store_nbr")))
    (first,) = cluster_views("internal", noise, without_weeks(sales), settings, 1)
    (second,) = cluster_views("internal", renumbered, without_weeks(same_sales), settings, 1)
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


QUICK = {"max_k": 3, "outliers": "local_outlier_factor"}
UNCLUSTERED = long(np.random.default_rng(4).dirichlet(np.full(5, 3.0), 60))


def outcome(features, settings, source="internal"):
    """What a view gives, but for the words of the reason."""
    result = clustered(features, typed(CONFIG[source] | QUICK | settings), source)
    return result.quality | {"reason": ""}, labels(result)


@pytest.fixture(scope="module")
def unchanged():
    return outcome(UNCLUSTERED, {})


@pytest.mark.parametrize(
    "settings",
    [
        {"transform": "none"},
        {"transform": "chi_square"},
        {"transform": "clr"},
        {"shrinkage": 0.5},
        {"scaling": "standard"},
        {"scaling": "robust"},
        {"scaling": "minmax"},
        {"scaling": "maxabs"},
        {"max_correlation": 0.3},
        {"projection": "pca_variance", "pca_variance": 0.6},
        {"projection": "pca_count", "pca_components": 2},
        {"projection": "kernel_pca", "pca_components": 2},
        {
            "blocks": [
                {"name": "first", "features": ["*0[01]"], "weight": 0.8},
                {"name": "others", "features": ["*0[2-9]"], "weight": 0.2},
            ]
        },
        {"outliers": "none"},
        {"outliers": "isolation_forest"},
        {"outliers": "elliptic_envelope"},
        {"outlier_share": 0.2},
        {"algorithm": "bisecting_kmeans"},
        {"algorithm": "ward"},
        {"algorithm": "gaussian_mixture"},
        {"algorithm": "spectral"},
        {"algorithm": "birch"},
        {"algorithm": "hdbscan"},
        {"algorithm": "dbscan"},
        {"algorithm": "optics"},
        {"algorithm": "meanshift"},
        {"algorithm": "affinity_propagation"},
        {"algorithm_parameters": {"kmeans": {"max_iter": 1}}, "k": 8, "starts": 1},
        {"k": 5},
        {"criterion": "davies_bouldin"},
        {"min_prediction_strength": 0.2},
        {"criterion": "bootstrap_stability", "min_bootstrap_stability": 0.2},
        {"min_k": 3},
        {"max_k": 4, "min_prediction_strength": 0.1},
        {"min_stores": 1000},
    ],
    ids=str,
)
def test_every_setting_changes_something(settings, unchanged):
    assert outcome(UNCLUSTERED, settings) != unchanged


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"k": 8, "starts": 1}, {"starts": 20}),
        ({"k": 8, "starts": 1, "algorithm": "gaussian_mixture"}, {"starts": 20}),
        ({"k": 8, "starts": 1}, {"algorithm_parameters": {"kmeans": {"max_iter": 1}}}),
    ],
    ids=str,
)
def test_settings_that_need_another_one_change_something_with_it(first, second):
    assert outcome(UNCLUSTERED, first) != outcome(UNCLUSTERED, first | second)


def test_the_bar_for_bootstrap_stability_decides():
    stable = {"criterion": "bootstrap_stability", "max_k": 4}
    assert outcome(FEATURES_3, stable)[0]["k"] == 3
    assert outcome(FEATURES_3, stable | {"min_bootstrap_stability": 0.1})[0]["k"] == 4


def test_blocks_count_by_their_weights():
    """Six columns say one thing, one says another; the weights decide which of them is heard."""
    random = np.random.default_rng(5)
    many, one = np.repeat([0, 1], 30), np.tile([0, 1], 30)
    values = np.column_stack([*[many] * 6, one]) * 3.0 + random.normal(size=(60, 7))
    blocks = [
        {"name": "many", "features": ["* 0[0-5]"], "weight": 0.1},
        {"name": "one", "features": ["* 06"], "weight": 0.9},
    ]
    alone = clustered(long(values), typed(CONFIG["external"] | {"k": 2}), "external")
    heard = clustered(
        long(values), typed(CONFIG["external"] | {"k": 2, "blocks": blocks}), "external"
    )
    assert adjusted_rand_score(many, labels(alone)) > 0.8
    assert adjusted_rand_score(one, labels(heard)) > 0.6


def test_a_feature_of_no_block_fails_with_the_view_and_its_name():
    blocks = [{"name": "first", "features": ["*00"], "weight": 1}]
    with pytest.raises(RuntimeError, match=r"'CATEGORY' cannot be .*need state 01 belongs to no"):
        clustered(UNCLUSTERED, typed(CONFIG["internal"] | {"blocks": blocks}))


def test_a_fixed_k_is_kept_whatever_the_bounds_and_its_scores_are_reported():
    result = clustered(FEATURES_3, replace(INTERNAL, k=9))
    assert result.quality["k"] == 9
    assert result.quality["reason"] == "fixed in the configuration: k = 9"
    assert result.scores["k"].to_list() == [9]
    assert result.quality["silhouette"] is not None


def test_more_fixed_clusters_than_places_are_one_cluster():
    values = np.repeat([[0.2, 0.8], [0.7, 0.3]], 20, axis=0)
    reason = one_cluster(long(values), replace(UNSHRUNK, k=3))
    assert reason == "stores lie in 2 different places, fewer than k, 3"


def with_noise():
    """Two dense clusters of 30 and 20 stores, and three stores outside both."""
    random = np.random.default_rng(7)
    values = np.vstack(
        [random.normal(0, 1, (30, 2)), random.normal(12, 1, (20, 2)), [[30, -25], [35, 5], [0, 30]]]
    )
    return long(values)


@pytest.mark.parametrize("algorithm", ["hdbscan", "dbscan"])
def test_noise_is_flagged_and_goes_to_the_nearest_cluster(algorithm):
    result = clustered(
        with_noise(),
        replace(
            EXTERNAL,
            algorithm=algorithm,
            outliers="none",
            space=replace(EXTERNAL.space, scaling="none", projection="none", max_correlation=1.0),
        ),
        "external",
    )
    stores = result.clusters.sort("store_nbr")
    assert stores["is_outlier"].to_list() == [False] * 50 + [True] * 3
    assert stores["cluster"].to_list()[:50] == [1] * 30 + [2] * 20
    points = np.array(result.points.sort("store_nbr")["point"].to_list())
    to_centres = cdist(points, result.fitted.centres)
    assert stores["cluster"].to_list()[50:] == (to_centres[50:].argmin(axis=1) + 1).tolist()
    assert result.fitted.centres[0] == pytest.approx(points[:30].mean(axis=0))
    assert result.quality["k"] == 2
    assert result.quality["reason"] == f"found by {algorithm}"
    assert result.quality["outliers"] == 3


def test_an_algorithm_that_finds_no_cluster_leaves_one_with_the_reason():
    reason = one_cluster(
        UNCLUSTERED,
        replace(INTERNAL, algorithm="dbscan", algorithm_parameters={"dbscan": {"eps": 1e-6}}),
    )
    assert reason == "dbscan finds no cluster: all 57 stores that are no outliers are noise"


def test_a_store_keeps_the_cluster_of_its_algorithm_with_a_negative_margin():
    result = clustered(UNCLUSTERED, replace(INTERNAL, algorithm="ward", k=4, outliers="none"))
    points = np.array(result.points["point"].to_list())
    expected = fcluster(linkage(points, "ward"), 4, "maxclust")
    assert adjusted_rand_score(expected, result.clusters["cluster"]) == 1
    to_centres = cdist(points, result.fitted.centres)
    elsewhere = result.clusters["cluster"].to_numpy() != to_centres.argmin(axis=1) + 1
    assert elsewhere.any()
    assert ((result.clusters["margin"] < 0).to_numpy() == elsewhere).all()


def test_more_stores_than_the_algorithm_takes_fail_with_the_view_and_the_bound(monkeypatch):
    few = replace(ALGORITHMS["ward"], max_stores=50)
    monkeypatch.setitem(ALGORITHMS, "ward", few)
    with pytest.raises(
        RuntimeError, match=r"view 'CATEGORY' .* ward takes at most 50 stores, ther"
    ):
        clustered(UNCLUSTERED, replace(INTERNAL, algorithm="ward"))


def test_views_may_be_clustered_each_in_its_own_way():
    both = pl.concat([UNCLUSTERED, UNCLUSTERED.with_columns(view=pl.lit("OTHER"))])
    source = CONFIG["internal"] | QUICK | {"views": {"OTHER": {"k": 5, "transform": "none"}}}
    first, second = cluster_views(
        "internal",
        both,
        weights_of(both),
        typed(source),
        1,
        overrides=typed_overrides("internal", source, ["CATEGORY", "OTHER"]),
    )
    alone = clustered(UNCLUSTERED, typed(source))
    assert first.quality == alone.quality
    assert second.quality["k"] == 5
    assert second.fitted.space.composition.transform == "none"


def test_what_is_said_of_a_view_that_is_not_there_is_an_error_with_those_nearest():
    source = CONFIG["internal"] | {"views": {"ORAL HYGEINE": {"k": 5}}}
    with pytest.raises(
        ValueError, match="there is no view 'ORAL HYGEINE'; nearest: 'ORAL HYGIENE'"
    ):
        typed_overrides("internal", source, ["COFFEE", "ORAL HYGIENE"])


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
            typed(
                CONFIG["external"]
                | QUICK
                | {"imputation": imputation, "missing_indicator": indicator}
            ),
            "external",
        ).quality
        for imputation, indicator in (
            ("median", True),
            ("mean", True),
            ("most_frequent", True),
            ("iterative", True),
            ("median", False),
        )
    ]
    assert len({quality["silhouette"] for quality in qualities}) == 5


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
    assert reason == "stores lie in 2 different places, fewer than min_k, 3"


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
    empty = without_weeks(sales_of(features))
    write_table(empty.half_features, str(folder / "half_features.parquet"), HALF_FEATURES)
    write_table(empty.half_sales, str(folder / "half_sales.parquet"), HALF_SALES)
    for batches in (1, 3):
        for batch in range(batches):
            main(
                features=str(folder / "features.parquet"),
                sales=str(folder / "sales.parquet"),
                half_features=str(folder / "half_features.parquet"),
                half_sales=str(folder / "half_sales.parquet"),
                attributes=[],
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
                settings=CONFIG["internal"] | {"batches": batches, "max_k": 4},
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


@pytest.mark.parametrize("transform", ["hellinger", "chi_square", "clr"])
@pytest.mark.parametrize(
    "space",
    [
        {"imputation": "iterative", "projection": "pca_variance", "pca_variance": 0.8},
        {"scaling": "minmax", "projection": "kernel_pca", "pca_components": 2},
        {"scaling": "maxabs", "projection": "pca_count", "pca_components": 2},
        {
            "scaling": "robust",
            "max_correlation": 0.9,
            "blocks": [
                {"name": "first", "features": ["*0[01]"], "weight": 0.8},
                {"name": "others", "features": ["*0[2-9]"], "weight": 0.2},
            ],
        },
    ],
    ids=str,
)
def test_a_saved_view_remembers_every_kind_of_space(tmp_path, transform, space):
    settings = typed(CONFIG["internal"] | QUICK | {"k": 3, "transform": transform} | space)
    result = clustered(UNCLUSTERED, settings)
    save_views([result.fitted], str(tmp_path))
    matrix = view_matrix(UNCLUSTERED, sales_of(UNCLUSTERED))
    assigned = load_view(str(tmp_path), "CATEGORY").assign(matrix.values, matrix.weights)
    assert assigned.cluster.tolist() == result.clusters["cluster"].to_list()
    assert assigned.distance.tolist() == result.clusters["distance"].to_list()


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
        weights_of(pl.concat([features, other])),
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


def halves_of(features, sales, scatter, seed=5):
    """Two noisy readings of the shares, as halves of the weeks would give them."""
    random = np.random.default_rng(seed)
    halves = []
    for half in (1, 2):
        noisy = features.with_columns(
            half=pl.lit(half, pl.Int8),
            value=pl.col("value") + scatter * pl.Series(random.random(features.height)),
        )
        total = pl.col("value").sum().over("view", "store_nbr")
        halves.append(noisy.with_columns(value=pl.col("value") / total))
    weeks = pl.concat(
        sales.select(
            pl.col("category").alias("view"),
            pl.lit(half, pl.Int8).alias("half"),
            "store_nbr",
            pl.col("mapped_sales") / 2,
        )
        for half in (1, 2)
    )
    return Weights(
        sales,
        pl.concat(halves).select(HALF_FEATURES.columns.names()),
        weeks.select(HALF_SALES.columns.names()),
    )


def test_clusters_that_both_halves_confirm_are_strong_evidence():
    sales = sales_of(FEATURES_3)
    (found,) = cluster_views(
        "internal", FEATURES_3, halves_of(FEATURES_3, sales, 0.01), INTERNAL, 1
    )
    assert found.quality["evidence"] == "strong"
    assert found.quality["half_agreement"] > 0.9
    assert found.quality["worth_clusters"] > found.quality["worth_volume_grades"] + 0.5


def test_noise_is_no_evidence_and_the_reason_is_given():
    result = clustered(UNCLUSTERED)
    assert result.quality["evidence"] == "none"
    assert "under" in result.quality["because"] or "over" in result.quality["because"]


def test_clusters_are_compared_with_the_regions_that_the_settings_name():
    sales = sales_of(FEATURES_3)
    weights = halves_of(FEATURES_3, sales, 0.01)
    stores = sales["store_nbr"]
    attributes = pl.DataFrame({"store_nbr": stores, "region": [f"R{s % 2}" for s in stores]})
    settings = replace(INTERNAL, region="region")
    (found,) = cluster_views("internal", FEATURES_3, weights, settings, 1, attributes=attributes)
    assert found.quality["worth_region"] < 0.2 < found.quality["worth_clusters"]
    with pytest.raises(RuntimeError, match=r"there is no attribute 'banner'.*found: region"):
        cluster_views(
            "internal",
            FEATURES_3,
            weights,
            replace(INTERNAL, region="banner"),
            1,
            attributes=attributes,
        )


def test_quality_of_views_holds_the_scores_of_every_k_and_reads_as_json(run):
    folder = run / "1" / "0"
    views, scores = (pl.read_parquet(folder / f"{n}.parquet") for n in ("quality", "scores"))
    content = quality_of_views(views, scores)
    assert set(content) == set(VIEWS)
    assert [row["k"] for row in content["Crème"]["scores"]] == [2, 3, 4]
    assert content["SMALL"]["scores"] == []
    assert len(content["Crème"]["jaccard"]) == content["Crème"]["k"]
    write_dictionary(content, str(run / "quality.json"))
    assert read_dictionary(str(run / "quality.json")) == content


def test_lists_of_numbers_are_text_in_a_report():
    frame = pl.DataFrame({"jaccard": [[0.956, 1.0], None]})
    assert frame.select(as_text(pl.col("jaccard")))["jaccard"].to_list() == ["0.96 1.0", None]
