# One self-contained page on all studies of the run.


rule write_report:
    """Write the report page from the results of every study."""
    input:
        metrics=expand("<results>/{study}/evaluation/metrics.json", study=STUDIES),
        consensus=expand("<results>/{study}/explain/consensus.tsv", study=STUDIES),
        clustering=expand("<results>/{study}/cluster/clustering.tsv", study=STUDIES),
        explanations=[
            f"<results>/{study}/explain/{model}/figures"
            for study in STUDIES
            for model in get_explained_models(study)
        ],
        template=str(Path(workflow.basedir) / "resources/report/multiqc_config.yaml"),
        code=lib("reporting", "tables"),
        env=env("report"),
    output:
        report="<results>/report.html",
    log:
        "<logs>/write_report.log",
    benchmark:
        "<benchmarks>/write_report.jsonl"
    conda:
        "../envs/report.yaml"
    threads: JOBS["write_report"]["threads"]
    resources:
        mem_mb=JOBS["write_report"]["mem_mb"],
        runtime=JOBS["write_report"]["runtime"],
    params:
        studies={
            name: {
                key: study.get(key, "")
                for key in (
                    "title",
                    "description",
                    "citation",
                    "licence",
                    "data",
                    "evaluation",
                    "clean",
                    "select",
                )
            }
            for name, study in STUDIES.items()
        },
    script:
        "../scripts/write_report.py"
