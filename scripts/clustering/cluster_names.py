"""Plain names of clusters that say how each differs from the others of its view."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from clustering.feature_words import FeatureWords, Kind, sentence
from clustering.profiles import Profiles

ALL = "All stores"
AVERAGE = "Close to chain average"

CLEAR = 0.5
"""Standard deviations from the rest of the chain that are worth a word: Cohen's medium effect."""

REPEATS = 0.8
"""Correlation above which a feature says the same as another."""

USUAL_TRAITS = 2
MOST_TRAITS = 5


def name_clusters(profiles: Profiles, words: Sequence[FeatureWords]) -> list[str]:
    """Return a name for each cluster of a view; no two are the same.

    A name has the two features that set the cluster apart from the rest of the chain most, if
    they do so clearly and say different things; those that are high go first. Names that are the
    same get further features one by one, and the number of the cluster if that does not part them.

    Parameters
    ----------
    profiles : Profiles
        The clusters of the view.
    words : sequence of FeatureWords
        For each feature.
    """
    if len(profiles.clusters) == 1:
        return [ALL]
    traits = [_traits(profiles, row) for row in range(len(profiles.clusters))]
    lengths = [_clear(profiles, row, mine) for row, mine in enumerate(traits)]
    while longer := [
        row
        for row in _alike(profiles, traits, lengths)
        if lengths[row] < min(len(traits[row]), MOST_TRAITS)
    ]:
        for row in longer:
            lengths[row] += 1
    alike = _alike(profiles, traits, lengths)
    names = []
    for row, (mine, length) in enumerate(zip(traits, lengths, strict=True)):
        name = _name(profiles, words, row, mine[:length])
        names.append(f"{name} (cluster {profiles.clusters[row]})" if row in alike else name)
    return names


def _alike(profiles: Profiles, traits: list[list[int]], lengths: list[int]) -> list[int]:
    """Return the clusters whose name says the same as another's, in whatever order of words."""
    said = [
        frozenset((feature, bool(profiles.differences[row, feature] > 0)) for feature in mine[:n])
        for row, (mine, n) in enumerate(zip(traits, lengths, strict=True))
    ]
    times = Counter(said)
    return [row for row, own in enumerate(said) if times[own] > 1]


def _traits(profiles: Profiles, row: int) -> list[int]:
    """Return the features that may name a cluster, the most distinguishing first.

    It differs in them, they are known for most of its stores, and none repeats another.
    """
    traits: list[int] = []
    for feature in profiles.distinction()[row].tolist():
        differs = abs(profiles.differences[row, feature]) > 0
        is_known = 2 * profiles.known[row, feature] >= profiles.stores[row]
        is_new = (np.abs(profiles.correlations[feature, traits]) <= REPEATS).all()
        if differs and is_known and is_new:
            traits.append(feature)
    return traits


def _clear(profiles: Profiles, row: int, traits: list[int]) -> int:
    """Return how many features the name has, if no other cluster is called the same."""
    clear = int((np.abs(profiles.differences[row, traits]) >= CLEAR).sum())
    return min(clear, USUAL_TRAITS)


def _name(profiles: Profiles, words: Sequence[FeatureWords], row: int, traits: list[int]) -> str:
    is_high = profiles.differences[row] > 0
    ordered = sorted(traits, key=lambda feature: not is_high[feature])
    parts = [
        words[feature].trait(profiles.means[row, feature], is_high=is_high[feature])
        for feature in ordered
    ]
    if not _clear(profiles, row, traits):
        return sentence([AVERAGE, *parts])
    if _leads(profiles, words, row, first := ordered[0]):
        parts[0] = f"{words[first].label}-led"
    return sentence(parts)


def _leads(profiles: Profiles, words: Sequence[FeatureWords], row: int, feature: int) -> bool:
    """Whether a need state is both more than elsewhere and more than an even part of the mix."""
    is_high = profiles.differences[row, feature] > 0
    even_part = 1 / len(profiles.features)
    return bool(
        words[feature].kind == Kind.SHARE and is_high and profiles.means[row, feature] >= even_part
    )
