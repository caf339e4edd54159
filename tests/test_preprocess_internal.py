"""Shares, totals, reason codes and reports of internal preprocessing, from raw files to outputs."""

import json
import logging
import random
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from preprocess_internal import main

SALES = ["SKU_NBR", "STORE_NBR", "CAT_DSC", "TOTAL_SALES"]
MAP = ["PRODUCT_ID", "NEED_STATE", "CATEGORY"]
OUTPUTS = {
    "features": "features.parquet",
    "sales_by_category": "sales_by_category.parquet",
    "stores": "stores.parquet",
    "half_features": "half_features.parquet",
    "half_sales": "half_sales.parquet",
    "need_state_sales": "need_states.csv",
    "input_quality": "input_quality.json",
    "rejected_sales": "rejected/sales.parquet",
    "rejected_need_states": "rejected/need_states.parquet",
}


def write_file(path, content, columns):
    if isinstance(content, bytes):
        path.write_bytes(content)
        return
    frame = content
    if not isinstance(content, pl.DataFrame):
        frame = pl.DataFrame(content, columns, orient="row")
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)


@pytest.fixture
def preprocess(tmp_path):
    """Run `main` on rows, frames or bytes: one table as Parquet, or several by file name."""

    def run(sales, need_states, *, negative_sales="net", min_need_state_share=0.0):
        def write(tables, columns, name):
            files = tables if isinstance(tables, dict) else {f"{name}.parquet": tables}
            for file, content in files.items():
                write_file(tmp_path / file, content, columns)
            return [str(tmp_path / file) for file in files]

        outputs = {name: str(tmp_path / "results" / file) for name, file in OUTPUTS.items()}
        main(
            write(sales, SALES, "sales"),
            write(need_states, MAP, "map"),
            **outputs,
            settings={
                "negative_sales": negative_sales,
                "min_need_state_share": min_need_state_share,
            },
        )
        return SimpleNamespace(
            bytes={name: Path(path).read_bytes() for name, path in outputs.items()},
            features=pl.read_parquet(outputs["features"]),
            by_category=pl.read_parquet(outputs["sales_by_category"]),
            stores=pl.read_parquet(outputs["stores"])["store_nbr"].to_list(),
            half_features=pl.read_parquet(outputs["half_features"]),
            half_sales=pl.read_parquet(outputs["half_sales"]),
            need_states=pl.read_csv(outputs["need_state_sales"]),
            quality=json.loads(Path(outputs["input_quality"]).read_text(encoding="utf-8")),
            rejected=pl.read_parquet(outputs["rejected_sales"]),
            rejected_map=pl.read_parquet(outputs["rejected_need_states"]),
        )

    return run


def shares(result, store, view="A"):
    rows = result.features.filter(pl.col("store_nbr") == store, pl.col("view") == view)
    return dict(rows.select("feature", "value").iter_rows())


TWO_NEED_STATES = [(1, "X", None), (2, "Y", None)]


# ---- the oracle -----------------------------------------------------------------------------

CATEGORIES = ["HAND & BODY/LOTION", "ACNE/HSC", "Crème", " crème", "", "  ", None]


def dirty_sales(rng, rows):
    def pick(common, rare):
        return rng.choice(rare) if rng.random() < 0.06 else rng.choice(common)

    def number():
        return f"{rng.choice([1, 1, 1, 1, -1]) * rng.randint(0, 5000) / 100:.2f}"

    return [
        (
            pick([str(n) for n in range(1, 19)], ["0", "-4", "2.5", None, "900"]),
            pick([str(n) for n in range(1, 9)], ["0", "-4", "2.5", None, "77"]),
            pick(CATEGORIES[:4], CATEGORIES),
            pick([number()], [None, "nan", "inf", "-inf", "1e13", "-2.5e300", "-900"]),
        )
        for _ in range(rows)
    ]


def textual(rng, rows):
    """Write some values as text alone can: padded, signed, or no number at all."""
    changes = [lambda text: f" {text} ", lambda text: f"00{text}", lambda text: f"{text}.0"]

    def change(text):
        if text is None or not text.isdigit() or rng.random() < 0.7:
            return "x7" if rng.random() < 0.02 else text
        return rng.choice(changes)(text)

    return [
        (change(sku), change(store), cat, "12 USD" if rng.random() < 0.02 else sales)
        for sku, store, cat, sales in rows
    ]


def dirty_map(rng):
    names = ["WHITENING", "Kids", "SENSITIVE GUMS", "ÉCLAT", "OTHER", "travel"]
    rows = []
    for product in range(1, 17):
        for name in rng.sample(names, rng.choice([1, 1, 2, 3])):
            category = rng.choice([None, " ", "acne/hsc", "Crème ", "HAND & BODY/LOTION"])
            spellings = rng.sample([name, name.lower(), f"  {name.upper()} "], 2)
            rows += [(str(product), spelling, category) for spelling in spellings]
    rows += [(None, "KIDS", None), ("17", " ", None), ("17", None, None), ("1.5", "KIDS", None)]
    rng.shuffle(rows)
    return rows


ORACLE = r"""
CREATE TABLE map_rows AS SELECT *, CASE
    WHEN coalesce(trim(product), '') = '' THEN 'null_product'
    WHEN NOT coalesce(try_cast(product AS DOUBLE) > 0
                      AND try_cast(product AS DOUBLE) % 1 = 0, false) THEN 'invalid_product'
    WHEN coalesce(trim(need_state), '') = '' THEN 'null_need_state' END AS reason FROM raw_map;
CREATE TABLE map AS SELECT DISTINCT try_cast(product AS DOUBLE)::BIGINT AS sku,
    upper(trim(need_state)) AS need_state FROM map_rows WHERE reason IS NULL;
CREATE TABLE typed AS SELECT *, try_cast(trim(raw_sku) AS DOUBLE) AS d_sku,
    try_cast(trim(raw_store) AS DOUBLE) AS d_store, try_cast(trim(raw_amount) AS DOUBLE) AS d
    FROM raw_sales;
CREATE TABLE judged AS SELECT
    CASE WHEN d_store > 0 AND d_store % 1 = 0 THEN d_store::BIGINT END AS store,
    CASE WHEN d_sku > 0 AND d_sku % 1 = 0 THEN d_sku::BIGINT END AS sku,
    nullif(trim(raw_category), '') IS NOT NULL AS has_category, raw_category AS category,
    CASE WHEN isfinite(d) AND abs(d) < 9e12 THEN round(d * 100)::HUGEINT END AS cents,
    raw_store, raw_sku, raw_amount, d FROM typed;
CREATE TABLE sales AS SELECT *, CASE
    WHEN coalesce(trim(raw_store), '') = '' THEN 'null_store'
    WHEN store IS NULL THEN 'invalid_store'
    WHEN coalesce(trim(raw_sku), '') = '' THEN 'null_sku'
    WHEN sku IS NULL THEN 'invalid_sku'
    WHEN NOT has_category THEN 'null_category'
    WHEN coalesce(trim(raw_amount), '') = '' THEN 'null_sales'
    WHEN d IS NULL THEN 'invalid_sales'
    WHEN NOT isfinite(d) THEN 'non_finite_sales'
    WHEN cents IS NULL THEN 'too_large_sales'
    WHEN cents < 0 AND $rejecting THEN 'negative_sales'
    WHEN sku NOT IN (SELECT sku FROM map) THEN 'unmapped_sku' END AS reason FROM judged;
CREATE TABLE netted AS WITH n AS (SELECT sku, count(*) AS n FROM map GROUP BY sku)
    SELECT category, store, need_state, sum(cents * 6 // n) AS v
    FROM sales JOIN map USING (sku) JOIN n USING (sku) WHERE reason IS NULL GROUP BY ALL;
CREATE TABLE cells AS SELECT category, store, need_state, greatest(v, 0) AS v FROM netted;
CREATE TABLE chain AS SELECT *, sales * 1.0::DOUBLE / nullif(sum(sales) OVER (
    PARTITION BY category), 0) AS share FROM
    (SELECT category, need_state, sum(v) AS sales FROM cells GROUP BY ALL);
CREATE TABLE pooled AS SELECT category, store, v, CASE WHEN share < $least THEN 'OTHER'
    ELSE need_state END AS feature FROM cells JOIN chain USING (category, need_state);
"""


def oracle(sales, need_states, settings):
    """Answer every question from the raw text alone, in SQL."""
    db = duckdb.connect()
    db.execute(
        "CREATE TABLE raw_sales (raw_sku TEXT, raw_store TEXT, raw_category TEXT, raw_amount TEXT)"
    )
    db.execute("CREATE TABLE raw_map (product TEXT, need_state TEXT, category TEXT)")
    db.executemany("INSERT INTO raw_sales VALUES (?, ?, ?, ?)", sales)
    db.executemany("INSERT INTO raw_map VALUES (?, ?, ?)", need_states)
    rejecting = "true" if settings["negative_sales"] == "reject" else "false"
    script = ORACLE.replace("$rejecting", rejecting)
    db.execute(script.replace("$least", str(settings["min_need_state_share"])))
    return db


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "settings",
    [
        {"negative_sales": "net", "min_need_state_share": 0.0},
        {"negative_sales": "net", "min_need_state_share": 0.15},
        {"negative_sales": "reject", "min_need_state_share": 0.15},
    ],
)
def test_shares_totals_and_reasons_equal_an_independent_computation(preprocess, seed, settings):
    rng = random.Random(seed)  # noqa: S311  (dirt, not secrets)
    numeric, text = dirty_sales(rng, 500), textual(rng, dirty_sales(rng, 500))
    mixed = dirty_sales(rng, 500)
    need_states = dirty_map(rng)
    as_text = dict.fromkeys(SALES, pl.String)

    def numbers(rows):
        return pl.DataFrame(rows, as_text, orient="row").with_columns(
            pl.col("SKU_NBR", "STORE_NBR").cast(pl.Float64)
        )

    result = preprocess(
        {
            "numbers.parquet": numbers(numeric).cast({"TOTAL_SALES": pl.Float64}),
            "text.csv": pl.DataFrame(text, as_text, orient="row"),
            "mixed.parquet": numbers(mixed),
        },
        {"map_1.csv": need_states[::2], "map_2.parquet": need_states[1::2]},
        **settings,
    )
    db = oracle(numeric + text + mixed, need_states, settings)

    features = db.sql(
        """WITH stores AS (SELECT category, store, sum(v) AS total FROM pooled GROUP BY ALL
               HAVING total > 0),
             found AS (SELECT category, store, feature, sum(v) AS v FROM pooled GROUP BY ALL)
           SELECT category AS view, store AS store_nbr, feature,
               coalesce(v, 0)::DOUBLE / total::DOUBLE AS value
           FROM stores JOIN (SELECT DISTINCT category, feature FROM pooled) USING (category)
               LEFT JOIN found USING (category, store, feature)"""
    ).pl()
    assert features.height > 50
    assert_frame_equal(
        result.features,
        features.sort("view", "store_nbr", "feature"),
        abs_tol=1e-15,
        rel_tol=1e-14,
    )
    by_category = db.sql(
        """SELECT category, store AS store_nbr,
               coalesce(sum(cents) FILTER (reason IS NULL OR reason = 'unmapped_sku'), 0)::DOUBLE
                   / 100 AS total_sales,
               coalesce(sum(cents) FILTER (reason IS NULL), 0)::DOUBLE / 100 AS mapped_sales
           FROM sales WHERE has_category AND store IS NOT NULL GROUP BY ALL"""
    ).pl()
    assert_frame_equal(
        result.by_category, by_category.sort("category", "store_nbr"), check_exact=True
    )
    stores = db.sql("SELECT DISTINCT store FROM sales WHERE store IS NOT NULL ORDER BY 1")
    assert result.stores == [store for (store,) in stores.fetchall()]

    found = result.quality["sales"]
    reasons = db.sql(
        """SELECT reason, count(*), coalesce(sum(cents), 0)::DOUBLE / 100 FROM sales
           WHERE reason IS NOT NULL GROUP BY ALL"""
    ).fetchall()
    assert len(reasons) >= 10
    assert found["reasons"] == {code: {"rows": n, "sales": sales} for code, n, sales in reasons}
    accepted, rejected, total, rejected_sales, share = db.sql(
        """SELECT count(*) FILTER (reason IS NULL), count(reason), sum(cents)::DOUBLE / 100,
               sum(cents) FILTER (reason IS NOT NULL)::DOUBLE / 100,
               sum(abs(cents)) FILTER (reason IS NOT NULL) / sum(abs(cents)) FROM sales"""
    ).fetchall()[0]
    assert (found["accepted_rows"], found["rejected_rows"]) == (accepted, rejected)
    assert found["rows"] == accepted + rejected == 1500
    assert (found["total_sales"], found["rejected_sales"]) == (total, rejected_sales)
    assert found["rejected_share"] == pytest.approx(share, rel=1e-12)
    counted = result.rejected.group_by("reason").agg(pl.len(), pl.col("sales").sum().round(6))
    assert sorted(counted.iter_rows()) == sorted(reasons)

    map_reasons = db.sql(
        "SELECT reason, count(*) FROM map_rows WHERE reason IS NOT NULL GROUP BY 1"
    )
    of_map = result.quality["need_states"]
    assert of_map["reasons"] == {code: {"rows": n} for code, n in map_reasons.fetchall()}
    assert of_map["accepted_rows"] + of_map["rejected_rows"] == of_map["rows"] == len(need_states)
    assert result.rejected_map.height == of_map["rejected_rows"] == 4

    cells, money = db.sql(
        "SELECT count(*), coalesce(sum(v), 0)::DOUBLE / 600 FROM netted WHERE v < 0"
    ).fetchall()[0]
    assert result.quality["zeroed"]["cells"] == cells
    assert result.quality["zeroed"]["sales"] == pytest.approx(money, rel=1e-12)
    assert (cells > 0) == (settings["negative_sales"] == "net")

    rare = db.execute(
        """SELECT category, need_state FROM chain WHERE share < ? AND need_state <> 'OTHER'
           ORDER BY ALL""",
        [settings["min_need_state_share"]],
    ).fetchall()
    pooled = result.quality["pooled_need_states"]
    assert sorted((c, name) for c, names in pooled.items() for name in names) == sorted(rare)
    assert bool(rare) == (settings["min_need_state_share"] > 0)
    chain = db.sql(
        "SELECT category, need_state, sales::DOUBLE / 600 AS sales, share FROM chain"
    ).pl()
    assert_frame_equal(
        result.need_states.drop("pooled"),
        chain.sort("category", "need_state"),
        abs_tol=6e-7,
        rel_tol=1e-14,
    )
    marked = result.need_states.filter("pooled").select("category", "need_state").rows()
    assert sorted(marked) == sorted(rare)

    disagreeing = db.sql(
        """WITH said AS (SELECT try_cast(product AS DOUBLE)::BIGINT AS sku,
               list(DISTINCT upper(trim(category))) AS names FROM map_rows
               WHERE reason IS NULL AND nullif(trim(category), '') IS NOT NULL GROUP BY 1)
           SELECT count(DISTINCT sku) FROM sales JOIN said USING (sku)
           WHERE reason IS NULL AND NOT list_contains(names, upper(trim(category)))"""
    ).fetchall()[0]
    assert result.quality["category_disagreements"]["products"] == disagreeing[0] > 0

    without = db.sql(
        """SELECT category, count(*) FROM (
               SELECT DISTINCT category, store FROM sales WHERE has_category AND store IS NOT NULL
               EXCEPT SELECT category, store FROM pooled GROUP BY ALL HAVING sum(v) > 0)
           GROUP BY 1"""
    ).fetchall()
    assert result.quality["stores_without_sales"] == dict(without)


# ---- shares, by hand ------------------------------------------------------------------------


def test_a_product_is_split_evenly_over_distinct_need_states_whatever_rows_repeat(preprocess):
    result = preprocess(
        [(1, 5, "A", 2.0)] * 3 + [(2, 5, "A", 6.0)],
        [(1, "x", None), (1, " X ", None), (1, "Y", None), (2, "Y", None), (2, "y", None)],
    )
    # product 1: 6 over X and Y, 3 each; product 2: 6 for Y.
    assert shares(result, 5) == {"X": 0.25, "Y": 0.75}


def test_a_store_has_a_zero_for_every_need_state_of_the_category_that_it_does_not_sell(preprocess):
    result = preprocess(
        [(1, 5, "A", 2.0), (2, 6, "A", 3.0), (3, 6, "B", 1.0)], [*TWO_NEED_STATES, (3, "Z", None)]
    )
    assert shares(result, 5) == {"X": 1.0, "Y": 0.0}
    assert shares(result, 6, "B") == {"Z": 1.0}
    assert result.features.height == 5


def test_refunds_are_netted_before_a_need_state_below_zero_counts_as_zero(preprocess):
    result = preprocess(
        [
            (1, 5, "A", 10.0),
            (1, 5, "A", -4.0),
            (2, 5, "A", 1.0),
            (2, 5, "A", -3.5),
            (3, 5, "A", 2.0),
        ],
        [*TWO_NEED_STATES, (3, "Z", None)],
    )
    assert shares(result, 5) == {"X": 0.75, "Y": 0.0, "Z": 0.25}
    assert result.quality["zeroed"] == {"cells": 1, "sales": -2.5}
    assert result.by_category["mapped_sales"].to_list() == [5.5]


def test_negative_rows_are_rejected_with_their_money_if_the_setting_says_so(preprocess):
    result = preprocess(
        [(1, 5, "A", 10.0), (1, 5, "A", -4.0), (2, 5, "A", 10.0), (9, 5, "A", -1.0)],
        TWO_NEED_STATES,
        negative_sales="reject",
    )
    assert shares(result, 5) == {"X": 0.5, "Y": 0.5}
    assert result.quality["sales"]["reasons"] == {"negative_sales": {"rows": 2, "sales": -5.0}}
    assert result.quality["sales"]["rejected_share"] == 5 / 25
    assert result.by_category["total_sales"].to_list() == [20.0]


def test_negative_rows_are_an_error_that_names_file_count_and_first_row(preprocess):
    files = {
        "first.csv": [(1, 5, "A", 10.0)],
        "second.csv": [(1, 5, "A", 1.0), (2, 6, "A", -4.25), (2, 7, "A", -1.0)],
    }
    with pytest.raises(
        ValueError, match=r"second\.csv: TOTAL_SALES is negative in 2 rows, first -4\.25 .* 2,.* 6,"
    ):
        preprocess(files, TWO_NEED_STATES, negative_sales="error")


def test_without_negative_rows_the_error_setting_changes_nothing(preprocess):
    sales = [(1, 5, "A", 10.0), (2, 5, "A", 10.0)]
    strict = preprocess(sales, TWO_NEED_STATES, negative_sales="error")
    assert strict.bytes == preprocess(sales, TWO_NEED_STATES).bytes


def test_only_need_states_strictly_below_the_bound_are_pooled_and_join_a_real_other(preprocess):
    result = preprocess(
        [(1, 5, "A", 80.0), (2, 5, "A", 10.0), (3, 5, "A", 9.0), (4, 6, "A", 1.0)],
        [(1, "X", None), (2, "Y", None), (3, "Z", None), (4, "other", None)],
        min_need_state_share=0.1,
    )
    # Y holds exactly a tenth and stays; OTHER holds Z's 9 and its own 1.
    assert shares(result, 5) == {"OTHER": 9 / 99, "X": 80 / 99, "Y": 10 / 99}
    assert shares(result, 6) == {"OTHER": 1.0, "X": 0.0, "Y": 0.0}
    assert result.quality["pooled_need_states"] == {"A": ["Z"]}
    assert result.need_states.rows() == [
        ("A", "OTHER", 1.0, 0.01, False),
        ("A", "X", 80.0, 0.8, False),
        ("A", "Y", 10.0, 0.1, False),
        ("A", "Z", 9.0, 0.09, True),
    ]


def test_need_states_are_pooled_by_what_remains_after_zeroing(preprocess):
    # Netted over the chain Y is 10 - 9.5; zeroed store by store it keeps 10 of 110.
    result = preprocess(
        [(1, 5, "A", 100.0), (2, 5, "A", 10.0), (2, 6, "A", -9.5), (1, 6, "A", 0.0)],
        TWO_NEED_STATES,
        min_need_state_share=0.05,
    )
    assert shares(result, 5) == {"X": 100 / 110, "Y": 10 / 110}


def test_a_store_that_sells_nothing_in_a_category_is_counted_and_has_no_shares(preprocess):
    result = preprocess(
        [
            (1, 5, "A", 10.0),
            (1, 6, "A", 3.0),
            (1, 6, "A", -3.0),
            (9, 7, "A", 4.0),
            (1, 8, "A", None),
            (1, 9, None, 4.0),
            (9, 5, "B", 2.0),
        ],
        TWO_NEED_STATES,
    )
    assert result.features["store_nbr"].to_list() == [5]
    assert result.stores == [5, 6, 7, 8, 9]
    assert result.by_category.rows() == [
        ("A", 5, 10.0, 10.0),
        ("A", 6, 0.0, 0.0),
        ("A", 7, 4.0, 0.0),
        ("A", 8, 0.0, 0.0),
        ("B", 5, 2.0, 0.0),
    ]
    assert result.quality["stores_without_sales"] == {"A": 3, "B": 1}


def test_thirds_halves_and_wholes_that_cancel_leave_exactly_nothing(preprocess):
    # X: 1/2 - 1/3 - 1/6 = 0, which floating point makes 5.6e-17.
    result = preprocess(
        [(1, 5, "A", 1.0), (2, 5, "A", -1.0), (3, 5, "A", -1.0), (4, 5, "A", 5.0)],
        [
            *[(1, name, None) for name in "XA"],
            *[(2, name, None) for name in "XAB"],
            *[(3, name, None) for name in "XABCDE"],
            (4, "F", None),
        ],
    )
    assert shares(result, 5)["X"] == 0.0
    assert result.quality["zeroed"]["cells"] == 4


def test_products_with_need_states_in_too_many_different_numbers_are_refused(preprocess):
    primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79]
    with pytest.raises(ValueError, match="a product has up to 79 need states"):
        preprocess(
            [(prime, 5, "A", 1000.0) for prime in primes],
            [(prime, f"N{n}", None) for prime in primes for n in range(prime)],
        )


# ---- raw rows -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, None, None, None), "null_store"),
        ((None, "1.5", None, None), "invalid_store"),
        ((None, "5", None, None), "null_sku"),
        (("-1", "5", None, None), "invalid_sku"),
        (("9", "5", " ", None), "null_category"),
        (("9", "5", "A", " "), "null_sales"),
        (("9", "5", "A", "1,5"), "invalid_sales"),
        (("9", "5", "A", "NaN"), "non_finite_sales"),
        (("9", "5", "A", "-inf"), "non_finite_sales"),
        (("9", "5", "A", "9223372036855"), "too_large_sales"),
        (("9", "5", "A", "-1"), "negative_sales"),
        (("9", "5", "A", "1"), "unmapped_sku"),
    ],
)
def test_the_first_fault_of_a_row_is_its_reason(preprocess, row, reason):
    result = preprocess([("1", "5", "A", "1"), row], TWO_NEED_STATES, negative_sales="reject")
    assert result.rejected.drop("file", "sales").rows() == [(*row, reason)]
    assert result.quality["sales"]["reasons"].keys() == {reason}


@pytest.mark.parametrize("dtype", [pl.Boolean, pl.Null])
def test_a_column_of_another_type_holds_no_amounts(preprocess, dtype):
    other = pl.DataFrame({"SKU_NBR": [1], "STORE_NBR": [5], "CAT_DSC": ["A"]}).with_columns(
        pl.lit(1 if dtype == pl.Boolean else None).cast(dtype).alias("TOTAL_SALES")
    )
    result = preprocess({"a.parquet": [(1, 5, "A", 1.0)], "b.parquet": other}, TWO_NEED_STATES)
    expected = "invalid_sales" if dtype == pl.Boolean else "null_sales"
    assert result.rejected["reason"].to_list() == [expected]


def test_numbers_and_text_of_any_type_mean_the_same(preprocess):
    rows = pl.DataFrame([(1, 5, "A", 4), (2, 5, "A", 12)], SALES, orient="row")
    result = preprocess(
        {
            "text.csv": rows,
            "whole.parquet": rows.cast({"SKU_NBR": pl.UInt8, "STORE_NBR": pl.Int32}),
            "float.parquet": rows.cast({"SKU_NBR": pl.Float32, "TOTAL_SALES": pl.Float32}),
            "decimal.parquet": rows.cast({"TOTAL_SALES": pl.Decimal(12, 2)}),
            "levels.parquet": rows.cast(pl.String).cast(pl.Categorical),
            "binary.parquet": rows.cast(pl.String).cast(pl.Binary),
        },
        TWO_NEED_STATES,
    )
    assert result.quality["sales"]["accepted_rows"] == 12
    assert result.by_category.rows() == [("A", 5, 96.0, 96.0)]
    assert shares(result, 5) == {"X": 0.25, "Y": 0.75}


def test_columns_are_found_in_any_case_and_others_are_ignored(preprocess):
    sales = pl.DataFrame(
        {"week": [1], "Total_Sales": [1.0], "cat_dsc": ["A"], "Sku_Nbr": [1], "STORE_NBR": [5]}
    )
    need_states = pl.DataFrame({"need_state": ["X"], "Cdt": ["-"], "Product_Id": ["1"]})
    assert shares(preprocess(sales, need_states), 5) == {"X": 1.0}


def test_a_missing_column_is_an_error_that_names_file_and_column(preprocess):
    sales = pl.DataFrame({"SKU_NBR": [1], "STORE_NBR": [5], "CAT_DSC": ["A"]})
    with pytest.raises(ValueError, match=r"sales\.parquet: column TOTAL_SALES is missing"):
        preprocess(sales, TWO_NEED_STATES)


@pytest.mark.parametrize(
    "line", [b"1,5,Cr\xe8me,2", b"1,5,A,2,9"], ids=["not UTF-8", "a field too many"]
)
@pytest.mark.parametrize("broken", ["sales", "map"])
def test_of_several_files_the_unreadable_one_is_named(preprocess, line, broken):
    header = SALES if broken == "sales" else [*MAP, "CDT"]
    files = {
        "sales": {"sales.csv": [(1, 5, "A", 1)]},
        "map": {"map.csv": [(1, "X", "A")]},
    }
    files[broken]["bad.csv"] = ",".join(header).encode() + b"\n" + line + b"\n"
    with pytest.raises(ValueError, match=r"bad\.csv: cannot be read"):
        preprocess(files["sales"], files["map"])


def test_a_single_file_may_be_named_as_text(tmp_path):
    sales, need_states = str(tmp_path / "sales.csv"), str(tmp_path / "map.csv")
    pl.DataFrame([(1, 5, "A", 4)], SALES, orient="row").write_csv(sales)
    pl.DataFrame([(1, "X", "A")], MAP, orient="row").write_csv(need_states)
    outputs = {name: str(tmp_path / file) for name, file in OUTPUTS.items()}
    settings = {"negative_sales": "net", "min_need_state_share": 0.0}
    main(sales, need_states, **outputs, settings=settings)
    quality = json.loads(Path(outputs["input_quality"]).read_text(encoding="utf-8"))
    assert quality["source"] == "internal"
    assert quality["sales"]["files"] == [sales]
    assert quality["need_states"]["files"] == [need_states]


def test_no_accepted_row_is_an_error_that_counts_the_reasons(preprocess):
    sales = [(9, 5, "A", 1.0), (8, 5, "A", 1.0), (None, 5, "A", 1.0)]
    with pytest.raises(ValueError, match=r"none of 3 rows.*null_sku.*1.*unmapped_sku.*2"):
        preprocess(sales, TWO_NEED_STATES)


def test_categories_are_kept_as_they_are(preprocess):
    names = ["ACNE/HSC", "Crème", "HAND & BODY/LOTION", "crème ", " A"]
    result = preprocess([(1, 5, name, 1.0) for name in names], TWO_NEED_STATES)
    assert result.features["view"].to_list() == sorted(names)


def test_rejected_rows_are_listed_as_they_stand_in_the_order_of_the_files(preprocess, tmp_path):
    result = preprocess(
        {
            "b.csv": [("07", "x", "A", "1.50"), ("1", "5", "A", "2")],
            "a.parquet": [(7.5, 5, "A", 3.0), (1, 5, "A", float("nan"))],
        },
        {"m.csv": [*TWO_NEED_STATES, (None, "X", None), ("1", " ", "B")]},
    )
    assert result.rejected.rows() == [
        (str(tmp_path / "b.csv"), "07", "x", "A", "1.50", 1.5, "invalid_store"),
        (str(tmp_path / "a.parquet"), "7.5", "5", "A", "3.0", 3.0, "invalid_sku"),
        (str(tmp_path / "a.parquet"), "1.0", "5", "A", "NaN", None, "non_finite_sales"),
    ]
    assert result.rejected_map.rows() == [
        (str(tmp_path / "m.csv"), None, "X", None, "null_product"),
        (str(tmp_path / "m.csv"), "1", " ", "B", "null_need_state"),
    ]


def test_clean_inputs_leave_empty_files_of_rejected_rows_with_all_columns(preprocess):
    dirty = preprocess([(1, 5, "A", 1.0), (9, 5, "A", 1.0)], [*TWO_NEED_STATES, (None, "X", None)])
    clean = preprocess([(1, 5, "A", 1.0)], TWO_NEED_STATES)
    assert clean.rejected.is_empty()
    assert clean.rejected.schema == dirty.rejected.schema
    assert clean.rejected_map.is_empty()
    assert clean.rejected_map.schema == dirty.rejected_map.schema


def test_a_category_that_disagrees_with_the_map_is_reported_and_not_obeyed(preprocess):
    result = preprocess(
        [(1, 5, "A", 1.0), (2, 5, "a ", 1.0), (3, 5, "A", 1.0), (4, 6, "A", 1.0), (9, 6, "A", 1.0)],
        [(1, "X", "B"), (1, "Y", " "), (2, "X", " A"), (3, "X", ""), (4, "X", "B"), (4, "X", "a")],
    )
    assert result.quality["category_disagreements"] == {
        "products": 1,
        "examples": [{"sku_nbr": 1, "category": "A", "map_categories": ["B"]}],
    }
    assert result.features["view"].unique().sort().to_list() == ["A", "a "]


# ---- halves ---------------------------------------------------------------------------------


WEEKLY = [*SALES, "WEEK"]


def half_shares(result, half, store, view="A"):
    rows = result.half_features.filter(half=half, store_nbr=store, view=view)
    return dict(rows.select("feature", "value").iter_rows())


def weekly(rows):
    return pl.DataFrame(rows, WEEKLY, orient="row")


HALF_ORACLE = """
CREATE VIEW found AS SELECT category, store, feature, sum(v) AS v
    FROM cells JOIN names USING (category, need_state) GROUP BY ALL;
CREATE VIEW stores AS SELECT category, store, sum(v) AS total FROM found GROUP BY ALL
    HAVING total > 0;
CREATE VIEW shares AS SELECT category AS view, store AS store_nbr, feature,
        coalesce(v, 0)::DOUBLE / total::DOUBLE AS value
    FROM stores JOIN (SELECT DISTINCT category, feature FROM names) USING (category)
        LEFT JOIN found USING (category, store, feature) ORDER BY 1, 2, 3;
CREATE VIEW weights AS SELECT category AS view, store AS store_nbr,
        sum(cents)::DOUBLE / 100 AS mapped_sales
    FROM sales WHERE reason IS NULL GROUP BY ALL ORDER BY 1, 2;
"""


def accepted_rows(db):
    return db.sql("SELECT count(*) FROM sales WHERE reason IS NULL").fetchall()[0][0]


@pytest.mark.parametrize(
    "settings",
    [
        {"negative_sales": "net", "min_need_state_share": 0.15},
        {"negative_sales": "reject", "min_need_state_share": 0.0},
    ],
)
def test_shares_and_sales_of_halves_equal_an_independent_computation(preprocess, settings):
    rng = random.Random(7)  # noqa: S311  (dirt, not secrets)
    numbers, text = dirty_sales(rng, 600), textual(rng, dirty_sales(rng, 600))
    total = dirty_sales(rng, 200)
    need_states = dirty_map(rng)
    weeks = [rng.choice([*range(1, 9), None]) for _ in range(1200)]
    # Week 0 begins on Monday 1970-01-05; the text says any day of a week.
    days = [
        week and str(date(1970, 1, 5) + timedelta(days=7 * week + rng.randint(0, 6)))
        for week in weeks
    ]
    as_text = dict.fromkeys(SALES, pl.String)
    result = preprocess(
        {
            "numbers.parquet": pl.DataFrame(numbers, as_text, orient="row").with_columns(
                pl.col("SKU_NBR", "STORE_NBR").cast(pl.Float64), week=pl.Series(weeks[:600])
            ),
            "text.csv": pl.DataFrame(text, as_text, orient="row").with_columns(
                Week=pl.Series(days[600:])
            ),
            "total.csv": pl.DataFrame(total, as_text, orient="row"),
        },
        need_states,
        **settings,
    )

    whole = oracle(numbers + text + total, need_states, settings)
    rare = pl.col("share") < settings["min_need_state_share"]
    feature = pl.when(rare).then(pl.lit("OTHER")).otherwise("need_state")
    names = whole.table("chain").pl().select("category", "need_state", feature=feature)
    rows = list(zip(numbers + text, weeks, strict=True))
    counted = {
        "unreadable_week": [row for row, week in rows if week is None],
        "file_without_weeks": total,
    }
    counted = {
        name: accepted_rows(oracle(left, need_states, settings)) for name, left in counted.items()
    }
    for half, name in ((1, "first_half"), (2, "second_half")):
        of_half = [row for row, week in rows if week and week % 2 == half % 2]
        db = oracle(of_half, need_states, {**settings, "min_need_state_share": 0.0})
        db.register("names", names)
        db.execute(HALF_ORACLE)
        shares, weights = (db.table(table).pl() for table in ("shares", "weights"))
        assert shares.height > 50
        found = result.half_features.filter(half=half).drop("half")
        assert_frame_equal(found, shares, abs_tol=1e-15, rel_tol=1e-14)
        assert_frame_equal(result.half_sales.filter(half=half).drop("half"), weights)
        counted[name] = accepted_rows(db)
    assert result.quality["halves"] == counted
    assert sum(counted.values()) == accepted_rows(whole)


def test_weeks_change_nothing_but_the_halves(preprocess):
    rng = random.Random(5)  # noqa: S311  (dirt, not secrets)
    sales = pl.DataFrame(dirty_sales(rng, 400), dict.fromkeys(SALES, pl.String), orient="row")
    need_states = dirty_map(rng)
    weeks = pl.Series([rng.choice(["1", "2", "2024-05-01", "?", None]) for _ in range(400)])
    without = preprocess({"sales.csv": sales}, need_states, min_need_state_share=0.15)
    having = preprocess(
        {"sales.csv": sales.with_columns(WEEK=weeks)}, need_states, min_need_state_share=0.15
    )
    assert having.quality.pop("halves") != without.quality.pop("halves")
    assert having.quality == without.quality
    changed = {name for name in OUTPUTS if having.bytes[name] != without.bytes[name]}
    assert changed == {"half_features", "half_sales", "input_quality"}


def test_odd_and_even_weeks_are_the_halves_and_a_store_may_be_in_one_only(preprocess):
    result = preprocess(
        weekly(
            [(1, 5, "A", 1.0, 1), (2, 5, "A", 3.0, 3), (1, 5, "A", 2.0, 2), (2, 6, "A", 4.0, 2)]
        ),
        TWO_NEED_STATES,
    )
    assert half_shares(result, 1, 5) == {"X": 0.25, "Y": 0.75}
    assert half_shares(result, 2, 5) == {"X": 1.0, "Y": 0.0}
    assert half_shares(result, 1, 6) == {}
    assert half_shares(result, 2, 6) == {"X": 0.0, "Y": 1.0}
    assert result.half_sales.rows() == [("A", 1, 5, 4.0), ("A", 2, 5, 2.0), ("A", 2, 6, 4.0)]


def test_need_states_of_halves_are_those_of_the_whole(preprocess):
    # Z is rare in the whole and half of the first half; W is sold in the second alone.
    result = preprocess(
        weekly(
            [
                (1, 5, "A", 2.0, 1),
                (3, 5, "A", 2.0, 1),
                (2, 5, "A", 60.0, 2),
                (4, 5, "A", 36.0, 2),
            ]
        ),
        [*TWO_NEED_STATES, (3, "Z", None), (4, "W", None)],
        min_need_state_share=0.05,
    )
    assert half_shares(result, 1, 5) == {"OTHER": 1.0, "W": 0.0, "Y": 0.0}
    assert half_shares(result, 2, 5) == {"OTHER": 0.0, "W": 36 / 96, "Y": 60 / 96}


def test_a_refund_counts_in_the_half_of_its_own_week(preprocess):
    result = preprocess(
        weekly(
            [(1, 5, "A", 9.0, 1), (2, 5, "A", 3.0, 1), (1, 5, "A", -4.0, 2), (2, 5, "A", 1.0, 2)]
        ),
        TWO_NEED_STATES,
    )
    assert shares(result, 5) == {"X": 5 / 9, "Y": 4 / 9}
    assert half_shares(result, 1, 5) == {"X": 0.75, "Y": 0.25}
    assert half_shares(result, 2, 5) == {"X": 0.0, "Y": 1.0}
    assert result.half_sales["mapped_sales"].to_list() == [12.0, -3.0]
    assert result.quality["zeroed"]["cells"] == 0


def test_rows_of_no_half_count_in_the_whole_and_are_counted(preprocess, caplog):
    with caplog.at_level(logging.INFO):
        result = preprocess(
            {
                "weekly.csv": weekly(
                    [("1", "5", "A", "1", w) for w in ("1", "x", "", "2024-01-08", None)]
                    + [("9", "5", "A", "1", "1")]
                ),
                "total.parquet": [(2, 5, "A", 3.0), (2, 6, "A", 1.0)],
            },
            TWO_NEED_STATES,
        )
    assert shares(result, 5) == {"X": 5 / 8, "Y": 3 / 8}
    assert half_shares(result, 1, 5) == half_shares(result, 2, 5) == {"X": 1.0, "Y": 0.0}
    assert result.half_features["store_nbr"].unique().to_list() == [5]
    assert result.quality["halves"] == {
        "first_half": 1,
        "second_half": 1,
        "unreadable_week": 3,
        "file_without_weeks": 2,
    }
    assert "'unreadable_week': 3" in caplog.text
    assert "no halves" not in caplog.text


@pytest.mark.parametrize("week", [[], ["unknown"]])
def test_without_weeks_the_halves_are_empty_with_all_columns_and_the_log_says_so(
    preprocess, caplog, week
):
    columns = WEEKLY if week else SALES
    with_weeks = preprocess(weekly([(1, 5, "A", 1.0, 1)]), TWO_NEED_STATES)
    with caplog.at_level(logging.INFO):
        result = preprocess(
            pl.DataFrame([(1, 5, "A", 1.0, *week)], columns, orient="row"), TWO_NEED_STATES
        )
    for table in ("half_features", "half_sales"):
        assert getattr(result, table).is_empty()
        assert getattr(result, table).schema == getattr(with_weeks, table).schema
    assert "there are no halves to compare" in caplog.text
    assert shares(result, 5) == {"X": 1.0}


# ---- exactness ------------------------------------------------------------------------------


def test_money_is_summed_exactly_to_the_millionth(preprocess):
    result = preprocess(
        {
            "a.parquet": [(1, 5, "A", 0.1), (1, 5, "A", 0.2)],
            "b.csv": [(1, 6, "A", text) for text in ("4e9", "0.000001", "-4e9")],
        },
        TWO_NEED_STATES,
    )
    assert result.by_category["total_sales"].to_list() == [0.3, 0.000001]


def test_sums_beyond_64_bits_do_not_wrap_around(preprocess):
    result = preprocess([(1, 5, "A", 9e12)] * 4, TWO_NEED_STATES)
    assert result.by_category["total_sales"].to_list() == [3.6e13]
    assert shares(result, 5) == {"X": 1.0}


def test_the_result_is_the_same_bytes_whatever_the_order_of_the_rows(preprocess):
    rng = random.Random(1)  # noqa: S311  (an order, not a secret)
    sales = [
        (rng.randint(1, 20), rng.randint(1, 30), "A", rng.randint(-300, 3000) / 100, n % 5)
        for n in range(3000)
    ]
    need_states = [(n, f"N{n * k % 7}", None) for n in range(1, 20) for k in range(1, 4)]
    results = []
    for _ in range(2):
        results.append(preprocess(weekly(sales), need_states, min_need_state_share=0.12).bytes)
        results[-1].pop("rejected_sales")  # in the order of the files
        rng.shuffle(sales)
        rng.shuffle(need_states)
    assert results[0] == results[1]
