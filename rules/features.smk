# Scaling statistics and feature rankings of every training part, fitted once and shared by all models.


rule rank_features:
    """Fit the scaler and the selection score on every outer and inner training part of a repeat."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        code=lib("rank_features"),
        env=env("classical"),
    output:
        ranking="<results>/{study}/features/{repeat}/ranking.parquet",
    log:
        "<logs>/rank_features/{study}/{repeat}.log",
    benchmark:
        "<benchmarks>/rank_features/{study}/{repeat}.jsonl"
    wildcard_constraints:
        study=any_of(MATRIX_STUDIES),
    conda:
        "../envs/classical.yaml"
    threads: job("rank_features", "threads")
    resources:
        mem_mb=job("rank_features", "mem_mb"),
        runtime=job("rank_features", "runtime"),
    params:
        select=study_value("select"),
    script:
        "../scripts/rank_features.py"
