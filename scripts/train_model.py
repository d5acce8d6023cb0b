"""Tune and fit one model on every fold of a repeat."""

from pathlib import Path

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.logs import job_log
from genestrata.splitting import read_folds
from genestrata.tables import read_samples, read_splits, read_tuning
from genestrata.training import chosen_sizes, sizes_to_try, train_model


def main(model, repeat, inputs, outputs, select, model_params, seed, threads):
    """Write the model's predictions, tuning and history tables and its fitted models; of a network also its epochs."""
    samples = read_samples(inputs.samples)
    folds = list(read_folds(read_splits(inputs.splits), samples, repeat))
    cohort = Cohort.read(inputs.features, samples, inputs.get("positions"))
    guide = inputs.get("guide")
    sizes = sizes_to_try(select, len(cohort.features))
    tables = train_model(
        model,
        cohort,
        folds,
        pd.read_parquet(inputs.ranking) if inputs.ranking else None,
        chosen_sizes(read_tuning(guide)) if guide else {fold.name: sizes for fold in folds},
        model_params,
        seed,
        threads,
        Path(outputs.models),
    )
    tables.write(outputs)


if __name__ == "__main__":
    hide_gpus_unless_granted(snakemake.resources.get("gpu", 0))
    with job_log(snakemake.log[0]):
        main(
            snakemake.wildcards.model,
            snakemake.wildcards.repeat,
            snakemake.input,
            snakemake.output,
            snakemake.params.select,
            snakemake.params.model_params,
            snakemake.params.seed,
            snakemake.threads,
        )
