"""Fewer dimensions that keep most of what tells stores apart."""

import math
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA, KernelPCA

Matrix = NDArray[np.float64]

MAX_KERNEL_STORES = 5_000
"""The kernel has a row and a column per store: 200 MB at this many, and its work takes several."""


class Projection(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Principal components, plain or of a kernel.

    Parameters
    ----------
    method : {"pca_variance", "pca_count", "kernel_pca"}
        As many components as keep a share of the variance; so many components; so many of the
        space that a Gaussian kernel spans (Schoelkopf, Smola and Mueller, "Nonlinear component
        analysis as a kernel eigenvalue problem", Neural Computation 10(5), 1998).
    components : float, int or None
        The share of the variance, or how many; never more than there can be, which is None.

    Attributes
    ----------
    fitted_ : estimator
        Of scikit-learn.
    """

    def __init__(self, method: str = "pca_variance", components: float | None = None) -> None:
        self.method = method
        self.components = components

    def fit(self, values: Matrix, _target: None = None) -> Self:
        """Find the components.

        Raises
        ------
        ValueError
            If there are more stores than a kernel can take.
        """
        self.fitted_ = self._estimator(values).fit(values)
        return self

    def transform(self, values: Matrix) -> Matrix:
        """Return the components of stores."""
        components: Matrix = self.fitted_.transform(values)
        return components

    def _estimator(self, values: Matrix) -> Any:  # noqa: ANN401
        stores, features = values.shape
        if self.method == "pca_variance":
            return PCA(self.components, svd_solver="full")
        most = math.inf if self.components is None else self.components
        if self.method == "pca_count":
            return PCA(min(most, stores, features), svd_solver="full")
        if stores > MAX_KERNEL_STORES:
            raise ValueError(
                f"kernel_pca takes at most {MAX_KERNEL_STORES} stores, there are {stores}; "
                "choose another projection for this view"
            )
        spread = values.var(axis=0).sum()
        # The kernel is as wide as the stores are spread, whatever the units of the features.
        return KernelPCA(
            min(most, stores - 1),
            kernel="rbf",
            gamma=1 / spread if spread > 0 else 1.0,
            random_state=0,
        )
