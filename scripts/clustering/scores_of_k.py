"""What every criterion says of every number of clusters."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from clustering.bootstrap_stability import bootstrap_stability
from clustering.prediction_strength import prediction_strength
from clustering.resampling import Fit
from clustering.silhouette import silhouettes

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

SCORES = {
    "k": pl.Int32,
    "prediction_strength": pl.Float64,
    "bootstrap_stability": pl.Float64,
    "silhouette": pl.Float64,
    "calinski_harabasz": pl.Float64,
    "davies_bouldin": pl.Float64,
    "inertia": pl.Float64,
    "combined": pl.Float64,
    "elbow": pl.Float64,
}
"""Better is higher, but for davies_bouldin and inertia; inertia falls with k by itself."""


def score_each_k(
    points: Matrix, labels_by_k: Mapping[int, Labels], fit: Fit, seed: int
) -> pl.DataFrame:
    """Return what every criterion says of every k, whichever decides.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        Points of the stores that are fitted on, in an order that does not depend on their numbers.
    labels_by_k : mapping of int to ndarray of shape (n_stores,)
        For each k the clusters, from 1; 0 for stores that belong to none, which no score but the
        two stabilities counts.
    fit : Fit
        Makes clusters of other stores, for the two stabilities.
    seed : int
        Decides the stores that are drawn for them.

    Returns
    -------
    polars.DataFrame
        The columns of `SCORES`, a row per k, ascending. One cluster has stabilities of 1, by
        definition, and no silhouette, Caliński-Harabasz or Davies-Bouldin score; nor has a k
        where all stores are in one cluster, or each in its own. `inertia` is the sum of squared
        distances to the means of the clusters. `combined` and `elbow` compare the k's that are
        given with each other.

    References
    ----------
    Rousseeuw 1987 for the silhouette, Caliński and Harabasz 1974, Davies and Bouldin 1979.
    """
    by_k = dict(sorted(labels_by_k.items()))
    rows = [
        {
            "k": k,
            "prediction_strength": prediction_strength(points, k, fit, seed),
            "bootstrap_stability": bootstrap_stability(points, labels, k, fit, seed).mean_ari,
            "silhouette": silhouette,
            "inertia": _inertia(points, labels),
            **({} if silhouette is None else _separation(points, labels)),
        }
        for (k, labels), silhouette in zip(
            by_k.items(), silhouettes(points, list(by_k.values())), strict=True
        )
    ]
    return pl.DataFrame(rows, schema=SCORES).with_columns(combined=COMBINED, elbow=ELBOW)


def _separation(points: Matrix, labels: Labels) -> dict[str, float]:
    points, labels = points[labels > 0], labels[labels > 0]
    return {
        "calinski_harabasz": calinski_harabasz_score(points, labels),
        "davies_bouldin": davies_bouldin_score(points, labels),
    }


def _inertia(points: Matrix, labels: Labels) -> float:
    clusters = (points[labels == cluster] for cluster in np.unique(labels[labels > 0]))
    return float(sum(((stores - stores.mean(axis=0)) ** 2).sum() for stores in clusters))


def _scaled(score: pl.Expr) -> pl.Expr:
    """Bring a score to 0 for the worst k and 1 for the best; 0 where all are equal."""
    return ((score - score.min()) / (score.max() - score.min())).fill_nan(0.0)


COMBINED = pl.when(pl.col("silhouette").is_not_null()).then(
    pl.mean_horizontal(
        _scaled(pl.col("silhouette")),
        _scaled(pl.col("calinski_harabasz")),
        _scaled(-pl.col("davies_bouldin")),
    )
)
"""Mean of the three scores, each scaled to 0..1 over the k's, Davies-Bouldin turned round."""


def _descent(column: str) -> pl.Expr:
    """Return the way from the first row, 0, to the last row, 1."""
    first, last = pl.col(column).first(), pl.col(column).last()
    return (pl.col(column) - first) / (last - first)


ELBOW = pl.when(
    pl.len() > 2,  # noqa: PLR2004  (two points have no bend)
    pl.col("inertia").first() > pl.col("inertia").last(),
).then(_descent("inertia") - _descent("k"))
"""How far inertia lies under the straight line between the first and the last k, as a share of
its whole descent: 0 at both ends. Thorndike, "Who belongs in the family?", Psychometrika 18, 1953,
for the elbow; Satopää, Albrecht, Irwin and Raghavan, "Finding a 'kneedle' in a haystack", ICDCS
workshops 2011, for the distance to the chord."""
