"""The algorithms that part points into clusters, by the names that the configuration uses."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import (
    DBSCAN,
    HDBSCAN,
    OPTICS,
    AffinityPropagation,
    AgglomerativeClustering,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    SpectralClustering,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

Matrix = NDArray[np.float64]

COUNTS_OF_STORES = ("min_samples", "min_cluster_size", "n_neighbors")
"""Parameters that count stores: no estimator takes more than there are points."""


@dataclass(frozen=True)
class Algorithm:
    """One way to part points.

    Attributes
    ----------
    estimator : type
        Of scikit-learn; parameters have the names that it gives them.
    k_name : str or None
        Its parameter for the number of clusters; None for an algorithm that finds its own.
    arguments : mapping
        What it is made with where scikit-learn's own default will not do: what makes it this
        algorithm, and counts of stores, which may have to be lowered.
    seeded : bool
        Whether it draws random numbers.
    restarts : bool
        Whether it keeps the best of several starts.
    to_centres : bool
        Whether every point belongs to the nearest centre, once it has converged.
    max_stores : int or None
        The most points that it takes, where memory or time grow with their square or faster.
    """

    estimator: type
    k_name: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    seeded: bool = False
    restarts: bool = False
    to_centres: bool = False
    max_stores: int | None = None

    @property
    def finds_own_k(self) -> bool:
        """Whether the number of clusters is found, not given."""
        return self.k_name is None


ALGORITHMS = {
    "kmeans": Algorithm(KMeans, "n_clusters", seeded=True, restarts=True, to_centres=True),
    "bisecting_kmeans": Algorithm(BisectingKMeans, "n_clusters", seeded=True, restarts=True),
    "ward": Algorithm(
        AgglomerativeClustering, "n_clusters", arguments={"linkage": "ward"}, max_stores=10_000
    ),
    "gaussian_mixture": Algorithm(GaussianMixture, "n_components", seeded=True, restarts=True),
    "spectral": Algorithm(
        SpectralClustering,
        "n_clusters",
        arguments={"n_neighbors": 10},
        seeded=True,
        restarts=True,
        max_stores=5_000,
    ),
    "birch": Algorithm(Birch, "n_clusters"),
    "hdbscan": Algorithm(HDBSCAN, arguments={"min_cluster_size": 5, "copy": True}),
    "dbscan": Algorithm(DBSCAN),
    "optics": Algorithm(OPTICS, arguments={"min_samples": 5}),
    "meanshift": Algorithm(MeanShift),
    "affinity_propagation": Algorithm(AffinityPropagation, seeded=True, max_stores=5_000),
}
"""Every algorithm by its name.

References
----------
kmeans: Lloyd 1982, seeded by k-means++ (Arthur and Vassilvitskii, SODA 2007).
bisecting_kmeans: Steinbach, Karypis and Kumar, KDD workshop on text mining 2000.
ward: Ward, Journal of the American Statistical Association 58, 1963.
gaussian_mixture: Dempster, Laird and Rubin, Journal of the Royal Statistical Society B 39, 1977.
spectral: Ng, Jordan and Weiss, NIPS 2001.
birch: Zhang, Ramakrishnan and Livny, SIGMOD 1996.
hdbscan: Campello, Moulavi and Sander, PAKDD 2013.
dbscan: Ester, Kriegel, Sander and Xu, KDD 1996.
optics: Ankerst, Breunig, Kriegel and Sander, SIGMOD 1999.
meanshift: Comaniciu and Meer, IEEE Transactions on Pattern Analysis 24(5), 2002.
affinity_propagation: Frey and Dueck, Science 315, 2007.
"""


def label_points(
    points: Matrix, k: int, algorithm: str, parameters: Mapping[str, Any], seed: int
) -> NDArray[np.int64]:
    """Return the cluster of every point in the algorithm's own numbers; below 0: in none.

    The points are measured in units of their spread, the root of their mean squared distance from
    their mean. A length among the parameters (`eps`, `threshold`, `bandwidth`...) therefore means
    the same in every view, whatever its features are.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_dimensions)
        At least k distinct ones.
    k : int
        How many clusters; fewer may come out. Unused by an algorithm that finds its own number.
    algorithm : str
        A name of `ALGORITHMS`.
    parameters : mapping
        Arguments of its estimator; the others keep the values that scikit-learn gives them.
    seed : int
        The same seed and points give the same clusters.

    Raises
    ------
    ValueError
        If there are more points than the algorithm takes.
    """
    chosen = ALGORITHMS[algorithm]
    if chosen.max_stores is not None and len(points) > chosen.max_stores:
        raise ValueError(
            f"{algorithm} takes at most {chosen.max_stores} stores, there are {len(points)}; "
            "choose another algorithm for this view"
        )
    if k == 1 and not chosen.finds_own_k:
        return np.zeros(len(points), dtype=np.int64)
    arguments = {**chosen.arguments, **parameters}
    for name in arguments.keys() & set(COUNTS_OF_STORES):
        arguments[name] = min(arguments[name], len(points))
    if chosen.k_name is not None:
        arguments[chosen.k_name] = k
    if chosen.seeded:
        arguments["random_state"] = seed
    spread = np.sqrt(points.var(axis=0).sum())
    with warnings.catch_warnings():
        # What did not converge is judged by its clusters, like everything else.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Graph is not fully connected", UserWarning)
        labels: NDArray[np.int64] = chosen.estimator(**arguments).fit_predict(
            points / spread if spread > 0 else points
        )
    return labels
