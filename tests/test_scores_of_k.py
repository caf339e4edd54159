import numpy as np
import polars as pl
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from clustering.bootstrap_stability import bootstrap_stability
from clustering.choice_of_k import CRITERIA, choose_k
from clustering.prediction_strength import prediction_strength
from clustering.scores_of_k import SCORES, score_each_k
from tests.fits import joined, kmeans

BARS = {"prediction_strength": 0.8, "bootstrap_stability": 0.9}
RANDOM = np.random.default_rng(2)
POINTS = np.vstack(
    [RANDOM.normal(place, 0.3, (25, 3)) for place in ((0, 0, 0), (3, 0, 0), (9, 4, 0))]
)


def labelled(points, bounds):
    return {
        k: KMeans(k, n_init=10, random_state=5).fit_predict(points).astype(np.int32) + 1
        for k in bounds
    }


LABELS = labelled(POINTS, range(1, 6))
TABLE = score_each_k(POINTS, LABELS, kmeans, seed=1)


def row(k, table=TABLE):
    return table.row(by_predicate=pl.col("k") == k, named=True)


def test_there_is_a_row_per_k_with_every_score():
    assert dict(TABLE.schema) == SCORES
    assert TABLE["k"].to_list() == [1, 2, 3, 4, 5]
    assert TABLE.filter(pl.col("k") > 1).null_count().sum_horizontal().item() == 0


def test_the_order_in_which_k_is_given_decides_nothing():
    backwards = dict(reversed(LABELS.items()))
    assert score_each_k(POINTS, backwards, kmeans, seed=1).equals(TABLE)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_separation_scores_are_those_of_scikit_learn(k):
    assert row(k)["silhouette"] == pytest.approx(silhouette_score(POINTS, LABELS[k]))
    assert row(k)["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(POINTS, LABELS[k]))
    assert row(k)["davies_bouldin"] == pytest.approx(davies_bouldin_score(POINTS, LABELS[k]))


@pytest.mark.parametrize("k", [1, 3])
def test_inertia_is_the_sum_of_squared_distances_to_the_means(k):
    expected = KMeans(k, n_init=10, random_state=5).fit(POINTS).inertia_
    assert row(k)["inertia"] == pytest.approx(expected)


def test_stabilities_are_those_of_the_same_seed():
    assert row(4)["prediction_strength"] == prediction_strength(POINTS, 4, kmeans, seed=1)
    stability = bootstrap_stability(POINTS, LABELS[4], 4, kmeans, seed=1)
    assert row(4)["bootstrap_stability"] == stability.mean_ari


def test_one_cluster_is_stable_by_definition_and_has_no_separation():
    first = row(1)
    assert first["prediction_strength"] == first["bootstrap_stability"] == 1.0
    for name in ("silhouette", "calinski_harabasz", "davies_bouldin", "combined"):
        assert first[name] is None


def test_combined_is_the_mean_of_three_scores_scaled_over_the_ks():
    scored = TABLE.filter(pl.col("k") > 1)
    scaled = []
    for name, sign in (("silhouette", 1), ("calinski_harabasz", 1), ("davies_bouldin", -1)):
        values = sign * scored[name].to_numpy()
        scaled.append((values - values.min()) / (values.max() - values.min()))
    assert scored["combined"].to_list() == pytest.approx(np.mean(scaled, axis=0).tolist())


def test_combined_of_a_single_k_is_no_division_by_zero():
    assert score_each_k(POINTS, {3: LABELS[3]}, kmeans, seed=1)["combined"].to_list() == [0.0]


def test_elbow_is_how_far_inertia_lies_under_the_chord():
    # Stores in pairs at 0 and 1, 10 and 11, 100 and 101: inertia by hand for k = 1, 2, 3 and 6.
    points = np.array([[0.0], [1.0], [10.0], [11.0], [100.0], [101.0]])
    labels = {1: [1] * 6, 2: [1] * 4 + [2] * 2, 3: [1, 1, 2, 2, 3, 3], 6: [1, 2, 3, 4, 5, 6]}
    table = score_each_k(
        points, {k: np.array(each, dtype=np.int32) for k, each in labels.items()}, kmeans, seed=1
    )
    whole = sum((x - 223 / 6) ** 2 for x in (0, 1, 10, 11, 100, 101))
    two = sum((x - 5.5) ** 2 for x in (0, 1, 10, 11)) + 0.5
    assert table["inertia"].to_list() == pytest.approx([whole, two, 1.5, 0.0])
    expected = [0.0, (1 - two / whole) - 1 / 5, (1 - 1.5 / whole) - 2 / 5, 0.0]
    assert table["elbow"].to_list() == pytest.approx(expected)


def test_two_ks_have_no_elbow():
    pair = {k: LABELS[k] for k in (2, 3)}
    table = score_each_k(POINTS, pair, kmeans, seed=1)
    assert table["elbow"].to_list() == [None, None]
    assert choose_k(table, "elbow", BARS).reason == "elbow scores no k"


@pytest.mark.parametrize("criterion", sorted(CRITERIA))
def test_every_criterion_finds_three_clusters_that_lie_well_apart(criterion):
    centres = ((0, 0, 0), (9, 0, 0), (0, 9, 0))
    points = np.vstack([np.random.default_rng(3).normal(place, 1, (25, 3)) for place in centres])
    table = score_each_k(points, labelled(points, range(2, 7)), kmeans, seed=1)
    assert choose_k(table, criterion, BARS).k == 3


def test_both_stabilities_call_noise_one_cluster_and_no_separation_score_does():
    noise = np.random.default_rng(5).normal(size=(90, 4))
    table = score_each_k(noise, labelled(noise, range(1, 6)), kmeans, seed=1)
    chosen = {criterion: choose_k(table, criterion, BARS).k for criterion in CRITERIA}
    assert chosen["prediction_strength"] == chosen["bootstrap_stability"] == 1
    assert min(chosen[each] for each in ("silhouette", "calinski_harabasz", "combined")) > 1


def test_stores_that_belong_to_no_cluster_count_in_no_separation_score():
    labels = LABELS[3].copy()
    labels[::5] = 0
    found = row(3, score_each_k(POINTS, {3: labels}, kmeans, seed=1))
    inside = labels > 0
    assert found["silhouette"] == pytest.approx(silhouette_score(POINTS[inside], labels[inside]))
    assert found["davies_bouldin"] == pytest.approx(
        davies_bouldin_score(POINTS[inside], labels[inside])
    )
    means = np.vstack([POINTS[labels == cluster].mean(axis=0) for cluster in (1, 2, 3)])
    expected = ((POINTS[inside] - means[labels[inside] - 1]) ** 2).sum()
    assert found["inertia"] == pytest.approx(expected)


def test_as_many_clusters_as_stores_have_no_separation_score():
    points = np.arange(6.0)[:, None]
    table = score_each_k(points, {6: np.arange(1, 7, dtype=np.int32)}, kmeans, seed=1)
    assert table["silhouette"].to_list() == table["davies_bouldin"].to_list() == [None]


def test_labels_are_those_of_the_caller():
    assert joined(POINTS, kmeans(POINTS, 3)) != LABELS[3].tolist()
    swapped = {3: np.roll(LABELS[3], 7)}
    found = row(3, score_each_k(POINTS, swapped, kmeans, seed=1))
    assert found["silhouette"] == pytest.approx(silhouette_score(POINTS, swapped[3]))
