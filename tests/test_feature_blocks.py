import numpy as np
import pytest

from clustering.feature_blocks import Block, TotalVariance, columns_of

BLOCKS = [Block("income", ("income_*", "Wealth"), 0.5), Block("traffic", ("visits",), 0.5)]


def test_patterns_find_the_columns_of_a_block_in_any_case():
    found = columns_of(BLOCKS, ("INCOME_LOW", "visits", "wealth", "income_high"))
    assert [(block.name, columns) for block, columns in found] == [
        ("income", [0, 2, 3]),
        ("traffic", [1]),
    ]


def test_a_block_without_any_feature_of_the_view_is_left_out():
    assert [block.name for block, _ in columns_of(BLOCKS, ("income_low",))] == ["income"]


def test_a_feature_of_no_block_is_named():
    with pytest.raises(ValueError, match="feature space belongs to no block"):
        columns_of(BLOCKS, ("income_low", "space"))


def test_a_feature_of_two_blocks_is_named_with_both():
    both = [*BLOCKS, Block("rest", ("*low",), 1.0)]
    with pytest.raises(ValueError, match="income_low belongs to blocks income and rest"):
        columns_of(both, ("visits", "income_low"))


def test_variances_add_up_to_what_is_asked_for_and_keep_their_proportions():
    values = np.random.default_rng(1).normal(size=(30, 3)) * [1, 2, 4]
    scaled = TotalVariance(0.3).fit(values).transform(values)
    assert scaled.var(axis=0).sum() == pytest.approx(0.3)
    assert np.ptp(scaled / values) == pytest.approx(0)


def test_features_that_do_not_vary_stay_as_they_are():
    values = np.full((5, 2), 7.0)
    assert TotalVariance(0.3).fit(values).transform(values).tolist() == values.tolist()
