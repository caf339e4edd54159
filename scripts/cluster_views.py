"""Cluster the views of one batch: the same steps for the internal and the external source."""

import difflib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import polars as pl
from threadpoolctl import threadpool_limits

from clustering.batches import batch_of
from clustering.clustered_view import QUALITY as VIEW_QUALITY
from clustering.clustered_view import (
    VIEW_SCORES,
    ClusteredView,
    ClusterSettings,
    cluster_view,
)
from clustering.contracts import (
    CLUSTERS,
    FEATURES,
    HALF_FEATURES,
    HALF_SALES,
    POINTS,
    SALES_BY_CATEGORY,
)
from clustering.evidence import evidence_word
from clustering.feature_blocks import Block
from clustering.feature_space import SpaceSettings
from clustering.fitted_views import save_views
from clustering.joblog import job_log
from clustering.split_halves import EVIDENCE as HALVES_EVIDENCE
from clustering.split_halves import half_matrices, split_half_evidence
from clustering.tables import read_table, write_table
from clustering.view_matrix import view_matrix
from clustering.view_overrides import overridden

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)


QUALITY: dict[str, Any] = {
    **VIEW_QUALITY,
    **HALVES_EVIDENCE,
    "evidence": pl.String,
    "because": pl.String,
}
"""A row per view: what was clustered, what was measured, and the word that it is worth."""


@dataclass(frozen=True)
class Weights:
    """What beside the features says how much a store's features tell.

    Attributes
    ----------
    sales : polars.DataFrame
        The contract of sales by category; views are categories.
    half_features, half_sales : polars.DataFrame
        The contracts of the same names.
    """

    sales: pl.DataFrame
    half_features: pl.DataFrame
    half_sales: pl.DataFrame


def cluster_views(
    source: str,
    features: pl.DataFrame,
    weights: Weights | None,
    settings: ClusterSettings,
    seed: int,
    *,
    overrides: Mapping[str, ClusterSettings] | None = None,
    attributes: pl.DataFrame | None = None,
) -> list[ClusteredView]:
    """Cluster every view of `features`, each for itself, and judge it.

    Parameters
    ----------
    source : {"internal", "external"}
        Where the features come from.
    features : polars.DataFrame
        The features contract.
    weights : Weights or None
        Sales of the stores, where the source has any.
    settings : ClusterSettings
        How a view is clustered.
    seed : int
        The seed of the configuration.
    overrides : mapping of str to ClusterSettings, optional
        Views that are clustered in another way, by name.
    attributes : polars.DataFrame, optional
        `store_nbr` and the attribute that `settings.region` names.

    Raises
    ------
    RuntimeError
        If a view fails unexpectedly; the message names it.
    """
    other = overrides or {}
    return [
        _cluster_one(
            source, str(view), rows, weights, other.get(str(view), settings), seed, attributes
        )
        for (view,), rows in features.group_by("view", maintain_order=True)
    ]


def _cluster_one(
    source: str,
    view: str,
    rows: pl.DataFrame,
    weights: Weights | None,
    settings: ClusterSettings,
    seed: int,
    attributes: pl.DataFrame | None,
) -> ClusteredView:
    try:
        sales = None if weights is None else weights.sales.filter(category=view)
        clustered = cluster_view(source, view, view_matrix(rows, sales), settings, seed)
        quality = dict(clustered.quality)
        if weights is not None:
            halves = half_matrices(
                weights.half_features.filter(view=view), weights.half_sales.filter(view=view)
            )
            regions = None if attributes is None else _regions(attributes, settings.region)
            k = len(clustered.fitted.centres)
            quality |= split_half_evidence(source, view, halves, settings, k, regions, seed)
    except Exception as error:
        raise RuntimeError(f"{source} view {view!r} cannot be clustered: {error}") from error
    evidence = evidence_word(quality)
    quality |= {"evidence": evidence.word, "because": evidence.because}
    logger.info("clustered %s", quality)
    return replace(clustered, quality=quality)


def _regions(attributes: pl.DataFrame, region: str | None) -> dict[int, str] | None:
    """Return the region of every store that has one.

    Raises
    ------
    ValueError
        If no table has the attribute.
    """
    if region is None:
        return None
    if region not in attributes.columns:
        found = ", ".join(name for name in attributes.columns if name != "store_nbr") or "none"
        raise ValueError(
            f"region: there is no attribute {region!r}; name it in sources.external.attributes "
            f"and see that a table has it (attributes found: {found})"
        )
    known = attributes.select("store_nbr", pl.col(region).cast(pl.String)).drop_nulls()
    return dict(known.iter_rows())


def typed(settings: dict[str, Any]) -> ClusterSettings:
    """Return `cluster.{source}` of the configuration with its types."""
    space, rest = (
        {field.name: settings[field.name] for field in fields(kind) if field.name in settings}
        for kind in (SpaceSettings, ClusterSettings)
    )
    blocks = tuple(
        Block(block["name"], tuple(block["features"]), block["weight"])
        for block in settings["blocks"]
    )
    return ClusterSettings(space=SpaceSettings(**space | {"blocks": blocks}), **rest)


def typed_overrides(
    source: str, settings: dict[str, Any], views: Collection[str]
) -> dict[str, ClusterSettings]:
    """Return the settings of the views that have some of their own.

    Parameters
    ----------
    source : {"internal", "external"}
        For messages.
    settings : dict
        `cluster.{source}` of the configuration.
    views : collection of str
        Every view that there is.

    Raises
    ------
    ValueError
        If the settings name a view that there is not.
    """
    for name in settings["views"]:
        if name not in views:
            near = ", ".join(map(repr, difflib.get_close_matches(name, views, cutoff=0)))
            raise ValueError(f"cluster.{source}.views: there is no view {name!r}; nearest: {near}")
    return {name: typed(overridden(settings, name)) for name in settings["views"]}


def main(
    features: str,
    sales: str | Sequence[str],
    half_features: str | Sequence[str],
    half_sales: str | Sequence[str],
    attributes: str | Sequence[str],
    clusters: str,
    points: str,
    quality: str,
    scores: str,
    models: str,
    source: str,
    batch: int,
    settings: dict[str, Any],
    seed: int,
) -> None:
    """Read `features` (and what else is not empty) and write what clustering one batch gives."""
    table = read_table(features, FEATURES)
    names = table["view"].unique(maintain_order=True).to_list()
    mine = [name for name in names if batch_of(name, settings["batches"]) == batch]
    logger.info("%d of %d views are in this batch", len(mine), len(names))
    overrides = typed_overrides(source, settings, names)
    weights = None
    if isinstance(sales, str) and isinstance(half_features, str) and isinstance(half_sales, str):
        weights = Weights(
            read_table(sales, SALES_BY_CATEGORY),
            read_table(half_features, HALF_FEATURES),
            read_table(half_sales, HALF_SALES),
        )
    # One thread a process: two cost nearly twice the processor time of one, and sums of floats
    # would depend on how many there are.
    with threadpool_limits(1):
        clustered = cluster_views(
            source,
            table.filter(pl.col("view").is_in(mine)),
            weights,
            typed(settings),
            seed,
            overrides=overrides,
            attributes=pl.read_parquet(attributes) if isinstance(attributes, str) else None,
        )
    write_table(_stack(CLUSTERS.columns, [each.clusters for each in clustered]), clusters, CLUSTERS)
    write_table(_stack(POINTS.columns, [each.points for each in clustered]), points, POINTS)
    write_table(pl.DataFrame([each.quality for each in clustered], schema=QUALITY), quality)
    write_table(_stack(VIEW_SCORES, [each.scores for each in clustered]), scores)
    save_views((each.fitted for each in clustered), models)


def _stack(schema: Mapping[str, Any], frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Stack the tables of the views of a batch; there may be none."""
    return pl.concat([pl.DataFrame(schema=schema), *frames])


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
