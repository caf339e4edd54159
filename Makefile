# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
ENV ?= dev
JOB ?= full_pipeline_job
CORES ?= all
PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
UV_VERSION := 0.13.9

.PHONY: help run test lint bench lock

help:  ## List what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

run: $(VENV)/.workflow  ## Run JOB (full_pipeline_job) in ENV (dev) on CORES (all)
	@$(BIN)/python -m ops.run $(JOB) --env $(ENV) --cores $(CORES)

test: lint  ## Check style, types and behaviour
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

bench: $(VENV)/.dev  ## Plant clusters and print what is found of them
	$(BIN)/python -m benchmarks.planted_chains

lock:  ## Pin anew what envs/*.in ask for
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --quiet envs/workflow.in -o envs/workflow.lock
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --quiet envs/dev.in -o envs/dev.lock -c envs/workflow.lock

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed; name one with PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) with pinned packages: about a minute, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Compiled once here: jobs would otherwise compile every library at every start.
$(VENV)/.workflow: envs/workflow.lock | $(BIN)/uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $<
	@touch $@

$(VENV)/.dev: envs/dev.lock $(VENV)/.workflow
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r $<
	@touch $@
