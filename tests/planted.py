"""Chains whose clusters are known, because they were planted."""

import numpy as np
import polars as pl


def shares_view(sizes=(30, 50, 40), need_states=6, noise=400.0, seed=1, first_store=101):
    """Shares of stores in planted clusters, long: the features contract, and the truth.

    Each cluster has a mix of its own; a store's shares scatter around it as a Dirichlet draw.
    """
    random = np.random.default_rng(seed)
    mixes = random.dirichlet(np.full(need_states, 0.8), len(sizes)) * 0.9 + 0.1 / need_states
    truth = np.repeat(np.arange(len(sizes)), sizes)
    shares = np.vstack([random.dirichlet(noise * mixes[cluster]) for cluster in truth])
    return long(shares, first_store), truth


def long(values, first_store=101, view="CATEGORY", names="need state"):
    """A matrix of stores by features as rows of the features contract."""
    stores, features = values.shape
    return pl.DataFrame(
        {
            "view": [view] * values.size,
            "store_nbr": np.repeat(np.arange(first_store, first_store + stores), features),
            "feature": [f"{names} {index:02d}" for index in range(features)] * stores,
            "value": values.ravel(),
        }
    )


def sales_of(features, seed=2):
    """Sales of the stores of each view: the contract of sales by category."""
    pairs = features.select(category="view", store_nbr="store_nbr").unique(maintain_order=True)
    random = np.random.default_rng(seed)
    return pairs.with_columns(
        total_sales=pl.Series(random.lognormal(8, 0.5, pairs.height).round(2)),
    ).with_columns(mapped_sales=pl.col("total_sales") * 0.9)
