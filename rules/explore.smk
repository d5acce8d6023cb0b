# Time series beside the models: what they show, what an exported network needs, transfer between experiments.


rule explore_series:
    """Score the periodicity of every gene and draw what the series show before any model."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        code=lib("explore_series"),
        env=env("classical"),
    output:
        periodicity="<results>/{study}/explore/periodicity.tsv",
        synchrony="<results>/{study}/explore/synchrony.tsv",
        figures=report(
            directory("<results>/{study}/explore/figures"),
            patterns=["{name}.png"],
            caption="../resources/report/exploration.rst",
            category="{study}",
            subcategory="Exploration",
            labels={"figure": "{name}"},
        ),
    log:
        "<logs>/explore_series/{study}.log",
    benchmark:
        "<benchmarks>/explore_series/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("explore_series", "threads")
    resources:
        mem_mb=job("explore_series", "mem_mb"),
        runtime=job("explore_series", "runtime"),
    params:
        cycle=study_value("cycle"),
        scaled=lambda wildcards: STUDIES[wildcards.study]["clean"]["scale_samples"] == "standardise",
        map=study_value("map"),
        data=study_value("data"),
        seed=config["seed"],
    script:
        "../scripts/explore_series.py"


rule transfer_series:
    """Fine-tune a network trained on one experiment on others, against training from scratch."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        code=lambda wildcards: lib("transfer_series", f"models.{STUDIES[wildcards.study]['transfer']['model']}"),
        env=env("deep"),
    output:
        curve="<results>/{study}/transfer/learning_curve.tsv",
        figure=report(
            multiext("<results>/{study}/transfer/learning_curve", ".svg", ".png"),
            caption="../resources/report/learning_curve.rst",
            category="{study}",
            subcategory="Transfer",
            labels={"figure": "learning curve"},
        ),
    log:
        "<logs>/transfer_series/{study}.log",
    benchmark:
        "<benchmarks>/transfer_series/{study}.jsonl"
    priority: 10
    conda:
        "../envs/deep.yaml"
    threads: job("transfer_series", "threads")
    resources:
        mem_mb=job("transfer_series", "mem_mb"),
        runtime=job("transfer_series", "runtime"),
        gpu=1,
    params:
        transfer=study_value("transfer"),
        model_params=lambda wildcards: get_model_params(wildcards.study, STUDIES[wildcards.study]["transfer"]["model"]),
        data=study_value("data"),
        seed=config["seed"],
    script:
        "../scripts/transfer_series.py"
