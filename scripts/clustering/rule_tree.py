"""A few rules that tell which cluster a store is in, for planners who apply them by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from clustering.feature_words import FeatureWords, Kind, sentence
from clustering.stratified_folds import stratified_folds

Matrix = NDArray[np.float64]
Labels = NDArray[np.int32]
Flags = NDArray[np.bool_]

DEPTH = 3
SMALLEST_LEAF = 3
EXACT = 17
"""Significant digits that tell any two numbers apart."""

TREE_RULES = {
    "view": pl.String,
    "cluster": pl.Int32,
    "rule": pl.String,
    "stores": pl.Int64,
    "purity": pl.Float64,
    "fidelity": pl.Float64,
    "majority_baseline": pl.Float64,
}
"""A row per view and leaf; purity is the share of the leaf's stores that are in its cluster."""


Gap = tuple[float, float]
"""Two neighbouring values of a feature; the tree splits stores somewhere between."""


@dataclass(frozen=True)
class Leaf:
    """One rule.

    Attributes
    ----------
    cluster : int
        What it predicts.
    stores : ndarray of shape (n_stores,)
        Which stores it holds for.
    above, at_most : dict
        By place of a feature, the bounds that its known values are held to.
    """

    cluster: int
    stores: Flags
    above: Mapping[int, Gap]
    at_most: Mapping[int, Gap]


def tree_rules(
    view: str, words: Sequence[FeatureWords], values: Matrix, clusters: Labels, seed: int
) -> pl.DataFrame:
    """Return the rules of a shallow decision tree that predicts the cluster from the features.

    Parameters
    ----------
    view : str
        Its name.
    words : sequence of FeatureWords
        For each feature.
    values : ndarray of shape (n_stores, n_features)
        In raw units, NaN where unknown; rows in an order that store numbers do not decide.
    clusters : ndarray of shape (n_stores,)
        The cluster of each.
    seed : int
        For the folds, and for splits that are equally good.

    Returns
    -------
    polars.DataFrame
        Rows of `TREE_RULES`, by cluster, the largest leaf first; none if there is one cluster.
        `fidelity` is the share of stores whose cluster the tree gets right out of fold,
        `majority_baseline` the share of the largest cluster, which it should beat.

    References
    ----------
    Breiman, Friedman, Olshen and Stone, "Classification and regression trees", 1984.
    """
    _, sizes = np.unique(clusters, return_counts=True)
    if len(sizes) == 1:
        return pl.DataFrame(schema=TREE_RULES)
    fidelity = _out_of_fold_accuracy(values, clusters, seed)
    baseline = sizes.max() / sizes.sum()
    rows = [
        (
            view,
            leaf.cluster,
            _text(leaf, words, values),
            int(leaf.stores.sum()),
            float((clusters[leaf.stores] == leaf.cluster).mean()),
            fidelity,
            float(baseline),
        )
        for leaf in leaves(values, clusters, seed)
    ]
    return pl.DataFrame(rows, schema=TREE_RULES, orient="row").sort(
        "cluster", "stores", "rule", descending=[False, True, False]
    )


def leaves(values: Matrix, clusters: Labels, seed: int) -> list[Leaf]:
    """Return the leaves of the tree; those that share a parent and a cluster are one."""
    tree = _fit(values, clusters, seed)
    everywhere = np.ones(len(values), dtype=np.bool_)
    return list(_grown(tree, 0, values, Leaf(0, everywhere, {}, {})))


def _fit(values: Matrix, clusters: Labels, seed: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(
        max_depth=DEPTH, min_samples_leaf=SMALLEST_LEAF, random_state=seed
    ).fit(values, clusters)


def _out_of_fold_accuracy(values: Matrix, clusters: Labels, seed: int) -> float:
    folds = stratified_folds(clusters, seed)
    correct = [
        _fit(values[folds != fold], clusters[folds != fold], seed).predict(values[folds == fold])
        == clusters[folds == fold]
        for fold in np.unique(folds)
    ]
    return float(np.concatenate(correct).mean())


def _grown(model: DecisionTreeClassifier, node: int, values: Matrix, way: Leaf) -> list[Leaf]:
    """Return the leaves below a node, given the way there."""
    tree = model.tree_
    here = replace(way, cluster=int(model.classes_[tree.value[node].argmax()]))
    if tree.children_left[node] < 0:
        return [here]
    feature = int(tree.feature[node])
    column = values[:, feature]
    unknown = np.isnan(column)
    # The tree compares in single precision.
    low = column.astype(np.float32) <= tree.threshold[node]
    # A split may part the known from the unknown: then nothing is higher than its threshold.
    gap = (float(column[low].max()), float(column[~low & ~unknown].min(initial=np.inf)))
    goes_left = np.where(unknown, bool(tree.missing_go_to_left[node]), low)
    at_most = here.at_most.get(feature, gap) if np.isinf(gap[1]) else gap
    left = replace(here, stores=here.stores & goes_left, at_most={**here.at_most, feature: at_most})
    right = replace(here, stores=here.stores & ~goes_left, above={**here.above, feature: gap})
    below = [
        *_grown(model, tree.children_left[node], values, left),
        *_grown(model, tree.children_right[node], values, right),
    ]
    # A split whether or not which the prediction is the same only makes the cluster purer.
    predicted = {leaf.cluster for leaf in below}
    return below if len(predicted) > 1 else [replace(here, cluster=predicted.pop())]


def _text(leaf: Leaf, words: Sequence[FeatureWords], values: Matrix) -> str:
    asked = sorted({*leaf.above, *leaf.at_most})
    if not asked:
        return "All stores"
    return sentence([" and ".join(_condition(leaf, words[f], f, values) for f in asked)])


def _condition(leaf: Leaf, words: FeatureWords, feature: int, values: Matrix) -> str:
    above, at_most = leaf.above.get(feature), leaf.at_most.get(feature)
    if above is not None and np.isinf(above[1]):
        return f"{words.label} unknown"
    sides = [
        f"{side} {_number_between(*gap, words.kind)}"
        for side, gap in (("above", above), ("at most", at_most))
        if gap is not None and np.isfinite(gap[1])
    ]
    if not sides:
        return f"{words.label} known"
    if words.is_flag:
        text = words.flag(is_set=above is not None)
    else:
        text = f"{words.label} {' and '.join(sides)}"
    # Only where a store's value is: the tree also says where others would go, but that is a guess.
    return f"{text} or unknown" if np.isnan(values[leaf.stores, feature]).any() else text


def _number_between(low: float, high: float, kind: Kind) -> str:
    """Return the shortest number from `low` up to, but not including, `high`; shares in percent."""
    scale, unit = (100, "%") if kind == Kind.SHARE else (1, "")
    middle = scale * (low + high) / 2
    for digits in range(1, EXACT + 1):
        number = float(f"{middle:.{digits}g}")
        if scale * low <= number < scale * high:
            return f"{np.format_float_positional(number, trim='-')}{unit}"
    return f"{np.format_float_positional(scale * low, trim='-')}{unit}"
