import re
import sys
import tomllib

import pytest
import yaml

from tests.conftest import ROOT


def locked(name):
    text = (ROOT / "envs" / name).read_text()
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, flags=re.MULTILINE))


def conda():
    """Name and version of what the conda environment installs, from conda and from pip."""
    dependencies = yaml.safe_load((ROOT / "envs/workflow.yaml").read_text())["dependencies"]
    from_pip = [line for entry in dependencies if isinstance(entry, dict) for line in entry["pip"]]
    lines = [entry for entry in dependencies if isinstance(entry, str)] + from_pip
    return dict(re.split(r"\s*=+\s*", line) for line in lines)


def test_conda_and_pip_install_the_same_versions():
    lock = locked("workflow.lock")
    for package, version in conda().items():
        if package not in {"python", "pip"}:
            assert lock[package] == version, package


def test_the_conda_environment_has_everything_that_scripts_import():
    imported = {
        name.split(".")[0]
        for script in (ROOT / "scripts").rglob("*.py")
        for name in re.findall(r"^(?:from|import) ([\w.]+)", script.read_text(), flags=re.MULTILINE)
    }
    packages = {"yaml": "pyyaml", "sklearn": "scikit-learn"}
    ours = {"clustering"}
    parse_time = {"jsonschema"}  # comes with Snakemake, which checks the configuration
    needed = imported - set(sys.stdlib_module_names) - ours - parse_time
    assert {packages.get(name, name) for name in needed} <= set(conda())


def test_the_tests_run_on_the_stack_that_the_workflow_runs_on():
    workflow, dev = locked("workflow.lock"), locked("dev.lock")
    assert {name: dev[name] for name in workflow} == workflow


@pytest.mark.parametrize("name", ["workflow", "dev"])
def test_what_is_asked_for_is_locked(name):
    asked = re.findall(r"^(\w[\w-]*)", (ROOT / f"envs/{name}.in").read_text(), flags=re.MULTILINE)
    assert {package.lower() for package in asked} <= set(locked(f"{name}.lock"))


def test_the_python_of_the_conda_environment_is_supported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert conda()["python"] in {"3.11", "3.12", "3.13"}
