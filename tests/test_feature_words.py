"""Features are called in words that a category manager reads without a legend."""

import numpy as np
import pytest

from clustering.feature_words import FeatureWords, Kind, sentence, words_of


def labels(*features, values=None, are_shares=False):
    amounts = np.tile([[2.5], [7.0]], (1, len(features))) if values is None else values
    return [words.label for words in words_of(features, amounts, are_shares=are_shares)]


def test_need_states_in_capitals_become_lower_case_and_what_was_pooled_is_not_one_of_them():
    assert labels("PRIVATE LABEL VALUE", "OTHER", are_shares=True) == [
        "private label value",
        "other need states",
    ]


def test_an_equals_sign_in_a_need_state_makes_no_column_of_it():
    (words,) = words_of(["PH=NEUTRAL"], np.array([[0.0], [1.0]]), are_shares=True)
    assert words == FeatureWords("ph=neutral", Kind.SHARE)


def test_column_names_lose_their_underscores_and_ranges_get_a_dash():
    assert labels("median_income", "age_25_34", "income_250k_plus") == [
        "median income",
        "age 25-34",
        "income 250k plus",
    ]


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (("urbanicity=URBAN", "urbanicity=RURAL"), ["urban", "rural"]),
        (("region=Nord Est",), ["Nord Est"]),
        (("format=LARGE", "format=OTHER"), ["format large", "format other"]),
        (("format=B2", "grade=A"), ["format b2", "grade a"]),
        (("shop=MALL", "rival=MALL"), ["shop mall", "rival mall"]),
        (("formula=A=B",), ["formula a=b"]),
    ],
)
def test_a_level_stands_alone_where_it_is_a_word_of_its_own(features, expected):
    assert labels(*features) == expected


def test_flags_are_qualities_or_possessions():
    values = np.array([[0.0, 1.0, np.nan], [1.0, 0.0, 1.0]])
    words = words_of(["has_fuel", "is_urban", "drive_thru"], values, are_shares=False)
    assert words == [
        FeatureWords("fuel", Kind.POSSESSION),
        FeatureWords("urban", Kind.QUALITY),
        FeatureWords("drive thru", Kind.QUALITY),
    ]


def test_a_column_called_like_a_flag_with_other_numbers_is_an_amount():
    (words,) = words_of(["has_seats"], np.array([[0.0], [40.0]]), are_shares=False)
    assert words == FeatureWords("has seats", Kind.AMOUNT)


def test_two_features_are_never_called_the_same():
    assert labels("urban", "zone=URBAN") == ["urban", "zone=URBAN"]


@pytest.mark.parametrize(
    ("kind", "mean", "is_high", "expected"),
    [
        (Kind.AMOUNT, 900.0, True, "high fuel"),
        (Kind.SHARE, 0.0, False, "low fuel"),
        (Kind.QUALITY, 0.5, True, "fuel"),
        (Kind.QUALITY, 0.4, True, "more fuel"),
        (Kind.QUALITY, 0.4, False, "less fuel"),
        (Kind.QUALITY, 0.0, False, "not fuel"),
        (Kind.POSSESSION, 0.5, True, "with fuel"),
        (Kind.POSSESSION, 0.4, True, "more with fuel"),
        (Kind.POSSESSION, 0.4, False, "fewer with fuel"),
        (Kind.POSSESSION, 0.0, False, "without fuel"),
    ],
)
def test_a_trait_says_no_more_than_the_mean_of_the_cluster_allows(kind, mean, is_high, expected):
    assert FeatureWords("fuel", kind).trait(mean, is_high=is_high) == expected


def test_a_flag_of_one_store_is_plain():
    quality, possession = FeatureWords("urban", Kind.QUALITY), FeatureWords("fuel", Kind.POSSESSION)
    assert [quality.flag(is_set=True), quality.flag(is_set=False)] == ["urban", "not urban"]
    assert [possession.flag(is_set=True), possession.flag(is_set=False)] == [
        "with fuel",
        "without fuel",
    ]


def test_sentences_begin_with_a_capital_and_keep_the_others():
    assert sentence(["low UHT milk", "high tea"]) == "Low UHT milk, high tea"
    assert sentence([]) == ""
