"""Cluster the stores of a retail chain by what they sell and where they stand."""

from snakemake.utils import min_version

min_version("9.19")  # pathvars came with 9.12, profile.yaml with 9.19


configfile: f"{workflow.basedir}/config/base.yaml"


include: "rules/common.smk"


pathvars:
    results=f"results/{config['env']}",
    logs=f"logs/{config['env']}",
    benchmarks=f"logs/{config['env']}/benchmarks",


wildcard_constraints:
    source="|".join(SOURCES),
    batch=r"\d+",


if config["env"] == "dev":

    include: "rules/demo.smk"


include: "rules/preprocess.smk"
include: "rules/cluster.smk"
include: "rules/merge.smk"
include: "rules/publish.smk"


rule full_pipeline_job:
    """Everything: both sources, demand clusters, checked and published."""
    default_target: True
    input:
        rules.publish_results.output,


rule internal_preprocessing_job:
    """Shares of need states per category and store, from sales and need states."""
    input:
        rules.preprocess_internal.output,


rule external_preprocessing_job:
    """Store features, from the tables about stores and trade areas."""
    input:
        rules.preprocess_external.output,


rule internal_clustering_job:
    """Clusters of stores by what they sell, per category."""
    input:
        expand(rules.gather_views.output, source="internal"),


rule external_clustering_job:
    """Clusters of stores by where they stand."""
    input:
        expand(rules.gather_views.output, source="external"),


rule merging_job:
    """Demand clusters per category: both clusterings merged, every store answered for."""
    input:
        rules.merge_clusters.output,


onerror:
    report_failures(log)
