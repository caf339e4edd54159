"""Settings that hold for one view only."""

from collections.abc import Mapping
from typing import Any


def overridden(settings: Mapping[str, Any], view: str) -> dict[str, Any]:
    """Return `cluster.{source}` as it holds for one view, with what `views` says of it on top.

    Parameters of algorithms are merged one by one; everything else is replaced.
    """
    merged = {**settings, **settings["views"].get(view, {})}
    general, own = settings["algorithm_parameters"], merged["algorithm_parameters"]
    parameters = {
        name: {**general.get(name, {}), **own.get(name, {})} for name in {**general, **own}
    }
    return {**merged, "algorithm_parameters": parameters}
