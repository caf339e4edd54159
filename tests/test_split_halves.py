"""What two halves of the sales say of shares and clusters: planted, and plain chance."""

import logging
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cluster_views import typed
from clustering.split_halves import (
    EVIDENCE,
    agreement,
    half_matrices,
    in_both,
    reliability,
    split_half_evidence,
)
from clustering.view_matrix import ViewMatrix
from preprocess_internal import main
from tests.conftest import read_yaml

SETTINGS = replace(typed(read_yaml("base.yaml")["cluster"]["internal"]), starts=2)
SIZES = (36, 30, 24)
TRUTH = np.repeat([0, 1, 2], SIZES)
STORES = np.arange(101, 101 + len(TRUTH))
MIXES = np.array([[0.6, 0.2, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1], [0.2, 0.1, 0.1, 0.6]])


def chain(mixes, *, own=60.0, noise=400.0, seed=1):
    """Halves of a chain: each store has a mix of its own, and each half is a draw around that."""
    random = np.random.default_rng(seed)
    of_store = [random.dirichlet(own * mixes[cluster]) + 1e-3 for cluster in TRUTH]
    sales = random.lognormal(8, 0.6, len(TRUTH))
    first, second = (
        ViewMatrix(
            STORES,
            ("A", "B", "C", "D"),
            np.array([random.dirichlet(noise * mix) for mix in of_store]),
            sales * random.uniform(0.45, 0.55, len(TRUTH)),
        )
        for _ in range(2)
    )
    return first, second


def evidence(halves, k=3, settings=SETTINGS, regions=None):
    return split_half_evidence("internal", "CATEGORY", halves, settings, k, regions, seed=1)


PLANTED = chain(MIXES)
ALIKE = np.tile([0.4, 0.3, 0.2, 0.1], (3, 1))
CHANCE = chain(ALIKE, own=1e9, noise=60.0)


def share_between_planted_clusters(half):
    mean = half.values.mean(axis=0)
    means = np.array([half.values[cluster == TRUTH].mean(axis=0) for cluster in range(3)])
    between = (np.array(SIZES)[:, None] * (means - mean) ** 2).sum()
    return between / ((half.values - mean) ** 2).sum()


def test_planted_clusters_are_worth_what_they_explain_and_more_than_grades_and_regions():
    found = evidence(PLANTED, regions={int(store): f"R{store % 3}" for store in STORES})
    planted = np.mean([share_between_planted_clusters(half) for half in PLANTED])
    assert 0.7 < planted < 0.95
    assert found["worth_clusters"] == pytest.approx(planted, abs=0.03)
    assert found["half_agreement"] > 0.9
    assert found["split_half_reliability"] > 0.9
    assert found["worth_volume_grades"] < 0.15
    assert found["worth_region"] < 0.15


def test_clusters_of_chance_are_worth_nothing_and_agree_by_chance():
    found = evidence(CHANCE)
    assert found["worth_clusters"] < 0
    assert abs(found["worth_volume_grades"]) < 0.1
    assert abs(found["half_agreement"]) < 0.1
    assert abs(found["split_half_reliability"]) < 0.2


def test_regions_that_are_the_planted_clusters_are_worth_as_much():
    regions = dict(zip(STORES.tolist(), "N" * 36 + "S" * 30 + "W" * 24, strict=True))
    found = evidence(PLANTED, regions=regions)
    assert found["worth_region"] == pytest.approx(found["worth_clusters"], abs=0.03)


def test_one_cluster_has_a_reliability_and_nothing_else():
    found = evidence(PLANTED, k=1)
    assert found.pop("split_half_reliability") > 0.9
    assert set(found.values()) == {None}


def test_regions_that_are_not_known_are_not_judged():
    found = evidence(PLANTED)
    assert found["worth_region"] is None
    assert found["worth_clusters"] is not None


def test_too_few_stores_in_both_halves_cannot_be_judged(caplog):
    first, second = PLANTED
    apart = (rows(first, np.arange(50)), rows(second, np.arange(39, 90)))
    assert evidence(apart, settings=replace(SETTINGS, min_stores=11)) != dict.fromkeys(EVIDENCE)
    with caplog.at_level(logging.INFO):
        found = evidence(apart, settings=replace(SETTINGS, min_stores=12))
    assert found == dict.fromkeys(EVIDENCE)
    assert "11 stores in both halves" in caplog.text


def test_a_half_that_cannot_be_parted_has_no_clusters_to_judge():
    first, second = PLANTED
    alike = replace(second, values=np.tile([0.4, 0.3, 0.2, 0.1], (len(STORES), 1)))
    found = evidence((first, alike))
    assert found["half_agreement"] is None
    assert found["worth_clusters"] is None
    assert found["split_half_reliability"] is None


def test_halves_are_clustered_with_the_k_and_the_settings_of_the_view():
    default = evidence(CHANCE)
    assert evidence(CHANCE, k=2)["worth_clusters"] != default["worth_clusters"]
    others = replace(SETTINGS, space=replace(SETTINGS.space, transform="none"))
    assert evidence(CHANCE, settings=others)["worth_clusters"] != default["worth_clusters"]


def rows(matrix, order):
    return replace(
        matrix,
        stores=matrix.stores[order],
        values=matrix.values[order],
        weights=matrix.weights[order],
    )


def test_neither_the_order_nor_the_numbers_of_the_stores_decide():
    shuffled = [np.random.default_rng(seed).permutation(len(STORES)) for seed in (1, 2)]
    renumbered = [replace(half, stores=2000 - 7 * half.stores) for half in CHANCE]
    moved = [rows(half, order) for half, order in zip(renumbered, shuffled, strict=True)]
    assert evidence((moved[0], moved[1])) == evidence(CHANCE)


def test_stores_of_one_half_only_do_not_count():
    first, second = PLANTED
    fewer = (rows(first, np.arange(80)), rows(second, np.arange(10, 90)))
    common = np.arange(10, 80)
    assert evidence(fewer) == evidence((rows(first, common), rows(second, common)))
    ours, theirs = in_both(*fewer)
    assert sorted(ours.stores) == list(range(111, 181))
    assert ours.stores.tolist() == theirs.stores.tolist()


def test_reliability_is_the_mean_correlation_weighted_with_the_variance_of_the_need_states():
    first, second = CHANCE[0].values, PLANTED[0].values
    correlations = [np.corrcoef(first[:, j], second[:, j])[0, 1] for j in range(4)]
    weights = first.std(axis=0) * second.std(axis=0)
    assert len(set(correlations)) == 4
    assert reliability(first, second) == pytest.approx(np.average(correlations, weights=weights))


def test_reliability_ignores_need_states_in_which_all_stores_are_alike():
    varying = np.array([[0.1], [0.2], [0.4]])
    constant = np.full((3, 1), 0.3)
    first, second = np.hstack([varying, constant]), np.hstack([2 * varying, constant])
    assert reliability(first, second) == pytest.approx(1)
    assert reliability(constant, constant) is None
    assert reliability(varying, -varying) == pytest.approx(-1)


def test_rounding_errors_are_no_variance():
    random = np.random.default_rng(1)
    first, second = (0.3 + random.choice([0, 5e-17], (20, 3)) for _ in range(2))
    assert reliability(first, second) is None


def test_agreement_is_the_adjusted_rand_index():
    # Pairs together: 2 in both, 3 and 6 of 10 in each; (2 - 1.8) / (4.5 - 1.8).
    first, second = np.array([1, 1, 1, 2, 3]), np.array([4, 4, 4, 4, 2])
    assert agreement(first, second) == pytest.approx((3 - 1.8) / (4.5 - 1.8))
    assert agreement(first, 9 - first) == 1


def test_halves_go_from_raw_sales_to_evidence(tmp_path):
    random = np.random.default_rng(3)
    sales = [
        (product + 1, store, "A", week, round(1000 * share, 2))
        for store, cluster in zip(STORES[::2].tolist(), TRUTH[::2], strict=True)
        for week in range(1, 5)
        for product, share in enumerate(random.dirichlet(300 * MIXES[cluster]))
    ]
    columns = ["SKU_NBR", "STORE_NBR", "CAT_DSC", "Week", "TOTAL_SALES"]
    pl.DataFrame(sales, columns, orient="row").write_parquet(tmp_path / "sales.parquet")
    need_states = {"PRODUCT_ID": [1, 2, 3, 4], "NEED_STATE": ["W", "X", "Y", "Z"]}
    pl.DataFrame(need_states).write_csv(tmp_path / "map.csv")
    outputs = {
        name: str(tmp_path / f"{name}.{suffix}")
        for suffix, names in {
            "parquet": [
                "features",
                "sales_by_category",
                "stores",
                "half_features",
                "half_sales",
                "rejected_sales",
                "rejected_need_states",
            ],
            "csv": ["need_state_sales"],
            "json": ["input_quality"],
        }.items()
        for name in names
    }
    main(
        str(tmp_path / "sales.parquet"),
        str(tmp_path / "map.csv"),
        **outputs,
        settings={"negative_sales": "net", "min_need_state_share": 0.0},
    )
    halves = half_matrices(
        *(
            pl.read_parquet(outputs[name]).filter(view="A")
            for name in ("half_features", "half_sales")
        )
    )
    assert [half.features for half in halves] == [("W", "X", "Y", "Z")] * 2
    by_store = pl.DataFrame(sales, columns, orient="row").filter(pl.col("Week") % 2 == 0)
    sold = dict(by_store.group_by("STORE_NBR").agg(pl.col("TOTAL_SALES").sum()).iter_rows())
    assert dict(zip(halves[1].stores.tolist(), halves[1].weights, strict=True)) == pytest.approx(
        sold
    )
    found = evidence(halves)
    assert found["half_agreement"] > 0.9
    assert found["worth_clusters"] > 0.8


def test_a_half_without_rows_cannot_be_judged():
    features = pl.DataFrame(
        schema={"half": pl.Int8, "store_nbr": pl.Int64, "feature": pl.String, "value": pl.Float64}
    )
    sales = pl.DataFrame(
        schema={"half": pl.Int8, "store_nbr": pl.Int64, "mapped_sales": pl.Float64}
    )
    assert evidence(half_matrices(features, sales)) == dict.fromkeys(EVIDENCE)
    only_first = features.vstack(
        pl.DataFrame(
            {"half": [1], "store_nbr": [5], "feature": ["X"], "value": [1.0]}, features.schema
        )
    )
    assert evidence(half_matrices(only_first, sales)) == dict.fromkeys(EVIDENCE)
