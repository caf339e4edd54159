"""What the stages exchange: the columns of every table that one stage writes and another reads."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Contract:
    """The columns of a table, in order, and the columns that identify a row.

    Attributes
    ----------
    columns : polars.Schema
        Names and types, in the order in which they are written.
    key : tuple of str
        Columns that are never null, unique together, and the order of the rows.
    """

    columns: pl.Schema
    key: tuple[str, ...]

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with exactly the columns of the contract, sorted by its key.

        Raises
        ------
        ValueError
            If a column is missing or has another type, or the key has a null or a duplicate.
        """
        for name, dtype in self.columns.items():
            if name not in frame.columns:
                raise ValueError(f"column {name} ({dtype}) is missing; found {frame.columns}")
            if frame.schema[name] != dtype:
                raise ValueError(f"column {name} is {frame.schema[name]}, expected {dtype}")
        table = frame.select(self.columns.names()).sort(self.key)
        if table.select(pl.any_horizontal(pl.col(self.key).is_null().any())).item():
            raise ValueError(f"the key {self.key} has a null")
        if repeated := table.select(self.key).is_duplicated().sum():
            raise ValueError(f"the key {self.key} repeats in {repeated} rows")
        return table


FEATURES = Contract(
    pl.Schema(
        {"view": pl.String, "store_nbr": pl.Int64, "feature": pl.String, "value": pl.Float64}
    ),
    key=("view", "store_nbr", "feature"),
)
"""One row per view, store and feature; internal: shares, external: raw units, null if unknown."""

SALES_BY_CATEGORY = Contract(
    pl.Schema(
        {
            "category": pl.String,
            "store_nbr": pl.Int64,
            "total_sales": pl.Float64,
            "mapped_sales": pl.Float64,
        }
    ),
    key=("category", "store_nbr"),
)
"""What a store sells in a category, and the part of it whose products have a need state; money."""

HALF_FEATURES = Contract(
    pl.Schema(
        {
            "view": pl.String,
            "half": pl.Int8,
            "store_nbr": pl.Int64,
            "feature": pl.String,
            "value": pl.Float64,
        }
    ),
    key=("view", "half", "store_nbr", "feature"),
)
"""Shares as in the internal features, from the sales of alternate weeks: half 1 and half 2."""

HALF_SALES = Contract(
    pl.Schema(
        {
            "view": pl.String,
            "half": pl.Int8,
            "store_nbr": pl.Int64,
            "mapped_sales": pl.Float64,
        }
    ),
    key=("view", "half", "store_nbr"),
)
"""The sales behind the shares of each half; money."""

STORES = Contract(pl.Schema({"store_nbr": pl.Int64}), key=("store_nbr",))
"""Every store that a source names."""

CLUSTERS = Contract(
    pl.Schema(
        {
            "view": pl.String,
            "store_nbr": pl.Int64,
            "cluster": pl.Int32,
            "is_outlier": pl.Boolean,
            "distance": pl.Float64,
            "next_cluster": pl.Int32,
            "next_distance": pl.Float64,
            "margin": pl.Float64,
        }
    ),
    key=("view", "store_nbr"),
)
"""One row per view and store; distances are to the centres, in the space that was clustered."""

POINTS = Contract(
    pl.Schema({"view": pl.String(), "store_nbr": pl.Int64(), "point": pl.List(pl.Float64())}),
    key=("view", "store_nbr"),
)
"""Where each store lies in the space that was clustered; one length per view."""

CLUSTER_NAMES = Contract(
    pl.Schema(
        {
            "view": pl.String(),
            "cluster": pl.Int32(),
            "name": pl.String(),
            "stores": pl.Int64(),
            "sales": pl.Float64(),
            "exemplars": pl.List(pl.Int64()),
        }
    ),
    key=("view", "cluster"),
)
"""One row per view and cluster; names are unique within the view, exemplars are store numbers."""

STORE_REASONS = Contract(
    pl.Schema({"view": pl.String(), "store_nbr": pl.Int64(), "reasons": pl.String()}),
    key=("view", "store_nbr"),
)
"""One row per view and store: the features that put the store into its cluster, as text."""

STORE_CLUSTERS = Contract(
    pl.Schema(
        {
            "category": pl.String,
            "store_nbr": pl.Int64,
            "internal_cluster": pl.Int32,
            "external_cluster": pl.Int32,
            "merged_cluster": pl.String,
            "demand_cluster": pl.String,
            "status": pl.String,
            "reason": pl.String,
            "predicted_source": pl.String,
        }
    ),
    key=("category", "store_nbr"),
)
"""The result: one row for every category and every store that any source knows."""

EXPLAINED_STORE_CLUSTERS = Contract(
    pl.Schema(
        {
            **STORE_CLUSTERS.columns,
            "demand_name": pl.String,
            **{
                f"{source}_{name}": dtype
                for source in ("internal", "external")
                for name, dtype in (
                    ("margin", pl.Float64),
                    ("next_cluster", pl.Int32),
                    ("reasons", pl.String),
                )
            },
        }
    ),
    key=STORE_CLUSTERS.key,
)
"""The result with what explains it; of a side that was predicted or is unknown, nothing does."""
