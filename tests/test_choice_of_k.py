import polars as pl
import pytest

from clustering.choice_of_k import CRITERIA, choose_k
from clustering.scores_of_k import SCORES as COLUMNS

SCORES = pl.DataFrame(
    {
        "k": pl.Series([2, 3, 4, 5], dtype=pl.Int32),
        "prediction_strength": [0.95, 0.6, 0.85, 0.3],
        "bootstrap_stability": [0.99, 0.92, 0.8, 0.89],
        "silhouette": [0.2, 0.5, 0.5, 0.1],
        "calinski_harabasz": [10.0, 12.0, 20.0, 50.0],
        "davies_bouldin": [0.9, 0.4, 0.8, 1.4],
        "inertia": [90.0, 50.0, 20.0, 10.0],
        "combined": [0.3, 0.5, 0.7, 0.7],
        "elbow": [0.0, 0.1, 0.2, 0.0],
    }
)
BARS = {"prediction_strength": 0.8, "bootstrap_stability": 0.9}


@pytest.mark.parametrize(
    ("criterion", "k"),
    [
        ("prediction_strength", 4),
        ("bootstrap_stability", 3),
        ("silhouette", 3),
        ("calinski_harabasz", 5),
        ("davies_bouldin", 3),
        ("combined", 4),
        ("elbow", 4),
    ],
)
def test_each_criterion_chooses_by_its_own_rule(criterion, k):
    assert choose_k(SCORES, criterion, BARS).k == k


def test_the_order_of_the_rows_decides_nothing():
    for criterion in CRITERIA:
        assert choose_k(SCORES.reverse(), criterion, BARS) == choose_k(SCORES, criterion, BARS)


def test_every_criterion_decides_by_a_column_of_the_scores():
    assert set(CRITERIA) < set(COLUMNS)
    assert SCORES.columns == list(COLUMNS)


def test_the_configuration_allows_exactly_the_criteria_that_there_are(schema):
    allowed = schema["$defs"]["cluster"]["properties"]["criterion"]["enum"]
    assert sorted(allowed) == sorted(CRITERIA)


@pytest.mark.parametrize(
    ("criterion", "bar", "k"),
    [
        ("prediction_strength", 0.9, 2),
        ("prediction_strength", 0.85, 4),
        ("prediction_strength", 0.3, 5),
        ("bootstrap_stability", 0.93, 2),
        ("bootstrap_stability", 0.92, 3),
        ("bootstrap_stability", 0.8, 5),
    ],
)
def test_the_bar_of_a_stability_is_the_configured_one_and_reaching_it_is_enough(criterion, bar, k):
    assert choose_k(SCORES, criterion, BARS | {criterion: bar}).k == k


@pytest.mark.parametrize(
    ("criterion", "text"),
    [
        (
            "prediction_strength",
            "no k reaches prediction strength 0.999; k = 2 comes nearest with 0.95",
        ),
        (
            "bootstrap_stability",
            "no k reaches bootstrap stability 0.999; k = 2 comes nearest with 0.99",
        ),
    ],
)
def test_if_no_k_is_real_the_nearest_is_taken_and_the_reason_says_so(criterion, text):
    choice = choose_k(SCORES, criterion, {criterion: 0.999})
    assert (choice.k, choice.reason) == (2, text)


def test_the_reason_names_the_score_that_decided():
    reason = choose_k(SCORES, "bootstrap_stability", BARS).reason
    assert reason == "largest k whose bootstrap stability, 0.92, reaches 0.9"
    assert choose_k(SCORES, "davies_bouldin", BARS).reason == "lowest davies_bouldin, 0.4"


def test_one_cluster_is_chosen_if_allowed_and_no_other_k_is_real():
    one = pl.DataFrame({"k": [1, 2], "prediction_strength": [1.0, 0.5]}).cast({"k": pl.Int32})
    assert choose_k(one, "prediction_strength", BARS).k == 1


def test_a_criterion_that_scores_no_k_says_so():
    choice = choose_k(SCORES.head(1).with_columns(silhouette=None), "silhouette", BARS)
    assert (choice.k, choice.reason) == (2, "silhouette scores no k")
