"""From raw inputs to features.

In: sales and need states (internal), tables keyed by store (external); see `sources` in config.
Out: per source the features, what is known of every store, and what became of every raw row.
"""


rule preprocess_internal:
    """Shares of need states per category and store; rejected rows with their reasons."""
    input:
        sales=sales_files,
        need_states=need_state_files,
    output:
        features="<results>/internal/features.parquet",
        sales_by_category="<results>/internal/sales_by_category.parquet",
        stores="<results>/internal/stores.parquet",
        half_features="<results>/internal/half_features.parquet",
        half_sales="<results>/internal/half_sales.parquet",
        need_state_sales="<results>/internal/need_state_sales.csv",
        input_quality="<results>/internal/input_quality.json",
        rejected_sales="<results>/internal/rejected/sales.parquet",
        rejected_need_states="<results>/internal/rejected/need_states.parquet",
    log:
        "<logs>/preprocess_internal.log",
    benchmark:
        "<benchmarks>/preprocess_internal.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4_000 * attempt,
        runtime="1h",
    params:
        code_version("preprocess_internal.py"),
        settings=config["preprocess"]["internal"],
    script:
        "../scripts/preprocess_internal.py"


rule preprocess_external:
    """Features and attributes of stores; what became of every column and row."""
    input:
        tables=external_files,
    output:
        features="<results>/external/features.parquet",
        attributes="<results>/external/attributes.parquet",
        columns="<results>/external/columns.csv",
        input_quality="<results>/external/input_quality.json",
        rejected="<results>/external/rejected/rows.parquet",
    log:
        "<logs>/preprocess_external.log",
    benchmark:
        "<benchmarks>/preprocess_external.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1_000 * attempt,
        runtime="15m",
    params:
        code_version("preprocess_external.py"),
        settings=external_settings,
    script:
        "../scripts/preprocess_external.py"
