"""Seeds for the parts of a run, derived from the one seed of the configuration."""

import hashlib
import json


def derived_seed(seed: int, *names: str) -> int:
    """Return the seed of one part of the work, such as a view of a source.

    It depends on the seed and the names alone, so that a part draws the same numbers whatever
    is done before, beside or instead of the others.

    Parameters
    ----------
    seed : int
        The seed of the configuration.
    *names : str
        What the part is called, from the general to the particular: ("internal", "COFFEE/TEA").

    Returns
    -------
    int
        From 0 to 2**32 - 1, the range that NumPy and scikit-learn take.
    """
    # As JSON, because joined names would collide: "A/B" and "C" with "A" and "B/C".
    text = json.dumps([seed, *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
