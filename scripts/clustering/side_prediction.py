"""Predicting the unknown cluster of a store in one source from its point in the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold

from clustering.aligned_views import UNKNOWN, Flags, Labels

Coordinates = NDArray[np.floating]

FOLDS = 5
LARGEST_SAMPLE = 1_000
"""Stores that one tree of the forest sees at most: more make it slower, not more accurate."""


@dataclass(frozen=True)
class SidePrediction:
    """What could be inferred of the unknown side, and on what evidence.

    Attributes
    ----------
    clusters : ndarray of shape (n_stores,)
        The predicted clusters; `UNKNOWN` where there was nothing to predict, or it is not used.
    to_predict, training_stores : int
        Stores whose side is unknown while the other is known; stores that were learned from.
    accuracy, baseline_accuracy : float or None
        Share of the training stores that the forest and the majority cluster get right out of
        fold; None where nothing was tested.
    used : bool
        Whether the predictions are good enough to be used.
    reason : str
        Why they are, or are not.
    """

    clusters: Labels
    to_predict: int
    training_stores: int
    accuracy: float | None
    baseline_accuracy: float | None
    used: bool
    reason: str


def predict_side(
    clusters: Labels, other_points: Coordinates, other_known: Flags, seed: int
) -> SidePrediction:
    """Predict unknown clusters by a random forest, if it beats the majority cluster out of fold.

    Both are tested by stratified cross-validation. The forest is used if it is more accurate, by
    more than one standard error of the difference over the folds. Clusters with fewer stores
    than there are folds cannot be tested in every fold: they are neither learned nor predicted.

    Parameters
    ----------
    clusters : ndarray of shape (n_stores,)
        Clusters of the side to predict; `UNKNOWN` where unknown.
    other_points : ndarray of shape (n_stores, n_dimensions)
        Points of the other side; NaN where unknown, which the forest takes as it is.
    other_known : ndarray of shape (n_stores,)
        Whether the other side is known.
    seed : int
        The same seed and stores, in whatever order, give the same predictions.
    """
    predicted = np.full(len(clusters), UNKNOWN, dtype=np.int32)
    unknown = other_known & (clusters == UNKNOWN)
    learned = other_known & np.isin(clusters, _testable(clusters[other_known]))
    accuracy = baseline = None
    used = False
    if not unknown.any():
        reason = "nothing to predict"
    elif not other_points.shape[1]:
        reason = "the other side has no coordinates"
    elif len(np.unique(clusters[learned])) <= 1:
        reason = f"fewer than two clusters have the {FOLDS} stores that a test needs"
    else:
        points, labels = _in_canonical_order(other_points[learned], clusters[learned])
        accuracies, baselines = _out_of_fold(points, labels, seed)
        gains = accuracies - baselines
        gain, error = gains.mean(), gains.std(ddof=1) / np.sqrt(FOLDS)
        # Accuracies are fractions with small denominators: equality happens, give or take rounding.
        used = bool(gain > error and not np.isclose(gain, error))
        accuracy, baseline = float(accuracies.mean()), float(baselines.mean())
        reason = (
            f"accuracy {accuracy:.1%} {'beats' if used else 'does not beat'} the majority's "
            f"{baseline:.1%} by more than one standard error, {error:.1%}"
        )
        if used:
            predicted[unknown] = _forest(points, labels, seed).predict(other_points[unknown])
    return SidePrediction(
        predicted, int(unknown.sum()), int(learned.sum()), accuracy, baseline, used, reason
    )


def _testable(clusters: Labels) -> Labels:
    """Return the clusters with a store for every fold."""
    names, counts = np.unique(clusters[clusters != UNKNOWN], return_counts=True)
    return names[counts >= FOLDS]


def _in_canonical_order(points: Coordinates, labels: Labels) -> tuple[Coordinates, Labels]:
    """Sort stores by what they are, because folds and bootstraps draw them by their place."""
    order = np.lexsort((labels, *points.T))
    return points[order], labels[order]


def _out_of_fold(
    points: Coordinates, labels: Labels, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the accuracy of the forest and of the majority cluster in every fold."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(points, labels)
    accuracies, baselines = [], []
    for training, test in folds:
        forest = _forest(points[training], labels[training], seed)
        accuracies.append(np.mean(forest.predict(points[test]) == labels[test]))
        majority = np.bincount(labels[training]).argmax()
        baselines.append(np.mean(majority == labels[test]))
    return np.array(accuracies), np.array(baselines)


def _forest(points: Coordinates, labels: Labels, seed: int) -> RandomForestClassifier:
    return RandomForestClassifier(
        n_estimators=100,
        min_samples_leaf=3,
        max_samples=min(len(labels), LARGEST_SAMPLE),
        n_jobs=1,
        random_state=seed,
    ).fit(points, labels)
