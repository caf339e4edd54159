"""What several test files need: the configuration as the workflow sees it."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

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
