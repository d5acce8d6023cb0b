# The meta-learner on the out-of-fold probabilities of the base models.


rule stack_models:
    """Fit the meta-learner on out-of-fold predictions in every fold of a repeat."""
    input:
        predictions=lambda wildcards: expand(
            "<results>/{study}/cv/{repeat}/{model}/predictions.parquet",
            model=get_base_models(wildcards.study),
            study=wildcards.study,
            repeat=wildcards.repeat,
        ),
        code=lib("stack_models"),
        env=env("classical"),
    output:
        predictions="<results>/{study}/cv/{repeat}/stack/predictions.parquet",
        tuning="<results>/{study}/cv/{repeat}/stack/tuning.tsv",
        history="<results>/{study}/cv/{repeat}/stack/history.tsv",
        models=directory("<results>/{study}/cv/{repeat}/stack/models"),
    log:
        "<logs>/stack_models/{study}/{repeat}.log",
    benchmark:
        "<benchmarks>/stack_models/{study}/{repeat}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("stack_models", "threads")
    resources:
        mem_mb=job("stack_models", "mem_mb"),
        runtime=job("stack_models", "runtime"),
    params:
        base=lambda wildcards: get_base_models(wildcards.study),
        seed=config["seed"],
    script:
        "../scripts/stack_models.py"
