"""Why a store is in its cluster and not in the next: the features that pull it there most."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clustering.feature_words import FeatureWords, sentence
from clustering.profiles import Profiles

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

SHOWN = 3
COMPARED = 9
"""Decimals to which pulls are compared: of equal ones the first name goes first."""

NO_OTHER = "There is no other cluster to be in"
NO_FEATURE = "No feature pulls it there: it lies between clusters"


def pulls(profiles: Profiles, values: Matrix, clusters: Labels, others: Labels) -> Matrix:
    """Return how much each feature pulls each store to its cluster rather than to another.

    With z the store's value, a and b the means of its own and the other cluster, all in standard
    deviations from the chain's mean, a feature's pull is (z - b)² - (z - a)². Pulls add up to the
    difference of the squared distances to both means, so that they part the decision of a nearest
    centroid classifier into features; after the contributions of features to nearest centroids
    in Tibshirani, Hastie, Narasimhan and Chu, PNAS 99, 2002.

    Parameters
    ----------
    profiles : Profiles
        The clusters of the view.
    values : ndarray of shape (n_stores, n_features)
        NaN where unknown: that pulls nowhere.
    clusters, others : ndarray of shape (n_stores,)
        Numbers of the own and of the other cluster.

    Returns
    -------
    ndarray of shape (n_stores, n_features)
        Negative where a feature speaks for the other cluster.
    """
    means = profiles.standardised(profiles.means)
    own, other = (means[np.searchsorted(profiles.clusters, of)] for of in (clusters, others))
    standardised = profiles.standardised(values)
    pull: Matrix = np.nan_to_num((standardised - other) ** 2 - (standardised - own) ** 2)
    return pull


def store_reasons(
    profiles: Profiles,
    words: Sequence[FeatureWords],
    values: Matrix,
    clusters: Labels,
    others: Labels,
) -> list[str]:
    """Return for each store, as text, the features that pull it to its cluster most.

    Parameters
    ----------
    profiles, values, clusters
        See `pulls`.
    words : sequence of FeatureWords
        For each feature.
    others : ndarray of shape (n_stores,)
        The next nearest cluster of each store, 0 where there is no other.
    """
    has_other = np.isin(others, profiles.clusters)
    pull = pulls(profiles, values, clusters, np.where(has_other, others, clusters))
    index, standardised = profiles.index(values), profiles.standardised(values)
    strongest = np.argsort(-pull.round(COMPARED), axis=1, kind="stable")[:, :SHOWN]
    return [
        sentence(
            [
                _reading(words[feature], values[row, feature], index[row, feature], z)
                for feature, z in zip(mine, standardised[row, mine], strict=True)
                if pull[row, feature] > 0
            ]
        )
        or (NO_FEATURE if has_other[row] else NO_OTHER)
        for row, mine in enumerate(strongest)
    ]


def _reading(words: FeatureWords, value: float, index: float, standardised: float) -> str:
    """Return what a store's value is, beside the chain."""
    if words.is_flag:
        return words.flag(is_set=value > 0)
    if np.isnan(index):
        side = "above" if standardised >= 0 else "below"
        return f"{words.label} {abs(standardised):.1f} sd {side} chain average"
    return f"{words.label} index {index:.0f}"
