"""From the features of a view to the points whose distances are compared."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (IterativeImputer needs it)
from sklearn.impute import IterativeImputer, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from clustering.compositions import Composition, fit_composition
from clustering.correlation_pruner import CorrelationPruner
from clustering.feature_blocks import Block, TotalVariance, columns_of
from clustering.projection import Projection

Matrix = NDArray[np.float64]

SCALERS = {
    "standard": StandardScaler,
    "robust": RobustScaler,
    "minmax": MinMaxScaler,
    "maxabs": MaxAbsScaler,
}


@dataclass(frozen=True)
class SpaceSettings:
    """How features become points; the keys of `cluster.{source}` in the configuration."""

    transform: str
    shrinkage: float
    imputation: str
    missing_indicator: bool
    scaling: str
    max_correlation: float
    projection: str
    pca_variance: float | None
    pca_components: int | None
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class FeatureSpace:
    """A fitted way from features to points, for the stores it was fitted on and for later ones.

    Attributes
    ----------
    composition : Composition or None
        What happens to shares before the steps; None where the features are no shares.
    steps : sklearn.pipeline.Pipeline
        Imputation, scaling, pruning and projection, as far as they are asked for; with blocks,
        each block has steps of its own, and is scaled as a whole after them.
    """

    composition: Composition | None
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
        with warnings.catch_warnings():
            # Iterative imputation that has not settled is still a better guess than a middle.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return replace(self, steps=clone(self.steps).fit(self._compared(values, weights)))

    def _compared(self, values: Matrix, weights: Matrix) -> Matrix:
        return values if self.composition is None else self.composition.apply(values, weights)


def fit_space(
    values: Matrix, weights: Matrix, features: Sequence[str], settings: SpaceSettings
) -> FeatureSpace:
    """Fit the way from features to points on the stores of a view.

    Parameters
    ----------
    values, weights : ndarray
        See `FeatureSpace.points`.
    features : sequence of str
        Names of the columns.
    settings : SpaceSettings
        What is asked for.

    Raises
    ------
    ValueError
        If blocks are asked for and a feature does not belong to exactly one.
    """
    composition = None
    if settings.transform != "none" or settings.shrinkage > 0:
        composition = fit_composition(values, weights, settings.transform, settings.shrinkage)
    return FeatureSpace(composition, _steps(features, settings)).refit(values, weights)


def _steps(features: Sequence[str], settings: SpaceSettings) -> Pipeline:
    if not settings.blocks:
        return Pipeline(_own_steps(settings))
    blocks = [
        (
            block.name,
            Pipeline([*_own_steps(settings), ("weigh", TotalVariance(block.weight))]),
            columns,
        )
        for block, columns in columns_of(settings.blocks, features)
    ]
    return Pipeline([("blocks", ColumnTransformer(blocks))])


def _own_steps(settings: SpaceSettings) -> list[tuple[str, Any]]:
    """Only the steps that do something, so that a saved space shows what was done.

    Imputation is always one of them: a later store may lack what no earlier store lacked.
    """
    steps: list[tuple[str, Any]] = [("impute", _imputer(settings))]
    if settings.scaling != "none":
        steps.append(("scale", SCALERS[settings.scaling]()))
    if settings.max_correlation < 1:
        steps.append(("prune", CorrelationPruner(settings.max_correlation)))
    if settings.projection != "none":
        by_variance = settings.projection == "pca_variance"
        components = settings.pca_variance if by_variance else settings.pca_components
        steps.append(("project", Projection(settings.projection, components)))
    return steps


def _imputer(settings: SpaceSettings) -> Any:  # noqa: ANN401
    """Iterative: each feature from all others in turns, by Bayesian ridge regression.

    Van Buuren and Groothuis-Oudshoorn, "mice: multivariate imputation by chained equations in R",
    Journal of Statistical Software 45(3), 2011, with the mean instead of draws.
    """
    if settings.imputation == "iterative":
        return IterativeImputer(
            initial_strategy="median",
            add_indicator=settings.missing_indicator,
            keep_empty_features=True,
            random_state=0,
        )
    return SimpleImputer(
        strategy=settings.imputation,
        add_indicator=settings.missing_indicator,
        keep_empty_features=True,
    )
