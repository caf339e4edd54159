import polars as pl
import pytest

from check_results import rejected_too_much, unmatched_money, unreconciled

QUALITY = {
    "total_sales": 1000.0,
    "rejected_sales": 60.0,
    "rejected_share": 0.06,
    "reasons": {
        "null_sku": {"rows": 90, "sales": 10.0},
        "unmapped_sku": {"rows": 3, "sales": 45.0},
        "null_store": {"rows": 1, "sales": 5.0},
        "null_sales": {"rows": 500, "sales": 0.0},
    },
}
SALES = pl.DataFrame(
    {
        "category": ["A", "A", "B"],
        "store_nbr": [1, 2, 1],
        "total_sales": [500.0, 385.0, 100.0],
        "mapped_sales": [500.0, 340.0, 100.0],
    }
)
INTERNAL_STORES = pl.DataFrame({"store_nbr": [1, 2]})
CLUSTERS = {
    "internal": pl.DataFrame(
        {"view": ["A", "A", "B"], "store_nbr": [1, 2, 1], "cluster": [1, 2, 1]},
        schema_overrides={"cluster": pl.Int32},
    ),
    "external": pl.DataFrame(
        {"view": ["all", "all"], "store_nbr": [1, 3], "cluster": [1, 1]},
        schema_overrides={"cluster": pl.Int32},
    ),
}
RESULT = pl.DataFrame(
    [
        ("A", 1, 1, 1, "1_1", "1_1", "clustered", None, None),
        ("A", 2, 2, 1, "2_1", "1_1", "predicted", "no external features", "external"),
        ("A", 3, None, 1, None, None, "excluded", "sells nothing", None),
        ("B", 1, 1, 1, "1_1", "1_1", "clustered", None, None),
        ("B", 2, None, None, None, None, "excluded", "sells nothing", None),
        ("B", 3, 1, 1, "1_1", "1_1", "predicted", "sells nothing", "internal"),
    ],
    schema={
        "category": pl.String,
        "store_nbr": pl.Int64,
        "internal_cluster": pl.Int32,
        "external_cluster": pl.Int32,
        "merged_cluster": pl.String,
        "demand_cluster": pl.String,
        "status": pl.String,
        "reason": pl.String,
        "predicted_source": pl.String,
    },
    orient="row",
)


def faults(result=RESULT, clusters=CLUSTERS):
    return list(unreconciled(result, SALES, INTERNAL_STORES, clusters))


def at(category, store):
    return (pl.col("category") == category) & (pl.col("store_nbr") == store)


def test_rejects_within_the_bound_pass():
    assert list(rejected_too_much("internal", "sales", QUALITY, 0.06)) == []


def test_rejects_past_the_bound_name_the_reasons_that_carry_most_first():
    (fault,) = rejected_too_much("internal", "sales", QUALITY, 0.05)
    assert "internal: 6.00% of sales were rejected" in fault
    assert "unmapped_sku (45 sales), null_sku (10 sales), null_store (5 sales)." in fault


def test_the_external_source_is_judged_by_rows():
    (fault,) = rejected_too_much("external", "rows", QUALITY, 0.05)
    assert "null_sales (500 rows), null_sku (90 rows), unmapped_sku (3 rows)." in fault


def test_sales_by_category_are_the_sales_that_were_read():
    assert list(unmatched_money(SALES, QUALITY)) == []
    lost = list(unmatched_money(SALES.head(2), QUALITY))
    assert lost == [
        "mapped_sales add up to 840.00 by category, but 940.00 were read",
        "total_sales add up to 885.00 by category, but 985.00 were read",
    ]


def test_a_complete_result_reconciles():
    assert faults() == []


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (
            RESULT.filter(~at("A", 3)),
            "1 rows are missing from the result; the first is store 3 of 'A'",
        ),
        (
            pl.concat(
                [
                    RESULT,
                    RESULT.filter(at("B", 2)).with_columns(store_nbr=pl.lit(9, pl.Int64)),
                ]
            ),
            "1 rows are in the result but in no input; the first is store 9 of 'B'",
        ),
        (
            RESULT.with_columns(
                internal_cluster=pl.when(at("A", 2)).then(1).otherwise("internal_cluster")
            ).cast({"internal_cluster": pl.Int32}),
            "1 internal clusters differ from the clustering; the first is store 2 of 'A'",
        ),
        (
            RESULT.with_columns(
                external_cluster=pl.when(at("B", 3)).then(2).otherwise("external_cluster")
            ).cast({"external_cluster": pl.Int32}),
            "external clusters of 1 categories are those of no view of the clustering; the first",
        ),
        (
            # Not known by the view, and not said to be inferred.
            RESULT.with_columns(
                external_cluster=pl.when(at("B", 2)).then(1).otherwise("external_cluster")
            ).cast({"external_cluster": pl.Int32}),
            "external clusters of 1 categories are those of no view of the clustering; the first",
        ),
        (
            RESULT.with_columns(
                demand_cluster=pl.when(at("B", 1)).then(None).otherwise("demand_cluster")
            ),
            "1 rows have a demand cluster exactly if they are excluded; the first is store 1",
        ),
    ],
)
def test_what_does_not_reconcile_is_named(result, message):
    (fault,) = faults(result)
    assert message in fault


def with_a_set(**cluster_of_store):
    """The clusters with one more external view, that of a feature set."""
    rows = {int(name.removeprefix("store_")): cluster for name, cluster in cluster_of_store.items()}
    view = pl.DataFrame(
        {"view": ["traffic"] * len(rows), "store_nbr": list(rows), "cluster": list(rows.values())},
        schema_overrides={"cluster": pl.Int32},
    )
    return CLUSTERS | {"external": pl.concat([CLUSTERS["external"], view])}


def test_each_category_may_have_the_external_clusters_of_another_view():
    # Of B, store 1 is in cluster 2 of the set, and store 3 is not in it.
    result = RESULT.with_columns(
        external_cluster=pl.when(at("B", 1))
        .then(2)
        .when(at("B", 3))
        .then(None)
        .otherwise("external_cluster")
    ).cast({"external_cluster": pl.Int32})
    assert faults(result, with_a_set(store_1=2)) == []
    # A mixture of two views is no view.
    assert len(faults(result, with_a_set(store_1=2, store_3=2))) == 1


def test_a_store_that_only_an_unused_view_knows_must_be_in_the_result():
    (fault,) = faults(clusters=with_a_set(store_9=1))
    assert fault.startswith("2 rows are missing from the result; the first is store 9 of 'A'")
