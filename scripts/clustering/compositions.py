"""Shares of a whole: drawing small stores toward the chain, and how shares compare."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

BELOW_DETECTION = 0.65
"""What stands in for a share of zero, as a part of the smallest share seen: the value that
Martin-Fernandez, Barcelo-Vidal and Pawlowsky-Glahn (2003) find to distort least."""


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


@dataclass(frozen=True)
class Composition:
    """What shares become before distances are taken, fitted on the stores of a chain.

    Attributes
    ----------
    transform : {"hellinger", "chi_square", "clr", "none"}
        The function of this module that is applied to the shrunk shares.
    shrinkage : Shrinkage
        Applied first.
    zero : float
        What stands in for a share of zero where logarithms are taken.
    """

    transform: str
    shrinkage: Shrinkage
    zero: float

    def apply(self, shares: Matrix, sales: Matrix) -> Matrix:
        """Return what is compared; arguments as of `Shrinkage.apply`."""
        drawn = self.shrinkage.apply(shares, sales)
        match self.transform:
            case "hellinger":
                return hellinger(drawn)
            case "chi_square":
                return chi_square(drawn, self.shrinkage.mix)
            case "clr":
                return centred_log_ratio(replace_zeros(drawn, self.zero))
            case _:
                return drawn


def fit_composition(shares: Matrix, sales: Matrix, transform: str, shrinkage: float) -> Composition:
    """Fit what shares become on all stores of a view."""
    fitted = chain_shrinkage(shares, sales, shrinkage)
    drawn = fitted.apply(shares, sales)
    smallest = drawn[drawn > 0].min()
    # No more than the even share: the zeros of a row then stand for less than its whole.
    zero = BELOW_DETECTION * min(float(smallest), 1 / shares.shape[1])
    return Composition(transform, fitted, zero)


def hellinger(shares: Matrix) -> Matrix:
    """Return the square roots of shares: Euclidean distances between them are Hellinger's.

    Legendre and Gallagher, "Ecologically meaningful transformations for ordination of species
    data", Oecologia 129, 2001.
    """
    roots: Matrix = np.sqrt(shares)
    return roots


def chi_square(shares: Matrix, mix: Matrix) -> Matrix:
    """Return shares over the root of the chain's: distances between them are chi-square distances.

    A difference counts the more, the rarer the feature is in the chain. Legendre and Gallagher
    2001, as above, equation 11, with sales as the table's totals.

    Parameters
    ----------
    shares : ndarray of shape (n_stores, n_features)
        Rows that add up to 1.
    mix : ndarray of shape (n_features,)
        The chain's shares; a feature that the chain does not sell counts nothing.
    """
    return np.divide(shares, np.sqrt(mix), out=np.zeros_like(shares), where=mix > 0)


def replace_zeros(shares: Matrix, zero: float) -> Matrix:
    """Return shares with `zero` for every 0, the others of the row scaled so that it adds up to 1.

    Multiplicative replacement, which keeps the ratios of the positive shares: Martin-Fernandez,
    Barcelo-Vidal and Pawlowsky-Glahn, "Dealing with zeros and missing values in compositional
    data sets using nonparametric imputation", Mathematical Geology 35(3), 2003, equation 3.
    """
    lacking = shares <= 0
    kept = 1 - zero * lacking.sum(axis=1, keepdims=True)
    replaced: Matrix = np.where(lacking, zero, shares * kept)
    return replaced


def centred_log_ratio(shares: Matrix) -> Matrix:
    """Return the logarithms of positive shares over their geometric mean in the row.

    Aitchison, "The statistical analysis of compositional data", Journal of the Royal Statistical
    Society B 44(2), 1982.
    """
    logarithms = np.log(shares)
    centred: Matrix = logarithms - logarithms.mean(axis=1, keepdims=True)
    return centred
