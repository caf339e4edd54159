"""Dealing views to batches, so that a job clusters many views and a new view moves no other."""

import zlib


def batch_of(view: str, batches: int) -> int:
    """Return the batch, from 0, that clusters a view; it depends on the view's name alone.

    Raises
    ------
    ValueError
        If there is no batch to deal to.
    """
    if batches < 1:
        raise ValueError(f"batches = {batches}; at least one is needed")
    return zlib.crc32(view.encode()) % batches
