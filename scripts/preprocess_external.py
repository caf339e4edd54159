"""Join the tables that describe stores and turn their columns into features and attributes."""

import logging
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

from clustering.contracts import FEATURES
from clustering.dictionaries import write_dictionary
from clustering.external_quality import column_report, external_quality
from clustering.feature_columns import Column, Outcome, prepare_columns
from clustering.feature_sets import ALL, set_members
from clustering.joblog import job_log
from clustering.raw_tables import lower_snake_case
from clustering.store_join import JoinedTables, join_store_tables
from clustering.store_tables import STORE, StoreTable, read_store_table
from clustering.tables import write_report, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)


def read_store_tables(files: Sequence[str], tables: Sequence[dict[str, Any]]) -> list[StoreTable]:
    """Read the tables of a flat list of files.

    Parameters
    ----------
    files : sequence of str
        The files of the first table, then those of the second, and so on.
    tables : sequence of dict
        Per table `files`, how many of the files are its own, and `wins`, the columns for which
        it goes before other tables.

    Raises
    ------
    ValueError
        If the numbers of files do not add up, or a table cannot be read.
    """
    if len(files) != (expected := sum(table["files"] for table in tables)):
        raise ValueError(f"the tables have {expected} files in all, but {len(files)} are given")
    rest = iter(files)
    return [read_store_table(list(islice(rest, table["files"])), table["wins"]) for table in tables]


def require_features(columns: Sequence[Column], joined: JoinedTables) -> None:
    """Raise `ValueError`, with the reason for every column, if none of them is a feature."""
    if any(column.is_feature for column in columns):
        return
    reasons = [
        f"{joined.table_of[column.name]}: {column.name}: {column.reason or column.outcome}"
        for column in columns
    ] + [": ".join(entry) for entry in joined.left_out]
    raise ValueError(
        "the external tables have no column to cluster on; add one, or change the setting that "
        f"leaves it out. Columns found: {'; '.join(reasons) or 'only STORE_NBR'}"
    )


def long_features(
    stores: pl.Series, columns: Sequence[Column], feature_sets: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Return one row per feature set, store and feature, with the columns of the contract FEATURES.

    Parameters
    ----------
    stores : polars.Series of Int64
        The stores, in the order of the values of `columns`.
    columns : sequence of Column
    feature_sets : mapping of str to sequence of str
        Shell patterns on names of features, by name of the set.

    Returns
    -------
    polars.DataFrame
        Each set is a view: `all` has every store, another set those of which it knows a feature.

    Raises
    ------
    ValueError
        If a pattern matches no feature.
    """
    features = [values for column in columns if column.is_feature for values in column.values]
    table = pl.DataFrame([stores.alias(STORE), *features])
    views = []
    for view, names in set_members(feature_sets, table.columns[1:]).items():
        known = (
            table if view == ALL else table.filter(pl.any_horizontal(pl.col(names).is_not_null()))
        )
        logger.info("view %s: %d stores, %d features", view, known.height, len(names))
        views.append(
            known.unpivot(
                names, index=STORE, variable_name="feature", value_name="value"
            ).with_columns(view=pl.lit(view))
        )
    return pl.concat(views)


def attribute_table(stores: pl.Series, columns: Sequence[Column]) -> pl.DataFrame:
    """Return one row per store with its attributes, in the order of their names."""
    attributes = [c.values[0] for c in columns if c.outcome == Outcome.ATTRIBUTE]
    return pl.DataFrame([stores.alias(STORE), *attributes])


def main(
    tables: str | Sequence[str],
    features: str,
    attributes: str,
    columns: str,
    input_quality: str,
    rejected: str,
    settings: dict[str, Any],
) -> None:
    """Read the tables of stores; write their features and what became of rows and columns.

    Parameters
    ----------
    tables : str or sequence of str
        Raw files, Parquet or CSV, in the order of `settings["tables"]`; Snakemake hands over a
        single one as text.
    features : str
        Parquet, by its contract: the view `all`, and one per feature set.
    attributes : str
        Parquet: `store_nbr` of every store, and the attribute columns found.
    columns : str
        CSV for people: what became of each column, see `column_report`.
    input_quality : str
        JSON, see `external_quality`.
    rejected : str
        Parquet: `file`, `row`, `store_nbr` as text and `reason` of rows without a valid store.
    settings : dict
        `tables` (see `read_store_tables`), `feature_sets` (see `long_features`), and the settings
        of `prepare_columns` by their names.

    Raises
    ------
    ValueError
        If a table cannot be used, tables contradict each other, no column is left to cluster on,
        or a feature set names a feature that is not there.
    """
    files = [tables] if isinstance(tables, str) else list(tables)
    names = [lower_snake_case(name) for name in settings["attributes"]]
    store_tables = read_store_tables(files, settings["tables"])
    joined = join_store_tables(store_tables)
    prepared = prepare_columns(
        joined.stores.drop(STORE),
        attributes=names,
        sensitive=settings["sensitive"],
        allow_sensitive=[lower_snake_case(name) for name in settings["allow_sensitive"]],
        max_missing_share=settings["max_missing_share"],
        min_level_share=settings["min_level_share"],
    )
    report = column_report(prepared, joined)
    log_columns(report, prepared, absent=sorted(set(names) - set(joined.stores.columns)))
    require_features(prepared, joined)
    stores = joined.stores[STORE]
    long = long_features(stores, prepared, settings["feature_sets"])

    write_table(long, features, FEATURES)
    write_table(attribute_table(stores, prepared), attributes)
    write_report(report, columns)
    write_dictionary(external_quality(store_tables, prepared, report), input_quality)
    write_table(pl.concat(t.rejected for t in store_tables).sort("file", "row"), rejected)


def log_columns(report: pl.DataFrame, columns: Sequence[Column], absent: Sequence[str]) -> None:
    """Log a line for every column of which there is something to say."""
    for table, column, outcome, reason in report.select(
        "table", "column", "outcome", "reason"
    ).iter_rows():
        if reason:
            logger.info("%s: column %s: %s: %s", table, column, outcome, reason)
    for column in columns:
        if column.non_finite:
            logger.info("column %s: %d values not finite, unknown", column.name, column.non_finite)
        if column.is_sensitive and column.outcome != Outcome.DROPPED:
            logger.warning("column %s is sensitive and allowed: %s", column.name, column.outcome)
    for name in absent:
        logger.info("attribute %s is in no table", name)


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
