"""Which features of the place tell a category's clusters apart, if any do."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from clustering.stratified_folds import FOLDS, stratified_folds

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

ROUNDS = 30
REPEATS = 5
SHUFFLED_ROWS = 1_000
"""Rows that a feature is shuffled in, per fold, unless one repeat has more."""

ENOUGH = 0.8
"""Share of all importance that the listed features have together."""

COMPARED = 9
"""Decimals to which importances are compared: of equal ones the first name goes first."""


@dataclass(frozen=True)
class PlaceDrivers:
    """How well the features of the place predict the clusters of a category, and which of them do.

    Attributes
    ----------
    stores, clusters : int
        What was learned from.
    accuracy, baseline_accuracy, standard_error : float or None
        Share of the stores whose cluster the model and the majority cluster get right out of fold,
        and the standard error of the difference over the folds; None where nothing was tested.
    explained : bool
        Whether the model beats the majority by more than one standard error.
    reason : str
        Why it does or does not.
    features : tuple of int
        Places of the features that matter, the most important first, until they have `ENOUGH`.
    importances, cumulative_shares : tuple of float
        Of these: accuracy lost out of fold if the feature is shuffled, and the share of all
        importance that the feature and those before it have.
    """

    stores: int
    clusters: int
    accuracy: float | None
    baseline_accuracy: float | None
    standard_error: float | None
    explained: bool
    reason: str
    features: tuple[int, ...] = ()
    importances: tuple[float, ...] = ()
    cumulative_shares: tuple[float, ...] = ()


def place_drivers(values: Matrix, clusters: Labels, seed: int) -> PlaceDrivers:
    """Predict clusters from features of the place, and find those that the predictions rest on.

    Gradient boosting (Friedman, Annals of Statistics 29, 2001) is held against the majority
    cluster by stratified cross-validation. Accuracy is plain, not balanced: guessing the majority
    is the better the more unequal the clusters are, which makes the claim that place explains
    them the harder. Only where the model wins are features shuffled, one by one, in the held-out
    folds (permutation importance; Breiman, Machine Learning 45, 2001). Features that say the same
    share their importance. Clusters with fewer stores than there are folds are left out.

    Parameters
    ----------
    values : ndarray of shape (n_stores, n_features)
        In raw units, NaN where unknown.
    clusters : ndarray of shape (n_stores,)
        The cluster of each.
    seed : int
        For the folds and for shuffling.
    """
    numbers, sizes = np.unique(clusters, return_counts=True)
    learned = np.isin(clusters, numbers[sizes >= FOLDS])
    # Folds draw stores by their place: sorted by what they are, whatever their numbers.
    order = np.lexsort((clusters[learned], *values[learned].T))
    values, clusters = values[learned][order], clusters[learned][order]
    n_clusters = len(np.unique(clusters))
    if n_clusters <= 1:
        reason = {
            0: "no store has an internal cluster and external features",
            1: "the stores are in one cluster",
        }.get(len(numbers), f"fewer than two clusters have the {FOLDS} stores that a test needs")
        return PlaceDrivers(
            len(clusters), n_clusters, None, None, None, explained=False, reason=reason
        )
    folds = stratified_folds(clusters, seed)
    models = [_fit(values[folds != fold], clusters[folds != fold], seed) for fold in range(FOLDS)]
    held_out = [(values[folds == fold], clusters[folds == fold]) for fold in range(FOLDS)]
    accuracies = np.array([_accuracy(m, *test) for m, test in zip(models, held_out, strict=True)])
    majority = [np.bincount(clusters[folds != fold]).argmax() for fold in range(FOLDS)]
    baselines = np.array(
        [np.mean(truth == most) for (_, truth), most in zip(held_out, majority, strict=True)]
    )
    gains = accuracies - baselines
    gain, error = gains.mean(), gains.std(ddof=1) / np.sqrt(FOLDS)
    # Accuracies are fractions with small denominators: equality happens, give or take rounding.
    explained = bool(gain > error and not np.isclose(gain, error))
    accuracy, baseline = float(accuracies.mean()), float(baselines.mean())
    reason = (
        f"accuracy {accuracy:.1%} {'beats' if explained else 'does not beat'} the majority's "
        f"{baseline:.1%} by more than one standard error, {error:.1%}"
    )
    found = PlaceDrivers(
        len(clusters), n_clusters, accuracy, baseline, float(error), explained, reason
    )
    if not explained:
        return found
    random = np.random.default_rng(seed)
    drops = [_drops(m, *test, random) for m, test in zip(models, held_out, strict=True)]
    return _until_enough(found, np.array(drops))


def _fit(values: Matrix, clusters: Labels, seed: int) -> HistGradientBoostingClassifier:
    """Fit few, small trees: clusters have tens of stores, and categories come in hundreds."""
    # Binning fails on a column without any known value; a constant one is never split.
    values = np.where(np.isnan(values).all(axis=0), 0.0, values)
    return HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        max_leaf_nodes=8,
        min_samples_leaf=5,
        early_stopping=False,
        random_state=seed,
    ).fit(values, clusters)


def _accuracy(model: HistGradientBoostingClassifier, values: Matrix, truth: Labels) -> float:
    return float(np.mean(model.predict(values) == truth))


def _drops(
    model: HistGradientBoostingClassifier,
    values: Matrix,
    truth: Labels,
    random: np.random.Generator,
) -> Matrix:
    """Return the accuracy that a fold loses when each feature is shuffled, on average."""
    accuracy = _accuracy(model, values, truth)
    repeats = max(1, min(REPEATS, SHUFFLED_ROWS // len(values)))
    repeated = np.tile(values, (repeats, 1))
    drops = np.empty(values.shape[1])
    for feature, column in enumerate(values.T):
        shuffled = repeated.copy()
        shuffled[:, feature] = random.permuted(np.tile(column, (repeats, 1)), axis=1).ravel()
        drops[feature] = accuracy - _accuracy(model, shuffled, np.tile(truth, repeats))
    return drops


def _until_enough(found: PlaceDrivers, drops: Matrix) -> PlaceDrivers:
    """Add the features that have `ENOUGH` of all importance.

    A drop within one standard error over the folds counts as none, like the gain of the model:
    small positive drops of many features that do not matter would add up.
    """
    means, errors = drops.mean(axis=0), drops.std(axis=0, ddof=1) / np.sqrt(FOLDS)
    importances = np.where(means > errors, means, 0.0)
    order = np.argsort(-importances.round(COMPARED), kind="stable")
    order = order[importances[order] > 0]
    if not order.size:
        return replace(found, reason=f"{found.reason}; no single feature stands out")
    shares = np.cumsum(importances[order]) / importances.sum()
    shown = order[: 1 + int(np.searchsorted(shares.round(COMPARED), ENOUGH))]
    return replace(
        found,
        features=tuple(shown.tolist()),
        importances=tuple(importances[shown].tolist()),
        cumulative_shares=tuple(shares[: len(shown)].tolist()),
    )
