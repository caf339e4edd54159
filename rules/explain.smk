"""From clusters to what they mean.

In: features, clusters and points of a source; for the internal one, the sales behind them.
Out: per source the profiles, names and exemplars of clusters, the reasons of stores and a few rules;
for both sources, the external features that explain the internal clusters.
"""


rule explain_clusters:
    """What the clusters of a source are, how they differ, and why each store is in its own."""
    input:
        features="<results>/{source}/features.parquet",
        clusters="<results>/{source}/clusters.parquet",
        points="<results>/{source}/points.parquet",
        sales=of_internal("sales_by_category"),
    output:
        profiles="<results>/{source}/profiles.csv",
        names="<results>/{source}/cluster_names.parquet",
        names_csv="<results>/{source}/cluster_names.csv",
        reasons="<results>/{source}/store_reasons.parquet",
        rules="<results>/{source}/tree_rules.csv",
    log:
        "<logs>/explain_clusters/{source}.log",
    benchmark:
        "<benchmarks>/explain_clusters/{source}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2_000 * attempt,
        runtime="1h",
    params:
        code_version("explain_clusters.py"),
        source="{source}",
        seed=config["seed"],
    script:
        "../scripts/explain_clusters.py"


rule explain_by_place:
    """The external features that explain each category's internal clusters, if any do."""
    input:
        internal_clusters="<results>/internal/clusters.parquet",
        external_features="<results>/external/features.parquet",
    output:
        place_drivers="<results>/merged/place_drivers.csv",
    log:
        "<logs>/explain_by_place.log",
    benchmark:
        "<benchmarks>/explain_by_place.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2_000 * attempt,
        runtime="1h",
    params:
        code_version("explain_by_place.py"),
        seed=config["seed"],
    script:
        "../scripts/explain_by_place.py"
