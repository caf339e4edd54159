"""Named sets of external features: each is a view of its own, and each category uses one."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

ALL = "all"
"""The set of every feature; it is always there."""

NEAREST = 3


def set_members(
    feature_sets: Mapping[str, Sequence[str]], features: Sequence[str]
) -> dict[str, list[str]]:
    """Find the features of every set, `all` included.

    Parameters
    ----------
    feature_sets : mapping of str to sequence of str
        Shell patterns on names of features, by name of the set.
    features : sequence of str
        Every feature there is; `column=LEVEL` where a text column became several.

    Raises
    ------
    ValueError
        Naming the set, the pattern and the features there are, if a pattern matches none of them.
    """
    members = {ALL: list(features)}
    for name, patterns in feature_sets.items():
        for pattern in patterns:
            if not any(fnmatchcase(feature, pattern) for feature in features):
                raise ValueError(
                    f"preprocess.external.feature_sets.{name}: no feature matches {pattern!r}; "
                    f"features: {', '.join(sorted(features))}. The job's log says what became of "
                    "other columns"
                )
        members[name] = [f for f in features if any(fnmatchcase(f, p) for p in patterns)]
    return members


def set_of_each(categories: Iterable[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the feature set that each category uses: the chosen one, else `all`.

    Raises
    ------
    ValueError
        Naming the nearest categories, if a set is chosen for a category that does not occur.
    """
    sets = dict.fromkeys(categories, ALL)
    for category in chosen:
        if category not in sets:
            nearest = get_close_matches(category, sets, n=NEAREST, cutoff=0)
            raise ValueError(
                f"merge.feature_sets: category {category!r} is not in the sales; "
                f"nearest: {', '.join(map(repr, nearest)) or 'none'}"
            )
    return {**sets, **chosen}
