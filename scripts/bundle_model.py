"""Gather the models of the final fold into the folder that predicts new samples."""

from pathlib import Path

from genestrata.bundle import write_bundle
from genestrata.cohort import feature_names
from genestrata.files import read_json
from genestrata.logs import job_log
from genestrata.tables import read_all

if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        write_bundle(
            folder=Path(snakemake.output.bundle).parent,
            models_dirs=dict(zip(snakemake.params.predictors, map(Path, snakemake.input.models), strict=True)),
            predictions=read_all(list(snakemake.input.predictions)),
            base_models=snakemake.params.base,
            metrics=read_json(snakemake.input.metrics),
            cleaning=read_json(snakemake.input.cleaning),
            features=feature_names(snakemake.input.features),
            study=snakemake.params.study,
        )
