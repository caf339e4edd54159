"""From features to clusters, by one rule for both sources.

In: features of a source; for the internal one, the sales behind them.
Out: per source the clusters, the points that were clustered, quality, scores per k and models.
"""


rule cluster_views:
    """Clusters of one batch of the views of a source."""
    input:
        features="<results>/{source}/features.parquet",
        sales=of_internal("sales_by_category"),
        half_features=of_internal("half_features"),
        half_sales=of_internal("half_sales"),
        attributes=store_attributes,
    output:
        clusters="<results>/{source}/batches/{batch}/clusters.parquet",
        points="<results>/{source}/batches/{batch}/points.parquet",
        quality="<results>/{source}/batches/{batch}/quality.parquet",
        scores="<results>/{source}/batches/{batch}/scores.parquet",
        models=directory("<results>/{source}/batches/{batch}/models"),
    log:
        "<logs>/cluster_views/{source}_{batch}.log",
    benchmark:
        "<benchmarks>/cluster_views/{source}_{batch}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2_000 * attempt,
        runtime="2h",
    params:
        code_version("cluster_views.py"),
        source="{source}",
        batch=lambda wildcards: int(wildcards.batch),
        settings=lookup(dpath="cluster/{source}", within=config),
        seed=config["seed"],
    script:
        "../scripts/cluster_views.py"


rule gather_views:
    """The batches of a source as one table, complete or not at all."""
    input:
        features="<results>/{source}/features.parquet",
        cluster_parts=batches(rules.cluster_views.output.clusters),
        point_parts=batches(rules.cluster_views.output.points),
        quality_parts=batches(rules.cluster_views.output.quality),
        score_parts=batches(rules.cluster_views.output.scores),
        model_parts=batches(rules.cluster_views.output.models),
    output:
        clusters="<results>/{source}/clusters.parquet",
        points="<results>/{source}/points.parquet",
        quality="<results>/{source}/quality.csv",
        quality_json="<results>/{source}/quality.json",
        scores="<results>/{source}/scores.csv",
        models=directory("<results>/{source}/models"),
    log:
        "<logs>/gather_views/{source}.log",
    benchmark:
        "<benchmarks>/gather_views/{source}.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1_000 * attempt,
        runtime="15m",
    params:
        code_version("gather_views.py"),
    script:
        "../scripts/gather_views.py"
