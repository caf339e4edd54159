"""How well planted clusters are found: designs of chains, what is recovered, and what is claimed.

Every design draws the sales of stores by need state: a mix per planted cluster, scatter around it,
and what spoils it. Printed per design, over the seeds: the number of clusters found, the agreement
with the planted ones (adjusted Rand index), and the word of evidence (without halves of weeks).

    python -m benchmarks.planted_chains --help
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from benchmarks import ROOT
from cluster_views import typed
from clustering.clustered_view import cluster_view
from clustering.evidence import evidence_word
from clustering.view_matrix import ViewMatrix
from ops.text_table import text_table

Matrix = NDArray[np.float64]
NEED_STATES = 10


@dataclass(frozen=True)
class Design:
    """A way to plant clusters.

    Attributes
    ----------
    sizes : tuple of int
        Stores per planted cluster.
    scatter : float
        How closely stores keep to the mix of their cluster (Dirichlet concentration).
    spoil : callable
        From shares and a random generator to spoilt shares.
    """

    sizes: tuple[int, ...]
    scatter: float
    spoil: Callable[[Matrix, np.random.Generator], Matrix] = lambda shares, _: shares


def unranged(shares: Matrix, random: np.random.Generator) -> Matrix:
    """A fifth of the need states is not ranged in a store."""
    kept: Matrix = np.where(random.random(shares.shape) < 0.2, 0.0, shares)
    kept /= kept.sum(axis=1, keepdims=True)
    return kept


def with_outliers(shares: Matrix, random: np.random.Generator) -> Matrix:
    """Three in a hundred stores sell something else altogether."""
    strange = random.random(len(shares)) < 0.03
    other = random.dirichlet(np.full(shares.shape[1], 0.2), len(shares))
    return np.where(strange[:, None], other, shares)


def gradient(shares: Matrix, random: np.random.Generator) -> Matrix:
    """Stores lie between two mixes, with no gap anywhere."""
    ends = random.dirichlet(np.full(shares.shape[1], 2.0), 2)
    place = random.random(len(shares))[:, None]
    return np.vstack(
        [random.dirichlet(200 * mix) for mix in place * ends[0] + (1 - place) * ends[1]]
    )


DESIGNS = {
    "clear, 3 clusters": Design((60, 60, 60), 300),
    "clear, 5 clusters": Design((40, 40, 40, 40, 40), 300),
    "medium, 5 clusters": Design((40, 40, 40, 40, 40), 100),
    "noisy, 4 clusters": Design((50, 50, 50, 50), 40),
    "unequal, 4 clusters": Design((120, 40, 20, 20), 150),
    "unranged, 4 clusters": Design((50, 50, 50, 50), 200, unranged),
    "outliers, 4 clusters": Design((50, 50, 50, 50), 200, with_outliers),
    "gradient, no cluster": Design((200,), 100, gradient),
    "noise, no cluster": Design((200,), 60),
}


def plant(design: Design, seed: int) -> tuple[ViewMatrix, NDArray[np.int64]]:
    """Return the stores of a chain by need state, and the cluster that each was planted in."""
    random = np.random.default_rng(seed)
    mixes = random.dirichlet(np.full(NEED_STATES, 1.5), len(design.sizes)) * 0.95 + 0.005
    truth = np.repeat(np.arange(len(design.sizes)), design.sizes)
    shares = np.vstack([random.dirichlet(design.scatter * mixes[cluster]) for cluster in truth])
    spoilt = design.spoil(shares, random)
    order = np.lexsort(spoilt.T[::-1])
    matrix = ViewMatrix(
        stores=np.arange(1, len(truth) + 1),
        features=tuple(f"need state {index}" for index in range(NEED_STATES)),
        values=spoilt[order],
        weights=random.lognormal(8, 0.5, len(truth)),
    )
    return matrix, truth[order]


def measure(name: str, seeds: range) -> dict[str, object]:
    """Cluster the chains of one design and say what was recovered."""
    settings = typed(yaml.safe_load((ROOT / "config/base.yaml").read_text())["cluster"]["internal"])
    found, agreements, words = [], [], []
    for seed in seeds:
        matrix, truth = plant(DESIGNS[name], seed)
        result = cluster_view("internal", name, matrix, settings, seed)
        labels = result.clusters.sort("store_nbr")["cluster"]
        found.append(result.quality["k"])
        agreements.append(adjusted_rand_score(truth[np.argsort(matrix.stores)], labels))
        words.append(evidence_word(result.quality).word)
    planted = len(DESIGNS[name].sizes)
    return {
        "design": name,
        "planted": planted,
        "found": " ".join(f"{k}x{n}" for k, n in sorted(Counter(found).items())),
        "right k": f"{sum(k == planted for k in found)}/{len(found)}",
        "mean ARI": round(float(np.mean(agreements)), 2) if planted > 1 else None,
        "evidence": " ".join(f"{word}x{n}" for word, n in Counter(words).most_common()),
    }


def main() -> None:
    """Measure the designs that are asked for and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="chains per design; default: 5")
    seeds = range(1, parser.parse_args().seeds + 1)
    rows = []
    with threadpool_limits(1):
        for name in DESIGNS:
            print(f"{name} ...", file=sys.stderr)
            rows.append(measure(name, seeds))
    print(text_table(pl.DataFrame(rows)))


if __name__ == "__main__":
    main()
