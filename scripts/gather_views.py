"""Put the batches of a source together: one table of clusters, one of quality, every model."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from clustering.contracts import CLUSTERS, FEATURES, POINTS
from clustering.dictionaries import write_dictionary
from clustering.fitted_views import SUFFIX
from clustering.joblog import job_log
from clustering.tables import read_table, read_tables, write_report, write_table

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)


def check_complete(features: pl.DataFrame, clusters: pl.DataFrame) -> None:
    """Refuse clusters that do not answer for exactly the views and stores of the features.

    Parameters
    ----------
    features, clusters : polars.DataFrame
        Tables of the contracts of the same names.

    Raises
    ------
    ValueError
        Naming the first view and store that only one of the two has.
    """
    key = ["view", "store_nbr"]
    for has, lacks, text in (
        (features.select(key).unique(), clusters, "has features but no cluster"),
        (clusters, features, "has a cluster but no features"),
    ):
        if rows := has.join(lacks, on=key, how="anti").sort(key).head(1).rows():
            view, store = rows[0]
            raise ValueError(f"store {store} of view {view!r} {text}")


def quality_of_views(views: pl.DataFrame, scores: pl.DataFrame) -> dict[str, Any]:
    """Return the quality of every view by its name, with what every criterion says of every k.

    Parameters
    ----------
    views : polars.DataFrame
        A row per view.
    scores : polars.DataFrame
        A row per `view` and k.
    """
    rows = scores.partition_by("view", as_dict=True, include_key=False)
    return {
        row["view"]: {
            **{name: value for name, value in row.items() if name != "view"},
            "scores": rows[(row["view"],)].to_dicts() if (row["view"],) in rows else [],
        }
        for row in views.iter_rows(named=True)
    }


def as_text(numbers: pl.Expr) -> pl.Expr:
    """Return lists of numbers as people read them in one cell."""
    return numbers.list.eval(pl.element().round(2).cast(pl.String)).list.join(" ")


def main(
    features: str,
    cluster_parts: str | Sequence[str],
    point_parts: str | Sequence[str],
    quality_parts: str | Sequence[str],
    score_parts: str | Sequence[str],
    model_parts: str | Sequence[str],
    clusters: str,
    points: str,
    quality: str,
    quality_json: str,
    scores: str,
    models: str,
) -> None:
    """Read the parts that the batches wrote and write them as one."""
    table = read_tables(_several(cluster_parts), CLUSTERS)
    check_complete(read_table(features, FEATURES), table)
    write_table(table, clusters, CLUSTERS)
    write_table(read_tables(_several(point_parts), POINTS), points, POINTS)
    views = pl.concat(pl.read_parquet(part) for part in _several(quality_parts)).sort("view")
    each_k = pl.concat(pl.read_parquet(part) for part in _several(score_parts)).sort("view", "k")
    write_report(views.with_columns(as_text(pl.col("jaccard"))), quality)
    write_report(each_k, scores)
    write_dictionary(quality_of_views(views, each_k), quality_json)
    Path(models).mkdir(parents=True, exist_ok=True)
    for part in _several(model_parts):
        for model in Path(part).glob(f"*{SUFFIX}"):
            shutil.copyfile(model, Path(models) / model.name)
    logger.info("%d views, %d rows of stores", views.height, table.height)


def _several(paths: str | Sequence[str]) -> list[str]:
    """Return a list: Snakemake hands over one file as text."""
    return [paths] if isinstance(paths, str) else list(paths)


if __name__ == "__main__":
    with job_log(snakemake):
        main(**snakemake.input, **snakemake.output, **snakemake.params)
