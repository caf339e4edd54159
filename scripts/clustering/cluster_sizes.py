"""How many stores a demand cluster must and may have, and whether a category allows it."""

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class SizeBounds:
    """The bounds of one category, in stores that are not predicted.

    Attributes
    ----------
    stores : int
        How many such stores the category has.
    minimum, maximum : int
        Fewest and most stores of a demand cluster; the maximum is at most `stores`.
    """

    stores: int
    minimum: int
    maximum: int

    def infeasible(self, large_clusters: int) -> str | None:
        """Return why not every demand cluster can be within the bounds; None if each can.

        Parameters
        ----------
        large_clusters : int
            Merged clusters that reach the minimum: no demand cluster is ever added to them.
        """
        if not self.stores:
            return "no store has both sides known"
        if not large_clusters:
            return self.kept_pairs
        if self.maximum < self.minimum:
            return (
                f"the minimum size {self.minimum} is above the maximum size {self.maximum} "
                f"among {self.stores} stores: the maximum is not held"
            )
        if self.stores > large_clusters * self.maximum:
            return (
                f"{self.stores} stores are too many for the {large_clusters} large clusters "
                f"at the maximum size {self.maximum}: the maximum is not held everywhere"
            )
        return None

    @property
    def kept_pairs(self) -> str:
        """What is said where no merged cluster is large."""
        return f"no merged cluster reaches the minimum size {self.minimum}: pairs kept"


@dataclass(frozen=True)
class SizeSettings:
    """Bounds on demand clusters; keys of `merge` in the configuration.

    Attributes
    ----------
    min_cluster_size : int
        Stores, at least 1.
    min_cluster_share : float
        Of the category's stores that are not predicted; 0 demands nothing.
    max_cluster_size : int or None
        Stores; None allows any number.
    max_cluster_share : float
        As `min_cluster_share`; 1 allows all.
    """

    min_cluster_size: int
    min_cluster_share: float
    max_cluster_size: int | None
    max_cluster_share: float

    def bounds(self, stores: int) -> SizeBounds:
        """Return what the settings mean in a category: the stricter of number and share."""
        # As written: 0.07 of 100 stores are 7, in floating point a little more.
        least, most = (
            Fraction(str(share)) * stores
            for share in (self.min_cluster_share, self.max_cluster_share)
        )
        maximum = math.floor(most)
        if self.max_cluster_size is not None:
            maximum = min(maximum, self.max_cluster_size)
        return SizeBounds(stores, max(self.min_cluster_size, math.ceil(least)), maximum)
