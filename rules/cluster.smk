# Clusters found without labels and compared with them; ranked genes against random sets of the same size.


rule cluster_samples:
    """Cluster the samples with several methods and gene sets and compare with the labels."""
    input:
        features="<results>/{study}/data/features.parquet",
        samples="<results>/{study}/data/samples.tsv",
        splits="<results>/{study}/splits.tsv",
        ranking="<results>/{study}/features/r0/ranking.parquet",
        consensus="<results>/{study}/explain/consensus.tsv",
        code=lib("cluster_samples"),
        env=env("classical"),
    output:
        clustering="<results>/{study}/cluster/clustering.tsv",
        assignments="<results>/{study}/cluster/assignments.tsv",
        gene_sets="<results>/{study}/cluster/gene_sets.tsv",
        null="<results>/{study}/cluster/null.tsv",
        summary="<results>/{study}/cluster/summary.json",
        components="<results>/{study}/cluster/pca.tsv",
        pca=report(
            multiext("<results>/{study}/cluster/pca", ".svg", ".png"),
            caption="../resources/report/pca.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "principal components"},
        ),
        variance=report(
            multiext("<results>/{study}/cluster/explained_variance", ".svg", ".png"),
            caption="../resources/report/explained_variance.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "explained variance"},
        ),
        v_measure=report(
            multiext("<results>/{study}/cluster/v_measure", ".svg", ".png"),
            caption="../resources/report/v_measure.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "against random sets"},
        ),
    log:
        "<logs>/cluster_samples/{study}.log",
    benchmark:
        "<benchmarks>/cluster_samples/{study}.jsonl"
    wildcard_constraints:
        study=any_of(MATRIX_STUDIES),
    conda:
        "../envs/classical.yaml"
    threads: job("cluster_samples", "threads")
    resources:
        mem_mb=job("cluster_samples", "mem_mb"),
        runtime=job("cluster_samples", "runtime"),
    params:
        cluster=study_value("cluster"),
        selects=lambda wildcards: STUDIES[wildcards.study]["select"]["method"] != "none",
        task=study_value("task"),
        data=study_value("data"),
        seed=config["seed"],
    script:
        "../scripts/cluster_samples.py"


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
