"""Shares of a whole: drawing small stores toward the chain, and the space in which they compare."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Shrinkage:
    """How far each store is drawn toward the mix of the chain.

    A store that sells little shows its mix through few purchases. It is therefore read as if it
    had sold `prior_sales` more, in the mix of the chain: the posterior mean under a Dirichlet
    prior (Agresti, "Categorical Data Analysis", 3rd ed., section 1.6).

    Attributes
    ----------
    mix : ndarray of shape (n_features,)
        The chain's shares, weighted by the sales of the stores.
    prior_sales : float
        In the unit of the sales; 0 leaves the shares as they are.
    """

    mix: Matrix
    prior_sales: float

    def apply(self, shares: Matrix, sales: Matrix) -> Matrix:
        """Return the shares drawn toward the chain; the rows still add up to 1.

        Parameters
        ----------
        shares : ndarray of shape (n_stores, n_features)
            Rows that add up to 1.
        sales : ndarray of shape (n_stores,)
            Positive sales behind each row.
        """
        if self.prior_sales == 0:
            return shares
        pull = (self.prior_sales / (self.prior_sales + sales))[:, None]
        drawn: Matrix = (1 - pull) * shares + pull * self.mix
        return drawn


def chain_shrinkage(shares: Matrix, sales: Matrix, strength: float) -> Shrinkage:
    """Return the shrinkage that draws a store of median sales by `strength` (0 up to 1)."""
    total = sales.sum()
    mix = sales @ shares / total if total > 0 else shares.mean(axis=0)
    return Shrinkage(mix, float(np.median(sales)) * strength / (1 - strength))


def hellinger(shares: Matrix) -> Matrix:
    """Return the square roots of shares: Euclidean distances between them are Hellinger's.

    Legendre and Gallagher, "Ecologically meaningful transformations for ordination of species
    data", Oecologia 129, 2001.
    """
    roots: Matrix = np.sqrt(shares)
    return roots
