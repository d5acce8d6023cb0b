"""Tune and fit one model on every fold of a repeat."""

from pathlib import Path

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.logs import job_log
from genestrata.splitting import read_folds
from genestrata.tables import read_samples, read_splits, read_tuning
from genestrata.training import chosen_sizes, train_model


def main(model, repeat, inputs, outputs, k, model_params, seed, threads):
    """Write the model's predictions, tuning and history tables and its fitted models; of a network also its epochs."""
    samples = read_samples(inputs.samples)
    folds = list(read_folds(read_splits(inputs.splits), samples, repeat))
    guide = inputs.get("guide")
    tables = train_model(
        model,
        Cohort.read(inputs.features, samples, inputs.get("positions")),
        folds,
        pd.read_parquet(inputs.ranking),
        chosen_sizes(read_tuning(guide)) if guide else {fold.name: k for fold in folds},
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
            snakemake.params.k,
            snakemake.params.model_params,
            snakemake.params.seed,
            snakemake.threads,
        )
