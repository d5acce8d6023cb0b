# Outer and inner folds, drawn once and read by every later rule.


rule split_samples:
    """Draw the outer and inner folds of every repeat, and the final fold of all samples."""
    input:
        samples="<results>/{study}/data/samples.tsv",
        code=lib("split_samples"),
        env=env("classical"),
    output:
        splits="<results>/{study}/splits.tsv",
    log:
        "<logs>/split_samples/{study}.log",
    benchmark:
        "<benchmarks>/split_samples/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("split_samples", "threads")
    resources:
        mem_mb=job("split_samples", "mem_mb"),
        runtime=job("split_samples", "runtime"),
    params:
        evaluation=study_value("evaluation"),
        seed=config["seed"],
    script:
        "../scripts/split_samples.py"
