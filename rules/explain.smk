# SHAP values of held-out samples, then one ranking of genes over models and folds.


rule explain_model:
    """Explain one model's predictions of every held-out sample."""
    input:
        features=get_data,
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        models=of_repeats("<results>/{study}/cv/{repeat}/{model}/models"),
        code=lambda wildcards: lib("explain_model", f"models.{wildcards.model}"),
        env=env("classical"),
    output:
        values="<results>/{study}/explain/{model}/shap_values.parquet",
        weights="<results>/{study}/explain/{model}/weights.tsv",
        figures=report(
            directory("<results>/{study}/explain/{model}/figures"),
            patterns=["{name}.png"],
            caption="../resources/report/explanation.rst",
            category="{study}",
            subcategory="Explanation",
            labels={"model": "{model}", "figure": "{name}"},
        ),
    log:
        "<logs>/explain_model/{study}/{model}.log",
    benchmark:
        "<benchmarks>/explain_model/{study}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(CLASSICAL_MODELS),
    conda:
        "../envs/classical.yaml"
    threads: job("explain_model", "threads")
    resources:
        mem_mb=job("explain_model", "mem_mb"),
        runtime=job("explain_model", "runtime"),
    params:
        repeats=lambda wildcards: get_repeats(wildcards.study),
        background=study_value("explain", "background"),
        draws=study_value("explain", "draws"),
        classes=study_value("explain", "classes"),
        data=study_value("data"),
        markers=study_value("markers"),
        seed=config["seed"],
    script:
        "../scripts/explain_model.py"


use rule explain_model as explain_network with:
    input:
        features=get_data,
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        models=of_repeats("<results>/{study}/cv/{repeat}/{model}/models"),
        code=lib("explain_model"),
        env=env("deep"),
    output:
        values="<results>/{study}/explain/{model}/shap_values.parquet",
        additivity="<results>/{study}/explain/{model}/additivity.tsv",
        weights="<results>/{study}/explain/{model}/weights.tsv",
        figures=report(
            directory("<results>/{study}/explain/{model}/figures"),
            patterns=["{name}.png"],
            caption="../resources/report/explanation.rst",
            category="{study}",
            subcategory="Explanation",
            labels={"model": "{model}", "figure": "{name}"},
        ),
    log:
        "<logs>/explain_network/{study}/{model}.log",
    benchmark:
        "<benchmarks>/explain_network/{study}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(MATRIX_NETWORKS),
    priority: 10
    conda:
        "../envs/deep.yaml"
    threads: job("explain_network", "threads")
    resources:
        mem_mb=job("explain_network", "mem_mb"),
        runtime=job("explain_network", "runtime"),
        gpu=1,


use rule explain_network as explain_sequence_network with:
    output:
        values="<results>/{study}/explain/{model}/shap_values.parquet",
        attributions="<results>/{study}/explain/{model}/attributions.parquet",
        weights="<results>/{study}/explain/{model}/weights.tsv",
        figures=report(
            directory("<results>/{study}/explain/{model}/figures"),
            patterns=["{name}.png"],
            caption="../resources/report/attribution.rst",
            category="{study}",
            subcategory="Explanation",
            labels={"model": "{model}", "figure": "{name}"},
        ),
    log:
        "<logs>/explain_sequence_network/{study}/{model}.log",
    benchmark:
        "<benchmarks>/explain_sequence_network/{study}/{model}.jsonl"
    wildcard_constraints:
        model=any_of(SEQUENCE_NETWORKS),


rule rank_genes:
    """Rank genes per model and class, join the rankings of models and folds, and measure their stability."""
    input:
        values=lambda wildcards: expand(
            "<results>/{study}/explain/{model}/shap_values.parquet",
            model=get_explained_models(wildcards.study),
            study=wildcards.study,
        ),
        predictions=lambda wildcards: expand(
            "<results>/{study}/cv/{repeat}/{model}/predictions.parquet",
            model=get_explained_models(wildcards.study),
            repeat=get_repeats(wildcards.study),
            study=wildcards.study,
        ),
        ranking=get_rankings,
        features=get_data_of_sets,
        samples="<results>/{study}/data/samples.tsv",
        truth=get_truth_of_features,
        code=lib("rank_genes"),
        env=env("classical"),
    output:
        ranks="<results>/{study}/explain/shap_ranks.tsv",
        scores="<results>/{study}/explain/shap_scores.tsv",
        genes="<results>/{study}/explain/shap_genes.tsv",
        gene_sets="<results>/{study}/explain/gene_sets.tsv",
        consensus="<results>/{study}/explain/consensus.tsv",
        markers="<results>/{study}/explain/known_markers.tsv",
        stability="<results>/{study}/explain/stability.json",
        figure=report(
            multiext("<results>/{study}/explain/consensus", ".svg", ".png"),
            caption="../resources/report/consensus.rst",
            category="{study}",
            subcategory="Explanation",
            labels={"model": "all", "figure": "consensus"},
        ),
    log:
        "<logs>/rank_genes/{study}.log",
    benchmark:
        "<benchmarks>/rank_genes/{study}.jsonl"
    conda:
        "../envs/classical.yaml"
    threads: job("rank_genes", "threads")
    resources:
        mem_mb=job("rank_genes", "mem_mb"),
        runtime=job("rank_genes", "runtime"),
    params:
        models=lambda wildcards: get_explained_models(wildcards.study),
        repeats=lambda wildcards: get_repeats(wildcards.study),
        sets=get_set_rules,
        markers=study_value("markers"),
        data=study_value("data"),
    script:
        "../scripts/rank_genes.py"


rule list_markers:
    """List the top genes of every class in each ranking, with their specificity and their mean inside and outside."""
    input:
        scores="<results>/{study}/explain/shap_scores.tsv",
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        truth=get_truth_of_features,
        code=lib("list_markers"),
        env=env("classical"),
    output:
        markers="<results>/{study}/explain/marker_table.tsv",
    log:
        "<logs>/list_markers/{study}.log",
    benchmark:
        "<benchmarks>/list_markers/{study}.jsonl"
    wildcard_constraints:
        study=any_of(EXPRESSION_STUDIES),
    conda:
        "../envs/classical.yaml"
    threads: job("list_markers", "threads")
    resources:
        mem_mb=job("list_markers", "mem_mb"),
        runtime=job("list_markers", "runtime"),
    params:
        models=lambda wildcards: get_explained_models(wildcards.study),
        limits=lambda wildcards: STUDIES[wildcards.study]["select"].get("expressed"),
        markers=study_value("markers"),
    script:
        "../scripts/list_markers.py"


rule compare_sets:
    """Count the genes that the compared gene sets share and draw how they overlap."""
    input:
        gene_sets="<results>/{study}/explain/gene_sets.tsv",
        code=lib("compare_sets"),
        env=env("classical"),
    output:
        overlap="<results>/{study}/explain/overlap.tsv",
        figure=report(
            multiext("<results>/{study}/explain/overlap", ".svg", ".png"),
            caption="../resources/report/overlap.rst",
            category="{study}",
            subcategory="Explanation",
            labels={"model": "all", "figure": "overlap of gene sets"},
        ),
    log:
        "<logs>/compare_sets/{study}.log",
    benchmark:
        "<benchmarks>/compare_sets/{study}.jsonl"
    wildcard_constraints:
        study=any_of(EXPRESSION_STUDIES),
    conda:
        "../envs/classical.yaml"
    threads: job("compare_sets", "threads")
    resources:
        mem_mb=job("compare_sets", "mem_mb"),
        runtime=job("compare_sets", "runtime"),
    params:
        names=study_value("cluster", "gene_sets"),
        data=study_value("data"),
    script:
        "../scripts/compare_sets.py"
