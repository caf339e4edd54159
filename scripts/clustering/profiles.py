"""Profiles of clusters: each feature's mean in the cluster, in the chain and in the rest of it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clustering.money import exact_sum, millionths, money
from clustering.view_matrix import ViewMatrix

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

SAME = 1e-9
"""Deviations below this part of a feature's largest value are rounding errors, not differences."""

RANKED = 9
"""Decimals to which differences are compared: of equal ones the first name goes first."""

PROFILES = {
    "view": pl.String,
    "cluster": pl.Int32,
    "rank": pl.Int64,
    "feature": pl.String,
    "stores": pl.Int64,
    "known_stores": pl.Int64,
    "sales": pl.Float64,
    "mapped_sales": pl.Float64,
    "mean": pl.Float64,
    "chain_mean": pl.Float64,
    "index": pl.Float64,
    "standardised_difference": pl.Float64,
}
"""A row per view, cluster and feature, the feature that distinguishes the cluster most first."""


@dataclass(frozen=True)
class Profiles:
    """The clusters of a view by their features; NaN where nothing is known or comparable.

    Attributes
    ----------
    clusters : ndarray of shape (n_clusters,)
        Their numbers, ascending.
    stores : ndarray of shape (n_clusters,)
        How many each has.
    features : tuple of str
        Sorted by name.
    means : ndarray of shape (n_clusters, n_features)
        Weighted means of the known values.
    chain_means, chain_deviations : ndarray of shape (n_features,)
        Weighted mean and standard deviation over all stores of the view.
    differences : ndarray of shape (n_clusters, n_features)
        Mean of the cluster less mean of the rest of the chain, in standard deviations of the
        chain; NaN where there is no rest or the feature does not vary.
    correlations : ndarray of shape (n_features, n_features)
        Weighted correlation of the stores' values; an unknown value counts as the chain's mean.
    known : ndarray of shape (n_clusters, n_features)
        Stores whose value is known.
    has_index : ndarray of shape (n_features,)
        Whether a mean divided by the chain's means something: no value is negative, some are not 0.
    """

    clusters: Labels
    stores: NDArray[np.int64]
    features: tuple[str, ...]
    means: Matrix
    chain_means: Matrix
    chain_deviations: Matrix
    differences: Matrix
    correlations: Matrix
    known: NDArray[np.int64]
    has_index: NDArray[np.bool_]

    def index(self, values: Matrix) -> Matrix:
        """Return values against the chain: 100 is its mean; NaN for features without an index."""
        chain = np.where(self.has_index, self.chain_means, np.nan)
        index: Matrix = 100 * values / chain
        return index

    def standardised(self, values: Matrix) -> Matrix:
        """Return values as deviations from the chain's mean, in its standard deviations."""
        standardised: Matrix = (values - self.chain_means) / self.chain_deviations
        return standardised

    def distinction(self) -> NDArray[np.int64]:
        """Return for each cluster the places of its features, the most distinguishing first."""
        size = np.nan_to_num(np.abs(self.differences).round(RANKED), nan=-1.0)
        order: NDArray[np.int64] = np.argsort(-size, axis=1, kind="stable")
        return order


def profile_clusters(matrix: ViewMatrix, clusters: Labels) -> Profiles:
    """Compare each cluster with the chain and with the rest of it, feature by feature.

    The difference of two means in standard deviations is Cohen's d ("Statistical power analysis
    for the behavioral sciences", 1988), taken over the deviation of the whole chain, so that
    clusters within which nothing varies have one too. Against the rest, not against the chain,
    because a cluster of most stores always looks like the chain that it makes up.

    Parameters
    ----------
    matrix : ViewMatrix
        The stores of the view; their weights are those of the means.
    clusters : ndarray of shape (n_stores,)
        The cluster of each.
    """
    numbers = np.unique(clusters)
    known = ~np.isnan(matrix.values)
    values = np.where(known, matrix.values, 0.0)
    weights = np.where(known, matrix.weights[:, None], 0.0)
    members = clusters == numbers[:, None]
    chain = _mean(values, weights)
    deviations = np.sqrt(_mean((values - np.nan_to_num(chain)) ** 2, weights))
    varying = np.where(deviations > SAME * np.abs(values).max(axis=0), deviations, np.nan)
    means = np.stack([_mean(values[of], weights[of]) for of in members])
    rest = np.stack([_mean(values[~of], weights[~of]) for of in members])
    standardised = np.nan_to_num((matrix.values - chain) / varying)
    return Profiles(
        clusters=numbers,
        stores=members.sum(axis=1),
        features=matrix.features,
        means=means,
        chain_means=chain,
        chain_deviations=varying,
        differences=(means - rest) / varying,
        correlations=_correlations(standardised, matrix.weights),
        known=np.stack([known[of].sum(axis=0) for of in members]),
        has_index=(values >= 0).all(axis=0) & (np.nan_to_num(chain) > 0),
    )


def profile_table(view: str, profiles: Profiles, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `PROFILES` of one view.

    Parameters
    ----------
    view : str
        Its name.
    profiles : Profiles
        Its clusters by their features.
    sizes : polars.DataFrame
        Its rows of `cluster_totals`.
    """
    order = profiles.distinction()
    shape = order.shape

    def ranked(numbers: NDArray[np.float64 | np.int64]) -> NDArray[np.float64 | np.int64]:
        return np.take_along_axis(np.broadcast_to(numbers, shape), order, axis=1).ravel()

    rows = pl.DataFrame(
        {
            "cluster": np.repeat(profiles.clusters, shape[1]),
            "rank": np.tile(np.arange(1, shape[1] + 1), shape[0]),
            "feature": np.array(profiles.features, dtype=object)[order.ravel()],
            "known_stores": ranked(profiles.known),
            "mean": ranked(profiles.means),
            "chain_mean": ranked(profiles.chain_means),
            "index": ranked(profiles.index(profiles.means)),
            "standardised_difference": ranked(profiles.differences),
        },
        schema_overrides={"feature": pl.String},
    )
    return (
        rows.with_columns(pl.col(pl.Float64).fill_nan(None), view=pl.lit(view))
        .join(sizes, on=["view", "cluster"], how="left", maintain_order="left")
        .select(pl.col(name).cast(dtype) for name, dtype in PROFILES.items())
    )


def cluster_totals(clusters: pl.DataFrame, sales: pl.DataFrame | None) -> pl.DataFrame:
    """Count the stores of each cluster and add up what they sell in the category.

    Parameters
    ----------
    clusters : polars.DataFrame
        The clusters contract.
    sales : polars.DataFrame or None
        The contract of sales by category, where views are categories.

    Returns
    -------
    polars.DataFrame
        `view`, `cluster`, `stores`, `sales` and, of these, `mapped_sales` (money; null where views
        are no categories), sorted by the first two.
    """
    money_columns = ("sales", "mapped_sales")
    if sales is None:
        sold = clusters.with_columns(pl.lit(None, pl.Float64).alias(name) for name in money_columns)
    else:
        amounts = sales.select(
            "store_nbr", "mapped_sales", view="category", sales=pl.col("total_sales")
        )
        sold = clusters.join(amounts, on=["view", "store_nbr"], how="left")
    return (
        sold.group_by("view", "cluster")
        .agg(
            pl.len().cast(pl.Int64).alias("stores"),
            *(
                # A sum of nothing is 0, and nothing is known of the sales of external views.
                pl.when(pl.col(name).is_not_null().any())
                .then(exact_sum(millionths(pl.col(name))))
                .alias(name)
                for name in money_columns
            ),
        )
        .with_columns(money(name) for name in money_columns)
        .sort("view", "cluster")
    )


def _mean(values: Matrix, weights: Matrix) -> Matrix:
    """Return the weighted mean of every column, NaN where nothing weighs."""
    total = weights.sum(axis=0)
    mean: Matrix = (weights * values).sum(axis=0) / np.where(total > 0, total, np.nan)
    return mean


def _correlations(standardised: Matrix, weights: Matrix) -> Matrix:
    total = weights.sum()
    products: Matrix = (standardised * weights[:, None]).T @ standardised
    return products / total if total > 0 else products
