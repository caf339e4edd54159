"""What becomes of a raw column that describes stores: features, an attribute, or nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

import polars as pl

from clustering.text_levels import POOLED, one_hot, pool_rare_levels


class Outcome(StrEnum):
    """What became of a column."""

    FEATURE = "feature"
    ONE_HOT = "one-hot"
    ATTRIBUTE = "attribute"
    DROPPED = "dropped"


@dataclass(frozen=True, eq=False)
class Column:
    """A raw column and what became of it.

    Attributes
    ----------
    name : str
        Lower snake case.
    outcome : Outcome
    reason : str
        Why it was dropped, or what happened to its values; may be empty.
    missing_share : float
        Stores without a known value ÷ all stores.
    non_finite : int
        Values that were NaN or infinite, and are unknown now.
    is_sensitive : bool
        Whether its name matches a sensitive pattern.
    values : tuple of polars.Series
        One per feature (Float64), or the attribute in its own type; none if dropped.
    """

    name: str
    outcome: Outcome
    reason: str
    missing_share: float
    non_finite: int
    is_sensitive: bool
    values: tuple[pl.Series, ...] = ()

    @property
    def is_feature(self) -> bool:
        """Whether stores are clustered on it."""
        return self.outcome in (Outcome.FEATURE, Outcome.ONE_HOT)


def prepare_columns(
    table: pl.DataFrame,
    *,
    attributes: Collection[str],
    sensitive: Collection[str],
    allow_sensitive: Collection[str],
    max_missing_share: float,
    min_level_share: float,
) -> list[Column]:
    """Decide on every column of a table, one row per store, and make its features.

    Numbers and booleans become one feature; text becomes one 0/1 feature `column=LEVEL` per
    level. What is unknown (null, blank, NaN, infinite) stays null in every feature. A column
    whose known values are all equal is dropped, unless no other feature is left: then such
    columns are kept, because clustering answers for stores that do not differ.

    Parameters
    ----------
    table : polars.DataFrame
        At least one row, and no key.
    attributes : collection of str
        Columns that are carried in their own type and give no feature.
    sensitive : collection of str
        Shell-style patterns of column names that are left out.
    allow_sensitive : collection of str
        Column names that are used although a pattern matches.
    max_missing_share : float
        A column unknown for a larger share of the stores (0..1) gives no feature.
    min_level_share : float
        Levels held by a smaller share (0..1) of the stores with a known value are pooled into
        `column=OTHER`, together with a level of that name.

    Returns
    -------
    list of Column
        Sorted by name.
    """
    for keep_constant in (False, True):
        columns = [
            _prepare(
                table[name],
                is_attribute=name in attributes,
                is_sensitive=any(fnmatchcase(name, pattern) for pattern in sensitive),
                is_allowed=name in allow_sensitive,
                max_missing_share=max_missing_share,
                min_level_share=min_level_share,
                keep_constant=keep_constant,
            )
            for name in sorted(table.columns)
        ]
        if any(column.is_feature for column in columns):
            break
    return columns


def known_values(values: pl.Series) -> pl.Series:
    """Return a column with null for what is unknown: blank text, NaN, infinities; trim text."""
    if values.dtype == pl.String:
        return values.str.strip_chars().replace("", None)
    if values.dtype.is_float():
        return values.set(~values.is_finite(), None)
    return values


def _prepare(
    raw: pl.Series,
    *,
    is_attribute: bool,
    is_sensitive: bool,
    is_allowed: bool,
    max_missing_share: float,
    min_level_share: float,
    keep_constant: bool,
) -> Column:
    values = known_values(raw)
    missing = values.null_count()

    def column(outcome: Outcome, reason: str, *made: pl.Series) -> Column:
        return Column(
            name=raw.name,
            outcome=outcome,
            reason=reason,
            missing_share=missing / values.len(),
            non_finite=missing - raw.null_count() if raw.dtype.is_float() else 0,
            is_sensitive=is_sensitive,
            values=made,
        )

    if is_sensitive and not is_allowed:
        return column(Outcome.DROPPED, "sensitive; used only if allow_sensitive names it")
    if is_attribute:
        return column(Outcome.ATTRIBUTE, "", values)
    if missing == values.len() or missing / values.len() > max_missing_share:
        limit = f"max_missing_share is {max_missing_share:g}"
        return column(Outcome.DROPPED, f"unknown for {missing} of {values.len()} stores; {limit}")
    if not _is_usable(values.dtype):
        return column(Outcome.DROPPED, f"{values.dtype} is neither a number, a boolean nor text")
    if values.dtype == pl.String:
        levels, rare = pool_rare_levels(values, min_level_share)
        outcome, features = Outcome.ONE_HOT, one_hot(levels)
        notes = _notes_on_text(values, rare, min_level_share)
    else:
        outcome, features, notes = Outcome.FEATURE, (values.cast(pl.Float64),), []
    if features[0].drop_nulls().n_unique() == 1:
        notes.append("all known values are equal")
        if not keep_constant:
            return column(Outcome.DROPPED, "; ".join(notes))
        notes.append("kept, because no column varies")
    return column(outcome, "; ".join(notes), *features)


def _is_usable(dtype: pl.DataType) -> bool:
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.String)


def _notes_on_text(values: pl.Series, rare: list[str], min_level_share: float) -> list[str]:
    notes = []
    if rare:
        notes.append(f"{len(rare)} levels below the share {min_level_share:g} pooled into {POOLED}")
    known = values.drop_nulls()
    words = known.filter(known.cast(pl.Float64, strict=False).is_null())
    numbers = known.len() - words.len()
    # Most often a column of numbers with a word for "unknown" in it: its owner wants to know.
    if numbers > words.len() > 0:
        notes.append(f"{numbers} of {known.len()} values are numbers, {min(words)!r} is not")
    return notes
