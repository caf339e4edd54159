"""Turn raw sales and the need-state map into each store's mix of need states per category."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from clustering.contracts import (
    FEATURES,
    HALF_FEATURES,
    HALF_SALES,
    SALES_BY_CATEGORY,
    STORES,
)
from clustering.dictionaries import write_dictionary
from clustering.input_quality import category_disagreements, map_quality, sales_quality
from clustering.joblog import job_log
from clustering.money import money
from clustering.need_state_map import products_of, read_need_states, rejected_map_rows
from clustering.sales_rows import refuse_negative_sales, rejected_rows, scan_sales, sum_sales
from clustering.shares import POOLED, half_shares, need_state_shares
from clustering.tables import write_table, write_whole
from clustering.weeks import rows_by_half, sales_by_half

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)


def category_sales(sums: pl.DataFrame) -> pl.DataFrame:
    """Return what every store sells in every category it is named with, mapped or not.

    Parameters
    ----------
    sums : polars.DataFrame
        `category`, `store_nbr`, `reason`, `millionths`; null category or store belong to none.

    Returns
    -------
    polars.DataFrame
        The sales-by-category contract, unsorted; 0 where all of a store's rows were rejected.
    """
    accepted = pl.col("reason").is_null()
    sold = accepted | (pl.col("reason") == "unmapped_sku")
    return (
        sums.drop_nulls(["category", "store_nbr"])
        .group_by("category", "store_nbr")
        .agg(
            pl.col("millionths").filter(sold).sum().alias("total_sales"),
            pl.col("millionths").filter(accepted).sum().alias("mapped_sales"),
        )
        .with_columns(money("total_sales"), money("mapped_sales"))
    )


def stores_without_sales(by_category: pl.DataFrame, features: pl.DataFrame) -> dict[str, int]:
    """Count per category the stores that are named with it and have no shares in it."""
    without = by_category.join(
        features, left_on=["category", "store_nbr"], right_on=["view", "store_nbr"], how="anti"
    )
    return dict(without.group_by("category").len().sort("category").iter_rows())


def pooled_need_states(need_states: pl.DataFrame) -> dict[str, list[str]]:
    """Name the need states that were pooled, per category that has any."""
    pooled = need_states.filter("pooled").group_by("category").agg("need_state").sort("category")
    return dict(pooled.with_columns(pl.col("need_state").list.sort()).iter_rows())


def write_rejected_sales(rows: pl.LazyFrame, path: str, count: int) -> None:
    """Stream the rejected rows straight to a file; without any, no row is read again."""
    rejected = rejected_rows(rows)
    if count:
        write_whole(path, lambda part: rejected.sink_parquet(part, compression="zstd"))
    else:
        write_table(pl.DataFrame(schema=rejected.collect_schema()), path)


def main(
    sales: str | Sequence[str],
    need_states: str | Sequence[str],
    features: str,
    sales_by_category: str,
    stores: str,
    half_features: str,
    half_sales: str,
    need_state_sales: str,
    input_quality: str,
    rejected_sales: str,
    rejected_need_states: str,
    settings: dict[str, Any],
) -> None:
    """Read sales and the need-state map; write shares, totals and what was rejected.

    Parameters
    ----------
    sales, need_states : str or sequence of str
        Raw files, Parquet or CSV; Snakemake hands over a single one as text.
    features, sales_by_category, stores : str
        Parquet, by their contracts.
    half_features, half_sales : str
        Parquet, by the contracts of half features and half sales: what each store sells in
        alternate weeks; empty where the sales have no column WEEK.
    need_state_sales : str
        CSV for people: `category`, `need_state`, `sales`, `share`, `pooled`.
    input_quality : str
        JSON: rows, money and reasons, and everything else that a reader should know of the inputs.
    rejected_sales, rejected_need_states : str
        Parquet: the rejected rows as text, with `file` and `reason`.
    settings : dict
        `negative_sales` ("net", "reject" or "error") and `min_need_state_share` (0 to below 1).

    Raises
    ------
    ValueError
        If no row of sales is accepted, or one is negative and that is an error.
    """
    sales_files, map_files = (
        [named] if isinstance(named, str) else list(named) for named in (sales, need_states)
    )
    map_rows = read_need_states(map_files)
    products = products_of(map_rows.filter(pl.col("reason").is_null()))
    rows = scan_sales(sales_files, products, settings["negative_sales"])
    sums = sum_sales(rows, sales_files)
    if settings["negative_sales"] == "error":
        refuse_negative_sales(rows)
    of_sales, of_map, of_halves = sales_quality(sums), map_quality(map_rows), rows_by_half(sums)
    logger.info("sales of %d files: %s", len(sales_files), of_sales)
    logger.info("need states of %d files: %s", len(map_files), of_map)
    if not of_sales["accepted_rows"]:
        raise ValueError(
            f"{', '.join(sales_files)}: none of {of_sales['rows']} rows can be used: "
            f"{of_sales['reasons'] or 'there are none'}; correct them, or the map in "
            f"{', '.join(map_files)}"
        )

    accepted = sums.filter(pl.col("reason").is_null())
    shares = need_state_shares(accepted, products, settings["min_need_state_share"])
    halves = half_shares(accepted, products, shares.need_states)
    by_category = category_sales(sums)
    pooled = pooled_need_states(shares.need_states)
    disagreements = category_disagreements(rows, sums, products)
    without = stores_without_sales(by_category, shares.features)
    logger.info("store x need state below zero, zeroed: %d", shares.zeroed_cells)
    logger.info("need states pooled into %s: %s", POOLED, pooled)
    logger.info("accepted rows by half (alternate weeks): %s", of_halves)
    if halves.is_empty():
        logger.info("there are no halves to compare: no accepted row has a WEEK that can be read")
    logger.info("products sold in another category than the map's: %s", disagreements)
    logger.info("stores without mapped sales, per category: %s", without)

    write_table(shares.features, features, FEATURES)
    write_table(by_category, sales_by_category, SALES_BY_CATEGORY)
    write_table(sums.select("store_nbr").drop_nulls().unique(), stores, STORES)
    write_table(halves, half_features, HALF_FEATURES)
    write_table(sales_by_half(sums), half_sales, HALF_SALES)
    write_table(shares.need_states, need_state_sales)
    write_rejected_sales(rows, rejected_sales, of_sales["rejected_rows"])
    write_table(rejected_map_rows(map_rows), rejected_need_states)
    write_dictionary(
        {
            "source": "internal",
            "sales": {"files": sales_files, **of_sales},
            "need_states": {"files": map_files, **of_map},
            "halves": of_halves,
            "zeroed": {"cells": shares.zeroed_cells, "sales": shares.zeroed_sales},
            "pooled_need_states": pooled,
            "category_disagreements": disagreements,
            "stores_without_sales": without,
        },
        input_quality,
    )
    logger.info(
        "%d shares of %d categories; %d pairs of category and store",
        shares.features.height,
        shares.features["view"].n_unique(),
        by_category.height,
    )


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
