"""Print where the results of an environment are, and a table of what they say per category."""

import argparse
from pathlib import Path

import polars as pl

from ops.arguments import ENVIRONMENTS
from ops.text_table import text_table

COLUMNS = {
    "category": "category",
    "stores": "stores",
    "internal_clusters": "internal",
    "evidence": "evidence",
    "external_clusters": "external",
    "demand_clusters": "demand",
    "clustered": "clustered",
    "reassigned": "reassigned",
    "predicted": "predicted",
    "excluded": "excluded",
}


def summary(results: Path) -> str:
    """Return what is said of the published run of one environment.

    Parameters
    ----------
    results : pathlib.Path
        The results of the environment, `results/{env}`.
    """
    current = results / "current"
    if not current.is_dir():
        return f"Nothing is published yet; what was built is in {results}"
    evidence = {
        source: pl.read_csv(current / source / "quality.csv").select("view", "evidence")
        for source in ("internal", "external")
    }
    table = (
        pl.read_csv(current / "merged" / "summary.csv")
        .join(evidence["internal"], left_on="category", right_on="view", how="left")
        .select(COLUMNS.keys())
        .rename(COLUMNS)
    )
    text = text_table(table)
    stores = table["stores"].cast(int).to_list()[0] if table.height else 0
    statuses = ", ".join(
        f"{table[status].sum():,} {status}"
        for status in ("clustered", "reassigned", "predicted", "excluded")
    )
    outer = ", ".join(f"{view}: {word}" for view, word in evidence["external"].iter_rows())
    return (
        f"Clusters and statuses of the stores, per category\n{text}\n"
        f"{table.height} categories, {stores:,} stores: {statuses}\n"
        f"Evidence: how far clusters can be trusted, explained in quality.csv; external {outer}\n"
        f"Results: {current}/merged/store_clusters.csv ({current.readlink()})"
    )


def main() -> None:
    """Print the summary of the environment that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", choices=ENVIRONMENTS, default="dev", help="default: dev")
    print(summary(Path("results") / parser.parse_args().env))


if __name__ == "__main__":
    main()
