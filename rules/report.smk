# One self-contained page on all studies of the run.

# What the sections of a study read, below the study's folder.
REPORT_FILES = [
    "data/cleaning.json",
    "evaluation/metrics.json",
    "evaluation/confusion_matrix.tsv",
    "evaluation/curves.json",
    "evaluation/scores.png",
    "explain/consensus.tsv",
    "explain/known_markers.tsv",
    "explain/stability.json",
    "cluster/clustering.tsv",
    "cluster/summary.json",
    "cluster/pca.tsv",
]


rule write_report:
    """Write the report page from the results of every study."""
    input:
        results=expand("<results>/{study}/{file}", study=STUDIES, file=REPORT_FILES),
        explanations=[
            f"<results>/{study}/explain/{model}/figures" for study in STUDIES for model in get_explained_models(study)
        ],
        additivity=[
            f"<results>/{study}/explain/{model}/additivity.tsv"
            for study in STUDIES
            for model in get_explained_models(study)
            if model in MATRIX_NETWORKS
        ],
        extra=[f"<results>/{study}/{file}" for study in STUDIES for file in get_extra_results(study)],
        training=[
            f"<results>/{study}/evaluation/training_history_{model}.png"
            for study in STUDIES
            for model in get_networks(study)
        ],
        template=workflow_file("resources/report/multiqc_config.yaml"),
        css=workflow_file("resources/report/report.css"),
        code=lib("write_report"),
        env=env("report"),
    output:
        report="<results>/report.html",
    log:
        "<logs>/write_report.log",
    benchmark:
        "<benchmarks>/write_report.jsonl"
    conda:
        "../envs/report.yaml"
    threads: job("write_report", "threads")
    resources:
        mem_mb=job("write_report", "mem_mb"),
        runtime=job("write_report", "runtime"),
    params:
        studies={
            name: {key: study.get(key, "") for key in ("title", "description", "citation", "data", "task")}
            | {
                "explained": get_explained_models(name),
                "networks": get_networks(name),
                "exported": get_series_networks(name),
                "extra": get_extra_results(name),
            }
            for name, study in STUDIES.items()
        },
    script:
        "../scripts/write_report.py"
