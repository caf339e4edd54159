"""Checking a complete run and publishing it.

In: everything that the stages wrote.
Out: `checks.json`, then `published/{run_id}` and the link `current` to the latest run.
"""


rule check_results:
    """What was rejected is within bounds, and totals reconcile."""
    input:
        internal_input_quality="<results>/internal/input_quality.json",
        external_input_quality="<results>/external/input_quality.json",
        internal_stores="<results>/internal/stores.parquet",
        sales_by_category="<results>/internal/sales_by_category.parquet",
        internal_clusters="<results>/internal/clusters.parquet",
        external_clusters="<results>/external/clusters.parquet",
        store_clusters="<results>/merged/store_clusters.parquet",
    output:
        checks="<results>/merged/checks.json",
    log:
        "<logs>/check_results.log",
    benchmark:
        "<benchmarks>/check_results.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1_000 * attempt,
        runtime="15m",
    params:
        code_version("check_results.py"),
        settings=config["check"],
    script:
        "../scripts/check_results.py"


rule publish_results:
    """The complete run, copied to where readers look."""
    input:
        files=[
            rules.check_results.output,
            rules.merge_clusters.output,
            rules.preprocess_internal.output,
            rules.preprocess_external.output,
            expand(rules.gather_views.output, source=SOURCES),
            expand(rules.explain_clusters.output, source=SOURCES),
            rules.explain_by_place.output,
        ],
    output:
        receipt="<results>/published/latest.json",
    log:
        "<logs>/publish_results.log",
    benchmark:
        "<benchmarks>/publish_results.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 500 * attempt,
        runtime="30m",
    params:
        code_version("publish_results.py"),
        results=subpath(output.receipt, ancestor=2),
        settings=config,
    script:
        "../scripts/publish_results.py"
