"""Blocks of features that count as much as they are said to, however many features they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """Features that belong together.

    Attributes
    ----------
    name : str
        For messages.
    features : tuple of str
        Shell patterns; upper and lower case do not matter.
    weight : float
        The block's part of the variance of a view is its weight over the sum of all weights.
    """

    name: str
    features: tuple[str, ...]
    weight: float

    def matches(self, feature: str) -> bool:
        """Whether a feature belongs to the block."""
        return any(fnmatchcase(feature.lower(), pattern.lower()) for pattern in self.features)


def columns_of(blocks: Sequence[Block], features: Sequence[str]) -> list[tuple[Block, list[int]]]:
    """Return the columns of each block; a block without any feature of the view is left out.

    Raises
    ------
    ValueError
        If a feature belongs to no block or to several.
    """
    for feature in features:
        names = [block.name for block in blocks if block.matches(feature)]
        if len(names) != 1:
            fault = f"to blocks {' and '.join(names)}" if names else "to no block"
            raise ValueError(f"feature {feature} belongs {fault}; it must belong to exactly one")
    found = [
        (block, [column for column, name in enumerate(features) if block.matches(name)])
        for block in blocks
    ]
    return [(block, columns) for block, columns in found if columns]


class TotalVariance(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Scale features together, so that their variances add up to a given number.

    Block scaling: Westerhuis, Kourti and MacGregor, "Analysis of multiblock and hierarchical PCA
    and PLS models", Journal of Chemometrics 12, 1998.

    Parameters
    ----------
    variance : float
        What the variances add up to; features that do not vary stay as they are.

    Attributes
    ----------
    factor_ : float
        By which all features are multiplied.
    """

    def __init__(self, variance: float = 1.0) -> None:
        self.variance = variance

    def fit(self, values: Matrix, _target: None = None) -> Self:
        """Find the factor."""
        total = float(values.var(axis=0).sum())
        self.factor_ = float(np.sqrt(self.variance / total)) if total > 0 else 1.0
        return self

    def transform(self, values: Matrix) -> Matrix:
        """Return the scaled features."""
        return values * self.factor_
