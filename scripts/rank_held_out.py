"""Rank the compared gene sets without the samples that are clustered on them."""

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.files import write_table
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.held_out_sets import SET_COLUMNS, rank_sets
from genestrata.logs import job_log
from genestrata.parts import class_parts, fold_parts, parts_table
from genestrata.splitting import read_evaluated_folds
from genestrata.tables import labelled, read_samples, read_splits


def main(inputs, outputs, study, seed, threads):
    """Write held_out_sets.tsv and held_out_parts.tsv: parts of held-out classes where the study asks for them, else the
    folds of r0 that are large enough; study : its select, evaluation, model_params, explain and cluster."""
    everything = read_samples(inputs.samples)
    cohort = Cohort.read(inputs.features, everything, inputs.get("positions")).labelled()
    samples = labelled(everything)
    count = study["cluster"]["held_out_classes"]
    if count:
        parts = class_parts(cohort.labels, count, seed)
    else:
        folds = read_evaluated_folds(read_splits(inputs.splits), samples, ["r0"])
        parts = fold_parts(folds, cohort.labels)
    tables = [rank_sets(cohort, samples, part, study, seed, threads).assign(part=part.name) for part in parts]
    sets = pd.concat([pd.DataFrame(columns=SET_COLUMNS), *tables], ignore_index=True)
    write_table(sets[SET_COLUMNS], outputs.sets)
    write_table(parts_table(parts, cohort.samples), outputs.parts)


if __name__ == "__main__":
    hide_gpus_unless_granted(snakemake.resources.get("gpu", 0))
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.study,
            snakemake.params.seed,
            snakemake.threads,
        )
