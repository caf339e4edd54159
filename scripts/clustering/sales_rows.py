"""The rows of raw sales: what each says, and the first thing that is wrong with it."""

from collections.abc import Sequence
from typing import Literal

import polars as pl
import polars.selectors as cs

from clustering.identifiers import identifier, is_blank
from clustering.money import amount, exact_sum, millionths, money
from clustering.raw_tables import naming_unreadable, scan_raw
from clustering.weeks import half

RAW_COLUMNS = ("sku_nbr", "store_nbr", "cat_dsc", "total_sales")

SALES_REASONS = pl.Enum(
    [
        "null_store",
        "invalid_store",
        "null_sku",
        "invalid_sku",
        "null_category",
        "null_sales",
        "invalid_sales",
        "non_finite_sales",
        "too_large_sales",
        "negative_sales",
        "unmapped_sku",
    ]
)
"""Why a row of sales is rejected; the first that holds."""

NegativeSales = Literal["net", "reject", "error"]


def scan_sales(
    paths: Sequence[str], products: pl.DataFrame, negative_sales: NegativeSales
) -> pl.LazyFrame:
    """Scan the rows of every sales file, in the order of the files.

    Parameters
    ----------
    paths : sequence of str
        Files whose columns may differ in type: numbers as whole numbers, decimals or text.
    products : polars.DataFrame
        `sku_nbr`, `product_group`: the products that have a need state.
    negative_sales : {"net", "reject", "error"}
        Whether a negative amount is a refund like any other row, or a fault.

    Returns
    -------
    polars.LazyFrame
        `file`; the raw values as text under `raw_` and their name; `store_nbr`, `sku_nbr` (Int64,
        null if not valid), `category` (null if blank, else exactly as it stands), `millionths`
        (Int64, null if the amount cannot be read), `half` (Int8, see `clustering.weeks`),
        `product_group`, `reason` (null for an accepted row).
    """
    rows = pl.concat([_scan_file(path, negative_sales) for path in paths])
    mapped = products.lazy().select("sku_nbr", "product_group")
    return rows.join(mapped, on="sku_nbr", how="left", maintain_order="left").with_columns(
        pl.coalesce(
            "reason", pl.when(pl.col("product_group").is_null()).then(_reason("unmapped_sku"))
        )
    )


def _scan_file(path: str, negative_sales: NegativeSales) -> pl.LazyFrame:
    table = scan_raw(path, RAW_COLUMNS).select(
        cs.by_name(*RAW_COLUMNS) | cs.by_name("week", require_all=False)
    )
    textual = [
        name
        for name, dtype in table.collect_schema().items()
        if dtype in (pl.Categorical, pl.Enum, pl.Binary)
    ]
    table = table.with_columns(pl.col(textual).cast(pl.String))
    dtypes = table.collect_schema()
    sales = amount("total_sales", dtypes["total_sales"])
    category = pl.col("cat_dsc").cast(pl.String)
    store, sku = (identifier(name, dtypes[name]) for name in ("store_nbr", "sku_nbr"))
    faults = {
        "null_store": is_blank("store_nbr", dtypes["store_nbr"]),
        "invalid_store": store.is_null(),
        "null_sku": is_blank("sku_nbr", dtypes["sku_nbr"]),
        "invalid_sku": sku.is_null(),
        "null_category": is_blank("cat_dsc", dtypes["cat_dsc"]),
        "null_sales": is_blank("total_sales", dtypes["total_sales"]),
        "invalid_sales": sales.is_null(),
        "non_finite_sales": ~sales.is_finite(),
        "too_large_sales": millionths(sales).is_null(),
    }
    if negative_sales != "net":
        faults["negative_sales"] = millionths(sales) < 0
    return table.select(
        pl.lit(path).alias("file"),
        pl.col(RAW_COLUMNS).cast(pl.String).name.prefix("raw_"),
        store.alias("store_nbr"),
        sku.alias("sku_nbr"),
        pl.when(~faults["null_category"]).then(category).alias("category"),
        millionths(sales).alias("millionths"),
        half(dtypes.get("week")),
        pl.coalesce(pl.when(fault).then(_reason(name)) for name, fault in faults.items()).alias(
            "reason"
        ),
    )


def _reason(name: str) -> pl.Expr:
    return pl.lit(name, dtype=SALES_REASONS)


def sum_sales(rows: pl.LazyFrame, paths: Sequence[str]) -> pl.DataFrame:
    """Sum the rows of `scan_sales` in one streamed pass.

    The sums are as many as stores x groups of products x halves, however many rows and products
    there are.

    Parameters
    ----------
    rows : polars.LazyFrame
        `category`, `store_nbr`, `product_group`, `half`, `reason`, `millionths`.
    paths : sequence of str
        The files that the rows come from.

    Returns
    -------
    polars.DataFrame
        `category`, `store_nbr`, `product_group`, `half`, `reason`, unique together, each null
        where the rows have none; `rows` (Int64); `millionths`, `absolute` (Int128): the sum of
        the readable amounts, and of their absolute values.

    Raises
    ------
    ValueError
        If a file turns out to be unreadable, naming it.
    """
    sums = rows.group_by("category", "store_nbr", "product_group", "half", "reason").agg(
        pl.len().cast(pl.Int64).alias("rows"),
        exact_sum(pl.col("millionths")),
        exact_sum(pl.col("millionths").abs()).alias("absolute"),
    )
    with naming_unreadable(paths):
        return sums.collect(engine="streaming")


def rejected_rows(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the rejected rows as people read them, in the order of the files.

    Returns
    -------
    polars.LazyFrame
        `file`; `sku_nbr`, `store_nbr`, `cat_dsc`, `total_sales` as text; `sales` (money, null if
        the amount cannot be read); `reason`.
    """
    return rows.filter(pl.col("reason").is_not_null()).select(
        "file",
        *(pl.col(f"raw_{name}").alias(name) for name in RAW_COLUMNS),
        money("millionths").alias("sales"),
        pl.col("reason").cast(pl.String),
    )


def refuse_negative_sales(rows: pl.LazyFrame) -> None:
    """Raise for the first row with a negative amount, if there is one.

    Raises
    ------
    ValueError
        Naming the first file that has any, how many it has, and the first row.
    """
    negative = rejected_rows(rows).filter(pl.col("reason") == "negative_sales")
    first = negative.head(1).collect(engine="streaming")
    if first.is_empty():
        return
    row = first.row(0, named=True)
    in_file = negative.filter(pl.col("file") == row["file"])
    count = in_file.select(pl.len()).collect(engine="streaming").item()
    raise ValueError(
        f"{row['file']}: TOTAL_SALES is negative in {count} rows, first {row['total_sales']} for "
        f"SKU_NBR {row['sku_nbr']}, STORE_NBR {row['store_nbr']}, CAT_DSC {row['cat_dsc']}; set "
        "negative_sales to net (refunds are subtracted) or reject, or correct the file"
    )
