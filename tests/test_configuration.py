import re
from copy import deepcopy

import pytest
from snakemake.utils import update_config

from clustering.configuration import (
    ConfigurationError,
    check_configuration,
    check_environment,
    environments,
    raw_files,
    read_as_typed,
)
from clustering.view_overrides import overridden
from tests.conftest import ROOT, read_yaml


def faults(config, schema):
    with pytest.raises(ConfigurationError) as caught:
        check_configuration(config, schema)
    return str(caught.value).splitlines()


def leaves(node, schema, path=()):
    """Dotted keys of everything that may be set, as the README writes them."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", maxsplit=1)[-1]]
    if node.get("items", {}).get("type") == "object":
        return {".".join(path)} | leaves(node["items"], schema, path)
    if "properties" not in node:
        return {".".join(path)}
    return set().union(
        *(leaves(child, schema, (*path, name)) for name, child in node["properties"].items())
    )


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_every_environment_is_valid_on_top_of_base(env, schema):
    config = read_yaml("base.yaml")
    update_config(config, read_yaml(f"{env}.yaml") | {"env": env})
    check_configuration(config, schema)


def test_base_says_everything_and_the_environments_only_what_differs(schema):
    base = read_yaml("base.yaml")
    for env in environments(schema):
        overlay = read_yaml(f"{env}.yaml")
        merged = deepcopy(base)
        update_config(merged, deepcopy(overlay))
        for path, value in _flat(overlay):
            assert _at(base, path) != value, f"{env}.yaml repeats {'.'.join(path)}"
            assert _at(merged, path) == value


def _flat(node, path=()):
    if isinstance(node, dict):
        return [leaf for key, child in node.items() for leaf in _flat(child, (*path, key))]
    return [(path, node)]


def _at(node, path):
    for key in path:
        node = node[key]
    return node


def test_prod_is_stricter_than_base():
    base, prod = read_yaml("base.yaml"), read_yaml("prod.yaml")
    assert prod["check"]["max_rejected_share"] < base["check"]["max_rejected_share"]
    assert prod["merge"]["min_cluster_size"] > base["merge"]["min_cluster_size"]


def test_the_readme_documents_every_key_with_its_default_and_no_other(schema):
    text = (ROOT / "config" / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([\w.{}]+)` \| [^|]* \| ([^|]*) \|", text, flags=re.MULTILINE))
    documented = {
        key.replace("{source}", source) for key in rows for source in ("internal", "external")
    }
    assert documented == leaves(schema, schema)
    base = {".".join(path): value for path, value in _flat(read_yaml("base.yaml"))}
    for key, default in rows.items():
        for source in ("internal", "external"):
            value = base.get(key.replace("{source}", source))
            if isinstance(value, int | float | bool):
                written = re.split(r"; external ", default)
                shown = written[-1] if source == "external" else written[0]
                assert shown.strip().strip("`") == str(value).lower(), key


def test_an_unknown_key_is_named_with_the_one_that_was_meant(base, schema):
    base["cluster"]["internal"]["max_kk"] = 4
    (line,) = faults(base, schema)
    assert line.startswith("cluster.internal.max_kk: unknown key; did you mean max_k? Allowed: ")


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("merge", "min_cluster_size", "many", "'many' is not of type integer"),
        ("merge", "min_cluster_size", 0, "0 is below the least allowed, 1"),
        ("check", "max_rejected_share", 1.5, "1.5 is above the most allowed, 1"),
        ("preprocess", "internal", None, "None is not of type object"),
    ],
)
def test_a_wrong_value_is_one_line_that_says_what_is_allowed(
    base, schema, section, key, value, message
):
    base[section][key] = value
    assert faults(base, schema) == [f"{section}.{key}: {message}"]


def test_a_choice_that_does_not_exist_is_answered_with_those_that_do(base, schema):
    base["preprocess"]["internal"]["negative_sales"] = "ignore"
    assert faults(base, schema) == [
        "preprocess.internal.negative_sales: 'ignore' is not one of net, reject, error"
    ]


def test_a_table_without_a_path_is_named_by_its_place(base, schema):
    base["sources"]["external"]["tables"] = [{"wins": ["income"]}]
    assert faults(base, schema) == ["sources.external.tables.0.path: missing"]


def test_every_fault_is_told_at_once(base, schema):
    base["seed"] = -1
    base["cluster"]["external"]["starts"] = 0
    assert [line.split(":")[0] for line in faults(base, schema)] == [
        "cluster.external.starts",
        "seed",
    ]


def test_bounds_of_k_that_contradict_each_other_are_refused(base, schema):
    base["cluster"]["external"] |= {"min_k": 5, "max_k": 4}
    assert faults(base, schema) == ["cluster.external.min_k: 5 is above cluster.external.max_k, 4"]


@pytest.mark.parametrize(
    ("source", "settings", "key", "message"),
    [
        ("internal", {"k": 4, "algorithm": "hdbscan"}, "k", "hdbscan finds its own number of"),
        ("internal", {"pca_variance": 0.5}, "pca_variance", "does nothing with projection none"),
        ("external", {"projection": "none"}, "pca_variance", "does nothing with projection none"),
        ("internal", {"projection": "pca_variance"}, "pca_variance", "projection pca_variance nee"),
        ("internal", {"projection": "pca_count"}, "pca_components", "projection pca_count needs"),
        ("internal", {"projection": "kernel_pca"}, "pca_components", "projection kernel_pca needs"),
        ("external", {"pca_components": 3}, "pca_components", "does nothing with projection pca_v"),
        ("external", {"transform": "clr"}, "transform", "is for shares; external features are"),
        ("external", {"shrinkage": 0.1}, "shrinkage", "is for shares; external features are none"),
        (
            "external",
            {"blocks": [{"name": "a", "features": [p], "weight": 1} for p in "xy"]},
            "blocks",
            "two blocks are named a",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    base, schema, source, settings, key, message
):
    base["cluster"][source] |= settings
    (line,) = faults(base, schema)
    assert line.startswith(f"cluster.{source}.{key}: {message}")


def test_what_holds_for_a_view_is_refused_where_it_contradicts_what_holds_for_its_source(
    base, schema
):
    base["cluster"]["internal"]["views"] = {
        "COFFEE": {"min_k": 9},
        "TEA": {"min_k": 9, "max_k": 9},
        "SALT": {"algorithm": "optics", "k": 3},
    }
    view = "cluster.internal.views"
    own = "optics finds its own number of clusters; set k to null, or choose another algorithm"
    assert faults(base, schema) == [
        f"{view}.COFFEE.min_k: 9 is above {view}.COFFEE.max_k, 8",
        f"{view}.SALT.k: {own}",
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_kk": 4}, "max_kk: unknown key; did you mean max_k? Allowed: "),
        ({"batches": 4}, "batches: unknown key; "),
        ({"views": {}}, "views: unknown key; "),
        ({"k": 0}, "k: 0 is below the least allowed, 1"),
        ({"algorithm_parameters": {"ward": {}}}, "algorithm_parameters.ward: unknown key; "),
        (
            {"algorithm_parameters": {"dbscan": {"radius": 1}}},
            "algorithm_parameters.dbscan.radius: unknown key; ",
        ),
    ],
)
def test_what_may_be_said_of_a_view_is_closed_too(base, schema, settings, message):
    base["cluster"]["internal"]["views"] = {"COFFEE": settings}
    (line,) = faults(base, schema)
    assert line.startswith(f"cluster.internal.views.COFFEE.{message}")


def test_everything_but_batches_may_differ_for_a_view(schema):
    source = set(schema["$defs"]["cluster"]["properties"])
    assert set(schema["$defs"]["cluster"]["required"]) == source
    assert source - set(schema["$defs"]["view"]["properties"]) == {"batches", "views"}


def test_a_view_adds_parameters_to_those_of_its_source_and_replaces_everything_else(base):
    source = base["cluster"]["internal"] | {"blocks": [1, 2]}
    source["algorithm_parameters"] = {"dbscan": {"eps": 1.0, "min_samples": 4}, "birch": {"a": 1}}
    own = {"dbscan": {"eps": 2.0}, "optics": {"xi": 0.1}}
    source["views"] = {"COFFEE": {"max_k": 3, "blocks": [], "algorithm_parameters": own}}
    merged = overridden(source, "COFFEE")
    assert (merged["max_k"], merged["blocks"], merged["min_k"]) == (3, [], 2)
    assert merged["algorithm_parameters"] == {
        "dbscan": {"eps": 2.0, "min_samples": 4},
        "birch": {"a": 1},
        "optics": {"xi": 0.1},
    }
    assert overridden(source, "TEA") == source


def test_settings_of_one_source_are_no_settings_of_the_other(base):
    update_config(base, {"cluster": {"internal": {"algorithm_parameters": {"birch": {"a": 1}}}}})
    assert "a" not in base["cluster"]["external"]["algorithm_parameters"]["birch"]


def test_two_tables_cannot_both_win_a_column(base, schema):
    base["sources"]["external"]["tables"] = [
        {"path": "a.csv", "wins": ["income"]},
        {"path": "b.csv", "wins": ["INCOME"]},
    ]
    (line,) = faults(base, schema)
    assert "tables.1.wins: INCOME is also won by sources.external.tables.0" in line


def test_an_unknown_environment_is_answered_with_the_known_ones(schema):
    with pytest.raises(ConfigurationError, match="'live' is not one of dev, staging, prod"):
        check_environment({"env": "live"}, schema)


def test_text_from_the_command_line_is_read_as_the_type_that_the_schema_expects(base, schema):
    base["cluster"]["internal"] |= {"max_k": "4", "missing_indicator": "true", "shrinkage": "0.1"}
    base["cluster"]["external"] |= {
        "k": "null",
        "pca_variance": "0.8",
        "region": "null",
        "blocks": [{"name": "7", "features": ["8"], "weight": "0.5"}],
        "views": {"all": {"k": "3", "region": "12"}},
    }
    base["merge"]["min_cluster_size"] = "few"
    typed = read_as_typed(base, schema, schema)
    internal = typed["cluster"]["internal"]
    assert (internal["max_k"], internal["missing_indicator"], internal["shrinkage"]) == (
        4,
        True,
        0.1,
    )
    external = typed["cluster"]["external"]
    assert (external["k"], external["pca_variance"], external["region"]) == (None, 0.8, None)
    assert external["blocks"] == [{"name": "7", "features": ["8"], "weight": 0.5}]
    assert external["views"] == {"all": {"k": 3, "region": "12"}}
    assert typed["sources"]["internal"]["sales"]["path"] == "data/demo/sales.parquet"
    assert faults(typed, schema) == ["merge.min_cluster_size: 'few' is not of type integer"]


def test_a_path_is_a_file_several_or_a_glob(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b1.csv", "b2.csv", "a.csv"):
        (tmp_path / name).touch()
    assert raw_files("a.csv", "key", buildable=False) == ["a.csv"]
    assert raw_files(["b2.csv", "a.csv"], "key", buildable=False) == ["b2.csv", "a.csv"]
    assert raw_files(str(tmp_path / "b*.csv"), "key", buildable=False) == [
        str(tmp_path / "b1.csv"),
        str(tmp_path / "b2.csv"),
    ]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sales[1].csv").touch()
    assert raw_files("sales[1].csv", "key", buildable=False) == ["sales[1].csv"]


def test_a_path_takes_variables_from_the_environment(tmp_path, monkeypatch):
    (tmp_path / "sales.csv").touch()
    monkeypatch.setenv("CHAIN", str(tmp_path))
    assert raw_files("${CHAIN}/sales.csv", "key", buildable=False) == [str(tmp_path / "sales.csv")]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("absent.csv", "a.b: there is no file absent.csv"),
        ("absent_*.csv", "a.b: no file matches absent_"),
        ("${NOT_SET_ANYWHERE}/sales.csv", "a.b: environment variable NOT_SET_ANYWHERE is not set"),
    ],
)
def test_a_path_to_nothing_names_the_key_and_what_was_looked_for(
    tmp_path, monkeypatch, path, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        raw_files(path, "a.b", buildable=False)


def test_embedded_data_need_not_be_there_yet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert raw_files("data/demo/sales.parquet", "key", buildable=True) == [
        "data/demo/sales.parquet"
    ]


@pytest.mark.parametrize(
    ("merge", "message"),
    [
        ({"max_cluster_size": 7}, "size: 8 is above merge.max_cluster_size, 7"),
        (
            {"min_cluster_share": 0.3, "max_cluster_share": 0.2},
            "share: 0.3 is above merge.max_cluster_share, 0.2",
        ),
        ({"max_cluster_size": 8, "min_cluster_share": 0.2, "max_cluster_share": 0.2}, None),
    ],
)
def test_a_minimum_size_above_the_maximum_is_refused(base, schema, merge, message):
    base["merge"] |= merge
    if message is None:
        check_configuration(base, schema)
    else:
        assert faults(base, schema) == [f"merge.min_cluster_{message}"]


def test_the_set_of_every_feature_cannot_be_defined_otherwise(base, schema):
    base["preprocess"]["external"]["feature_sets"] = {"all": ["income"]}
    (line,) = faults(base, schema)
    assert line.startswith("preprocess.external.feature_sets.all: all is always the set of every")


def test_a_feature_set_that_a_category_uses_must_be_defined(base, schema):
    base["preprocess"]["external"]["feature_sets"] = {"traffic": ["visits_*"]}
    base["merge"]["feature_sets"] = {"TEA": "all", "COFFEE": "traffic"}
    check_configuration(base, schema)
    base["merge"]["feature_sets"]["SALT"] = "trafic"
    (line,) = faults(base, schema)
    assert line.startswith("merge.feature_sets.SALT: 'trafic' is no feature set; did you mean tra")
    assert line.endswith("preprocess.external.feature_sets has all, traffic")


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"traffic": "visits_*"}, "feature_sets.traffic: 'visits_*' is not of type array"),
        ({"traffic": [3]}, "feature_sets.traffic.0: 3 is not of type string"),
        ({"traffic": []}, "feature_sets.traffic: [] should be non-empty"),
        ({7: ["visits_*"]}, "feature_sets: 7 is not of type string"),
    ],
)
def test_a_feature_set_is_a_name_and_a_list_of_patterns(base, schema, sets, message):
    base["preprocess"]["external"]["feature_sets"] = sets
    assert faults(base, schema) == [f"preprocess.external.{message}"]


def test_a_number_that_may_be_null_is_read_from_the_command_line_as_either(base, schema):
    base["merge"]["max_cluster_size"] = "15"
    assert read_as_typed(base, schema, schema)["merge"]["max_cluster_size"] == 15
    base["merge"]["max_cluster_size"] = "null"
    assert read_as_typed(base, schema, schema)["merge"]["max_cluster_size"] is None
