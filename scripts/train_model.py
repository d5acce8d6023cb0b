"""Tune and fit one model on every fold of a repeat."""

from pathlib import Path

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.files import write_table
from genestrata.logs import job_log
from genestrata.splitting import read_folds
from genestrata.tables import read_samples, read_splits
from genestrata.training import train_model


def main(model, repeat, inputs, outputs, k, model_params, seed, threads):
    """Write the model's predictions, tuning and history tables and its fitted models."""
    samples = read_samples(inputs.samples)
    predictions, tuning, history = train_model(
        model,
        Cohort.read(inputs.features, samples),
        list(read_folds(read_splits(inputs.splits), samples, repeat)),
        pd.read_parquet(inputs.ranking),
        k,
        model_params,
        seed,
        threads,
        Path(outputs.models),
    )
    write_table(predictions, outputs.predictions)
    write_table(tuning, outputs.tuning)
    write_table(history, outputs.history)


if __name__ == "__main__":
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
