"""What the README shows is what the workflow does."""

import os
import re
import subprocess
import sys

import polars as pl
import pytest

from clustering.evidence_ladders import LADDERS
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_the_rule_graph_is_the_one_that_snakemake_draws(tmp_path):
    words = [
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        tmp_path,
        "--rulegraph",
        "mermaid-js",
    ]
    drawn = subprocess.run(
        [sys.executable, "-m", "snakemake", *words], capture_output=True, text=True, check=True
    ).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    edges = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", drawn)}
    block = re.search(r"```mermaid\n(.+?)```", README, flags=re.DOTALL)[1]
    assert set(re.findall(r"(\w+) --> (\w+)", block)) == edges


@pytest.mark.workflow
def test_the_worked_example_runs_as_it_stands(tmp_path):
    example = re.search(r"```bash\n(.+?)```", README, flags=re.DOTALL)[1]
    (tmp_path / "data").mkdir()
    places = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
    snakemake = f"{sys.executable} -m snakemake --snakefile {ROOT}/Snakefile --cores 2"
    build = subprocess.run(
        [*snakemake.split(), "data/demo/sales.parquet"], capture_output=True, check=False, **places
    )
    assert build.returncode == 0
    script = example.replace(".venv/bin/python", sys.executable)
    script = script.replace(".venv/bin/snakemake", snakemake)
    run = subprocess.run(
        ["/bin/bash", "-euc", script], capture_output=True, text=True, check=False, **places
    )
    assert run.returncode == 0, run.stderr
    assert "13 categories, 111 stores" in run.stdout
    quality = pl.read_csv(tmp_path / "results/dev/internal/quality.csv")
    assert quality["k"].is_between(3, 5).all()
    for name in re.findall(r"`(results/dev/[\w/]+\.\w+)`", README):
        assert (tmp_path / name).exists(), name


@pytest.mark.workflow
def test_every_target_of_the_table_exists(tmp_path):
    words = ["--snakefile", ROOT / "Snakefile", "--directory", tmp_path, "--list-target-rules"]
    listed = subprocess.run(
        [sys.executable, "-m", "snakemake", *words], capture_output=True, text=True, check=True
    ).stdout
    table = set(re.findall(r"^\| `(\w+_job)` \|", README, flags=re.MULTILINE))
    assert table == set(re.findall(r"^(\w+_job)", listed, flags=re.MULTILINE))


def test_the_bounds_of_the_evidence_are_those_that_are_used():
    names = {name.replace("_", " "): ladder for name, ladder in LADDERS.items()}
    rows = re.findall(r"^\| ([\w -]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|", README, re.MULTILINE)
    shown = {name.replace("-", " ").lower(): tuple(map(float, bounds)) for name, *bounds in rows}
    assert shown == {n: (each.strong, each.moderate, each.weak) for n, each in names.items()}
