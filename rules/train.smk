# One job per study, repeat and model: tune on the inner folds, fit on the training part, predict the test part.


rule train_classical:
    """Tune and fit one classical model on every fold of a repeat."""
    input:
        features=get_data,
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        ranking=get_ranking,
        code=lambda wildcards: lib("train_model", f"models.{wildcards.model}"),
        env=env("classical"),
    output:
        predictions="<results>/{study}/cv/{repeat}/{model}/predictions.parquet",
        tuning="<results>/{study}/cv/{repeat}/{model}/tuning.tsv",
        history="<results>/{study}/cv/{repeat}/{model}/history.tsv",
        models=directory("<results>/{study}/cv/{repeat}/{model}/models"),
    log:
        "<logs>/train_classical/{study}/{repeat}/{model}.log",
    benchmark:
        "<benchmarks>/train_classical/{study}/{repeat}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(CLASSICAL_MODELS),
    conda:
        "../envs/classical.yaml"
    threads: job("train_classical", "threads")
    resources:
        mem_mb=job("train_classical", "mem_mb"),
        runtime=job("train_classical", "runtime"),
    params:
        select=study_value("select"),
        model_params=lambda wildcards: get_model_params(wildcards.study, wildcards.model),
        seed=config["seed"],
    script:
        "../scripts/train_model.py"


use rule train_classical as train_deep with:
    input:
        features=get_data,
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        ranking=get_ranking,
        guide=get_size_guide,
        positions=get_positions,
        code=lambda wildcards: lib("train_model", f"models.{wildcards.model}"),
        env=env("deep"),
    output:
        predictions="<results>/{study}/cv/{repeat}/{model}/predictions.parquet",
        tuning="<results>/{study}/cv/{repeat}/{model}/tuning.tsv",
        history="<results>/{study}/cv/{repeat}/{model}/history.tsv",
        epochs="<results>/{study}/cv/{repeat}/{model}/epochs.tsv",
        models=directory("<results>/{study}/cv/{repeat}/{model}/models"),
    log:
        "<logs>/train_deep/{study}/{repeat}/{model}.log",
    benchmark:
        "<benchmarks>/train_deep/{study}/{repeat}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(DEEP_MODELS),
    # GPUs should not wait for the many small jobs that would fill the cores first.
    priority: 10
    conda:
        "../envs/deep.yaml"
    threads: job("train_deep", "threads")
    resources:
        mem_mb=job("train_deep", "mem_mb"),
        runtime=job("train_deep", "runtime"),
        gpu=1,
