"""The merged configuration: held to its schema, with a message of one line for each fault."""

import difflib
import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, ValidationError

from clustering.feature_sets import ALL
from clustering.view_overrides import overridden

Config = dict[str, Any]

OUT_OF_BOUNDS = {
    "minimum": "is below the least allowed,",
    "maximum": "is above the most allowed,",
    "exclusiveMinimum": "must be above",
    "exclusiveMaximum": "must be below",
}

FINDS_OWN_K = ("hdbscan", "dbscan", "optics", "meanshift", "affinity_propagation")
"""Algorithms that take no k; their module knows too, but a dry run must not import it."""
PROJECTION_KEYS = {
    "pca_variance": ("pca_variance",),
    "pca_components": ("pca_count", "kernel_pca"),
}
"""Which projections read a key."""


class ConfigurationError(ValueError):
    """The configuration, or a path that it names, is wrong; the message says where and how."""


def environments(schema: Mapping[str, Any]) -> list[str]:
    """Return the names of the environments that the schema knows."""
    names: list[str] = schema["properties"]["env"]["enum"]
    return names


def check_environment(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Refuse an unknown environment before its file is looked for.

    Raises
    ------
    ConfigurationError
        Naming the environment and those that there are.
    """
    if config.get("env") not in environments(schema):
        known = ", ".join(environments(schema))
        raise ConfigurationError(f"env: {config.get('env')!r} is not one of {known}")


def check_configuration(config: Config, schema: Mapping[str, Any]) -> None:
    """Hold a merged configuration to the schema, and its bounds to each other.

    Raises
    ------
    ConfigurationError
        With one line per fault: the key, what is wrong and what is allowed.
    """
    validator = Draft202012Validator(schema)
    faults = sorted(
        {
            message
            for error in validator.iter_errors(config)
            for message in _messages(error, ".".join(map(str, error.absolute_path)))
        }
    )
    if faults := faults or list(_contradictions(config)):
        raise ConfigurationError("\n".join(faults))


def read_as_typed(given: object, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return a configuration with text turned to the numbers and booleans that the schema expects.

    Values nested in `--config cluster='{internal: {max_k: 4}}'` arrive as text.
    """
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", maxsplit=1)[-1]]
    if isinstance(given, dict):
        properties = schema.get("properties", {})
        others = schema.get("additionalProperties") or {}
        return {
            key: read_as_typed(value, properties.get(key, others), root)
            for key, value in given.items()
        }
    if isinstance(given, list):
        return [read_as_typed(value, schema.get("items", {}), root) for value in given]
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if isinstance(given, str) and kinds & {"integer", "number", "boolean", "null"}:
        read = yaml.safe_load(given)
        return given if "string" in kinds and read is not None else read
    return given


def raw_files(path: str | Sequence[str], key: str, *, buildable: bool) -> list[str]:
    """Return the files that a configured path means, in order: a file, several, or a glob.

    Parameters
    ----------
    path : str or sequence of str
        As configured; `${NAME}` is read from the environment.
    key : str
        Where it is configured, for messages.
    buildable : bool
        Whether a file that is not there yet may be built by the workflow.

    Raises
    ------
    ConfigurationError
        If a variable is not set, a file does not exist or a glob matches nothing.
    """
    patterns = [path] if isinstance(path, str) else list(path)
    return [file for pattern in patterns for file in _expanded(pattern, key, buildable=buildable)]


def _expanded(pattern: str, key: str, *, buildable: bool) -> list[str]:
    name = os.path.expandvars(pattern)
    if unset := re.search(r"\$\{?(\w+)\}?", name):
        raise ConfigurationError(
            f"{key}: environment variable {unset[1]} is not set; export it, or configure the path"
        )
    if Path(name).is_file() or buildable:
        return [name]
    if matches := sorted(glob.glob(name, recursive=True)):  # noqa: PTH207  (may be absolute)
        return matches
    kind = "no file matches" if glob.has_magic(name) else "there is no file"
    raise ConfigurationError(f"{key}: {kind} {name} (looked for from {Path.cwd()})")


def _messages(error: ValidationError, key: str) -> Iterator[str]:
    """Say in one line per fault what jsonschema found."""
    value: Any = error.instance
    bound: Any = error.validator_value
    match error.validator:
        case "additionalProperties":
            allowed = list(cast("Any", error.schema)["properties"])
            for unknown in sorted(set(value) - set(allowed)):
                close = difflib.get_close_matches(unknown, allowed, n=1)
                hint = f"did you mean {close[0]}? " if close else ""
                yield f"{_join(key, unknown)}: unknown key; {hint}Allowed: {', '.join(allowed)}"
        case "required":
            for name in sorted(set(bound) - set(value)):
                yield f"{_join(key, name)}: missing"
        case "enum":
            yield f"{key}: {value!r} is not one of {', '.join(map(str, bound))}"
        case "type":
            kinds = bound if isinstance(bound, str) else " or ".join(bound)
            yield f"{key}: {value!r} is not of type {kinds}"
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" as side:
            yield f"{key}: {value!r} {OUT_OF_BOUNDS[side]} {bound}"
        case _:
            yield f"{key}: {error.message}"


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _at_odds(settings: Mapping[str, Any], key: str, source: str) -> Iterator[str]:
    """Find settings of one source or view that are each allowed but not together."""
    if settings["min_k"] > settings["max_k"]:
        yield (f"{key}.min_k: {settings['min_k']} is above {key}.max_k, {settings['max_k']}")
    if settings["k"] is not None and settings["algorithm"] in FINDS_OWN_K:
        yield (
            f"{key}.k: {settings['algorithm']} finds its own number of clusters; set k to null, "
            "or choose another algorithm"
        )
    for name, projections in PROJECTION_KEYS.items():
        needed, given = settings["projection"] in projections, settings[name] is not None
        if needed and not given:
            yield f"{key}.{name}: projection {settings['projection']} needs it"
        if given and not needed:
            yield (
                f"{key}.{name}: does nothing with projection {settings['projection']}; "
                f"set {name} to null, or projection to {' or '.join(projections)}"
            )
    if source == "external":
        for name, off in (("transform", "none"), ("shrinkage", 0)):
            if settings[name] != off:
                yield f"{key}.{name}: is for shares; external features are none, set it to {off}"
    names = [block["name"] for block in settings["blocks"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{key}.blocks: two blocks are named {name}"


def _contradictions(config: Config) -> Iterator[str]:
    """Find settings that are each allowed but not together."""
    yield from _feature_set_faults(
        config["preprocess"]["external"]["feature_sets"], config["merge"]["feature_sets"]
    )
    yield from _size_faults(config["merge"])
    for source, settings in config["cluster"].items():
        key = f"cluster.{source}"
        if faults := list(_at_odds(settings, key, source)):
            yield from faults
            continue
        for view in settings["views"]:
            yield from _at_odds(overridden(settings, view), f"{key}.views.{view}", source)
    winner: dict[str, int] = {}
    for index, table in enumerate(config["sources"]["external"]["tables"]):
        for column in table.get("wins", []):
            if winner.setdefault(column.lower(), index) != index:
                yield (
                    f"sources.external.tables.{index}.wins: {column} is also won by "
                    f"sources.external.tables.{winner[column.lower()]}; one table decides"
                )


def _feature_set_faults(
    defined: Mapping[str, Sequence[str]], chosen: Mapping[str, str]
) -> Iterator[str]:
    if ALL in defined:
        yield (
            f"preprocess.external.feature_sets.{ALL}: {ALL} is always the set of every feature; "
            "name yours otherwise"
        )
    known = sorted({ALL, *defined})
    for category, name in chosen.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            yield (
                f"merge.feature_sets.{category}: {name!r} is no feature set; {hint}"
                f"preprocess.external.feature_sets has {', '.join(known)}"
            )


def _size_faults(merge: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("size", "share"):
        least, most = merge[f"min_cluster_{kind}"], merge[f"max_cluster_{kind}"]
        if most is not None and least > most:
            yield f"merge.min_cluster_{kind}: {least} is above merge.max_cluster_{kind}, {most}"
