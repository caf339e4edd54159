"""How many clusters a view has: what the scores of every k between the bounds decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Choice:
    """A number of clusters, and why."""

    k: int
    reason: str


Thresholds = Mapping[str, float]
Criterion = Callable[[pl.DataFrame, Thresholds], Choice]


def choose_k(scores: pl.DataFrame, criterion: str, thresholds: Thresholds) -> Choice:
    """Return the k that the named criterion chooses.

    Parameters
    ----------
    scores : polars.DataFrame
        A row per k, with a column per criterion; see `score_each_k`.
    criterion : str
        One of `CRITERIA`.
    thresholds : mapping of str to float
        From which value on a stability counts as real, for the criteria that are one.
    """
    return CRITERIA[criterion](scores, thresholds)


def _largest_real(score: str) -> Criterion:
    """Choose the largest k that is real; not the best one, because fewer are stabler anyway."""
    text = score.replace("_", " ")

    def largest(scores: pl.DataFrame, thresholds: Thresholds) -> Choice:
        least = thresholds[score]
        real = scores.filter(pl.col(score) >= least)
        if real.is_empty():
            best = scores.sort(score, "k", descending=[True, False]).row(0, named=True)
            return Choice(
                best["k"],
                f"no k reaches {text} {least:g}; "
                f"k = {best['k']} comes nearest with {best[score]:.2f}",
            )
        row = real.sort("k").row(-1, named=True)
        return Choice(row["k"], f"largest k whose {text}, {row[score]:.2f}, reaches {least:g}")

    return largest


def _best(score: str, *, highest: bool = True) -> Criterion:
    """Choose the k with the best score, of equals the smallest."""

    def best(scores: pl.DataFrame, _: Thresholds) -> Choice:
        scored = scores.drop_nulls(score)
        if scored.is_empty():
            return Choice(scores["k"].min(), f"{score} scores no k")  # type: ignore[arg-type]
        row = scored.sort(score, "k", descending=[highest, False]).row(0, named=True)
        side = "highest" if highest else "lowest"
        return Choice(row["k"], f"{side} {score}, {row[score]:.3g}")

    return best


CRITERIA: dict[str, Criterion] = {
    "prediction_strength": _largest_real("prediction_strength"),
    "bootstrap_stability": _largest_real("bootstrap_stability"),
    "silhouette": _best("silhouette"),
    "calinski_harabasz": _best("calinski_harabasz"),
    "davies_bouldin": _best("davies_bouldin", highest=False),
    "combined": _best("combined"),
    "elbow": _best("elbow"),
}
"""What may be named in the configuration; each takes the scores and the thresholds."""
