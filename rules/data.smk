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


rule merge_tracking:
    """Build the expression table of a folder from the published table of each of its samples."""
    input:
        files=get_tracking_files,
        code=lib("merge_tracking"),
        env=env("classical"),
    output:
        expression="resources/downloads/{folder}/fpkm.tsv.gz",
        samples="resources/downloads/{folder}/samples.tsv",
        unfinished="resources/downloads/{folder}/fpkm_status_not_ok.tsv",
    log:
        "<logs>/merge_tracking/{folder}.log",
    benchmark:
        "<benchmarks>/merge_tracking/{folder}.jsonl"
    wildcard_constraints:
        folder=any_of(get_built_folders()),
    conda:
        "../envs/classical.yaml"
    threads: job("merge_tracking", "threads")
    resources:
        mem_mb=job("merge_tracking", "mem_mb"),
        runtime=job("merge_tracking", "runtime"),
    script:
        "../scripts/merge_tracking.py"


# Of the tables that are built, download_file knows no URL.
ruleorder: merge_tracking > download_file


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
    wildcard_constraints:
        study=any_of(MATRIX_STUDIES),
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


use rule simulate_cohort as simulate_sequences with:
    output:
        sequences="<results>/{study}/simulated/sequences.csv",
        truth="<results>/{study}/data/truth.tsv",
    log:
        "<logs>/simulate_sequences/{study}.log",
    benchmark:
        "<benchmarks>/simulate_sequences/{study}.jsonl"
    wildcard_constraints:
        study=any_of(SEQUENCE_STUDIES),


rule clean_data:
    """Read a study's files, join labels, clean as the study declares and say what went and why."""
    input:
        files=lambda wildcards: list(get_source_files(wildcards).values()),
        code=lambda wildcards: lib("clean_data", READERS[get_reader(wildcards)["reader"]]),
        env=env("classical"),
    output:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        cleaning="<results>/{study}/data/cleaning.json",
    log:
        "<logs>/clean_data/{study}.log",
    benchmark:
        "<benchmarks>/clean_data/{study}.jsonl"
    wildcard_constraints:
        study=any_of(MATRIX_STUDIES),
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
            "scheme": STUDIES[wildcards.study]["evaluation"]["scheme"],
            **{key: STUDIES[wildcards.study].get(key) for key in ("task", "clean", "series", "cycle", "unlabelled")},
        },
    script:
        "../scripts/clean_data.py"


rule clean_sequences:
    """Read a study's sequences, clean them, and find the groups of related ones that folds keep together."""
    input:
        files=lambda wildcards: list(get_source_files(wildcards).values()),
        code=lambda wildcards: lib("clean_sequences", READERS[get_reader(wildcards)["reader"]]),
        env=env("classical"),
    output:
        sequences="<results>/{study}/data/sequences.parquet",
        samples="<results>/{study}/data/samples.tsv",
        cleaning="<results>/{study}/data/cleaning.json",
    log:
        "<logs>/clean_sequences/{study}.log",
    benchmark:
        "<benchmarks>/clean_sequences/{study}.jsonl"
    wildcard_constraints:
        study=any_of(SEQUENCE_STUDIES),
    conda:
        "../envs/classical.yaml"
    threads: job("clean_sequences", "threads")
    resources:
        mem_mb=job("clean_sequences", "mem_mb"),
        runtime=job("clean_sequences", "runtime"),
    params:
        names=lambda wildcards: list(get_source_files(wildcards)),
        reader=get_reader,
        study=lambda wildcards: {key: STUDIES[wildcards.study].get(key) for key in ("clean", "unlabelled", "homology")},
    script:
        "../scripts/clean_sequences.py"
