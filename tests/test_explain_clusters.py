"""What is said of clusters holds whatever the order of rows, and every store gets its reasons."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clustering.contracts import (
    CLUSTER_NAMES,
    CLUSTERS,
    FEATURES,
    POINTS,
    SALES_BY_CATEGORY,
    STORE_REASONS,
)
from clustering.profiles import PROFILES
from clustering.rule_tree import TREE_RULES
from clustering.tables import read_table, write_table
from explain_clusters import explain_clusters, main
from tests.planted import long, sales_of, shares_view

FEATURES_3, TRUTH = shares_view((20, 30, 25), need_states=5)


def clustered(features, labels):
    """The truth as what clustering found: clusters and points of one view."""
    wide = features.pivot(on="feature", index=["view", "store_nbr"], values="value")
    key = wide.select("view", "store_nbr")
    others = np.where(labels == labels.max(), 1, labels + 1)
    several = len(np.unique(labels)) > 1
    clusters = key.with_columns(
        cluster=pl.Series(labels, dtype=pl.Int32),
        is_outlier=pl.Series(np.arange(len(labels)) % 10 == 0),
        distance=pl.lit(1.0),
        next_cluster=pl.Series(others if several else [None] * len(labels), dtype=pl.Int32),
        next_distance=pl.lit(2.0 if several else None, dtype=pl.Float64),
        margin=pl.lit(0.5 if several else None, dtype=pl.Float64),
    )
    points = wide.drop("view", "store_nbr").fill_null(0.0).to_numpy()
    return clusters, key.with_columns(point=pl.Series(points.tolist()))


def explained(features=FEATURES_3, labels=TRUTH + 1, seed=1):
    return explain_clusters(
        "internal", features, *clustered(features, labels), sales_of(features), seed
    )


def test_every_cluster_is_profiled_and_named_and_every_store_has_reasons():
    found = explained()
    assert found.names["stores"].to_list() == [20, 30, 25]
    assert found.names["name"].n_unique() == 3
    assert found.profiles.height == 3 * 5
    assert found.reasons["store_nbr"].sort().to_list() == list(range(101, 176))
    assert found.reasons["reasons"].str.contains(r"^Need state \d\d index \d+").all()
    assert found.rules["fidelity"][0] > 0.9


def test_the_feature_that_names_a_cluster_is_the_first_of_its_profile():
    found = explained()
    first = found.profiles.filter(rank=1).join(found.names, on=["view", "cluster"])
    assert all(row["feature"] in row["name"].casefold() for row in first.iter_rows(named=True))


def test_exemplars_are_members_and_no_outliers():
    clusters, _ = clustered(FEATURES_3, TRUTH + 1)
    members = (
        explained()
        .names.explode("exemplars")
        .join(
            clusters,
            left_on=["view", "exemplars"],
            right_on=["view", "store_nbr"],
            suffix="_of_store",
        )
    )
    assert members.height == 9
    assert not members["is_outlier"].any()
    assert (members["cluster"] == members["cluster_of_store"]).all()


def test_sales_of_the_clusters_add_up_to_those_of_the_category():
    found = explained()
    assert found.names["sales"].sum() == pytest.approx(sales_of(FEATURES_3)["total_sales"].sum())
    mapped = found.profiles.filter(rank=1)["mapped_sales"]
    assert mapped.sum() == pytest.approx(sales_of(FEATURES_3)["mapped_sales"].sum())


def test_shares_are_weighted_by_mapped_sales():
    (mean,) = explained().profiles.filter(cluster=1, feature="need state 02")["mean"]
    rows = FEATURES_3.filter(pl.col("store_nbr") <= 120, feature="need state 02")
    sales = rows.join(sales_of(FEATURES_3), on="store_nbr")
    expected = (sales["value"] * sales["mapped_sales"]).sum() / sales["mapped_sales"].sum()
    assert mean == pytest.approx(expected)


def test_views_are_explained_each_for_itself():
    whole = FEATURES_3.with_columns(view=pl.lit("WHOLE"))
    both = pl.concat([FEATURES_3, whole])
    parts = [clustered(FEATURES_3, TRUTH + 1), clustered(whole, np.ones(75, dtype=np.int32))]
    clusters, points = (pl.concat(tables) for tables in zip(*parts, strict=True))
    sales = pl.concat([sales_of(FEATURES_3), sales_of(whole)])
    found = explain_clusters("internal", both, clusters, points, sales, 1)
    alone = explained()
    assert found.names.filter(view="CATEGORY").equals(alone.names)
    assert found.rules.equals(alone.rules)
    assert found.names.filter(view="WHOLE")["name"].to_list() == ["All stores"]
    reasons = found.reasons.filter(view="WHOLE")["reasons"]
    assert reasons.unique().to_list() == ["There is no other cluster to be in"]


def test_the_same_stores_are_tested_in_other_folds_in_another_view():
    noise = long(np.random.default_rng(1).dirichlet(np.full(5, 3.0), 75))
    again = noise.with_columns(view=pl.lit("AGAIN"))
    labels = TRUTH + 1
    tables = zip(clustered(noise, labels), clustered(again, labels), strict=True)
    sales = pl.concat([sales_of(noise), sales_of(again)])
    found = explain_clusters(
        "internal", pl.concat([noise, again]), *map(pl.concat, tables), sales, 1
    )
    assert found.rules.select("view", "fidelity").unique()["fidelity"].n_unique() == 2


def test_neither_the_order_of_rows_nor_store_numbers_matter():
    clusters, points = clustered(FEATURES_3, TRUTH + 1)
    sales = sales_of(FEATURES_3)
    renumbered = -pl.col("store_nbr") + 1000

    def shuffled(table, seed):
        return table.with_columns(renumbered).sample(fraction=1, shuffle=True, seed=seed)

    first = explained()
    second = explain_clusters(
        "internal",
        *(
            shuffled(table, seed)
            for seed, table in enumerate((FEATURES_3, clusters, points, sales))
        ),
        seed=1,
    )
    assert first.profiles.equals(second.profiles)
    assert first.rules.equals(second.rules)
    back = pl.col("exemplars").list.eval(-pl.element() + 1000)
    assert first.names.equals(second.names.with_columns(back))
    key = "store_nbr"
    assert first.reasons.sort(key).equals(second.reasons.with_columns(renumbered).sort(key))


def test_external_features_may_be_unknown_and_have_no_sales():
    random = np.random.default_rng(4)
    values = np.column_stack([random.normal(50, 5, 60), random.normal(0, 1, 60)])
    values[:30] += [20, 2]
    values[5, 0] = np.nan
    features = long(values, view="all", names="income").with_columns(pl.col("value").fill_nan(None))
    labels = np.repeat([1, 2], 30).astype(np.int32)
    found = explain_clusters("external", features, *clustered(features, labels), None, 1)
    assert found.names["sales"].null_count() == 2
    assert found.names["name"].to_list() == [
        "High income 00, high income 01",
        "Low income 00, low income 01",
    ]
    assert found.profiles.filter(feature="income 01")["index"].null_count() == 2
    assert found.profiles.filter(cluster=1, feature="income 00")["known_stores"].item() == 29


@pytest.mark.parametrize("lacking", ["cluster", "point", "features"])
def test_a_store_that_one_table_lacks_is_named(lacking):
    features = FEATURES_3
    clusters, points = clustered(features, TRUTH + 1)
    keep = pl.col("store_nbr") != 140
    match lacking:
        case "cluster":
            clusters, text = clusters.filter(keep), "has features but no cluster"
        case "point":
            points, text = points.filter(keep), "has features but no point"
        case "features":
            features, text = features.filter(keep), "has a cluster but no features"
    with pytest.raises(ValueError, match=f"store 140 of view 'CATEGORY' {text}"):
        explain_clusters("internal", features, clusters, points, sales_of(FEATURES_3), 1)


@pytest.mark.parametrize("source", ["internal", "external"])
def test_main_reads_and_writes_files(tmp_path, source):
    clusters, points = clustered(FEATURES_3, TRUTH + 1)
    inputs = {
        name: str(tmp_path / f"{name}.parquet")
        for name in ("features", "clusters", "points", "sales")
    }
    write_table(FEATURES_3, inputs["features"], FEATURES)
    write_table(clusters, inputs["clusters"], CLUSTERS)
    write_table(points, inputs["points"], POINTS)
    write_table(sales_of(FEATURES_3), inputs["sales"], SALES_BY_CATEGORY)
    if source == "external":
        inputs["sales"] = []

    def run(run_name):
        names = {
            "profiles": "profiles.csv",
            "names": "cluster_names.parquet",
            "names_csv": "cluster_names.csv",
            "reasons": "store_reasons.parquet",
            "rules": "tree_rules.csv",
        }
        outputs = {key: str(tmp_path / run_name / name) for key, name in names.items()}
        main(**inputs, **outputs, source=source, seed=1)
        return outputs

    written = run("first")
    assert pl.read_csv(written["profiles"]).columns == list(PROFILES)
    assert pl.read_csv(written["rules"]).columns == list(TREE_RULES)
    assert read_table(written["reasons"], STORE_REASONS).height == 75
    names, text = read_table(written["names"], CLUSTER_NAMES), pl.read_csv(written["names_csv"])
    assert text["name"].to_list() == names["name"].to_list()
    exemplars = [json.loads(f"[{stores.replace(' ', ',')}]") for stores in text["exemplars"]]
    assert exemplars == names["exemplars"].to_list()
    again = run("second")
    for name, path in written.items():
        assert Path(path).read_bytes() == Path(again[name]).read_bytes()


def test_no_views_give_empty_tables():
    found = explain_clusters(
        "external",
        pl.DataFrame(schema=FEATURES.columns),
        pl.DataFrame(schema=CLUSTERS.columns),
        pl.DataFrame(schema=POINTS.columns),
        None,
        1,
    )
    assert [table.height for table in vars(found).values()] == [0, 0, 0, 0]
