"""Folds spread every cluster evenly."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clustering.stratified_folds import stratified_folds


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_no_fold_has_two_stores_more_of_a_cluster_than_another(sizes, seed):
    labels = np.repeat(np.arange(1, len(sizes) + 1), sizes).astype(np.int32)
    folds = stratified_folds(labels, seed)
    n_folds = max(2, min(5, *sizes, 5))
    assert set(folds) <= set(range(n_folds))
    for cluster in np.unique(labels):
        counts = np.bincount(folds[labels == cluster], minlength=n_folds)
        assert counts.max() - counts.min() <= 1
    counts = np.bincount(folds, minlength=n_folds)
    assert counts.max() - counts.min() <= 1


def test_folds_are_drawn_by_the_seed():
    labels = np.repeat([1, 2], 20).astype(np.int32)
    assert (stratified_folds(labels, 1) == stratified_folds(labels, 1)).all()
    assert (stratified_folds(labels, 1) != stratified_folds(labels, 2)).any()
