"""How many clusters a view has: scores for every k between the bounds, and what they decide."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from clustering.partition import fit_centres, nearest
from clustering.prediction_strength import prediction_strength

Matrix = NDArray[np.float64]

SCORES = {
    "k": pl.Int32,
    "prediction_strength": pl.Float64,
    "silhouette": pl.Float64,
    "calinski_harabasz": pl.Float64,
    "davies_bouldin": pl.Float64,
}
SPLIT_STARTS = 3
"""Starts of k-means on a half: enough there, where the best of many is not needed."""


@dataclass(frozen=True)
class Choice:
    """A number of clusters, and why."""

    k: int
    reason: str


def score_each_k(points: Matrix, bounds: range, starts: int, seed: int) -> pl.DataFrame:
    """Return what every criterion says of every k, whichever decides.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        Points of the stores that are fitted on.
    bounds : range
        Values of k, each at most the number of distinct points.
    starts, seed : int
        See `fit_centres`.

    Returns
    -------
    polars.DataFrame
        A row per k. One cluster has a prediction strength of 1, by definition, and no other score.

    References
    ----------
    Rousseeuw 1987 for the silhouette, Caliński and Harabasz 1974, Davies and Bouldin 1979.
    """
    return pl.DataFrame([_scores(points, k, starts, seed) for k in bounds], schema=SCORES)


def _scores(points: Matrix, k: int, starts: int, seed: int) -> dict[str, float | None]:
    if k == 1:
        return {"k": 1, "prediction_strength": 1.0}

    def fit_half(half: Matrix) -> Matrix:
        return fit_centres(half, k, SPLIT_STARTS, seed)

    labels = nearest(points, fit_centres(points, k, starts, seed)).cluster
    several = len(np.unique(labels)) < len(points)
    return {
        "k": k,
        "prediction_strength": prediction_strength(points, k, fit_half, seed),
        "silhouette": silhouette_score(points, labels) if several else None,
        "calinski_harabasz": calinski_harabasz_score(points, labels) if several else None,
        "davies_bouldin": davies_bouldin_score(points, labels) if several else None,
    }


def choose_k(scores: pl.DataFrame, criterion: str, min_strength: float) -> Choice:
    """Return the k that the named criterion chooses from the scores of every k."""
    return CRITERIA[criterion](scores, min_strength)


def _largest_predicted(scores: pl.DataFrame, min_strength: float) -> Choice:
    real = scores.filter(pl.col("prediction_strength") >= min_strength)
    if real.is_empty():
        best = scores.sort("prediction_strength", "k", descending=[True, False]).row(0, named=True)
        return Choice(
            best["k"],
            f"no k reaches prediction strength {min_strength:g}; "
            f"k = {best['k']} comes nearest with {best['prediction_strength']:.2f}",
        )
    largest = real.sort("k").row(-1, named=True)
    strength = largest["prediction_strength"]
    return Choice(
        largest["k"],
        f"largest k whose prediction strength, {strength:.2f}, reaches {min_strength:g}",
    )


def _best_by(score: str, *, highest: bool) -> Callable[[pl.DataFrame, float], Choice]:
    def best(scores: pl.DataFrame, _: float) -> Choice:
        scored = scores.drop_nulls(score)
        if scored.is_empty():
            return Choice(scores["k"].min(), f"no k has a {score} score")  # type: ignore[arg-type]
        row = scored.sort(score, "k", descending=[highest, False]).row(0, named=True)
        side = "highest" if highest else "lowest"
        return Choice(row["k"], f"{side} {score}, {row[score]:.3g}")

    return best


CRITERIA: dict[str, Callable[[pl.DataFrame, float], Choice]] = {
    "prediction_strength": _largest_predicted,
    "silhouette": _best_by("silhouette", highest=True),
    "calinski_harabasz": _best_by("calinski_harabasz", highest=True),
    "davies_bouldin": _best_by("davies_bouldin", highest=False),
}
"""What may be named in the configuration; each takes the scores and the strength that counts."""
