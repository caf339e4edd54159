"""Place explains clusters only where it predicts them, and then by the features that matter."""

import numpy as np
import polars as pl
import pytest
from sklearn.inspection import permutation_importance

from clustering.contracts import CLUSTERS, FEATURES
from clustering.place_drivers import _fit, place_drivers
from clustering.stratified_folds import stratified_folds
from clustering.tables import write_table
from explain_by_place import PLACE_DRIVERS, explain_by_place, main
from tests.planted import long


def planted(stores=100, features=12, strength=3.0, seed=1):
    """Clusters that features 1 and, less, 3 decide; the others are noise."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(stores, features))
    pull = strength * (2 * values[:, 1] + values[:, 3]) + random.normal(size=stores)
    return values, np.where(pull > 0, 2, 1).astype(np.int32)


def clusters_of(labels, first_store=101, view="TEA"):
    return pl.DataFrame(
        {
            "view": [view] * len(labels),
            "store_nbr": range(first_store, first_store + len(labels)),
            "cluster": labels,
            "is_outlier": [False] * len(labels),
            "distance": [1.0] * len(labels),
            "next_cluster": [1] * len(labels),
            "next_distance": [2.0] * len(labels),
            "margin": [0.5] * len(labels),
        },
        schema_overrides={"cluster": pl.Int32, "next_cluster": pl.Int32},
    )


def test_planted_drivers_are_found_in_order_of_importance():
    found = place_drivers(*planted(), seed=1)
    assert found.explained
    assert found.features[:2] == (1, 3)
    assert found.accuracy > found.baseline_accuracy + 0.2
    assert list(found.importances) == sorted(found.importances, reverse=True)


def test_features_are_listed_until_they_have_four_fifths_of_all_importance():
    found = place_drivers(*planted(), seed=1)
    assert found.cumulative_shares[-1] >= 0.8
    assert all(share < 0.8 for share in found.cumulative_shares[:-1])
    total = found.importances[0] / found.cumulative_shares[0]
    assert np.cumsum(found.importances) / total == pytest.approx(found.cumulative_shares)


def test_importance_is_what_shuffling_costs_out_of_fold(monkeypatch):
    # Whatever the model, scikit-learn's permutation importance must come out alike, on average.
    monkeypatch.setattr("clustering.place_drivers.REPEATS", 400)
    monkeypatch.setattr("clustering.place_drivers.SHUFFLED_ROWS", 1_000_000)
    values, clusters = planted(features=4)
    order = np.lexsort((clusters, *values.T))
    values, clusters = values[order], clusters[order]
    found = place_drivers(values, clusters, seed=1)
    folds = stratified_folds(clusters, 1)
    means = []
    for fold in range(5):
        test = folds == fold
        model = _fit(values[~test], clusters[~test], 1)
        result = permutation_importance(
            model, values[test], clusters[test], n_repeats=60, random_state=fold
        )
        means.append(result.importances_mean)
    expected = np.mean(means, axis=0)[list(found.features)]
    assert found.importances == pytest.approx(expected, abs=0.02)


def test_accuracy_is_out_of_fold_so_that_noise_explains_nothing():
    random = np.random.default_rng(3)
    found = place_drivers(random.normal(size=(100, 30)), random.integers(1, 3, 100, np.int32), 1)
    assert not found.explained
    assert found.features == ()
    assert "does not beat" in found.reason


def test_the_baseline_is_the_majority_cluster():
    clusters = np.repeat([1, 2], [40, 10]).astype(np.int32)
    found = place_drivers(np.ones((50, 2)), clusters, seed=1)
    assert found.baseline_accuracy == pytest.approx(0.8)
    assert found.accuracy == pytest.approx(0.8)
    assert found.standard_error == 0
    assert not found.explained


def test_a_gain_of_one_standard_error_or_less_explains_nothing():
    within = exactly = beyond = 0
    for seed in range(40):
        found = place_drivers(*planted(stores=25, features=4, strength=0.25, seed=seed), seed=1)
        gain, error = found.accuracy - found.baseline_accuracy, found.standard_error
        is_equal = bool(np.isclose(gain, error))
        assert found.explained == (gain > error and not is_equal)
        within += 0 < gain < error and not is_equal
        exactly += gain > 0 and is_equal
        beyond += found.explained
    assert min(within, exactly, beyond) > 0


def drivers_with(monkeypatch, drops):
    """What is reported if shuffling the features costs this much accuracy, fold by fold."""
    each_fold = iter(np.array(drops).T)
    monkeypatch.setattr("clustering.place_drivers._drops", lambda *_: next(each_fold))
    return place_drivers(*planted(features=4), seed=1)


def test_an_importance_within_one_standard_error_is_none(monkeypatch):
    # On average the second costs .05, but that rests on one fold of five.
    found = drivers_with(monkeypatch, [[0.1] * 5, [0.65, -0.2, -0.2, 0.0, 0.0], [0.0] * 5])
    assert found.features == (0,)
    assert found.cumulative_shares == (1.0,)


def test_clusters_may_be_explained_by_no_single_feature(monkeypatch):
    found = drivers_with(monkeypatch, [[0.0] * 5, [-0.1] * 5])
    assert (found.explained, found.features) == (True, ())
    assert found.reason.endswith("no single feature stands out")


def test_clusters_too_small_for_every_fold_are_left_out():
    values, clusters = planted()
    strays = np.full(4, 3, dtype=np.int32)
    found = place_drivers(
        np.vstack([values, np.zeros((4, 12))]), np.concatenate([clusters, strays]), seed=1
    )
    assert (found.stores, found.clusters) == (100, 2)
    few = place_drivers(np.zeros((9, 1)), np.repeat([1, 2], [5, 4]).astype(np.int32), seed=1)
    assert few.reason == "fewer than two clusters have the 5 stores that a test needs"
    assert (few.accuracy, few.explained) == (None, False)


def test_unknown_values_are_taken_as_they_are():
    values, clusters = planted()
    values[::3, 3] = np.nan
    values[:, 2] = np.nan
    found = place_drivers(values, clusters, seed=1)
    assert found.features[0] == 1


def test_each_category_has_its_drivers_or_one_row_that_says_why_not():
    values, labels = planted()
    random = np.random.default_rng(9)
    table = explain_by_place(
        pl.concat(
            [
                clusters_of(labels),
                clusters_of(random.integers(1, 3, 100), view="NOISE"),
                clusters_of(np.ones(100, dtype=np.int32), view="WHOLE"),
            ]
        ),
        long(values, view="all", names="income"),
        seed=1,
    )
    assert dict(table.schema) == PLACE_DRIVERS
    assert table["category"].unique(maintain_order=True).to_list() == ["NOISE", "TEA", "WHOLE"]
    tea = table.filter(category="TEA")
    assert tea["feature"][0] == "income 01"
    assert tea["rank"].to_list() == list(range(1, tea.height + 1))
    rest = table.filter(pl.col("category") != "TEA")
    assert rest.select("category", "explained", "feature").rows() == [
        ("NOISE", False, None),
        ("WHOLE", False, None),
    ]
    assert rest["reason"][1] == "the stores are in one cluster"


def test_only_stores_that_both_sources_know_count():
    values, labels = planted()
    table = explain_by_place(clusters_of(labels), long(values, first_store=121, view="all"), seed=1)
    assert table["stores"].unique().to_list() == [80]
    apart = explain_by_place(clusters_of(labels), long(values, first_store=900), seed=1)
    assert apart.select("stores", "explained", "reason").rows() == [
        (0, False, "no store has an internal cluster and external features")
    ]


def test_a_feature_of_several_views_is_one_feature():
    values, labels = planted()
    whole = long(values, view="all")
    part = whole.with_columns(view=pl.lit("some")).filter(pl.col("feature") < "need state 05")
    once = explain_by_place(clusters_of(labels), whole, seed=1)
    assert explain_by_place(clusters_of(labels), pl.concat([whole, part]), seed=1).equals(once)


def test_neither_the_order_of_rows_nor_store_numbers_matter():
    values, labels = planted(strength=0.5)
    clusters, features = clusters_of(labels), long(values, view="all")
    renumbered = pl.col("store_nbr") * -7 + 5000
    first = explain_by_place(clusters, features, seed=1)
    second = explain_by_place(
        clusters.with_columns(renumbered).sample(fraction=1, shuffle=True, seed=1),
        features.with_columns(renumbered).sample(fraction=1, shuffle=True, seed=2),
        seed=1,
    )
    assert first.equals(second)
    assert not first.equals(explain_by_place(clusters, features, seed=2))


def test_main_writes_the_report(tmp_path):
    values, labels = planted()
    inputs = {name: str(tmp_path / f"{name}.parquet") for name in ("clusters", "features")}
    write_table(clusters_of(labels), inputs["clusters"], CLUSTERS)
    write_table(long(values, view="all"), inputs["features"], FEATURES)
    report = str(tmp_path / "place_drivers.csv")
    main(inputs["clusters"], inputs["features"], report, seed=1)
    written = pl.read_csv(report)
    assert written.columns == list(PLACE_DRIVERS)
    assert written["feature"][0] == "need state 01"
