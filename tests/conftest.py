"""What several test files need: the configuration as the workflow sees it."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).parents[1]


def read_yaml(name):
    return yaml.safe_load((ROOT / "config" / name).read_text())


@pytest.fixture(scope="session")
def schema():
    return read_yaml("schema.yaml")


@pytest.fixture
def base():
    """A fresh copy of the configuration of dev."""
    config = read_yaml("base.yaml")
    update_config(config, deepcopy(read_yaml("dev.yaml")))
    return config


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """As in a job: more threads make small fits slower."""
    with threadpool_limits(1):
        yield
