# Clusters found without labels and compared with them; gene sets against random sets of the same size.


HELD_OUT_STUDIES = [study for study in STUDIES if ranks_held_out(study)]
# What rank_held_out reads, with or without a network among the models.
HELD_OUT_INPUTS = {
    "features": "<results>/{study}/data/features.parquet",
    "samples": "<results>/{study}/data/samples.tsv",
    "splits": "<results>/{study}/splits.tsv",
    "positions": get_positions,
    "code": lambda wildcards: lib(
        "rank_held_out", *(f"models.{model}" for model in get_compared_models(wildcards.study))
    ),
}


rule rank_held_out:
    """Rank the compared gene sets without the samples that are clustered on them."""
    input:
        **HELD_OUT_INPUTS,
        env=env("classical"),
    output:
        sets="<results>/{study}/cluster/held_out_sets.tsv",
        parts="<results>/{study}/cluster/held_out_parts.tsv",
    log:
        "<logs>/rank_held_out/{study}.log",
    benchmark:
        "<benchmarks>/rank_held_out/{study}.jsonl"
    wildcard_constraints:
        study=any_of([study for study in HELD_OUT_STUDIES if not needs_network(study)]),
    conda:
        "../envs/classical.yaml"
    threads: job("rank_held_out", "threads")
    resources:
        mem_mb=job("rank_held_out", "mem_mb"),
        runtime=job("rank_held_out", "runtime"),
    params:
        study=get_held_out_settings,
        seed=config["seed"],
    script:
        "../scripts/rank_held_out.py"


use rule rank_held_out as rank_held_out_deep with:
    input:
        **HELD_OUT_INPUTS,
        env=env("deep"),
    log:
        "<logs>/rank_held_out_deep/{study}.log",
    benchmark:
        "<benchmarks>/rank_held_out_deep/{study}.jsonl"
    wildcard_constraints:
        study=any_of([study for study in HELD_OUT_STUDIES if needs_network(study)]),
    priority: 10
    conda:
        "../envs/deep.yaml"
    resources:
        mem_mb=job("rank_held_out", "mem_mb"),
        runtime=job("rank_held_out", "runtime"),
        gpu=1,


rule cluster_samples:
    """Cluster the samples with several methods and gene sets and compare with the labels."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        ranking="<results>/{study}/features/r0/ranking.parquet",
        gene_sets="<results>/{study}/explain/gene_sets.tsv",
        held_out_sets=get_held_out("held_out_sets.tsv"),
        held_out_parts=get_held_out("held_out_parts.tsv"),
        code=lib("cluster_samples"),
        env=env("classical"),
    output:
        **get_cluster_outputs(),
    log:
        "<logs>/cluster_samples/{study}.log",
    benchmark:
        "<benchmarks>/cluster_samples/{study}.jsonl"
    wildcard_constraints:
        study=any_of([study for study in MATRIX_STUDIES if not draws_umap(study)]),
    conda:
        "../envs/classical.yaml"
    threads: job("cluster_samples", "threads")
    resources:
        mem_mb=job("cluster_samples", "mem_mb"),
        runtime=job("cluster_samples", "runtime"),
    params:
        cluster=study_value("cluster"),
        select=study_value("select"),
        task=study_value("task"),
        data=study_value("data"),
        seed=config["seed"],
    script:
        "../scripts/cluster_samples.py"


use rule cluster_samples as cluster_samples_on_maps with:
    output:
        **get_cluster_outputs(),
        umap=report(
            multiext("<results>/{study}/cluster/umap", ".svg", ".png"),
            caption="../resources/report/umap.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "UMAP of gene sets"},
        ),
    log:
        "<logs>/cluster_samples_on_maps/{study}.log",
    benchmark:
        "<benchmarks>/cluster_samples_on_maps/{study}.jsonl"
    wildcard_constraints:
        study=any_of([study for study in MATRIX_STUDIES if draws_umap(study)]),


rule cluster_sequences:
    """Compare homology groups, and clusters of the sequences' k-mers, with the labels."""
    input:
        features="<results>/{study}/data/sequences.parquet",
        samples="<results>/{study}/data/samples.tsv",
        code=lib("cluster_sequences"),
        env=env("classical"),
    output:
        clustering="<results>/{study}/cluster/clustering.tsv",
        assignments="<results>/{study}/cluster/assignments.tsv",
        summary="<results>/{study}/cluster/summary.json",
        components="<results>/{study}/cluster/pca.tsv",
        pca=report(
            multiext("<results>/{study}/cluster/pca", ".svg", ".png"),
            caption="../resources/report/kmer_components.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "principal components"},
        ),
    log:
        "<logs>/cluster_sequences/{study}.log",
    benchmark:
        "<benchmarks>/cluster_sequences/{study}.jsonl"
    wildcard_constraints:
        study=any_of(SEQUENCE_STUDIES),
    conda:
        "../envs/classical.yaml"
    threads: job("cluster_sequences", "threads")
    resources:
        mem_mb=job("cluster_sequences", "mem_mb"),
        runtime=job("cluster_sequences", "runtime"),
    params:
        data=study_value("data"),
        seed=config["seed"],
    script:
        "../scripts/cluster_sequences.py"
