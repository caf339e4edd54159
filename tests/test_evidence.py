import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering.bootstrap_stability import bootstrap_stability
from clustering.choice_of_k import choose_k
from clustering.evidence import EVIDENCE, evidence_word, view_evidence
from clustering.evidence_ladders import LADDERS, WORDS
from clustering.scores_of_k import score_each_k
from clustering.silhouette_null import silhouette_null
from tests.fits import joined, kmeans

BOUNDS = {
    "prediction_strength": (0.8, 0.65, 0.5),
    "bootstrap_stability": (0.9, 0.75, 0.6),
    "lowest_jaccard": (0.75, 0.6, 0.5),
    "split_half_reliability": (0.8, 0.6, 0.4),
    "half_agreement": (0.7, 0.4, 0.2),
    "worth_beyond_volume": (0.05, 0.02, 0.0),
}
BEST = {**dict.fromkeys(BOUNDS, 1.0), "silhouette_p": 0.025}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_each_piece_of_evidence_earns_a_word_at_its_bound_and_loses_it_just_under(name):
    strong, moderate, weak = BOUNDS[name]
    for value, word in (
        (strong, "strong"),
        (strong - 1e-6, "moderate"),
        (moderate, "moderate"),
        (moderate - 1e-6, "weak"),
        (weak, "weak"),
        (weak - 1e-6, "none"),
    ):
        assert evidence_word({name: value}).word == word
        assert evidence_word(BEST | {name: value}).word == word


def test_a_silhouette_that_noise_reaches_is_evidence_of_nothing():
    assert evidence_word({"silhouette_p": 0.05}).word == "strong"
    assert evidence_word(BEST | {"silhouette_p": 0.05}).word == "strong"
    assert evidence_word(BEST | {"silhouette_p": 0.051}).word == "none"


def test_every_piece_of_evidence_has_been_tested_at_its_bounds():
    assert set(LADDERS) == set(BEST)


@given(st.dictionaries(st.sampled_from(sorted(BEST)), st.floats(-1, 1), min_size=1))
def test_the_weakest_piece_decides(evidence):
    words = [evidence_word({name: value}).word for name, value in evidence.items()]
    assert evidence_word(evidence).word == max(words, key=WORDS.index)


def test_what_is_missing_counts_neither_for_nor_against():
    assert evidence_word({"prediction_strength": 0.9, "half_agreement": None}).word == "strong"
    assert evidence_word({"prediction_strength": 0.7, "half_agreement": None}).word == "moderate"


def test_other_columns_of_the_quality_table_count_for_nothing():
    row = {"view": "A", "k": 3, "silhouette": 0.01, "reason": "", "prediction_strength": 0.9}
    assert evidence_word(row).word == "strong"


@pytest.mark.parametrize(
    ("clusters", "grades", "word"),
    [(0.35, 0.3, "strong"), (0.32, 0.3, "moderate"), (0.3, 0.3, "weak"), (0.29, 0.3, "none")],
)
def test_clusters_must_be_worth_more_than_grades_by_volume(clusters, grades, word):
    evidence = BEST | {"worth_clusters": clusters, "worth_volume_grades": grades}
    assert evidence_word(evidence).word == word


@pytest.mark.parametrize("missing", ["worth_clusters", "worth_volume_grades"])
def test_worth_is_not_judged_without_something_to_compare_with(missing):
    evidence = {"prediction_strength": 0.9, "worth_clusters": -1.0, "worth_volume_grades": 1.0}
    assert evidence_word(evidence | {missing: None}).word == "strong"


def test_one_cluster_claims_nothing():
    assert evidence_word(BEST | {"k": 1}).word == "none"
    assert evidence_word({"k": 1}).because == "one cluster: nothing is claimed"


def test_nothing_measured_is_no_evidence():
    evidence = evidence_word({"k": 3})
    assert (evidence.word, evidence.because) == ("none", "nothing was measured")


def test_the_reason_names_what_decided_and_the_bound_it_misses():
    evidence = evidence_word(
        {"prediction_strength": 0.7, "bootstrap_stability": 0.8, "lowest_jaccard": 0.9}
    )
    assert evidence.because == (
        "prediction strength 0.7, under 0.8; bootstrap stability 0.8, under 0.9"
    )
    assert evidence_word({"silhouette_p": 0.2}).because == (
        "p of the silhouette against permuted features 0.2, over 0.05"
    )
    assert evidence_word(BEST).because == "all 7 pieces of evidence are strong"


def judged(points, min_k=2):
    """Choose k by prediction strength and judge the clusters, as a view is."""
    bounds = range(min_k, 6)
    labels = {k: np.array(joined(points, kmeans(points, k)), dtype=np.int32) for k in bounds}
    scores = score_each_k(points, labels, kmeans, seed=1)
    k = choose_k(scores, "prediction_strength", {"prediction_strength": 0.8}).k
    row = scores.row(by_predicate=pl.col("k") == k, named=True)
    return k, evidence_word(row | view_evidence(points, labels[k], k, kmeans, seed=1))


def blob(random):
    return random.normal(size=(90, 4))


def elongated(random):
    return random.normal(size=(90, 3)) * [4, 1, 1]


def one_mix(random):
    return np.sqrt(random.dirichlet(60 * random.dirichlet(np.full(6, 2.0)), 90))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", [blob, elongated, one_mix])
def test_stores_that_differ_by_chance_alone_are_no_evidence(noise, seed):
    _, evidence = judged(noise(np.random.default_rng(seed)))
    assert evidence.word == "none"


@pytest.mark.parametrize("noise", [blob, one_mix])
def test_stores_that_differ_by_chance_alone_are_one_cluster_where_that_is_allowed(noise):
    k, evidence = judged(noise(np.random.default_rng(1)), min_k=1)
    assert (k, evidence.word) == (1, "none")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("clusters", [2, 4])
def test_planted_mixes_are_strong_evidence(clusters, seed):
    random = np.random.default_rng(seed)
    mixes = 0.1 / 6 + 0.9 * np.eye(6)[:clusters] * 0.6 + 0.9 * 0.4 * random.dirichlet(np.ones(6))
    shares = np.vstack([random.dirichlet(200 * mix, 90 // clusters) for mix in mixes])
    k, evidence = judged(np.sqrt(shares))
    assert (k, evidence.word) == (clusters, "strong")


def test_what_is_measured_at_the_chosen_k_is_what_its_methods_measure():
    points = np.random.default_rng(3).normal(size=(60, 3))
    labels = np.array(joined(points, kmeans(points, 3)), dtype=np.int32)
    found = view_evidence(points, labels, 3, kmeans, seed=5)
    jaccard = bootstrap_stability(points, labels, 3, kmeans, seed=5).jaccard
    null = silhouette_null(points, 3, kmeans, seed=5)
    assert list(found) == list(EVIDENCE)
    assert found["jaccard"] == jaccard.tolist()
    assert found["lowest_jaccard"] == min(found["jaccard"])
    assert (found["silhouette_value"], found["silhouette_null"]) == (null.value, null.null)
    assert found["silhouette_p"] == null.p


def test_nothing_is_measured_of_one_cluster():
    found = view_evidence(np.zeros((5, 1)), np.ones(5, dtype=np.int32), 1, kmeans, seed=1)
    assert found == dict.fromkeys(EVIDENCE)
