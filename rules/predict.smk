# The models of the final fold, fitted on all labelled samples: the bundle, its calls, its networks for use elsewhere.


rule bundle_model:
    """Gather the fitted parts, classes, calibration and thresholds of the final fold into one folder with a model card."""
    input:
        metrics="<results>/{study}/evaluation/metrics.json",
        features=get_data,
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
            for key in ("name", "title", "task", "citation", "licence", "data", "calibration")
        },
    script:
        "../scripts/bundle_model.py"


rule list_hypotheses:
    """List the selected model's calls of samples without a label, and labelled samples that it calls otherwise."""
    input:
        metrics="<results>/{study}/evaluation/metrics.json",
        test="<results>/{study}/evaluation/predictions.parquet",
        predictions=lambda wildcards: expand(
            "<results>/{study}/cv/r0/{model}/predictions.parquet",
            model=get_predictors(wildcards.study),
            study=wildcards.study,
        ),
        periodicity=get_periodicity,
        truth=get_truth_of_samples,
        code=lib("list_hypotheses"),
        env=env("classical"),
    output:
        calls="<results>/{study}/predict/unlabelled.tsv",
        disagreements="<results>/{study}/predict/disagreements.tsv",
        summary="<results>/{study}/predict/summary.json",
    log:
        "<logs>/list_hypotheses/{study}.log",
    benchmark:
        "<benchmarks>/list_hypotheses/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("list_hypotheses", "threads")
    resources:
        mem_mb=job("list_hypotheses", "mem_mb"),
        runtime=job("list_hypotheses", "runtime"),
    params:
        models=lambda wildcards: get_predictors(wildcards.study),
        calibration=study_value("calibration"),
        cycle=study_value("cycle"),
    script:
        "../scripts/list_hypotheses.py"


rule export_network:
    """Export a network that reads time points as ONNX and write its embedding of every gene."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        models="<results>/{study}/cv/r0/{model}/models",
        predictions="<results>/{study}/cv/r0/{model}/predictions.parquet",
        code=lib("export_network"),
        env=env("deep"),
    output:
        network="<results>/{study}/model/export/{model}.onnx",
        report="<results>/{study}/model/export/{model}.json",
        embeddings="<results>/{study}/explain/{model}/embeddings.parquet",
        figure=report(
            multiext("<results>/{study}/explain/{model}/embeddings", ".svg", ".png"),
            caption="../resources/report/embeddings.rst",
            category="{study}",
            subcategory="Explanation",
            labels={"model": "{model}", "figure": "embeddings"},
        ),
    log:
        "<logs>/export_network/{study}/{model}.log",
    benchmark:
        "<benchmarks>/export_network/{study}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(SERIES_NETWORKS),
    conda:
        "../envs/deep.yaml"
    threads: job("export_network", "threads")
    resources:
        mem_mb=job("export_network", "mem_mb"),
        runtime=job("export_network", "runtime"),
    params:
        calibration=study_value("calibration"),
        cycle=study_value("cycle"),
        map=study_value("map"),
        data=study_value("data"),
        seed=config["seed"],
    script:
        "../scripts/export_network.py"
