"""One view as a matrix: a row per store, a column per feature."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class ViewMatrix:
    """The stores of a view by its features, in an order that their numbers do not decide.

    Attributes
    ----------
    stores : ndarray of shape (n_stores,)
        Store numbers. Rows are sorted by their values, so that renumbering the stores changes
        neither the seeding of an algorithm nor its result.
    features : tuple of str
        Sorted by name.
    values : ndarray of shape (n_stores, n_features)
        NaN where unknown.
    weights : ndarray of shape (n_stores,)
        How much each store says about the chain: its sales; 1 where a source has none.
    """

    stores: NDArray[np.int64]
    features: tuple[str, ...]
    values: NDArray[np.float64]
    weights: NDArray[np.float64]


def view_matrix(features: pl.DataFrame, sales: pl.DataFrame | None = None) -> ViewMatrix:
    """Turn the long features of one view into a matrix.

    Parameters
    ----------
    features : polars.DataFrame
        Rows of the features contract that belong to one view.
    sales : polars.DataFrame, optional
        `store_nbr` and `mapped_sales` of the view, as weights.
    """
    wide = features.pivot(on="feature", index="store_nbr", values="value")
    names = sorted(name for name in wide.columns if name != "store_nbr")
    if sales is None:
        weighted = wide.with_columns(weight=pl.lit(1.0))
    else:
        weights = sales.select("store_nbr", weight=pl.col("mapped_sales").clip(lower_bound=0.0))
        weighted = wide.join(weights, on="store_nbr", how="left", validate="1:1")
    ordered = weighted.sort([*names, "weight", "store_nbr"], nulls_last=True)
    return ViewMatrix(
        stores=ordered["store_nbr"].to_numpy(),
        features=tuple(names),
        # Some estimators write into what they are given; polars may hand out its own memory.
        values=ordered.select(names).fill_null(np.nan).to_numpy(writable=True),
        weights=ordered["weight"].fill_null(0.0).to_numpy(),
    )
