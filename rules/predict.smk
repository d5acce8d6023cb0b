# The bundle for new samples: the models of the final fold, fitted on all samples.


rule bundle_model:
    """Gather the fitted parts, classes, calibration and thresholds of the final fold into one folder with a model card."""
    input:
        metrics="<results>/{study}/evaluation/metrics.json",
        features="<results>/{study}/data/features.parquet",
        cleaning="<results>/{study}/data/cleaning.json",
        predictions=lambda wildcards: expand(
            "<results>/{study}/cv/r0/{model}/predictions.parquet",
            model=get_predictors(wildcards.study),
            study=wildcards.study,
        ),
        models=lambda wildcards: expand(
            "<results>/{study}/cv/r0/{model}/models",
            model=get_predictors(wildcards.study),
            study=wildcards.study,
        ),
        code=lib("bundle_model"),
        env=env("classical"),
    output:
        bundle="<results>/{study}/model/bundle.json",
        features="<results>/{study}/model/features.json",
        card="<results>/{study}/model/MODEL_CARD.md",
        parts=directory("<results>/{study}/model/parts"),
    log:
        "<logs>/bundle_model/{study}.log",
    benchmark:
        "<benchmarks>/bundle_model/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("bundle_model", "threads")
    resources:
        mem_mb=job("bundle_model", "mem_mb"),
        runtime=job("bundle_model", "runtime"),
    params:
        predictors=lambda wildcards: get_predictors(wildcards.study),
        base=lambda wildcards: get_base_models(wildcards.study),
        study=lambda wildcards: {
            key: STUDIES[wildcards.study].get(key, "")
            for key in ("name", "title", "citation", "licence", "data", "calibration")
        },
    script:
        "../scripts/bundle_model.py"
