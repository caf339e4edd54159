"""Merging: every store in every category, its demand cluster or the reason for none."""

import duckdb
import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import merge_clusters as script
from clustering.cluster_sizes import SizeSettings
from clustering.contracts import (
    CLUSTER_NAMES,
    CLUSTERS,
    EXPLAINED_STORE_CLUSTERS,
    POINTS,
    SALES_BY_CATEGORY,
    STORE_CLUSTERS,
    STORE_REASONS,
    STORES,
)
from clustering.feature_sets import set_of_each
from clustering.merge_summaries import category_table, demand_cluster_table
from clustering.reconciliation import reconcile

SELLS_NOTHING = "sells nothing in this category"
UNMAPPED = "sells nothing with a need state in this category"
UNTESTED = "fewer than two clusters have the 5 stores that a test needs"


def source(views):
    """Clusters and points of `{view: {store: (cluster, point)}}`."""
    rows = [
        (view, store, cluster, point)
        for view, stores in views.items()
        for store, (cluster, point) in stores.items()
    ]
    schema = {**CLUSTERS.columns, **POINTS.columns}
    table = pl.DataFrame(
        [row[:2] for row in rows], schema=["view", "store_nbr"], orient="row"
    ).with_columns(
        cluster=pl.Series([row[2] for row in rows]),
        is_outlier=pl.lit(False),
        distance=pl.lit(0.0),
        next_cluster=pl.lit(None),
        next_distance=pl.lit(None),
        margin=pl.lit(None),
        point=pl.Series([[float(x) for x in row[3]] for row in rows], dtype=pl.List(pl.Float64)),
    )
    table = table.cast(schema)
    return table.select(CLUSTERS.columns.names()), table.select(POINTS.columns.names())


def sales(rows):
    return pl.DataFrame(rows, schema=SALES_BY_CATEGORY.columns, orient="row")


def chain(internal, external, extra_sales=(), internal_stores=(), **sets):
    """The inputs of the merge; a store with an internal cluster sells for 10 a number."""
    internal_clusters, internal_points = source(internal)
    external_clusters, external_points = source({"all": external, **sets})
    sold = [
        (category, store, 10.0 * store, 5.0)
        for category, stores in internal.items()
        for store in stores
    ]
    numbers = {row[1] for row in sold} | {row[1] for row in extra_sales} | set(internal_stores)
    return {
        "internal_clusters": internal_clusters,
        "external_clusters": external_clusters,
        "internal_points": internal_points,
        "external_points": external_points,
        "sales_by_category": sales([*sold, *extra_sales]),
        "internal_stores": pl.DataFrame({"store_nbr": sorted(numbers)}, schema=STORES.columns),
    }


def views_of(inputs, feature_sets):
    return set_of_each(
        inputs["sales_by_category"]["category"].unique().to_list(), feature_sets or {}
    )


def merge_all(inputs, minimum=1, maximum=None, *, feature_sets=None, seed=0):
    """The result, the summary and the predictions."""
    views = views_of(inputs, feature_sets)
    merged = script.merge_clusters(
        **inputs,
        external_views=views,
        sizes=SizeSettings(minimum, 0, maximum, 1),
        seed=seed,
    )
    rows = STORE_CLUSTERS.conform(merged.store_clusters)
    return rows, category_table(rows, merged.sizes, views), merged.predictions


def merge(inputs, min_cluster_size=1, **more):
    merged, _, predictions = merge_all(inputs, min_cluster_size, **more)
    return merged, predictions


def row(merged, category, store):
    return merged.row(
        by_predicate=(pl.col("category") == category) & (pl.col("store_nbr") == store), named=True
    )


@pytest.fixture(scope="module")
def small_chain():
    """Two categories; store 6 sells no tea, store 7 has no external features, store 8 only has."""
    coffee = {
        1: (1, [0]),
        2: (1, [0]),
        3: (1, [0]),
        4: (2, [9]),
        5: (2, [9]),
        6: (1, [8]),
        7: (1, [0]),
    }
    tea = {store: (1, [0]) for store in (1, 2, 3, 4, 5, 7)}
    external = {
        1: (1, [0]),
        2: (1, [0]),
        3: (1, [0]),
        4: (1, [0]),
        5: (1, [0]),
        6: (2, [1]),
        8: (2, [1]),
    }
    extra = [("TEA/HERBAL", 6, 0.0, 0.0), ("TEA/HERBAL", 9, 4.0, 0.0)]
    return chain({"Crème & Co": coffee, "TEA/HERBAL": tea}, external, extra, internal_stores=[10])


@pytest.fixture(scope="module")
def merged(small_chain):
    return merge(small_chain, min_cluster_size=2)[0]


def test_there_is_a_row_for_every_category_and_every_store_that_any_source_knows(merged):
    expected = [(c, s) for c in ("Crème & Co", "TEA/HERBAL") for s in range(1, 11)]
    assert merged.select("category", "store_nbr").rows() == expected


def test_a_store_with_both_sides_is_clustered_without_a_reason(merged):
    assert row(merged, "Crème & Co", 4) == {
        "category": "Crème & Co",
        "store_nbr": 4,
        "internal_cluster": 2,
        "external_cluster": 1,
        "merged_cluster": "2_1",
        "demand_cluster": "2_1",
        "status": "clustered",
        "reason": None,
        "predicted_source": None,
    }


def test_a_store_of_a_small_cluster_is_reassigned_and_told_from_where_to_where(merged):
    assert row(merged, "Crème & Co", 6) == {
        "category": "Crème & Co",
        "store_nbr": 6,
        "internal_cluster": 1,
        "external_cluster": 2,
        "merged_cluster": "1_2",
        "demand_cluster": "2_1",
        "status": "reassigned",
        "reason": "moved from 1_2 (size 1, minimum 2) to 2_1, the nearest large cluster",
        "predicted_source": None,
    }


@pytest.mark.parametrize(
    ("category", "store", "known", "reason"),
    [
        (
            "TEA/HERBAL",
            6,
            (None, 2),
            f"internal side unknown: {SELLS_NOTHING}; not predicted: {UNTESTED}",
        ),
        (
            "TEA/HERBAL",
            8,
            (None, 2),
            f"internal side unknown: not in the internal source; not predicted: {UNTESTED}",
        ),
        (
            "TEA/HERBAL",
            7,
            (1, None),
            f"external side unknown: no external features; not predicted: {UNTESTED}",
        ),
        (
            "TEA/HERBAL",
            9,
            (None, None),
            f"both sides unknown: {UNMAPPED}; no external features; nothing to predict from",
        ),
        (
            "Crème & Co",
            10,
            (None, None),
            f"both sides unknown: {SELLS_NOTHING}; no external features; nothing to predict from",
        ),
    ],
)
def test_a_store_that_nothing_can_be_inferred_of_is_excluded_with_what_is_known_and_why(
    merged, category, store, known, reason
):
    found = row(merged, category, store)
    assert (found["internal_cluster"], found["external_cluster"]) == known
    assert found["status"] == "excluded"
    assert found["reason"] == reason
    assert found["merged_cluster"] is None
    assert found["demand_cluster"] is None
    assert found["predicted_source"] is None


def test_a_category_without_a_large_cluster_keeps_its_pairs_and_says_so(small_chain):
    merged, summary, _ = merge_all(small_chain, 5)
    kept = "no merged cluster reaches the minimum size 5: pairs kept"
    coffee = merged.filter(pl.col("category") == "Crème & Co", pl.col("store_nbr") <= 6)
    assert coffee["demand_cluster"].to_list() == ["1_1"] * 3 + ["2_1"] * 2 + ["1_2"]
    assert coffee["status"].unique().to_list() == ["clustered"]
    assert coffee["reason"].unique().to_list() == [kept]
    # All five complete stores of the other category are in one cluster.
    assert summary.select("category", "feasible", "note").rows() == [
        ("Crème & Co", False, kept),
        ("TEA/HERBAL", True, None),
    ]


def linked_chain(stores=60, seed=3):
    """Both sources see the same two kinds of stores; some stores lack one side.

    Stores 1 to 4 have no external features, 5 to 8 sell no tea, 9 lacks both.
    """
    rng = np.random.default_rng(seed)
    kind = {store: 1 + store % 2 for store in range(1, stores + 1)}

    def point(store):
        return [kind[store] * 10 + rng.normal(), rng.normal()]

    coffee = {store: (kind[store], point(store)) for store in kind}
    tea = {s: (3 - kind[s], point(s)) for s in kind if s not in (5, 6, 7, 8, 9)}
    external = {s: (kind[s], point(s)) for s in kind if s not in (1, 2, 3, 4, 9)}
    return chain({"COFFEE": coffee, "TEA": tea}, external)


@pytest.fixture(scope="module")
def linked():
    """Its inputs, the merged result and what was predicted."""
    inputs = linked_chain()
    return inputs, *merge(inputs, min_cluster_size=3)


def test_an_unknown_side_is_predicted_from_the_other_source_where_that_works(linked):
    _, merged, predictions = linked
    found = row(merged, "TEA", 5)
    assert (found["internal_cluster"], found["external_cluster"]) == (1, 2)
    assert found["merged_cluster"] == found["demand_cluster"] == "1_2"
    assert (found["status"], found["predicted_source"]) == ("predicted", "internal")
    assert found["reason"].startswith(
        f"internal side unknown: {SELLS_NOTHING}; predicted: accuracy"
    )
    # 4 stores sell coffee without external features; in tea 5 to 8 are to be predicted.
    assert predictions.select(
        "side", "view", "stores_to_predict", "training_stores", "used"
    ).rows() == [
        ("external", "all", 5, 55, True),
        ("internal", "COFFEE", 0, 55, False),
        ("internal", "TEA", 4, 51, True),
    ]
    tea = predictions.row(2, named=True)
    assert tea["accuracy"] > 0.95
    assert tea["baseline_accuracy"] == pytest.approx(26 / 51, abs=0.02)


def test_an_external_cluster_is_predicted_once_per_store(linked):
    merged = linked[1]
    predicted = merged.filter(pl.col("predicted_source") == "external")
    assert predicted.group_by("store_nbr").agg(pl.col("external_cluster").n_unique()).sort(
        "store_nbr"
    ).rows() == [(1, 1), (2, 1), (3, 1), (4, 1), (9, 1)]
    assert dict(predicted.select("store_nbr", "external_cluster").rows()) == {
        1: 2,
        2: 1,
        3: 2,
        4: 1,
        9: 2,
    }


def test_nothing_is_predicted_from_a_prediction(linked):
    merged = linked[1]
    # Store 9 sells coffee, so that its external side can be predicted, but no tea.
    assert row(merged, "COFFEE", 9)["status"] == "predicted"
    tea = row(merged, "TEA", 9)
    assert tea["status"] == "excluded"
    assert (tea["internal_cluster"], tea["external_cluster"]) == (None, None)


def test_predicted_stores_join_the_nearest_large_cluster_by_their_known_side_and_say_so():
    inputs = linked_chain()
    # One coffee store of kind 1 stands where kind 2 stands: a small cluster, and 1_2 exists.
    inputs["internal_clusters"] = inputs["internal_clusters"].with_columns(
        cluster=pl.when((pl.col("view") == "COFFEE") & (pl.col("store_nbr") == 3))
        .then(pl.lit(1, pl.Int32))
        .otherwise("cluster")
    )
    merged, _ = merge(inputs, min_cluster_size=3)
    # Known as internal 1, predicted as external 2 from its points, which are those of kind 2.
    found = row(merged, "COFFEE", 3)
    assert (found["merged_cluster"], found["demand_cluster"]) == ("1_2", "2_2")
    assert (found["status"], found["predicted_source"]) == ("predicted", "external")
    assert found["reason"].endswith(
        "; moved from 1_2 (size 0, minimum 3) to 2_2, the nearest large cluster"
    )


def test_where_prediction_does_not_work_the_reason_gives_accuracy_and_baseline():
    inputs = linked_chain()
    # Points that tell nothing: the forest can only name the majority.
    inputs["external_points"] = inputs["external_points"].with_columns(
        point=pl.lit([0.0, 0.0], dtype=pl.List(pl.Float64))
    )
    merged, _ = merge(inputs, min_cluster_size=3)
    found = row(merged, "TEA", 5)
    assert found["status"] == "excluded"
    assert (found["internal_cluster"], found["external_cluster"]) == (None, 2)
    assert found["reason"].startswith(
        f"internal side unknown: {SELLS_NOTHING}; not predicted: accuracy "
    )
    assert "does not beat the majority's" in found["reason"]


def test_renumbering_the_stores_and_shuffling_the_rows_changes_nothing_but_the_numbers():
    inputs = linked_chain()
    merged, predictions = merge(inputs, min_cluster_size=8)
    numbers = sorted({*merged["store_nbr"]})
    renumbered = dict(
        zip(numbers, (np.random.default_rng(0).permutation(numbers) + 7).tolist(), strict=True)
    )
    shuffled = {
        name: table.with_columns(pl.col("store_nbr").replace_strict(renumbered)).sample(
            fraction=1, shuffle=True, seed=1
        )
        for name, table in inputs.items()
    }
    moved, same_predictions = merge(shuffled, min_cluster_size=8)
    expected = merged.with_columns(pl.col("store_nbr").replace_strict(renumbered))
    assert moved.equals(STORE_CLUSTERS.conform(expected))
    assert same_predictions.equals(predictions)


def test_sources_without_a_store_in_common_are_an_error_that_shows_both():
    inputs = chain({"A": {n: (1, [0]) for n in range(1, 8)}}, {101: (1, [0]), 102: (1, [0])})
    with pytest.raises(
        ValueError, match=r"7 stores \(1, 2, 3, 4, 5, \.\.\.\).* 2 stores \(101, 102\)"
    ):
        merge(inputs)


def test_a_category_in_which_no_store_has_both_sides_is_excluded_and_noted():
    inputs = chain({"A": {1: (1, [0])}, "B": {2: (1, [0])}}, {1: (1, [0])})
    merged, summary, _ = merge_all(inputs)
    assert merged.filter(pl.col("category") == "B")["status"].to_list() == ["excluded"] * 2
    note = summary.row(1, named=True)
    assert note["note"] == "no store has both sides known"
    assert note["feasible"] is False
    assert note["smallest_demand_cluster"] is None
    assert note["variance_explained_merged"] is None


def test_a_category_without_any_internal_cluster_is_excluded():
    inputs = chain({"A": {1: (1, [0])}}, {1: (1, [0])}, [("B", 1, 3.0, 0.0)])
    merged, _ = merge(inputs)
    assert row(merged, "B", 1)["reason"].startswith(f"internal side unknown: {UNMAPPED}")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_the_chain_rows_are_complete_and_sizes_hold(data):
    side = st.dictionaries(
        st.integers(1, 12),
        st.tuples(st.integers(1, 3), st.lists(st.integers(0, 9), min_size=2, max_size=2)),
        min_size=1,
    )
    internal = {name: data.draw(side) for name in ("A", "B")}
    external = data.draw(side)
    minimum, maximum = data.draw(st.integers(1, 6)), data.draw(st.none() | st.integers(1, 6))
    inputs = chain(internal, external)
    if not set(external) & {store for stores in internal.values() for store in stores}:
        with pytest.raises(ValueError, match="no store has both"):
            merge(inputs, minimum)
        return
    merged, summary, _ = merge_all(inputs, minimum, maximum)
    feasible = dict(summary.select("category", "feasible").rows())
    chain_stores = {*external, *internal["A"], *internal["B"]}
    assert merged.height == 2 * len(chain_stores)
    for category, stores in internal.items():
        rows = merged.filter(pl.col("category") == category)
        sides = {r["store_nbr"]: r for r in rows.iter_rows(named=True)}
        pairs = [(c, external[s][0]) for s, (c, _) in stores.items() if s in external]
        counted = rows.filter(pl.col("status").is_in(["clustered", "reassigned"]))
        assert counted.height == len(pairs)
        if any(pairs.count(pair) >= minimum for pair in pairs):
            assert counted["demand_cluster"].value_counts()["count"].min() >= minimum
        else:
            assert (counted["demand_cluster"] == counted["merged_cluster"]).all()
        if feasible[category] and maximum:
            assert counted["demand_cluster"].value_counts()["count"].max() <= maximum
        for store, (cluster, _) in stores.items():
            assert sides[store]["internal_cluster"] == cluster
        for store, (cluster, _) in external.items():
            assert sides[store]["external_cluster"] == cluster


def corrupted(merged, store, **columns):
    hit = (pl.col("category") == "COFFEE") & (pl.col("store_nbr") == store)
    return merged.with_columns(
        pl.when(hit).then(pl.lit(value, merged.schema[name])).otherwise(name).alias(name)
        for name, value in columns.items()
    )


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (lambda m: m.filter(pl.col("category") != "TEA"), "categories .* differ: TEA"),
        (lambda m: m.slice(1), "category 'COFFEE' has 59 rows for 60 stores"),
        (
            lambda m: m.with_columns(pl.col("store_nbr").replace({60: 61})),
            "'COFFEE', store 61 is no store of the chain; rows like it: 2",
        ),
        (
            lambda m: corrupted(m, 20, internal_cluster=3, merged_cluster="3_1"),
            "'COFFEE', store 20 has another internal cluster in the result than it was given",
        ),
        (
            lambda m: corrupted(m, 20, external_cluster=3, merged_cluster="1_3"),
            "'COFFEE', store 20 has another external cluster",
        ),
        (
            lambda m: corrupted(m, 1, predicted_source=None, status="clustered"),
            "'COFFEE', store 1 has another external cluster",
        ),
        (
            lambda m: corrupted(m, 20, external_cluster=None),
            "'COFFEE', store 20 has another external cluster",
        ),
        (
            lambda m: corrupted(m, 20, demand_cluster=None),
            "'COFFEE', store 20 has clusters that contradict its status",
        ),
        (
            lambda m: corrupted(m, 20, merged_cluster="2_2"),
            "'COFFEE', store 20 has clusters that contradict its status",
        ),
        (
            lambda m: corrupted(m, 20, status="excluded", demand_cluster=None),
            "'COFFEE', store 20 has clusters that contradict its status",
        ),
        (
            lambda m: corrupted(m, 20, status="predicted"),
            "'COFFEE', store 20 has clusters that contradict its status",
        ),
        (
            lambda m: corrupted(m, 20, status="unheard of"),
            "category 'COFFEE' has 59 rows for 60 stores",
        ),
    ],
)
def test_a_result_that_disagrees_with_its_inputs_is_refused(linked, corrupt, message):
    inputs, merged, _ = linked
    views = {"COFFEE": "all", "TEA": "all"}
    known = (inputs["internal_clusters"], inputs["external_clusters"], inputs["sales_by_category"])
    columns = ["view", "store_nbr", "cluster"]
    known = (known[0].select(columns), known[1].select(columns), known[2])
    reconcile(merged, *known, views, range(1, 61))
    with pytest.raises(ValueError, match=message):
        reconcile(corrupt(merged), *known, views, range(1, 61))


def test_a_store_that_sells_need_states_must_have_a_cluster():
    inputs = chain({"A": {1: (1, [0])}}, {1: (1, [0])}, [("A", 2, 3.0, 3.0)])
    with pytest.raises(
        ValueError, match="'A', store 2 has sales with a need state but no internal"
    ):
        merge(inputs)


def test_a_cluster_in_a_category_without_sales_is_refused():
    inputs = chain({"A": {1: (1, [0])}, "B": {1: (1, [0])}}, {1: (1, [0])})
    inputs["sales_by_category"] = inputs["sales_by_category"].filter(pl.col("category") == "A")
    with pytest.raises(ValueError, match="category 'B', store 1 has another internal cluster"):
        merge(inputs)


def test_demand_clusters_are_listed_in_the_order_of_their_numbers():
    merged, _ = merge(chain({"A": {1: (10, [0]), 2: (2, [1])}}, {1: (1, [0]), 2: (1, [0])}))
    table = demand_cluster_table(merged, sales([("A", 1, 0.1, 0.1), ("A", 2, 0.2, 0.2)]))
    assert table["demand_cluster"].to_list() == ["2_1", "10_1"]
    assert table["sales"].to_list() == [0.2, 0.1]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return run(linked_chain(), tmp_path_factory.mktemp("merged"))


INPUTS = {
    "internal_clusters": CLUSTERS,
    "external_clusters": CLUSTERS,
    "internal_points": POINTS,
    "external_points": POINTS,
    "sales_by_category": SALES_BY_CATEGORY,
    "internal_stores": STORES,
    "internal_names": CLUSTER_NAMES,
    "external_names": CLUSTER_NAMES,
    "internal_reasons": STORE_REASONS,
    "external_reasons": STORE_REASONS,
}
OUTPUTS = {
    "store_clusters": "store_clusters.parquet",
    "store_clusters_csv": "store_clusters.csv",
    "demand_clusters": "demand_clusters.csv",
    "summary": "summary.csv",
    "predictions": "predictions.csv",
}


SETTINGS = {
    "feature_sets": {},
    "min_cluster_size": 8,
    "min_cluster_share": 0,
    "max_cluster_size": None,
    "max_cluster_share": 1,
    "seed": 0,
}


def explanations(inputs):
    """Names and reasons of the clusters of both sources, as the stage before gives them."""
    found = {}
    for source in ("internal", "external"):
        clusters = inputs[f"{source}_clusters"]
        found[f"{source}_names"] = (
            clusters.select("view", "cluster")
            .unique()
            .with_columns(
                name=pl.format("{} {}", pl.lit(source), "cluster"),
                stores=pl.lit(1, pl.Int64),
                sales=pl.lit(None, pl.Float64),
                exemplars=pl.lit([], pl.List(pl.Int64)),
            )
        )
        found[f"{source}_reasons"] = clusters.select(
            "view", "store_nbr", reasons=pl.format("{} of store {}", "view", "store_nbr")
        )
    return found


def run(inputs, folder, **changes):
    """Write the inputs, run `main`, and return the folder."""
    for name, table in (inputs | explanations(inputs)).items():
        table.write_parquet(folder / f"{name}.parquet")
    script.main(
        **{name: str(folder / f"{name}.parquet") for name in INPUTS},
        **{name: str(folder / "out" / file) for name, file in OUTPUTS.items()},
        settings=SETTINGS | changes,
    )
    return folder / "out"


def test_main_writes_the_same_rows_as_parquet_and_as_csv(written):
    table = pl.read_parquet(written / "store_clusters.parquet")
    assert table.schema == EXPLAINED_STORE_CLUSTERS.columns
    text = pl.read_csv(written / "store_clusters.csv", schema=EXPLAINED_STORE_CLUSTERS.columns)
    assert_frame_equal(text, table, abs_tol=1e-6)
    assert table.height == 120


def test_rows_are_explained_by_the_clusters_that_they_are_in(written):
    table = pl.read_parquet(written / "store_clusters.parquet")
    tea = row(table, "TEA", 20)
    assert tea["internal_reasons"] == "TEA of store 20"
    assert tea["external_reasons"] == "all of store 20"
    internal, external = tea["demand_cluster"].split("_")
    assert tea["demand_name"] == f"internal {internal} | external {external}"
    inputs = linked_chain()
    for source, view in (("internal", "TEA"), ("external", "all")):
        clusters = inputs[f"{source}_clusters"].filter(view=view, store_nbr=20).row(0, named=True)
        assert tea[f"{source}_margin"] == clusters["margin"]
        assert tea[f"{source}_next_cluster"] == clusters["next_cluster"]


def test_a_side_that_was_predicted_or_is_unknown_has_no_reasons_of_its_own(written):
    table = pl.read_parquet(written / "store_clusters.parquet")
    predicted = row(table, "TEA", 5)
    assert predicted["internal_reasons"] is None
    assert predicted["external_reasons"] == "all of store 5"
    assert predicted["demand_name"] is not None
    excluded = table.filter(status="excluded")
    assert excluded.height > 0
    assert excluded["demand_name"].null_count() == excluded.height


def test_main_writes_the_same_bytes_whatever_the_order_of_the_rows(written, tmp_path):
    inputs = linked_chain()
    again = run({name: table.reverse() for name, table in inputs.items()}, tmp_path)
    for file in OUTPUTS.values():
        assert (again / file).read_bytes() == (written / file).read_bytes()


def test_the_summaries_agree_with_sql_over_the_result(written):
    with duckdb.connect() as sql:
        sql.execute(f"create view rows as from '{written}/store_clusters.parquet'")
        sql.execute(f"create view sold as from '{written}/../sales_by_category.parquet'")
        summary = sql.execute("""
            with sizes as (
                select category, demand_cluster, count(*) filter (status <> 'predicted') as stores
                from rows where demand_cluster is not null group by all)
            select category, 'all', count(*), count(distinct internal_cluster),
                count(distinct external_cluster), count(distinct merged_cluster),
                count(distinct demand_cluster),
                (select min(stores) from sizes where sizes.category = rows.category),
                (select max(stores) from sizes where sizes.category = rows.category),
                count(*) filter (status = 'clustered'), count(*) filter (status = 'reassigned'),
                count(*) filter (status = 'predicted'), count(*) filter (status = 'excluded'),
                8, count(*) filter (status in ('clustered', 'reassigned')), true, null
            from rows group by category order by category""").fetchall()
        demand = sql.execute("""
            select category, demand_cluster, count(*), count(*) filter (status = 'clustered'),
                count(*) filter (status = 'reassigned'), count(*) filter (status = 'predicted'),
                sum(total_sales)
            from rows left join sold using (category, store_nbr)
            where demand_cluster is not null group by all order by all""").fetchall()
    found = pl.read_csv(written / "summary.csv")
    assert found.drop(cs.starts_with("variance_explained")).rows() == summary
    assert pl.read_csv(written / "demand_clusters.csv").rows() == demand
    assert found["predicted"].sum() > 0


def test_main_says_which_predictions_it_tested(written):
    table = pl.read_csv(written / "predictions.csv")
    assert table.columns == [
        "side",
        "view",
        "stores_to_predict",
        "training_stores",
        "accuracy",
        "baseline_accuracy",
        "used",
        "reason",
    ]
    assert table.height == 3


# --- feature sets -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_sets():
    """COFFEE is merged with the set `traffic`, TEA with `all`; two stores lack either.

    Stores 1 to 4 are in no external table, store 9 is in `all` but has no traffic; store 100 is
    known by the set that no category uses alone.
    """
    inputs = linked_chain()
    coffee = {
        store: (cluster, point)
        for _, store, cluster, point in inputs["internal_clusters"]
        .select("view", "store_nbr", "cluster")
        .join(inputs["internal_points"], on=["view", "store_nbr"])
        .filter(view="COFFEE")
        .rows()
    }
    # The other way round than in `all`, so that a mix-up shows.
    traffic = {s: (3 - c, p) for s, (c, p) in coffee.items() if s > 4 and s != 20}
    unused = {s: (1, p) for s, (_, p) in coffee.items() if s > 50} | {100: (1, [0.0, 0.0])}
    clusters, points = source({"traffic": traffic, "unused": unused})
    inputs["external_clusters"] = pl.concat([inputs["external_clusters"], clusters])
    inputs["external_points"] = pl.concat([inputs["external_points"], points])
    return inputs, *merge_all(inputs, 3, feature_sets={"COFFEE": "traffic"})


def external_of(table, **where):
    return dict(table.filter(**where).select("store_nbr", table.columns[-1]).rows())


def test_each_category_is_merged_with_the_external_clusters_of_its_feature_set(two_sets):
    inputs, merged, summary, _ = two_sets
    given = inputs["external_clusters"].select("view", "store_nbr", "cluster")
    known = merged.filter(
        pl.col("predicted_source").ne_missing("external"), pl.col("external_cluster").is_not_null()
    ).select("category", "store_nbr", "external_cluster")
    assert external_of(known, category="COFFEE") == external_of(given, view="traffic")
    assert external_of(known, category="TEA") == external_of(given, view="all")
    assert dict(summary.select("category", "feature_set").rows()) == {
        "COFFEE": "traffic",
        "TEA": "all",
    }


def test_external_clusters_are_predicted_once_per_store_and_feature_set(two_sets):
    _, merged, _, predictions = two_sets
    predicted = predictions.filter(side="external", used=True)
    assert predicted.select("view", "stores_to_predict").rows() == [("all", 5), ("traffic", 5)]
    # Store 20 has no traffic, and its tea is merged with `all`, where it is known.
    coffee, tea = row(merged, "COFFEE", 20), row(merged, "TEA", 20)
    assert (coffee["status"], coffee["predicted_source"]) == ("predicted", "external")
    assert coffee["reason"].startswith(
        "external side unknown: no feature of the set traffic is known; predicted: accuracy"
    )
    assert tea["status"] == "clustered"
    # Store 1 is in no table: 2 among `all`, 1 in traffic, where the kinds are the other way round.
    assert row(merged, "TEA", 1)["external_cluster"] == 2
    assert row(merged, "COFFEE", 1)["external_cluster"] == 1


def test_a_store_that_any_feature_set_knows_is_answered_for(two_sets):
    _, merged, summary, _ = two_sets
    assert summary["stores"].to_list() == [61, 61]
    assert row(merged, "COFFEE", 100)["status"] == "excluded"


def test_a_feature_set_that_was_not_clustered_is_an_error():
    with pytest.raises(ValueError, match="external clusters have no view traffic"):
        merge(linked_chain(), feature_sets={"TEA": "traffic"})


def test_main_merges_with_the_feature_sets_of_the_settings(two_sets, tmp_path):
    out = run(two_sets[0], tmp_path, feature_sets={"COFFEE": "traffic"}, min_cluster_size=3)
    table = pl.read_parquet(out / "store_clusters.parquet")
    assert table.select(STORE_CLUSTERS.columns.names()).equals(two_sets[1])
    # The reasons of a side are those of the view that its category is merged with.
    reasons = (
        table.drop_nulls("external_reasons")
        .group_by("category")
        .agg(pl.col("external_reasons").str.extract(r"^(\w+)").unique())
    )
    assert dict(reasons.iter_rows()) == {"COFFEE": ["traffic"], "TEA": ["all"]}


def test_a_feature_set_of_a_category_that_does_not_occur_is_an_error_with_the_nearest(tmp_path):
    with pytest.raises(
        ValueError, match=r"'Coffee ' is not in the sales; nearest: 'COFFEE', 'TEA'$"
    ):
        run(linked_chain(), tmp_path, feature_sets={"Coffee ": "all"})


# --- sizes ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowded():
    """Five stores of 1_1, two of 2_1, and one of 9_1, small, that is nearest to 1_1."""
    points = {1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 20, 7: 20, 8: 5}
    cluster = dict.fromkeys(range(1, 6), 1) | {6: 2, 7: 2, 8: 9}
    internal = {store: (cluster[store], [x]) for store, x in points.items()}
    return chain({"A": internal}, {store: (1, [0]) for store in points})


def test_a_store_that_leaves_a_cluster_above_the_maximum_is_reassigned_with_the_reason(crowded):
    merged, summary, _ = merge_all(crowded, 2, 4)
    # The mean of 1_1 is 2. First 8 at 5 loses 15 - 3, then 5 at 4 loses 16 - 2.
    assert merged["demand_cluster"].to_list() == ["1_1"] * 4 + ["2_1"] * 4
    assert merged["status"].to_list() == ["clustered"] * 4 + ["reassigned"] + ["clustered"] * 2 + [
        "reassigned"
    ]
    leaves = "moved from 1_1 (size 6, maximum 4) to 2_1, the nearest large cluster with room"
    joins = "moved from 9_1 (size 1, minimum 2) to 1_1, the nearest large cluster"
    assert merged["reason"].to_list() == [None] * 4 + [leaves, None, None, f"{joins}; {leaves}"]
    found = summary.row(0, named=True)
    assert (found["minimum_size"], found["maximum_size"], found["feasible"]) == (2, 4, True)
    assert (found["smallest_demand_cluster"], found["largest_demand_cluster"]) == (4, 4)
    assert found["note"] is None


def test_a_cluster_that_finds_no_room_stays_larger_and_the_note_says_so(crowded):
    merged, summary, _ = merge_all(crowded, 2, 3)
    found = summary.row(0, named=True)
    assert (found["smallest_demand_cluster"], found["largest_demand_cluster"]) == (3, 5)
    assert found["feasible"] is False
    assert found["note"] == (
        "8 stores are too many for the 2 large clusters at the maximum size 3: "
        "the maximum is not held everywhere"
    )
    assert merged["status"].to_list() == ["clustered"] * 7 + ["reassigned"]


def test_main_tells_what_consolidation_costs_to_six_decimals(crowded, tmp_path):
    out = run(crowded, tmp_path, min_cluster_size=2, max_cluster_size=4)
    # Mean 6.875; 476.875 in all. Within pairs 10; within 0..3 are 5, within 4, 5, 20, 20 240.75.
    lines = (out / "summary.csv").read_text().splitlines()
    found = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert found["variance_explained_merged"] == f"{1 - 10 / 476.875:.6f}"
    assert found["variance_explained_demand"] == f"{1 - 245.75 / 476.875:.6f}"


@pytest.mark.parametrize(
    ("change", "sizes"),
    [
        ({"min_cluster_size": 2}, (2, 8)),
        ({"min_cluster_size": 2, "min_cluster_share": 0.3}, (3, 8)),
        ({"min_cluster_size": 2, "max_cluster_share": 0.6}, (2, 4)),
        ({"min_cluster_size": 2, "max_cluster_size": 5}, (2, 5)),
    ],
)
def test_every_bound_of_the_settings_counts(crowded, tmp_path, change, sizes):
    summary = pl.read_csv(run(crowded, tmp_path, **change) / "summary.csv")
    assert summary.select("minimum_size", "maximum_size").row(0) == sizes
