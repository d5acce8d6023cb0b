# The controls, then metrics with intervals and their figures.


rule permute_labels:
    """Run split, selection, tuning and a cheap model on permuted labels; the score must be that of guessing."""
    input:
        features=get_data,
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
        tuning=lambda wildcards: expand(
            "<results>/{study}/cv/{repeat}/{model}/tuning.tsv",
            study=wildcards.study,
            repeat=get_repeats(wildcards.study),
            model=get_guiding_model(wildcards.study),
        ),
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


rule compare_splits:
    """Tune, fit and test some models on a random split, which may put relatives on both of its sides."""
    input:
        features=get_data,
        samples="<results>/{study}/data/samples.tsv",
        code=lambda wildcards: lib(
            "compare_splits",
            *(f"models.{model}" for model in STUDIES[wildcards.study]["controls"]["random_split"]),
        ),
        env=env("classical"),
    output:
        predictions="<results>/{study}/controls/random_split.parquet",
    log:
        "<logs>/compare_splits/{study}.log",
    benchmark:
        "<benchmarks>/compare_splits/{study}.jsonl"
    priority: 5
    conda:
        "../envs/classical.yaml"
    threads: job("compare_splits", "threads")
    resources:
        mem_mb=job("compare_splits", "mem_mb"),
        runtime=job("compare_splits", "runtime"),
    params:
        models=study_value("controls", "random_split"),
        evaluation=study_value("evaluation"),
        select=study_value("select"),
        model_params=lambda wildcards: {
            model: get_model_params(wildcards.study, model)
            for model in STUDIES[wildcards.study]["controls"]["random_split"]
        },
        seed=config["seed"],
    script:
        "../scripts/compare_splits.py"


rule measure_identity:
    """Measure how near every test sequence is to its training part."""
    input:
        sequences="<results>/{study}/data/sequences.parquet",
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        code=lib("measure_identity"),
        env=env("classical"),
    output:
        identity="<results>/{study}/evaluation/identity.tsv",
    log:
        "<logs>/measure_identity/{study}.log",
    benchmark:
        "<benchmarks>/measure_identity/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("measure_identity", "threads")
    resources:
        mem_mb=job("measure_identity", "mem_mb"),
        runtime=job("measure_identity", "runtime"),
    params:
        repeats=lambda wildcards: get_repeats(wildcards.study),
    script:
        "../scripts/measure_identity.py"


rule plot_generalisation:
    """Draw inner against test scores, and accuracy against the identity to the training part."""
    input:
        metrics="<results>/{study}/evaluation/metrics.json",
        code=lib("plot_generalisation"),
        env=env("classical"),
    output:
        cv_against_test=report(
            multiext("<results>/{study}/evaluation/cv_against_test", ".svg", ".png"),
            caption="../resources/report/cv_against_test.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "inner against test scores"},
        ),
        by_identity=report(
            multiext("<results>/{study}/evaluation/accuracy_by_identity", ".svg", ".png"),
            caption="../resources/report/accuracy_by_identity.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "accuracy by identity"},
        ),
    log:
        "<logs>/plot_generalisation/{study}.log",
    benchmark:
        "<benchmarks>/plot_generalisation/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("plot_generalisation", "threads")
    resources:
        mem_mb=job("plot_generalisation", "mem_mb"),
        runtime=job("plot_generalisation", "runtime"),
    script:
        "../scripts/plot_generalisation.py"


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


rule draw_network:
    """Draw the layers of a network and write its architecture as JSON."""
    input:
        models="<results>/{study}/cv/r0/{model}/models",
        code=lib("draw_network"),
        env=env("deep"),
    output:
        json="<results>/{study}/evaluation/architecture_{model}.json",
        figure=report(
            multiext("<results>/{study}/evaluation/architecture_{model}", ".svg", ".png"),
            caption="../resources/report/architecture.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"model": "{model}", "figure": "layers"},
        ),
    log:
        "<logs>/draw_network/{study}/{model}.log",
    benchmark:
        "<benchmarks>/draw_network/{study}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(DEEP_MODELS),
    conda:
        "../envs/deep.yaml"
    threads: job("draw_network", "threads")
    resources:
        mem_mb=job("draw_network", "mem_mb"),
        runtime=job("draw_network", "runtime"),
    params:
        data=study_value("data"),
    script:
        "../scripts/draw_network.py"


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
        random_split=get_random_split,
        identity=get_identity,
        truth=get_truth_of_sequences,
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
        precision_recall=report(
            multiext("<results>/{study}/evaluation/precision_recall", ".svg", ".png"),
            caption="../resources/report/precision_recall.rst",
            category="{study}",
            subcategory="Evaluation",
            labels={"figure": "precision and recall"},
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
