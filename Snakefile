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
include: "rules/explain.smk"
include: "rules/merge.smk"
include: "rules/publish.smk"


# A job names its raw inputs beside what it makes: Snakemake takes a result that is there for good
# even if what it was made from is gone, but a missing raw file must never look like a finished run.
rule full_pipeline_job:
    """Everything: both sources, demand clusters, checked and published."""
    default_target: True
    input:
        internal_files,
        external_files,
        rules.publish_results.output,


rule internal_preprocessing_job:
    """Shares of need states per category and store, from sales and need states."""
    input:
        internal_files,
        rules.preprocess_internal.output,


rule external_preprocessing_job:
    """Store features, from the tables about stores and trade areas."""
    input:
        external_files,
        rules.preprocess_external.output,


rule internal_clustering_job:
    """Clusters of stores by what they sell, per category."""
    input:
        internal_files,
        expand(rules.gather_views.output, source="internal"),
        expand(rules.explain_clusters.output, source="internal"),


rule external_clustering_job:
    """Clusters of stores by where they stand."""
    input:
        external_files,
        expand(rules.gather_views.output, source="external"),
        expand(rules.explain_clusters.output, source="external"),


rule merging_job:
    """Demand clusters per category: both clusterings merged, every store answered for."""
    input:
        internal_files,
        external_files,
        rules.merge_clusters.output,
        rules.explain_by_place.output,


onerror:
    report_failures(log)
