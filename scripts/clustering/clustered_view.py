"""Clustering one view: from its matrix to clusters, their quality and the fitted model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clustering.algorithms import ALGORITHMS
from clustering.choice_of_k import Choice, choose_k
from clustering.evidence import EVIDENCE, view_evidence
from clustering.feature_space import FeatureSpace, SpaceSettings, fit_space
from clustering.fitted_views import FittedView
from clustering.outliers import flag_outliers
from clustering.partition import Partition, fit_centres, nearest, partition
from clustering.resampling import Fit
from clustering.scores_of_k import SCORES, score_each_k
from clustering.seeds import derived_seed
from clustering.view_matrix import ViewMatrix

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]
Labels = NDArray[np.int32]

SAME_PLACE = 9
"""Decimals to which points must agree to count as one place: far above rounding errors."""

RESAMPLING_STARTS = 3
"""Starts for a sample of the stores: enough there, where the best of many is not needed."""

QUALITY = {
    "view": pl.String,
    "stores": pl.Int64,
    "outliers": pl.Int64,
    "features": pl.Int64,
    "dimensions": pl.Int64,
    "k": pl.Int32,
    "reason": pl.String,
    "smallest_cluster": pl.Int64,
    "largest_cluster": pl.Int64,
    "variance_explained": pl.Float64,
    **{name: dtype for name, dtype in SCORES.items() if name != "k"},
    **EVIDENCE,
}
"""A row per view: what was clustered, the k that was chosen and why, and what is said of it."""

VIEW_SCORES = {"view": pl.String, **SCORES}
"""A row per view and k: what every criterion says of it."""


@dataclass(frozen=True)
class ClusterSettings:
    """How a view is clustered; the keys of `cluster.{source}` in the configuration."""

    space: SpaceSettings
    min_stores: int
    outliers: str
    outlier_share: float
    algorithm: str
    algorithm_parameters: Mapping[str, Mapping[str, Any]]
    starts: int
    k: int | None
    criterion: str
    min_prediction_strength: float
    min_bootstrap_stability: float
    min_k: int
    max_k: int
    region: str | None

    @property
    def parameters(self) -> dict[str, Any]:
        """Arguments of the chosen algorithm's estimator."""
        starts = {"n_init": self.starts} if ALGORITHMS[self.algorithm].restarts else {}
        return starts | dict(self.algorithm_parameters.get(self.algorithm, {}))

    @property
    def thresholds(self) -> dict[str, float]:
        """From which value on a stability counts as real."""
        return {
            "prediction_strength": self.min_prediction_strength,
            "bootstrap_stability": self.min_bootstrap_stability,
        }


@dataclass(frozen=True)
class ClusteredView:
    """What clustering one view gives.

    Attributes
    ----------
    clusters, points : polars.DataFrame
        Rows of the contracts of the same names: one per store of the view.
    quality : dict
        The row of `QUALITY`.
    scores : polars.DataFrame
        Rows of `VIEW_SCORES`: what every criterion says of every k.
    fitted : FittedView
        Assigns later stores.
    """

    clusters: pl.DataFrame
    points: pl.DataFrame
    quality: dict[str, object]
    scores: pl.DataFrame
    fitted: FittedView


class OneCluster(Exception):  # noqa: N818  (no error: the view stays whole, for this reason)
    """A view cannot be parted; its message is the reason that is reported."""


def cluster_view(
    source: str,
    view: str,
    matrix: ViewMatrix,
    settings: ClusterSettings,
    seed: int,
    *,
    judged: bool = True,
) -> ClusteredView:
    """Cluster the stores of one view; a view that cannot be parted is one cluster, with a reason.

    Parameters
    ----------
    source, view : str
        What is clustered; with `seed` they decide every random choice.
    matrix : ViewMatrix
        The stores of the view by its features.
    settings : ClusterSettings
        How; see `cluster` in the configuration.
    seed : int
        The seed of the configuration.
    judged : bool
        Whether to score every k and to measure evidence, which takes most of the time; without it
        `settings.k` must be given.
    """
    seed = derived_seed(seed, source, view)
    evidence: Mapping[str, object] = {}
    flags = np.zeros(len(matrix.stores), dtype=np.bool_)
    kept = np.zeros(len(matrix.stores), dtype=np.int32)
    scores = pl.DataFrame(schema=SCORES)
    try:
        space, flags = _space_without_outliers(matrix, settings, seed)
        fitted_points = space.points(matrix.values, matrix.weights)[~flags]
        parts = _partitions(fitted_points, settings, seed)
        fit = _fit_samples(settings, seed)
        scores = _scores(fitted_points, parts, fit, seed, judged=judged)
        choice = _choice(scores, settings)
        if judged:
            labels = parts[choice.k].labels
            evidence = view_evidence(fitted_points, labels, choice.k, fit, seed)
        centres, reason = parts[choice.k].centres, choice.reason
        kept[~flags] = parts[choice.k].labels
        flags |= kept == 0
    except OneCluster as whole:
        space, centres, reason = None, np.zeros((1, 1)), str(whole)
    fitted = FittedView(source, view, matrix.features, space, centres)
    found = _described(matrix, fitted, kept, flags, scores, reason)
    return replace(found, quality={**found.quality, **evidence})


def _space_without_outliers(
    matrix: ViewMatrix, settings: ClusterSettings, seed: int
) -> tuple[FeatureSpace, Flags]:
    """Fit the space on all stores, flag the outliers in it, and fit it again without them."""
    stores, features = matrix.values.shape
    if stores < settings.min_stores:
        raise OneCluster(f"{stores} stores, fewer than min_stores, {settings.min_stores}")
    if len(np.unique(np.nan_to_num(matrix.values, nan=-np.inf), axis=0)) == 1:
        only = f"only one feature, {matrix.features[0]}" if features == 1 else "nothing varies"
        raise OneCluster(f"{only}: all {stores} stores are alike")
    space = fit_space(matrix.values, matrix.weights, matrix.features, settings.space)
    points = space.points(matrix.values, matrix.weights)
    flags = flag_outliers(points, settings.outliers, settings.outlier_share, seed)
    if len(np.unique(matrix.values[~flags].round(SAME_PLACE), axis=0)) == 1:
        raise OneCluster(f"nothing varies among the {(~flags).sum()} stores that are no outliers")
    return space.refit(matrix.values[~flags], matrix.weights[~flags]), flags


def _partitions(points: Matrix, settings: ClusterSettings, seed: int) -> dict[int, Partition]:
    """Part the stores into every number of clusters that is allowed and possible.

    An algorithm that cannot tell k clusters apart gives fewer; the key is what it gives.
    """
    found: dict[int, Partition] = {}
    for k in _bounds(points, settings):
        part = partition(points, k, settings.algorithm, settings.parameters, seed)
        found.setdefault(len(part.centres), part)
    if 0 in found:
        raise OneCluster(
            f"{settings.algorithm} finds no cluster: "
            f"all {len(points)} stores that are no outliers are noise"
        )
    return found


def _bounds(points: Matrix, settings: ClusterSettings) -> range:
    """Return the values of k to try; any single one if the algorithm finds its own."""
    if ALGORITHMS[settings.algorithm].finds_own_k:
        return range(1, 2)
    least, most = (settings.min_k, settings.max_k) if settings.k is None else (settings.k,) * 2
    places = len(np.unique(points.round(SAME_PLACE), axis=0))
    if places < least:
        name = "min_k" if settings.k is None else "k"
        raise OneCluster(f"stores lie in {places} different places, fewer than {name}, {least}")
    return range(least, min(most, places) + 1)


def _fit_samples(settings: ClusterSettings, seed: int) -> Fit:
    """Return what makes clusters of a sample of the stores, as the view's own are made."""
    parameters = settings.parameters
    if "n_init" in parameters:
        parameters["n_init"] = min(parameters["n_init"], RESAMPLING_STARTS)

    def fit(sample: Matrix, k: int) -> Matrix:
        return fit_centres(sample, k, settings.algorithm, parameters, seed)

    return fit


def _scores(
    points: Matrix, parts: Mapping[int, Partition], fit: Fit, seed: int, *, judged: bool
) -> pl.DataFrame:
    if not judged:
        return pl.DataFrame({"k": list(parts)}, schema={"k": pl.Int32})
    return score_each_k(points, {k: part.labels for k, part in parts.items()}, fit, seed)


def _choice(scores: pl.DataFrame, settings: ClusterSettings) -> Choice:
    """Choose k by the criterion, unless the algorithm or the configuration has fixed it."""
    if ALGORITHMS[settings.algorithm].finds_own_k:
        return Choice(scores["k"].item(), f"found by {settings.algorithm}")
    if settings.k is not None:
        return Choice(scores["k"].item(), f"fixed in the configuration: k = {settings.k}")
    return choose_k(scores, settings.criterion, settings.thresholds)


def _described(
    matrix: ViewMatrix,
    fitted: FittedView,
    kept: Labels,
    flags: Flags,
    scores: pl.DataFrame,
    reason: str,
) -> ClusteredView:
    """Assign every store, outliers too, and put what was found into tables."""
    points = fitted.points(matrix.values, matrix.weights)
    assigned = nearest(points, fitted.centres, kept)
    key = {"view": fitted.view, "store_nbr": matrix.stores}
    clusters = pl.DataFrame(
        {
            **key,
            "cluster": assigned.cluster,
            "is_outlier": flags,
            "distance": assigned.distance,
            "next_cluster": assigned.next_cluster,
            "next_distance": assigned.next_distance,
        },
        schema_overrides={"next_cluster": pl.Int32, "next_distance": pl.Float64},
    ).with_columns(margin=1 - pl.col("distance") / pl.col("next_distance"))
    sizes = clusters["cluster"].value_counts()["count"]
    at_k = scores.filter(pl.col("k") == len(fitted.centres))
    quality = {
        "view": fitted.view,
        "stores": len(matrix.stores),
        "outliers": int(flags.sum()),
        "features": len(matrix.features),
        "dimensions": points.shape[1],
        "k": len(fitted.centres),
        "reason": reason,
        "smallest_cluster": sizes.min(),
        "largest_cluster": sizes.max(),
        "variance_explained": _variance_explained(points, assigned.distance),
        **({} if at_k.is_empty() else at_k.drop("k").row(0, named=True)),
    }
    return ClusteredView(
        clusters=clusters,
        points=pl.DataFrame({**key, "point": points.tolist()}),
        quality=quality,
        scores=scores.select(pl.lit(fitted.view).alias("view"), pl.all()),
        fitted=fitted,
    )


def _variance_explained(points: Matrix, distances: Matrix) -> float | None:
    total = float(((points - points.mean(axis=0)) ** 2).sum())
    return 1 - float((distances**2).sum()) / total if total > 0 else None
