"""Need-state shares: a product's sales are split, netted, pooled and divided by their sum.

Every amount is a whole number up to the last division, so that the result depends neither on the
order of the rows nor on how they were added up.
"""

import math
from dataclasses import dataclass

import polars as pl

from clustering.money import MILLION, money
from clustering.weeks import HALVES

POOLED = "OTHER"
LARGEST_INT128 = 2**127 - 1


@dataclass(frozen=True)
class Shares:
    """What the stores' sales by need state come to.

    Attributes
    ----------
    features : polars.DataFrame
        `view` (the category), `store_nbr`, `feature` (the need state), `value` (the share): in
        each category every store that sells anything by every need state, zeros included.
    need_states : polars.DataFrame
        `category`, `need_state`, `sales` (money, whole chain), `share` (of the category; null if
        the category sells nothing), `pooled` (Boolean: part of OTHER), sorted by the first two.
    zeroed_cells : int
        Number of pairs of store and need state whose refunds exceed their sales: counted as zero.
    zeroed_sales : float
        What they had come to; money, negative or zero.
    """

    features: pl.DataFrame
    need_states: pl.DataFrame
    zeroed_cells: int
    zeroed_sales: float


def need_state_shares(sales: pl.DataFrame, products: pl.DataFrame, min_share: float) -> Shares:
    """Turn sales by groups of products into each store's shares of the need states.

    Parameters
    ----------
    sales : polars.DataFrame
        `category`, `store_nbr`, `product_group`, `millionths` (Int128) of money; rows of the same
        keys add up.
    products : polars.DataFrame
        `product_group`, `need_states`: the distinct need states of its products.
    min_share : float
        Need states with less than this share of the chain's sales of a category are pooled into
        OTHER, where a need state that is called so already is found too; 0 pools none.

    Raises
    ------
    ValueError
        If products have so many different numbers of need states that no exact sum is possible.
    """
    netted, parts = _split_evenly(sales, products)
    negative = netted.filter(pl.col("parts") < 0)
    cells = _zeroed(netted)
    need_states = _chain_sales(cells, min_share)
    return Shares(
        features=_divide(cells, need_states),
        need_states=need_states.select(
            "category",
            "need_state",
            money("parts", parts).alias("sales"),
            "share",
            "pooled",
        ),
        zeroed_cells=negative.height,
        zeroed_sales=int(negative["parts"].sum()) / (parts * MILLION),
    )


def half_shares(
    sales: pl.DataFrame, products: pl.DataFrame, need_states: pl.DataFrame
) -> pl.DataFrame:
    """Turn the sales of each half into shares of the need states of the whole.

    Netting and zeroing happen within a half; what is pooled is what is pooled in the whole.

    Parameters
    ----------
    sales : polars.DataFrame
        `category`, `store_nbr`, `product_group`, `half`, `millionths`; rows of no half do not
        count.
    products : polars.DataFrame
        `product_group`, `need_states`.
    need_states : polars.DataFrame
        `category`, `need_state`, `pooled`, as of the whole.

    Returns
    -------
    polars.DataFrame
        The contract of half features, unsorted; empty where no row belongs to a half.
    """
    return pl.concat(
        _divide(
            _zeroed(_split_evenly(sales.filter(half=number), products)[0]), need_states
        ).with_columns(half=pl.lit(number, dtype=pl.Int8))
        for number in HALVES
    )


def _split_evenly(sales: pl.DataFrame, products: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return net sales by category, store and need state, and how many parts make a millionth.

    The parts are as small as every split needs: sixths where products have 2 or 3 need states.
    """
    groups = products.unique("product_group").join(sales, on="product_group", how="semi")
    counts = groups["need_states"].list.len().to_list()
    parts = math.lcm(*counts)
    if sales["millionths"].abs().sum() * parts > LARGEST_INT128:
        raise ValueError(
            f"need_states: a product has up to {max(counts)} need states, and products have too "
            "many different numbers of them to be split exactly; a product should have a few"
        )
    share = pl.lit(parts, dtype=pl.Int128) // pl.col("need_states").list.len().cast(pl.Int128)
    split = groups.select(
        "product_group", share.alias("share"), pl.col("need_states").alias("need_state")
    ).explode("need_state")
    cells = (
        sales.join(split, on="product_group")
        .group_by("category", "store_nbr", "need_state")
        .agg((pl.col("millionths") * pl.col("share")).sum().alias("parts"))
    )
    return cells, parts


def _zeroed(netted: pl.DataFrame) -> pl.DataFrame:
    return netted.with_columns(pl.col("parts").clip(lower_bound=0))


def _chain_sales(cells: pl.DataFrame, min_share: float) -> pl.DataFrame:
    """Return each need state's sales in the whole chain, and whether they are too few to keep."""
    total = pl.col("parts").sum().over("category")
    rare = (pl.col("share") < min_share).fill_null(value=False)
    return (
        cells.group_by("category", "need_state")
        .agg(pl.col("parts").sum())
        .with_columns(pl.when(total > 0).then(_ratio(pl.col("parts"), total)).alias("share"))
        .with_columns((rare & (pl.col("need_state") != POOLED)).alias("pooled"))
        .sort("category", "need_state")
    )


def _divide(cells: pl.DataFrame, need_states: pl.DataFrame) -> pl.DataFrame:
    """Pool the need states that are to be pooled and divide each by the store's sum."""
    name = pl.when("pooled").then(pl.lit(POOLED)).otherwise("need_state")
    features = need_states.select("category", "need_state", name.alias("feature"))
    pooled = (
        cells.join(features, on=["category", "need_state"])
        .group_by("category", "store_nbr", "feature")
        .agg(pl.col("parts").sum())
    )
    stores = (
        pooled.group_by("category", "store_nbr")
        .agg(pl.col("parts").sum().alias("total"))
        .filter(pl.col("total") > 0)
    )
    grid = stores.join(features.select("category", "feature").unique(), on="category")
    share = _ratio(pl.col("parts").fill_null(0), pl.col("total"))
    return grid.join(pooled, on=["category", "store_nbr", "feature"], how="left").select(
        pl.col("category").alias("view"), "store_nbr", "feature", share.alias("value")
    )


def _ratio(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return part.cast(pl.Float64) / whole.cast(pl.Float64)
