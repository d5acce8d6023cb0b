# The controls, then metrics with intervals and their figures.


rule permute_labels:
    """Run split, selection, tuning and a cheap model on permuted labels; the score must be that of guessing."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        code=lambda wildcards: lib(
            "permute_labels",
            f"models.{STUDIES[wildcards.study]['controls']['model']}",
        ),
        env=env("classical"),
    output:
        scores="<results>/{study}/controls/permuted_labels.tsv",
    log:
        "<logs>/permute_labels/{study}.log",
    benchmark:
        "<benchmarks>/permute_labels/{study}.jsonl"
    priority: 5
    conda:
        "../envs/classical.yaml"
    threads: job("permute_labels", "threads")
    resources:
        mem_mb=job("permute_labels", "mem_mb"),
        runtime=job("permute_labels", "runtime"),
    params:
        controls=study_value("controls"),
        evaluation=study_value("evaluation"),
        select=study_value("select"),
        model_params=lambda wildcards: get_model_params(wildcards.study, STUDIES[wildcards.study]["controls"]["model"]),
        seed=config["seed"],
    script:
        "../scripts/permute_labels.py"


rule compare_gene_orders:
    """Refit the networks that look at neighbouring genes with the genes in other orders."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        ranking=of_repeats("<results>/{study}/features/{repeat}/ranking.parquet"),
        tuning=of_repeats("<results>/{study}/cv/{repeat}/{model}/tuning.tsv", model=SIZE_GUIDE),
        positions=get_positions,
        code=lambda wildcards: lib(
            "compare_gene_orders",
            *(f"models.{model}" for model in get_ordered_networks(wildcards.study)),
        ),
        env=env("deep"),
    output:
        predictions="<results>/{study}/controls/gene_orders.parquet",
    log:
        "<logs>/compare_gene_orders/{study}.log",
    benchmark:
        "<benchmarks>/compare_gene_orders/{study}.jsonl"
    priority: 10
    conda:
        "../envs/deep.yaml"
    threads: job("compare_gene_orders", "threads")
    resources:
        mem_mb=job("compare_gene_orders", "mem_mb"),
        runtime=job("compare_gene_orders", "runtime"),
        gpu=1,
    params:
        repeats=lambda wildcards: get_repeats(wildcards.study),
        orders=lambda wildcards: {
            model: get_other_orders(wildcards.study, model) for model in get_ordered_networks(wildcards.study)
        },
        model_params=lambda wildcards: {
            model: get_model_params(wildcards.study, model) for model in get_ordered_networks(wildcards.study)
        },
        seed=config["seed"],
    script:
        "../scripts/compare_gene_orders.py"


rule plot_training:
    """Draw the training of a network over its epochs, all fits together."""
    input:
        epochs=of_repeats("<results>/{study}/cv/{repeat}/{model}/epochs.tsv"),
        code=lib("plot_training"),
        env=env("classical"),
    output:
        figure=report(
            multiext("<results>/{study}/evaluation/training_history_{model}", ".svg", ".png"),
            caption="../resources/report/training_history.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"model": "{model}", "figure": "training"},
        ),
    log:
        "<logs>/plot_training/{study}/{model}.log",
    benchmark:
        "<benchmarks>/plot_training/{study}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(DEEP_MODELS),
    conda:
        "../envs/classical.yaml"
    threads: job("plot_training", "threads")
    resources:
        mem_mb=job("plot_training", "mem_mb"),
        runtime=job("plot_training", "runtime"),
    params:
        data=study_value("data"),
    script:
        "../scripts/plot_training.py"


rule evaluate_study:
    """Score every model on the test parts, with intervals, calibration and figures."""
    input:
        samples="<results>/{study}/data/samples.tsv",
        cleaning="<results>/{study}/data/cleaning.json",
        predictions=get_results("predictions.parquet"),
        tuning=get_results("tuning.tsv"),
        history=get_results("history.tsv"),
        controls="<results>/{study}/controls/permuted_labels.tsv",
        orders=lambda wildcards: (
            f"<results>/{wildcards.study}/controls/gene_orders.parquet"
            if get_ordered_networks(wildcards.study)
            else []
        ),
        stability="<results>/{study}/explain/stability.json",
        clusters="<results>/{study}/cluster/summary.json",
        code=lib("evaluate_study"),
        env=env("classical"),
    output:
        metrics="<results>/{study}/evaluation/metrics.json",
        table="<results>/{study}/evaluation/metrics.tsv",
        predictions="<results>/{study}/evaluation/predictions.parquet",
        confusion="<results>/{study}/evaluation/confusion_matrix.tsv",
        tuning="<results>/{study}/evaluation/tuning.tsv",
        curves="<results>/{study}/evaluation/curves.json",
        confusion_matrix=report(
            multiext("<results>/{study}/evaluation/confusion_matrix", ".svg", ".png"),
            caption="../resources/report/confusion_matrix.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "confusion matrix"},
        ),
        roc_curve=report(
            multiext("<results>/{study}/evaluation/roc_curve", ".svg", ".png"),
            caption="../resources/report/roc_curve.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "ROC curves"},
        ),
        calibration=report(
            multiext("<results>/{study}/evaluation/calibration", ".svg", ".png"),
            caption="../resources/report/calibration.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "calibration"},
        ),
        tuning_curves=report(
            multiext("<results>/{study}/evaluation/tuning_curves", ".svg", ".png"),
            caption="../resources/report/tuning_curves.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "tuning"},
        ),
        scores=report(
            multiext("<results>/{study}/evaluation/scores", ".svg", ".png"),
            caption="../resources/report/scores.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "all models"},
        ),
    log:
        "<logs>/evaluate_study/{study}.log",
    benchmark:
        "<benchmarks>/evaluate_study/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("evaluate_study", "threads")
    resources:
        mem_mb=job("evaluate_study", "mem_mb"),
        runtime=job("evaluate_study", "runtime"),
    params:
        data=study_value("data"),
        evaluation=study_value("evaluation"),
        calibration=study_value("calibration"),
        orders=lambda wildcards: {
            model: get_gene_order(wildcards.study, model) for model in get_ordered_networks(wildcards.study)
        },
        cycle=study_value("cycle"),
        task=study_value("task"),
        seed=config["seed"],
    script:
        "../scripts/evaluate_study.py"
