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
    log:
        "<logs>/explain_network/{study}/{model}.log",
    benchmark:
        "<benchmarks>/explain_network/{study}/{model}.jsonl"
    wildcard_constraints:
        model=any_of([model for model in DEEP_MODELS if model not in SEQUENCE_NETWORKS]),
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
        ranking=get_rankings,
        truth=get_truth_of_features,
        code=lib("rank_genes"),
        env=env("classical"),
    output:
        ranks="<results>/{study}/explain/shap_ranks.tsv",
        genes="<results>/{study}/explain/shap_genes.tsv",
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
        set_size=study_value("cluster", "set_size"),
        markers=study_value("markers"),
        data=study_value("data"),
    script:
        "../scripts/rank_genes.py"
