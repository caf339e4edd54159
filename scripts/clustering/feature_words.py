"""How features are called in texts for people: in names, in reasons of stores, in rules."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

SAYS_NOTHING_ALONE = frozenset(
    {"false", "high", "large", "low", "medium", "no"}
    | {"none", "other", "small", "true", "unknown", "yes"}
)
"""Levels of a text column that mean something only together with the name of the column."""

SHORTEST_LEVEL = 3
"""Letters of a level that may stand without its column: shorter ones are codes."""


class Kind(StrEnum):
    """What sort of thing a feature says of a store."""

    SHARE = "share"
    AMOUNT = "amount"
    QUALITY = "quality"
    POSSESSION = "possession"


@dataclass(frozen=True)
class FeatureWords:
    """What one feature is called.

    Attributes
    ----------
    label : str
        As it reads in the middle of a sentence.
    kind : Kind
        Shares and amounts are high or low; a store is or is not of a quality (0 or 1), and is
        with or without a possession (0 or 1).
    """

    label: str
    kind: Kind

    @property
    def is_flag(self) -> bool:
        """Whether a store has it or not, and nothing between."""
        return self.kind in (Kind.QUALITY, Kind.POSSESSION)

    def trait(self, mean: float, *, is_high: bool) -> str:
        """Return what sets a cluster apart; of flags, `mean` is the share of its stores."""
        if not self.is_flag:
            return f"{'high' if is_high else 'low'} {self.label}"
        if self.kind == Kind.QUALITY:
            forms = ("not", "less", "more", "")
        else:
            forms = ("without", "fewer with", "more with", "with")
        form = forms[(3 if mean >= 0.5 else 2) if is_high else (1 if mean > 0 else 0)]  # noqa: PLR2004  (half of the stores)
        return f"{form} {self.label}".lstrip()

    def flag(self, *, is_set: bool) -> str:
        """Return what a flag says of one store."""
        has, lacks = ("", "not") if self.kind == Kind.QUALITY else ("with", "without")
        return f"{has if is_set else lacks} {self.label}".lstrip()


def words_of(features: Sequence[str], values: Matrix, *, are_shares: bool) -> list[FeatureWords]:
    """Return the words for the features of a view; no two have the same label.

    Text in capitals becomes lower case, and a one-hot feature `column=LEVEL` is called by its
    level if that is a word of its own in the view, else by both.

    Parameters
    ----------
    features : sequence of str
        Names as in the features contract, unique.
    values : ndarray of shape (n_stores, n_features)
        NaN where unknown; features that are 0 or 1 wherever they are known are flags.
    are_shares : bool
        Whether the features are need states, and their values shares.
    """
    if are_shares:
        words = [FeatureWords(_need_state(name), Kind.SHARE) for name in features]
    else:
        levels = Counter(_level(name).casefold() for name in features if "=" in name)
        is_flag = (np.isnan(values) | (values == 0) | (values == 1)).all(axis=0)
        words = [_described(*each, levels) for each in zip(features, is_flag, strict=True)]
    labels = Counter(each.label for each in words)
    return [
        FeatureWords(name, each.kind) if labels[each.label] > 1 else each
        for name, each in zip(features, words, strict=True)
    ]


def sentence(parts: Sequence[str]) -> str:
    """Join parts by commas and begin with a capital."""
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def _need_state(name: str) -> str:
    # What preprocessing pools is no need state called "other".
    return "other need states" if name == "OTHER" else _readable(name)


def _described(name: str, is_flag: bool, levels: Counter[str]) -> FeatureWords:  # noqa: FBT001  (from zip)
    if "=" in name:
        column, level = _readable(name.partition("=")[0]), _level(name)
        is_word = level.replace(" ", "").isalpha() and len(level) >= SHORTEST_LEVEL
        alone = is_word and levels[level.casefold()] == 1 and level not in SAYS_NOTHING_ALONE
        return FeatureWords(level if alone else f"{column} {level}", Kind.QUALITY)
    if is_flag and name.startswith("has_"):
        return FeatureWords(_readable(name.removeprefix("has_")), Kind.POSSESSION)
    if is_flag:
        return FeatureWords(_readable(name.removeprefix("is_")), Kind.QUALITY)
    return FeatureWords(_readable(name), Kind.AMOUNT)


def _level(name: str) -> str:
    return _readable(name.partition("=")[2])


def _readable(name: str) -> str:
    ranges = re.sub(r"(?<=\d)_(?=\d)", "-", name)
    words = " ".join(ranges.replace("_", " ").split())
    return words.lower() if words.isupper() else words
