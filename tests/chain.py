"""A small chain with every difficulty of a real one, as raw files."""

import numpy as np
import polars as pl

STORES = range(11, 71)
ONLY_EXTERNAL = 900
WITHOUT_EXTERNAL = (12, 33)
CATEGORIES = {
    # Name: need states, stores that sell it.
    "HAND & BODY/LOTION": (5, STORES),
    "ACNE/HSC": (4, STORES),
    "Crème": (6, range(11, 61)),
    "THREE STORES": (3, range(11, 14)),
    "ONE NEED STATE": (1, STORES),
}


def write_chain(folder):
    """Write sales (two files, ids as text in one), need states and two external tables."""
    random = np.random.default_rng(20)
    sales, need_states = _category_rows(random)
    dirty = [
        (None, 11, "ACNE/HSC", 5.0),
        (999_999, 11, "ACNE/HSC", 7.0),
        (1001, -4, "ACNE/HSC", 3.0),
        (1001, 13, None, 2.0),
        (1001, 14, "ACNE/HSC", None),
        (1001, 15, "ACNE/HSC", float("nan")),
    ]
    schema = ["SKU_NBR", "STORE_NBR", "CAT_DSC", "TOTAL_SALES"]
    rows = pl.DataFrame(sales + dirty, schema=schema, orient="row")
    folder.mkdir(parents=True, exist_ok=True)
    half = rows.height // 2
    rows.head(half).write_parquet(folder / "sales_1.parquet")
    text = pl.col("SKU_NBR", "STORE_NBR").cast(pl.String)
    rows.tail(-half).with_columns(text).write_csv(folder / "sales_2.csv")
    pl.DataFrame(need_states, schema=["Product_Id", "Need_State"], orient="row").write_csv(
        folder / "need_states.csv"
    )
    known = [store for store in (*STORES, ONLY_EXTERNAL) if store not in WITHOUT_EXTERNAL]
    urban = [store % 2 for store in known]
    pl.DataFrame(
        {
            "STORE_NBR": known,
            "INCOME": [40 + 30 * u + random.normal(0, 2) for u in urban],
            "DENSITY": [1 + 8 * u + random.normal(0, 0.5) for u in urban],
            "STORE_NAME": [f"Store {store}" for store in known],
        }
    ).write_csv(folder / "demographics.csv")
    pl.DataFrame({"store_nbr": known, "HAS_FUEL": [bool(u) for u in urban]}).write_parquet(
        folder / "traffic.parquet"
    )


def _category_rows(random):
    sales, need_states = [], []
    for number, (category, (states, stores)) in enumerate(CATEGORIES.items(), start=1):
        mixes = random.dirichlet(np.full(states, 0.7), 3)
        for state in range(states):
            product = 1000 * number + state
            need_states += [(product, f"Need {state}"), (product, f" need {state} ")]
        need_states.append((1000 * number, "SHARED"))
        for store in stores:
            volume = random.lognormal(7, 0.4)
            mix = random.dirichlet(200 * mixes[store % 3] + 0.5)
            for state in range(states):
                amount = round(volume * mix[state], 2)
                sales += [(1000 * number + state, store, category, amount)] * 2
            sales.append((1000 * number, store, category, -1.25))
    return sales, need_states


def configuration(folder):
    """What a configuration file says to run the workflow on this chain, quickly."""
    quick = {"max_k": 4, "starts": 3}
    return {
        "sources": {
            "internal": {
                "sales": {"path": str(folder / "sales_*")},
                "need_states": {"path": str(folder / "need_states.csv")},
            },
            "external": {
                "tables": [
                    {"path": str(folder / "demographics.csv")},
                    {"path": str(folder / "traffic.parquet")},
                ]
            },
        },
        "cluster": {"internal": quick, "external": quick},
        "merge": {"min_cluster_size": 5},
    }
