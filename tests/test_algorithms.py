import inspect

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from clustering.algorithms import ALGORITHMS, label_points
from clustering.configuration import FINDS_OWN_K
from clustering.partition import partition
from tests.conftest import read_yaml

SCHEMA = read_yaml("schema.yaml")["$defs"]
PARAMETERS = {
    name: {"properties": {}} | SCHEMA["algorithm_parameters"]["properties"].get(name, {})
    for name in ALGORITHMS
}
DEFAULTS = read_yaml("base.yaml")["cluster"]["internal"]["algorithm_parameters"]


def planted(seed, sizes=(30, 24, 18), separation=1.2, dimensions=4):
    random = np.random.default_rng(seed)
    centres = np.eye(dimensions)[: len(sizes)] * separation * 4
    truth = np.repeat(np.arange(len(sizes)), sizes)
    return centres[truth] + random.normal(size=(len(truth), dimensions)) * 0.3, truth


def given(algorithm):
    """What the configuration of the internal source says of an algorithm."""
    starts = {"n_init": 3} if ALGORITHMS[algorithm].restarts else {}
    return starts | DEFAULTS.get(algorithm, {})


def test_the_configuration_allows_exactly_the_algorithms_that_there_are():
    assert SCHEMA["view"]["properties"]["algorithm"]["enum"] == list(ALGORITHMS)
    assert set(SCHEMA["algorithm_parameters"]["properties"]) == set(ALGORITHMS) - {"ward"}


def test_the_configuration_knows_which_algorithms_find_their_own_k():
    own = tuple(name for name, algorithm in ALGORITHMS.items() if algorithm.finds_own_k)
    assert own == FINDS_OWN_K == tuple(ALGORITHMS)[-5:]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_may_be_configured_is_an_argument_of_the_estimator(name):
    arguments = set(inspect.signature(ALGORITHMS[name].estimator).parameters)
    assert set(PARAMETERS[name]["properties"]) <= arguments
    assert ALGORITHMS[name].seeded == ("random_state" in arguments)
    assert ALGORITHMS[name].restarts == ("n_init" in arguments)
    assert ALGORITHMS[name].k_name is None or ALGORITHMS[name].k_name in arguments


def extremes(schema):
    """Every value of a choice; the least and the most that a number may be."""
    if "enum" in schema:
        return schema["enum"]
    if schema["type"] == "boolean":
        return [True, False]
    whole = schema["type"] == "integer"
    inside = 0.001
    least = schema.get("minimum", schema.get("exclusiveMinimum", -1e6 - inside) + inside)
    most = schema.get("maximum", schema.get("exclusiveMaximum", 1e6 + inside) - inside)
    return [int(least), int(most)] if whole else [least, most]


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        (name, parameter, value)
        for name, section in PARAMETERS.items()
        for parameter, schema in section["properties"].items()
        for value in extremes(schema)
    ],
)
def test_the_estimators_take_every_value_that_may_be_configured(name, parameter, value):
    points, _ = planted(1)
    arguments = given(name) | {parameter: value}
    if ALGORITHMS[name].restarts:
        arguments["n_init"] = 1
    part = partition(points, 3, name, arguments, seed=1)
    assert len(part.labels) == len(points)
    assert part.labels.max() == len(part.centres)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_finds_planted_clusters(name):
    points, truth = planted(2)
    part = partition(points, 3, name, given(name), seed=1)
    assert len(part.centres) == 3
    assert (part.labels == 0).sum() <= 4
    assert adjusted_rand_score(truth, part.labels) > 0.9
    if not (part.labels == 0).any():
        assert np.bincount(part.labels).tolist() == [0, 30, 24, 18]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_unit_of_the_features_does_not_matter(name):
    points, _ = planted(3, separation=0.3)
    first = partition(points, 3, name, given(name), seed=1).labels
    # A power of two, so that nothing is rounded in another way.
    assert (partition(points * 2**-12, 3, name, given(name), seed=1).labels == first).all()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_same_seed_gives_the_same_clusters(name):
    points, _ = planted(4, separation=0.2)
    first, second = (label_points(points, 4, name, given(name), seed=7) for _ in range(2))
    assert first.tolist() == second.tolist()


CHANGES = [
    ("kmeans", {"init": "random", "n_init": 1}, {"init": "k-means++", "n_init": 1}),
    ("kmeans", {"max_iter": 1, "n_init": 1}, {"n_init": 1}),
    ("bisecting_kmeans", {"init": "random"}, {"init": "k-means++"}),
    (
        "bisecting_kmeans",
        {"bisecting_strategy": "biggest_inertia"},
        {"bisecting_strategy": "largest_cluster"},
    ),
    ("gaussian_mixture", {"covariance_type": "spherical"}, {"covariance_type": "full"}),
    ("gaussian_mixture", {"reg_covar": 0.5}, {}),
    ("spectral", {"affinity": "nearest_neighbors"}, {}),
    ("spectral", {"gamma": 20.0}, {}),
    (
        "spectral",
        {"affinity": "nearest_neighbors", "n_neighbors": 4},
        {"affinity": "nearest_neighbors"},
    ),
    ("spectral", {"assign_labels": "cluster_qr"}, {}),
    ("birch", {"threshold": 0.6}, {}),
    ("birch", {"branching_factor": 2}, {}),
    ("hdbscan", {"min_cluster_size": 3}, {}),
    ("hdbscan", {"min_samples": 1}, {}),
    (
        "hdbscan",
        {"min_samples": 1, "min_cluster_size": 3, "cluster_selection_method": "leaf"},
        {"min_samples": 1, "min_cluster_size": 3},
    ),
    ("hdbscan", {"allow_single_cluster": True, "min_samples": 1}, {"min_samples": 1}),
    ("dbscan", {"eps": 0.8}, {}),
    ("dbscan", {"min_samples": 2}, {}),
    ("optics", {"min_samples": 3}, {}),
    ("optics", {"min_cluster_size": 30}, {}),
    ("optics", {"xi": 0.3}, {}),
    ("meanshift", {"bandwidth": 0.5}, {}),
    (
        "meanshift",
        {"bandwidth": 0.3, "cluster_all": False},
        {"bandwidth": 0.3, "cluster_all": True},
    ),
    ("affinity_propagation", {"preference": -1.0}, {}),
    ("affinity_propagation", {"damping": 0.5, "preference": -2.2}, {"preference": -2.2}),
]


def test_a_change_is_tested_for_every_parameter():
    tested = {(name, key) for name, first, second in CHANGES for key in first if first != second}
    every = {(name, key) for name, section in PARAMETERS.items() for key in section["properties"]}
    assert every <= tested


@pytest.mark.parametrize(("name", "first", "second"), CHANGES)
def test_every_parameter_changes_something(name, first, second):
    def clusters(parameters, seed):
        points, _ = planted(seed, separation=0.15)
        return partition(points, 5, name, given(name) | parameters, seed=1).labels.tolist()

    assert any(clusters(first, seed) != clusters(second, seed) for seed in range(5))


@pytest.mark.parametrize("name", ["ward", "spectral", "affinity_propagation"])
def test_more_stores_than_an_algorithm_takes_are_an_error(name):
    most = ALGORITHMS[name].max_stores
    with pytest.raises(
        ValueError, match=f"{name} takes at most {most} stores, there are {most + 1}"
    ):
        label_points(np.zeros((most + 1, 1)), 2, name, {}, seed=1)


def test_a_count_of_stores_above_those_of_the_view_means_all_of_them():
    points, _ = planted(5)
    few = points[:6]
    for name, parameters in (
        ("spectral", {"affinity": "nearest_neighbors", "n_init": 1}),
        ("optics", {"min_samples": 50}),
        ("hdbscan", {"min_cluster_size": 50}),
    ):
        assert len(label_points(few, 2, name, parameters, seed=1)) == 6


def test_one_cluster_is_all_points_whatever_the_algorithm():
    points, _ = planted(6)
    for name in set(ALGORITHMS) - set(FINDS_OWN_K):
        assert set(label_points(points, 1, name, {}, seed=1)) == {0}
