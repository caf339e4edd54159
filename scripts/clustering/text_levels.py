"""Text columns as 0/1 features, one per level, with rare levels pooled."""

import polars as pl

POOLED = "OTHER"
"""The level that takes the place of all rare levels of a text column."""


def pool_rare_levels(levels: pl.Series, min_level_share: float) -> tuple[pl.Series, list[str]]:
    """Replace rare levels of a text column by OTHER; return it and the levels that were rare."""
    known = levels.drop_nulls().alias("level")
    counts = known.value_counts(name="stores")
    rare = counts.filter(pl.col("stores") / known.len() < min_level_share)["level"].sort()
    is_rare = levels.is_in(rare.implode())
    return levels.set(is_rare, POOLED), rare.to_list()


def one_hot(levels: pl.Series) -> tuple[pl.Series, ...]:
    """Return a 0/1 feature `column=LEVEL` for each level, sorted; null where the level is null."""
    return tuple(
        (levels == level).cast(pl.Float64).alias(f"{levels.name}={level}")
        for level in levels.drop_nulls().unique().sort()
    )
