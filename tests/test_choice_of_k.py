import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from clustering.choice_of_k import CRITERIA, choose_k, score_each_k

SCORES = pl.DataFrame(
    {
        "k": pl.Series([2, 3, 4, 5], dtype=pl.Int32),
        "prediction_strength": [0.95, 0.6, 0.85, 0.3],
        "silhouette": [0.2, 0.5, 0.5, 0.1],
        "calinski_harabasz": [10.0, 12.0, 20.0, 50.0],
        "davies_bouldin": [0.9, 0.4, 0.8, 1.4],
    }
)


@pytest.mark.parametrize(
    ("criterion", "k"),
    [
        ("prediction_strength", 4),
        ("silhouette", 3),
        ("calinski_harabasz", 5),
        ("davies_bouldin", 3),
    ],
)
def test_each_criterion_chooses_by_its_own_rule(criterion, k):
    assert choose_k(SCORES, criterion, 0.8).k == k


def test_the_configuration_allows_exactly_the_criteria_that_there_are(schema):
    assert sorted(schema["$defs"]["cluster"]["properties"]["criterion"]["enum"]) == sorted(CRITERIA)


def test_the_bar_for_prediction_strength_is_the_configured_one():
    assert choose_k(SCORES, "prediction_strength", 0.9).k == 2
    assert choose_k(SCORES, "prediction_strength", 0.3).k == 5


def test_if_no_k_is_real_the_nearest_is_taken_and_the_reason_says_so():
    choice = choose_k(SCORES, "prediction_strength", 0.99)
    assert choice.k == 2
    assert "no k reaches prediction strength 0.99" in choice.reason
    assert "0.95" in choice.reason


def test_one_cluster_is_chosen_if_allowed_and_no_other_k_is_real():
    one = pl.DataFrame({"k": [1, 2], "prediction_strength": [1.0, 0.5]}).cast({"k": pl.Int32})
    assert choose_k(one, "prediction_strength", 0.8).k == 1


def test_a_criterion_that_scores_no_k_says_so():
    choice = choose_k(SCORES.head(1).with_columns(silhouette=None), "silhouette", 0.8)
    assert (choice.k, choice.reason) == (2, "no k has a silhouette score")


def test_all_scores_of_every_k_are_those_of_scikit_learn():
    random = np.random.default_rng(2)
    points = np.vstack([random.normal(m, 0.3, (30, 3)) for m in (0, 3, 9)])
    scores = score_each_k(points, range(1, 5), starts=10, seed=1)
    assert scores["k"].to_list() == [1, 2, 3, 4]
    labels = KMeans(3, n_init=10, random_state=5).fit_predict(points)
    row = scores.row(2, named=True)
    assert row["silhouette"] == pytest.approx(silhouette_score(points, labels))
    assert row["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(points, labels))
    assert row["davies_bouldin"] == pytest.approx(davies_bouldin_score(points, labels))
    assert scores["prediction_strength"].to_list()[2] > 0.95
    assert scores.row(0) == (1, 1.0, None, None, None)
