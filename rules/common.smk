"""Names and input functions; no rules. The configuration is checked here, before any job runs."""

import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/scripts")

from clustering.code_version import code_version
from clustering.configuration import (
    ConfigurationError,
    check_configuration,
    check_environment,
    raw_files,
    read_as_typed,
)
from clustering.joblog import failures

SOURCES = ["external", "internal"]
DEMO = "data/demo/"

with open(f"{workflow.basedir}/config/schema.yaml") as schema_file:
    SCHEMA = yaml.safe_load(schema_file)

try:
    check_environment(config, SCHEMA)
except ConfigurationError as error:
    raise WorkflowError(str(error)) from None


configfile: f"{workflow.basedir}/config/{config['env']}.yaml"


config.update(read_as_typed(config, SCHEMA, SCHEMA))
try:
    check_configuration(config, SCHEMA)
except ConfigurationError as error:
    raise WorkflowError(str(error)) from None


def raw(path, key):
    """Files that a configured path means; in dev, the embedded data may still have to be built."""
    is_demo = config["env"] == "dev" and str(path).startswith(DEMO)
    return raw_files(path, key, buildable=is_demo)


def sales_files(wildcards):
    """Raw sales, in the order in which they are configured."""
    return raw(
        config["sources"]["internal"]["sales"]["path"], "sources.internal.sales.path"
    )


def need_state_files(wildcards):
    """Raw maps of products to need states."""
    path = config["sources"]["internal"]["need_states"]["path"]
    return raw(path, "sources.internal.need_states.path")


def internal_files(wildcards):
    """Files of all raw internal inputs."""
    return sales_files(wildcards) + need_state_files(wildcards)


def external_tables(wildcards):
    """Files of each raw external table, in the order in which the tables are configured."""
    return [
        raw(table["path"], f"sources.external.tables.{index}.path")
        for index, table in enumerate(config["sources"]["external"]["tables"])
    ]


def external_files(wildcards):
    """Files of all raw external tables."""
    return [file for files in external_tables(wildcards) for file in files]


def external_settings(wildcards):
    """What becomes of external columns; of each table, how many files and what it decides."""
    sources = config["sources"]["external"]
    tables = [
        {"files": len(files), "wins": table.get("wins", [])}
        for table, files in zip(
            sources["tables"], external_tables(wildcards), strict=True
        )
    ]
    return {**sources, **config["preprocess"]["external"], "tables": tables}


def of_internal(name):
    """An input function: an output of the internal preprocessing; the external source has none."""
    path = getattr(rules.preprocess_internal.output, name)
    return lambda wildcards: path if wildcards.source == "internal" else []


def store_attributes(wildcards):
    """Attributes of the stores, if the clusters of a source are compared with one of them."""
    settings = config["cluster"][wildcards.source]
    compared = [settings, *settings["views"].values()]
    if any(each.get("region") is not None for each in compared):
        return rules.preprocess_external.output.attributes
    return []


def batches(pattern):
    """An input function: the files that the batches of a source write."""
    return lambda wildcards: expand(
        pattern,
        source=wildcards.source,
        batch=range(config["cluster"][wildcards.source]["batches"]),
    )


def report_failures(log):
    """End a failed run with the jobs that failed, the cause, and where their logs are."""
    for rule, job_log, cause in failures(log[0]):
        print(f"\n{rule} failed: {cause}\nlog: {job_log}", file=sys.stderr)
