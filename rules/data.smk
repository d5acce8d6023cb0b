# From a study's source to a clean matrix: download or simulate, read, clean.


rule download_file:
    """Fetch one published file, mirror first, and check its sha256."""
    output:
        "resources/downloads/{folder}/{file}",
    log:
        "<logs>/download_file/{folder}/{file}.log",
    wildcard_constraints:
        folder=r"[A-Za-z0-9_.-]+",
        file=r"[A-Za-z0-9_.-]+",
    localrule: True
    conda:
        "../envs/classical.yaml"
    params:
        entry=get_published_file,
    script:
        "../scripts/download_file.py"


rule simulate_cohort:
    """Draw a simulated cohort whose true markers are known."""
    input:
        code=lambda wildcards: lib("simulate_cohort", f"simulators.{STUDIES[wildcards.study]['source']['simulator']}"),
        env=env("classical"),
    output:
        expression="<results>/{study}/simulated/expression.csv",
        samples="<results>/{study}/simulated/samples.csv",
        truth="<results>/{study}/data/truth.tsv",
    log:
        "<logs>/simulate_cohort/{study}.log",
    benchmark:
        "<benchmarks>/simulate_cohort/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("simulate_cohort", "threads")
    resources:
        mem_mb=job("simulate_cohort", "mem_mb"),
        runtime=job("simulate_cohort", "runtime"),
    params:
        source=study_value("source"),
        seed=config["seed"],
    script:
        "../scripts/simulate_cohort.py"


rule clean_data:
    """Read a study's files, join labels, clean as the study declares and say what went and why."""
    input:
        files=lambda wildcards: list(get_source_files(wildcards).values()),
        code=lambda wildcards: lib("clean_data", f"readers.{get_reader(wildcards)['reader']}"),
        env=env("classical"),
    output:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        cleaning="<results>/{study}/data/cleaning.json",
    log:
        "<logs>/clean_data/{study}.log",
    benchmark:
        "<benchmarks>/clean_data/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("clean_data", "threads")
    resources:
        mem_mb=job("clean_data", "mem_mb"),
        runtime=job("clean_data", "runtime"),
    params:
        names=lambda wildcards: list(get_source_files(wildcards)),
        reader=get_reader,
        study=lambda wildcards: {
            key: STUDIES[wildcards.study].get(key) for key in ("task", "clean", "series", "cycle", "unlabelled")
        },
    script:
        "../scripts/clean_data.py"
