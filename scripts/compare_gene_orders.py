"""Refit the networks of a study with their genes in other orders."""

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.files import write_table
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.logs import job_log
from genestrata.order_control import predict_in_orders
from genestrata.ranking import Rankings
from genestrata.splitting import read_evaluated_folds
from genestrata.tables import read_samples, read_splits, read_tuning
from genestrata.training import chosen_sizes


def main(inputs, output, repeats, orders, model_params, seed, threads):
    """Write the test predictions of every network in every other order than its own."""
    samples, splits = read_samples(inputs.samples), read_splits(inputs.splits)
    cohort = Cohort.read(inputs.features, samples, inputs.positions)
    rankings = {
        repeat: Rankings(pd.read_parquet(path), cohort.features)
        for repeat, path in zip(repeats, inputs.ranking, strict=True)
    }
    sizes = {
        (repeat, fold): size
        for repeat, path in zip(repeats, inputs.tuning, strict=True)
        for fold, (size,) in chosen_sizes(read_tuning(path)).items()
    }
    folds = read_evaluated_folds(splits, samples, repeats)
    tables = [
        predict_in_orders(model, cohort, folds, rankings, sizes, model_params[model], others, seed, threads)
        for model, others in orders.items()
    ]
    write_table(pd.concat(tables, ignore_index=True), output)


if __name__ == "__main__":
    hide_gpus_unless_granted(snakemake.resources.get("gpu", 0))
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output.predictions,
            snakemake.params.repeats,
            snakemake.params.orders,
            snakemake.params.model_params,
            snakemake.params.seed,
            snakemake.threads,
        )
