"""From the clusters of both sources to demand clusters.

In: clusters and points of both sources and what explains them, sales by category, the stores that
sales name.
Out: one row per category and store, and what summarises them.
"""


rule merge_clusters:
    """Pairs of clusters, small ones consolidated, unknown sides inferred or excluded."""
    input:
        internal_clusters="<results>/internal/clusters.parquet",
        external_clusters="<results>/external/clusters.parquet",
        internal_points="<results>/internal/points.parquet",
        external_points="<results>/external/points.parquet",
        sales_by_category="<results>/internal/sales_by_category.parquet",
        internal_stores="<results>/internal/stores.parquet",
        internal_names="<results>/internal/cluster_names.parquet",
        external_names="<results>/external/cluster_names.parquet",
        internal_reasons="<results>/internal/store_reasons.parquet",
        external_reasons="<results>/external/store_reasons.parquet",
    output:
        store_clusters="<results>/merged/store_clusters.parquet",
        store_clusters_csv="<results>/merged/store_clusters.csv",
        demand_clusters="<results>/merged/demand_clusters.csv",
        summary="<results>/merged/summary.csv",
        predictions="<results>/merged/predictions.csv",
    log:
        "<logs>/merge_clusters.log",
    benchmark:
        "<benchmarks>/merge_clusters.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2_000 * attempt,
        runtime="30m",
    params:
        code_version("merge_clusters.py"),
        settings={**config["merge"], "seed": config["seed"]},
    script:
        "../scripts/merge_clusters.py"
