"""Evaluate models of a grouped study on a random split too, to show how much such a split flatters."""

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.files import write_table
from genestrata.logs import job_log
from genestrata.ranking import rank_here
from genestrata.seeds import derive_seed
from genestrata.splitting import read_evaluated_folds, split_samples
from genestrata.tables import labelled, read_samples
from genestrata.training import candidate_settings, sizes_to_try, train_fold


def main(inputs, output, models, evaluation, select, model_params, seed, threads):
    """Write the test predictions of every model, tuned and fitted in the folds of a random split."""
    samples = read_samples(inputs.samples)
    cohort = Cohort.read(inputs.features, samples).labelled()
    samples = labelled(samples)
    split_seed = derive_seed(seed, "random split")
    splits = split_samples(samples, {**evaluation, "scheme": "cv"}, split_seed, inputs.samples)
    sizes = sizes_to_try(select, len(cohort.features))
    tables = []
    for fold in read_evaluated_folds(splits, samples, sorted(set(splits["repeat"]))):
        rankings = rank_here(cohort, [fold], select)
        for model in models:
            settings = candidate_settings(model, sizes, len(cohort.features), model_params[model])
            fold_seed = derive_seed(split_seed, fold.repeat, fold.name, model)
            predictions = train_fold(model, cohort, fold, rankings, settings, fold_seed, threads).predictions
            tables.append(predictions[predictions["inner_fold"].isna()])
    write_table(pd.concat(tables, ignore_index=True), output)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output.predictions,
            snakemake.params.models,
            snakemake.params.evaluation,
            snakemake.params.select,
            snakemake.params.model_params,
            snakemake.params.seed,
            snakemake.threads,
        )
