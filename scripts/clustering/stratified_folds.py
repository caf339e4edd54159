"""Folds for cross-validation in which every cluster is spread as evenly as its size allows."""

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


def stratified_folds(labels: NDArray[np.int32], seed: int) -> NDArray[np.int64]:
    """Return the fold of each store, from 0: five folds, fewer where a cluster has fewer stores.

    A cluster may have a single store, which scikit-learn's folds warn of: here it is tested in
    one fold, by a model that never saw its cluster.

    Parameters
    ----------
    labels : ndarray of shape (n_stores,)
        At least two stores; in an order that store numbers do not decide.
    seed : int
        The same seed and labels give the same folds.
    """
    _, sizes = np.unique(labels, return_counts=True)
    n_folds = max(2, min(FOLDS, int(sizes.min())))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    folds = np.empty(len(labels), dtype=np.int64)
    folds[by_cluster] = np.arange(len(labels)) % n_folds
    return folds
