"""Say what the clusters of a source are: profiles, names, exemplars, reasons of stores, rules."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from clustering.cluster_names import name_clusters
from clustering.contracts import (
    CLUSTER_NAMES,
    CLUSTERS,
    FEATURES,
    POINTS,
    SALES_BY_CATEGORY,
    STORE_REASONS,
)
from clustering.exemplars import exemplars
from clustering.feature_words import words_of
from clustering.joblog import job_log
from clustering.profiles import PROFILES, cluster_totals, profile_clusters, profile_table
from clustering.rule_tree import TREE_RULES, tree_rules
from clustering.seeds import derived_seed
from clustering.store_drivers import store_reasons
from clustering.tables import read_table, write_report, write_table
from clustering.view_matrix import ViewMatrix, view_matrix

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explanation:
    """What is said of the clusters of one view or of all.

    Attributes
    ----------
    profiles, names, reasons, rules : polars.DataFrame
        Rows of `PROFILES`, `CLUSTER_NAMES`, `STORE_REASONS` and `TREE_RULES`.
    """

    profiles: pl.DataFrame
    names: pl.DataFrame
    reasons: pl.DataFrame
    rules: pl.DataFrame


def explain_clusters(
    source: str,
    features: pl.DataFrame,
    clusters: pl.DataFrame,
    points: pl.DataFrame,
    sales: pl.DataFrame | None,
    seed: int,
) -> Explanation:
    """Explain the clusters of every view.

    Parameters
    ----------
    source : {"internal", "external"}
        Where the features come from: shares of need states, or features of the place.
    features, clusters, points : polars.DataFrame
        Tables of the contracts of the same names, of the same views and stores.
    sales : polars.DataFrame or None
        The contract of sales by category, where views are categories.
    seed : int
        The seed of the configuration.

    Raises
    ------
    ValueError
        If a store of a view has features, a cluster or a point, but not all three.
    """
    _check_same_stores(features, clusters, "cluster")
    _check_same_stores(features, points, "point")
    totals = cluster_totals(clusters, sales)
    located = clusters.join(points, on=["view", "store_nbr"]).partition_by("view", as_dict=True)
    explained = [
        _explain_view(
            source,
            str(view),
            view_matrix(rows, None if sales is None else sales.filter(category=view)),
            located[(view,)],
            totals.filter(view=view),
            derived_seed(seed, source, str(view)),
        )
        for (view,), rows in features.group_by("view", maintain_order=True)
    ]
    return Explanation(
        profiles=_stack(PROFILES, [each.profiles for each in explained]),
        names=_stack(CLUSTER_NAMES.columns, [each.names for each in explained]),
        reasons=_stack(STORE_REASONS.columns, [each.reasons for each in explained]),
        rules=_stack(TREE_RULES, [each.rules for each in explained]),
    )


def _explain_view(
    source: str,
    view: str,
    matrix: ViewMatrix,
    located: pl.DataFrame,
    totals: pl.DataFrame,
    seed: int,
) -> Explanation:
    stores = pl.DataFrame({"store_nbr": matrix.stores})
    rows = stores.join(located, on="store_nbr", how="left", maintain_order="left")
    clusters = rows["cluster"].to_numpy()
    profiles = profile_clusters(matrix, clusters)
    words = words_of(matrix.features, matrix.values, are_shares=source == "internal")
    others = rows["next_cluster"].fill_null(0).to_numpy()
    typical = exemplars(
        np.array(rows["point"].to_list()), matrix.stores, clusters, rows["is_outlier"].to_numpy()
    )
    names = totals.select(
        "view",
        "cluster",
        "stores",
        "sales",
        name=pl.Series(name_clusters(profiles, words)),
        exemplars=pl.Series(list(typical.values()), dtype=pl.List(pl.Int64)),
    )
    rules = tree_rules(view, words, matrix.values, clusters, seed)
    logger.info(
        "%s: %d stores, %d features, %s; rules right out of fold for %s",
        view,
        len(matrix.stores),
        len(matrix.features),
        "; ".join(f"{row['cluster']} {row['name']}" for row in names.iter_rows(named=True)),
        "none" if rules.is_empty() else f"{rules['fidelity'][0]:.0%}",
    )
    return Explanation(
        profiles=profile_table(view, profiles, totals),
        names=names,
        reasons=pl.DataFrame(
            {
                "view": pl.Series([view] * len(stores), dtype=pl.String),
                "store_nbr": matrix.stores,
                "reasons": store_reasons(profiles, words, matrix.values, clusters, others),
            }
        ),
        rules=rules,
    )


def _check_same_stores(features: pl.DataFrame, found: pl.DataFrame, what: str) -> None:
    """Refuse features and clusters or points of different stores."""
    key = ["view", "store_nbr"]
    for has, lacks, text in (
        (features, found, f"has features but no {what}"),
        (found, features, f"has a {what} but no features"),
    ):
        for view, store in has.join(lacks, on=key, how="anti").select(key).sort(key).head(1).rows():
            raise ValueError(f"store {store} of view {view!r} {text}")


def _stack(schema: Mapping[str, Any], frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Stack the tables of the views; there may be none."""
    return pl.concat([pl.DataFrame(schema=schema), *(frame.select(*schema) for frame in frames)])


def main(
    features: str,
    clusters: str,
    points: str,
    sales: str | Sequence[str],
    profiles: str,
    names: str,
    names_csv: str,
    reasons: str,
    rules: str,
    source: str,
    seed: int,
) -> None:
    """Read the clusters of a source and what they were made of; write what they are."""
    weights = read_table(sales, SALES_BY_CATEGORY) if isinstance(sales, str) else None
    # Sums of floats would depend on the number of threads.
    with threadpool_limits(1):
        found = explain_clusters(
            source,
            read_table(features, FEATURES),
            read_table(clusters, CLUSTERS),
            read_table(points, POINTS),
            weights,
            seed,
        )
    write_report(found.profiles, profiles)
    write_table(found.names, names, CLUSTER_NAMES)
    stores = pl.col("exemplars").cast(pl.List(pl.String)).list.join(" ")
    write_report(found.names.with_columns(stores), names_csv)
    write_table(found.reasons, reasons, STORE_REASONS)
    write_report(found.rules, rules)
    logger.info(
        "%d clusters of %d views, %d stores with reasons, %d rules",
        found.names.height,
        found.names["view"].n_unique(),
        found.reasons.height,
        found.rules.height,
    )


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
