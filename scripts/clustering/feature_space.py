"""From the features of a view to the points whose distances are compared."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from clustering.compositions import Shrinkage, chain_shrinkage, hellinger
from clustering.correlation_pruner import CorrelationPruner

Matrix = NDArray[np.float64]

SCALERS = {"standard": StandardScaler, "robust": RobustScaler}


@dataclass(frozen=True)
class SpaceSettings:
    """How features become points; the keys of `cluster.{source}` in the configuration."""

    transform: str
    shrinkage: float
    imputation: str
    missing_indicator: bool
    scaling: str
    max_correlation: float
    pca_variance: float


@dataclass(frozen=True)
class FeatureSpace:
    """A fitted way from features to points, for the stores it was fitted on and for later ones.

    Attributes
    ----------
    transform : {"hellinger", "none"}
        What happens to compositions before the steps.
    shrinkage : Shrinkage or None
        None where the features are no shares.
    steps : sklearn.pipeline.Pipeline
        Imputation, scaling, pruning and projection, as far as they are asked for.
    """

    transform: str
    shrinkage: Shrinkage | None
    steps: Pipeline

    def points(self, values: Matrix, weights: Matrix) -> Matrix:
        """Return the points of stores, of shape (n_stores, n_dimensions).

        Parameters
        ----------
        values : ndarray of shape (n_stores, n_features)
            NaN where unknown.
        weights : ndarray of shape (n_stores,)
            Sales of the stores; they matter to shares only.
        """
        points: Matrix = self.steps.transform(self._compared(values, weights))
        return points

    def refit(self, values: Matrix, weights: Matrix) -> "FeatureSpace":
        """Fit the steps on these stores; the chain that shares are drawn to stays the chain."""
        return replace(self, steps=clone(self.steps).fit(self._compared(values, weights)))

    def _compared(self, values: Matrix, weights: Matrix) -> Matrix:
        shares = values if self.shrinkage is None else self.shrinkage.apply(values, weights)
        return hellinger(shares) if self.transform == "hellinger" else shares


def fit_space(values: Matrix, weights: Matrix, settings: SpaceSettings) -> FeatureSpace:
    """Fit the way from features to points on the stores of a view."""
    shrinkage = (
        chain_shrinkage(values, weights, settings.shrinkage) if settings.shrinkage > 0 else None
    )
    unfitted = FeatureSpace(settings.transform, shrinkage, _steps(values, settings))
    return unfitted.refit(values, weights)


def _steps(values: Matrix, settings: SpaceSettings) -> Pipeline:
    """Only the steps that do something, so that a saved space shows what was done."""
    steps: list[tuple[str, object]] = [("as_given", "passthrough")]
    if np.isnan(values).any():
        imputer = SimpleImputer(
            strategy=settings.imputation,
            add_indicator=settings.missing_indicator,
            keep_empty_features=True,
        )
        steps.append(("impute", imputer))
    if settings.scaling != "none":
        steps.append(("scale", SCALERS[settings.scaling]()))
    if settings.max_correlation < 1:
        steps.append(("prune", CorrelationPruner(settings.max_correlation)))
    if settings.pca_variance < 1:
        steps.append(("project", PCA(settings.pca_variance, svd_solver="full")))
    return Pipeline(steps)
