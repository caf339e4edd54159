"""Rules can be applied by hand: each store answers to exactly one; their worth is stated."""

import re

import duckdb
import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from clustering.feature_words import words_of
from clustering.rule_tree import tree_rules
from clustering.stratified_folds import stratified_folds

CONDITION = re.compile(
    r"(f\d) (known|unknown|(?:above (-?[\d.]+))?(?: and )?(?:at most (-?[\d.]+))?)( or unknown)?"
)


def rules_of(values, clusters, features=None, *, are_shares=False, seed=1):
    values = np.array(values, dtype=np.float64)
    features = features or [f"f{place}" for place in range(values.shape[1])]
    words = words_of(features, values, are_shares=are_shares)
    return tree_rules("V", words, values, np.array(clusters, dtype=np.int32), seed)


def as_sql(rule):
    """The condition of a rule on features f0, f1, …, read off its text alone."""
    conditions = []
    for match in CONDITION.finditer(rule.replace("%", "").replace("F", "f", 1)):
        feature, kind, above, at_most, or_unknown = match.groups()
        parts = [f"{feature} is {'' if kind == 'unknown' else 'not '}null"]
        parts += [f"{feature} > {above}"] if above else []
        parts += [f"{feature} <= {at_most}"] if at_most else []
        text = " and ".join(parts)
        conditions.append(f"(({text}) or {feature} is null)" if or_unknown else f"({text})")
    return " and ".join(conditions) or "true"


def stores_by_rule(rules, values, clusters, scale=1):
    """Rows of (rule, stores, share of its cluster among them), by a database."""
    stores = pl.DataFrame(
        np.array(values) * scale, schema=[f"f{place}" for place in range(len(values[0]))]
    ).fill_nan(None)
    stores = stores.with_columns(cluster=pl.Series(clusters), store=pl.int_range(pl.len()))
    found, answered = [], []
    for rule, cluster in rules.select("rule", "cluster").rows():
        matching = duckdb.from_arrow(stores).filter(as_sql(rule)).pl()
        answered += matching["store"].to_list()
        found.append((rule, matching.height, (matching["cluster"] == cluster).mean()))
    assert sorted(answered) == list(range(len(values)))
    return found


def planted(seed, share_unknown):
    random = np.random.default_rng(seed)
    values = random.normal(50, 20, (80, 4))
    clusters = 1 + (values[:, 1] > 55) + (values[:, 3] + 4 * random.normal(size=80) > 60)
    values[random.random(values.shape) < share_unknown] = np.nan
    return values, clusters


@pytest.mark.parametrize("share_unknown", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("seed", range(4))
def test_each_store_answers_to_exactly_one_rule_as_its_text_says(seed, share_unknown):
    values, clusters = planted(seed, share_unknown)
    rules = rules_of(values, clusters)
    assert rules.height > 1
    assert rules.select("rule", "stores", "purity").rows() == [
        (rule, stores, pytest.approx(purity))
        for rule, stores, purity in stores_by_rule(rules, values, clusters)
    ]


def test_shares_are_in_percent():
    random = np.random.default_rng(2)
    shares = random.dirichlet([3, 2, 1], 60)
    clusters = np.where(shares[:, 0] > 0.5, 1, 2)
    rules = rules_of(shares, clusters, ["F0", "F1", "F2"], are_shares=True)
    assert all("%" in rule for rule in rules["rule"])
    found = stores_by_rule(rules, shares, clusters, scale=100)
    assert rules.select("rule", "stores", "purity").rows() == found


def test_a_bound_has_no_more_digits_than_tell_the_stores_apart():
    values = [[12.34], [12.36], [17.91], [40.0], [40.02], [40.04], [51.0], [52.0]]
    rules = rules_of(values, [1, 1, 1, 2, 2, 2, 2, 2])
    assert rules.select("cluster", "rule").rows() == [(1, "F0 at most 30"), (2, "F0 above 30")]
    close = [[12.341], [12.342], [12.343], [12.351], [12.352], [12.353]]
    assert rules_of(close, [1, 1, 1, 2, 2, 2])["rule"].to_list() == [
        "F0 at most 12.35",
        "F0 above 12.35",
    ]


def test_flags_and_what_is_unknown_read_as_words():
    urban = np.repeat([[1.0], [0.0]], 6, axis=0)
    found = rules_of(urban, np.repeat([1, 2], 6), ["zone=URBAN"])
    assert found["rule"].to_list() == ["Urban", "Not urban"]
    income = np.array([[3.0], [1.0], [4.0], [1.5], [9.0], [2.6], *[[np.nan]] * 6])
    found = rules_of(income, np.repeat([1, 2], 6), ["income"])
    assert found["rule"].to_list() == ["Income known", "Income unknown"]


def test_bounds_on_both_sides_of_one_feature_are_one_condition():
    values = np.arange(30.0)[:, None]
    found = rules_of(values, np.repeat([1, 2, 1], 10))
    assert "F0 above 9.5 and at most 19.5" in found["rule"].to_list()


def test_rules_with_the_same_answer_are_one():
    random = np.random.default_rng(0)
    values = random.normal(size=(60, 3))
    clusters = np.where(values[:, 0] > 0, 2, 1)
    # A few strays make the tree split further without changing what it says.
    clusters[np.argsort(values[:, 0])[[2, 9, 50]]] = [2, 2, 1]
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=3, random_state=1)
    assert tree.fit(values, clusters).get_n_leaves() > 2
    found = rules_of(values, clusters)
    assert found["cluster"].to_list() == [1, 2]
    assert stores_by_rule(found, values, clusters)


def test_a_tree_is_shallow_and_no_rule_is_made_for_two_stores():
    random = np.random.default_rng(1)
    found = rules_of(random.normal(size=(90, 5)), random.integers(1, 5, 90))
    assert found.height <= 8
    assert found["stores"].min() >= 3


def test_fidelity_is_accuracy_out_of_fold_and_the_baseline_the_largest_cluster():
    values, clusters = planted(7, 0.0)
    found = rules_of(values, clusters, seed=3)
    folds = PredefinedSplit(stratified_folds(np.array(clusters, dtype=np.int32), 3))
    tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=3, random_state=3)
    predicted = cross_val_predict(tree, values, clusters, cv=folds)
    assert found["fidelity"].unique().to_list() == [pytest.approx((predicted == clusters).mean())]
    assert found["majority_baseline"].unique().to_list() == [
        pytest.approx(np.bincount(clusters).max() / 80)
    ]


def test_noise_has_rules_whose_fidelity_admits_it():
    random = np.random.default_rng(5)
    found = rules_of(random.normal(size=(100, 6)), np.repeat([1, 2], 50))
    assert found["purity"].mean() > 0.65
    assert found["fidelity"][0] < 0.65


def test_one_cluster_has_no_rules_and_a_cluster_of_one_store_is_no_error():
    assert rules_of([[1.0], [2.0], [3.0]], [1, 1, 1]).is_empty()
    found = rules_of([[1.0], [2.0], [3.0], [4.0], [9.0]], [1, 1, 1, 1, 2])
    assert found.select("rule", "stores", "purity").rows() == [("All stores", 5, 0.8)]
