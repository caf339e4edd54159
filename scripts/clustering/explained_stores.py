"""What explains the result, beside each of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Explanation:
    """What is said of the clusters of one source.

    Attributes
    ----------
    clusters : polars.DataFrame
        The clusters contract.
    names : polars.DataFrame
        `view`, `cluster`, `name`.
    reasons : polars.DataFrame
        `view`, `store_nbr`, `reasons`.
    """

    clusters: pl.DataFrame
    names: pl.DataFrame
    reasons: pl.DataFrame


def explain_stores(
    store_clusters: pl.DataFrame,
    internal: Explanation,
    external: Explanation,
    external_views: Mapping[str, str],
) -> pl.DataFrame:
    """Put names, margins, next clusters and reasons beside the rows of the result.

    Parameters
    ----------
    store_clusters : polars.DataFrame
        The contract of the same name.
    internal, external : Explanation
        Of each source.
    external_views : mapping of str to str
        The external view of every category.

    Returns
    -------
    polars.DataFrame
        The contract of explained store clusters: `demand_name` joins the names of the two clusters
        that the demand cluster is made of.
    """
    views = {"internal": pl.col("category"), "external": pl.col("category").replace(external_views)}
    demand = pl.col("demand_cluster").str.split("_").list
    rows = store_clusters
    for place, (source, said) in enumerate({"internal": internal, "external": external}.items()):
        of_store = said.clusters.join(said.reasons, on=["view", "store_nbr"], how="left").select(
            "view",
            "store_nbr",
            pl.col("margin").alias(f"{source}_margin"),
            pl.col("next_cluster").alias(f"{source}_next_cluster"),
            pl.col("reasons").alias(f"{source}_reasons"),
        )
        of_cluster = said.names.select("view", "cluster", pl.col("name").alias(f"{source}_name"))
        rows = (
            rows.with_columns(
                view=views[source], cluster=demand.get(place, null_on_oob=True).cast(pl.Int32)
            )
            .join(of_store, on=["view", "store_nbr"], how="left", maintain_order="left")
            .join(of_cluster, on=["view", "cluster"], how="left", maintain_order="left")
            .drop("view", "cluster")
        )
    name = pl.concat_str("internal_name", "external_name", separator=" | ")
    return rows.with_columns(demand_name=name)
