"""Leaving out features that repeat another one."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

Matrix = NDArray[np.float64]


class CorrelationPruner(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Keep a feature only if no feature kept before it says the same.

    Parameters
    ----------
    max_correlation : float
        Largest absolute Pearson correlation of two kept features; 1 keeps all.

    Attributes
    ----------
    kept_ : ndarray of int
        Columns that are kept, in order.
    """

    def __init__(self, max_correlation: float = 1.0) -> None:
        self.max_correlation = max_correlation

    def fit(self, values: Matrix, _target: None = None) -> Self:
        """Choose the columns to keep; a column without variance correlates with none."""
        centred = values - values.mean(axis=0)
        lengths = np.linalg.norm(centred, axis=0)
        unit = centred / np.where(lengths > 0, lengths, 1)
        correlations = np.abs(unit.T @ unit)
        kept: list[int] = []
        for column in range(values.shape[1]):
            if (
                self.max_correlation == 1
                or not (correlations[column, kept] > self.max_correlation).any()
            ):
                kept.append(column)
        self.kept_ = np.array(kept, dtype=np.int64)
        return self

    def transform(self, values: Matrix) -> Matrix:
        """Return the kept columns."""
        return values[:, self.kept_]
