"""What clusters are worth: how well they foretell the stores' mix in sales they have not seen."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustering.view_matrix import ViewMatrix

Matrix = NDArray[np.float64]
Groups = NDArray[np.int32]

SMALLEST_SPREAD = 1e-9
"""Shares that differ by less are the same but for rounding errors."""


@dataclass(frozen=True)
class Worth:
    """Share of the variance of the mix in one half that groups made on the other half explain.

    How to read it: 0 is the chain mean, the same plan for every store; .3 says that a plan per
    group takes away 30% of how far the stores' mixes are from it, in weeks that nobody had seen.
    Chance in the half that is judged can be explained by nothing, so 1 is out of reach. Below 0
    the groups are worse than one plan: what they differ in was chance. Clusters are worth having
    where they explain more than grades by volume and than regions do.

    Attributes
    ----------
    clusters : float or None
        The clusters of the other half; None where it could not be parted.
    volume_grades : float or None
        As many groups of equal size by sales in the other half.
    region : float or None
        The regions, at most as many groups as clusters; None where they are not known or one.
    region_groups : int
        How many groups those are; 0 where regions are not known.
    """

    clusters: float | None
    volume_grades: float | None
    region: float | None
    region_groups: int


def worth(
    first: ViewMatrix,
    second: ViewMatrix,
    clusters: tuple[Groups, Groups] | None,
    k: int,
    regions: Mapping[int, str] | None,
) -> Worth:
    """Compare what clusters, grades by volume and regions explain out of sample.

    Every store counts alike, and the mixes are compared as shares, whatever space the clusters
    were made in. Each figure is the mean of both directions.

    Parameters
    ----------
    first, second : ViewMatrix
        The halves: the same stores in the same order, the same features.
    clusters : tuple of two ndarrays of shape (n_stores,), or None
        Those made on the first and on the second half.
    k : int
        Number of clusters and of grades, at least 2.
    regions : mapping of int to str, or None
        Where stores are; those that are missing form a region of their own.
    """
    halves = (first, second)
    grades = (volume_grades(first.weights, k), volume_grades(second.weights, k))
    places = None if regions is None else region_groups(first.stores, regions, k)
    count = 0 if places is None else len(np.unique(places))
    return Worth(
        clusters=None if clusters is None else _both_ways(halves, clusters),
        volume_grades=_both_ways(halves, grades),
        region=_both_ways(halves, (places, places)) if places is not None and count > 1 else None,
        region_groups=count,
    )


def _both_ways(
    halves: tuple[ViewMatrix, ViewMatrix], groups: tuple[Groups, Groups]
) -> float | None:
    first, second = (half.values for half in halves)
    onward = explained_out_of_sample(first, second, groups[0])
    back = explained_out_of_sample(second, first, groups[1])
    return None if onward is None or back is None else (onward + back) / 2


def explained_out_of_sample(known: Matrix, held_out: Matrix, groups: Groups) -> float | None:
    """Return how much nearer held-out mixes are to the known mean of their group than of all.

    1 less the ratio of both sums of squared distances: the out-of-sample R2 of Campbell and
    Thompson ("Predicting excess stock returns out of sample", Review of Financial Studies 21,
    2008), whose benchmark is the mean of what was known too.

    Parameters
    ----------
    known, held_out : ndarray of shape (n_stores, n_features)
        The mix of the same stores, in the same order, in both halves.
    groups : ndarray of shape (n_stores,)
        The group of each store; any whole numbers.

    Returns
    -------
    float or None
        At most 1, and negative where the groups mislead; None where the held-out mixes do not
        differ from the known mean.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), known.shape[1]))
    np.add.at(sums, group, known)
    of_group = (sums / sizes[:, None])[group]
    total = ((held_out - known.mean(axis=0)) ** 2).sum()
    if total <= held_out.size * SMALLEST_SPREAD**2:
        return None
    return float(1 - ((held_out - of_group) ** 2).sum() / total)


def volume_grades(sales: Matrix, k: int) -> Groups:
    """Deal stores, the smallest first, to k grades whose sizes differ by at most one."""
    grades = np.empty(len(sales), dtype=np.int32)
    grades[np.argsort(sales, kind="stable")] = np.arange(len(sales)) * k // len(sales)
    return grades


def region_groups(stores: NDArray[np.int64], regions: Mapping[int, str], k: int) -> Groups:
    """Number the regions of stores; if there are more than k, the smallest are merged into one.

    Parameters
    ----------
    stores : ndarray of shape (n_stores,)
        Store numbers.
    regions : mapping of int to str
        Stores that it does not name form a region of their own.
    k : int
        At least 1.
    """
    names = [regions.get(int(store)) for store in stores]
    sizes = Counter(names)
    by_size = sorted(sizes, key=lambda name: (-sizes[name], name is None, name or ""))
    kept = by_size if len(by_size) <= k else by_size[: k - 1]
    number = {name: index for index, name in enumerate(kept)}
    return np.array([number.get(name, len(kept)) for name in names], dtype=np.int32)
