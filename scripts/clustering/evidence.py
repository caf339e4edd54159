"""How far the clusters of a view can be trusted: what was measured, put into one word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clustering.bootstrap_stability import bootstrap_stability
from clustering.evidence_ladders import LADDERS, WORDS, Ladder
from clustering.resampling import Fit
from clustering.silhouette_null import silhouette_null

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]

EVIDENCE = {
    "lowest_jaccard": pl.Float64,
    "jaccard": pl.List(pl.Float64),
    "silhouette_value": pl.Float64,
    "silhouette_null": pl.Float64,
    "silhouette_p": pl.Float64,
}
"""What is measured at the chosen k, beside its scores; null for one cluster."""


@dataclass(frozen=True)
class Evidence:
    """One word for a view, and what it rests on."""

    word: str
    because: str


def evidence_word(evidence: Mapping[str, Any]) -> Evidence:
    """Return the word of the weakest piece of evidence: a view is as good as that.

    Parameters
    ----------
    evidence : mapping of str to float or None
        What was measured, under the names of `LADDERS`; other names are ignored, so that a whole
        row of the quality table may be given. What is missing or None counts neither for
        nor against. `k`: if 1, nothing is claimed. `worth_beyond_volume` may be given as
        `worth_clusters` and `worth_volume_grades`.

    Returns
    -------
    Evidence
        `word` is strong, moderate, weak or none; `because` names the pieces that
        decide, with their values and the bound that they miss.
    """
    if evidence.get("k") == 1:
        return Evidence("none", "one cluster: nothing is claimed")
    measured = {
        name: value
        for name, value in {**evidence, **_worth_beyond_volume(evidence)}.items()
        if name in LADDERS and value is not None
    }
    if not measured:
        return Evidence("none", "nothing was measured")
    words = {name: LADDERS[name].word(value) for name, value in measured.items()}
    word = max(words.values(), key=WORDS.index)
    if word == "strong":
        return Evidence(word, f"all {len(words)} pieces of evidence are strong")
    better = WORDS[WORDS.index(word) - 1]
    return Evidence(
        word,
        "; ".join(
            _missed(LADDERS[name], value, better)
            for name, value in measured.items()
            if words[name] == word
        ),
    )


def _worth_beyond_volume(evidence: Mapping[str, Any]) -> dict[str, float]:
    clusters, grades = evidence.get("worth_clusters"), evidence.get("worth_volume_grades")
    if clusters is None or grades is None:
        return {}
    # Rounded, because .35 - .3 is less than .05 in floating point.
    return {"worth_beyond_volume": round(clusters - grades, 9)}


def _missed(ladder: Ladder, value: float, better: str) -> str:
    side = "over" if ladder.lower_is_better else "under"
    return f"{ladder.text} {value:.3g}, {side} {getattr(ladder, better):g}"


def view_evidence(
    points: Matrix, labels: Labels, k: int, fit: Fit, seed: int
) -> dict[str, float | list[float] | None]:
    """Measure what is measured at the chosen k only.

    Parameters
    ----------
    points : ndarray of shape (n_stores, n_dimensions)
        Points of the stores that were fitted on, in an order that does not depend on their
        numbers.
    labels : ndarray of shape (n_stores,)
        Their clusters, from 1; 0 for stores that belong to none.
    k : int
        How many clusters were chosen.
    fit : Fit
        Makes clusters of other stores.
    seed : int
        Decides what is drawn.

    Returns
    -------
    dict
        The keys of `EVIDENCE`; with the scores at k they are what `evidence_word` takes.
    """
    if k == 1:
        return dict.fromkeys(EVIDENCE)
    jaccard = bootstrap_stability(points, labels, k, fit, seed).jaccard
    silhouette = silhouette_null(points, k, fit, seed)
    return {
        "lowest_jaccard": float(jaccard.min()) if len(jaccard) else None,
        "jaccard": jaccard.tolist(),
        "silhouette_value": silhouette.value,
        "silhouette_null": silhouette.null,
        "silhouette_p": silhouette.p,
    }
