"""Clusterings that are kept, so that a store which comes later can be assigned by them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skops.io
from numpy.typing import NDArray

from clustering.compositions import Composition, Shrinkage
from clustering.correlation_pruner import CorrelationPruner
from clustering.feature_blocks import TotalVariance
from clustering.feature_space import FeatureSpace
from clustering.file_names import file_name
from clustering.partition import Nearest, nearest
from clustering.projection import Projection
from clustering.tables import write_whole

Matrix = NDArray[np.float64]

SUFFIX = ".skops"


@dataclass(frozen=True)
class FittedView:
    """How the stores of a view were assigned to its clusters.

    Attributes
    ----------
    source, view : str
        What was clustered.
    features : tuple of str
        The columns that `assign` takes, in order.
    space : FeatureSpace or None
        From features to points; None for a view that could not be clustered.
    centres : ndarray of shape (n_clusters, n_dimensions)
        Cluster 1 first.
    """

    source: str
    view: str
    features: tuple[str, ...]
    space: FeatureSpace | None
    centres: Matrix

    def points(self, values: Matrix, weights: Matrix) -> Matrix:
        """Return where stores lie; all in one place if the view could not be clustered."""
        if self.space is None:
            return np.zeros((len(values), 1))
        return self.space.points(values, weights)

    def assign(self, values: Matrix, weights: Matrix) -> Nearest:
        """Return the nearest clusters of stores.

        For stores that were fitted on this is their cluster where the algorithm is k-means. Other
        algorithms may put a store into a cluster whose centre is not the nearest; their later
        stores go to the nearest centre all the same.

        Parameters
        ----------
        values : ndarray of shape (n_stores, n_features)
            In the order of `features`; NaN where unknown.
        weights : ndarray of shape (n_stores,)
            Sales of the stores in the view; 1 for a source without sales.
        """
        return nearest(self.points(values, weights), self.centres)


TRUSTED = [
    *(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in (
            FittedView,
            FeatureSpace,
            Composition,
            Shrinkage,
            CorrelationPruner,
            Projection,
            TotalVariance,
        )
    ),
    # What scikit-learn's imputers and transformers of columns hold inside.
    "numpy.dtype",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.impute._iterative._ImputerTriplet",
]
"""What a saved view is made of beside arrays and estimators; nothing else is loaded."""


def save_views(views: Iterable[FittedView], folder: str) -> None:
    """Write one file per view into `folder`; `read_view` finds it by the view's name."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for view in views:
        path = Path(folder) / file_name(view.view, SUFFIX)
        write_whole(str(path), lambda part, view=view: skops.io.dump(view, part))  # type: ignore[misc]


def load_view(folder: str, view: str) -> FittedView:
    """Read the fitted clustering of one view.

    Raises
    ------
    FileNotFoundError
        If no such view was saved in `folder`.
    """
    fitted: FittedView = skops.io.load(Path(folder) / file_name(view, SUFFIX), trusted=TRUSTED)
    return fitted
