"""Which measured values are worth which word: the bounds of the evidence."""

from dataclasses import dataclass

WORDS = ("strong", "moderate", "weak", "none")


@dataclass(frozen=True)
class Ladder:
    """Which values of one measurement are worth which word.

    Attributes
    ----------
    text : str
        What is measured, for the reader of the result.
    strong, moderate, weak : float
        The worst values that still earn the word; what is worse is evidence of none.
    lower_is_better : bool
        As for a p-value.
    """

    text: str
    strong: float
    moderate: float
    weak: float
    lower_is_better: bool = False

    def word(self, value: float) -> str:
        """Return the best word whose bound the value reaches."""
        sign = -1 if self.lower_is_better else 1
        bounds = (self.strong, self.moderate, self.weak)
        reached = (sign * value >= sign * bound for bound in bounds)
        return next((word for word, met in zip(WORDS, reached, strict=False) if met), "none")


LADDERS = {
    "prediction_strength": Ladder("prediction strength", 0.8, 0.65, 0.5),
    "bootstrap_stability": Ladder("bootstrap stability", 0.9, 0.75, 0.6),
    "lowest_jaccard": Ladder("Jaccard index of the least stable cluster", 0.75, 0.6, 0.5),
    "silhouette_p": Ladder(
        "p of the silhouette against permuted features", 0.05, 0.05, 0.05, lower_is_better=True
    ),
    "split_half_reliability": Ladder("split-half reliability of the shares", 0.8, 0.6, 0.4),
    "half_agreement": Ladder("agreement of the clusters between halves", 0.7, 0.4, 0.2),
    "worth_beyond_volume": Ladder("worth beyond volume grades", 0.05, 0.02, 0.0),
}
"""The bounds of every piece of evidence.

Prediction strength: .8 by Tibshirani and Walther (2005). Bootstrap stability: .9, where k counts as
real. Jaccard: .75, .6 and .5 by Hennig (2007). A silhouette that permuted features
reach in more than one of twenty cases is evidence of none, whatever else is stable: any
elongated cloud is cut in the same place again and again. Reliability: .8 and .6 as customary for
scores (Nunnally, "Psychometric theory", 1978). The other bounds are steps below these, or, for the
halves, set by what real chains gave: even shares that correlate at .99 gave clusters that agree
at .53.
"""
