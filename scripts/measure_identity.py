"""Measure how near every test sequence is to its training part."""

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.files import write_table
from genestrata.homology import nearest_identity
from genestrata.logs import job_log
from genestrata.splitting import read_evaluated_folds
from genestrata.tables import read_samples, read_splits


def main(inputs, output, repeats):
    """Write repeat, fold, sample and the identity (0 to 1) to the nearest training sequence."""
    samples = read_samples(inputs.samples)
    cohort = Cohort.read(inputs.sequences, samples)
    sequences = cohort.values[:, 0].tolist()
    tables = [
        pd.DataFrame(
            {
                "repeat": fold.repeat,
                "fold": fold.name,
                "sample": cohort.samples[fold.test],
                "identity": nearest_identity(sequences, fold.train, fold.test).round(4),
            }
        )
        for fold in read_evaluated_folds(read_splits(inputs.splits), samples, repeats)
    ]
    write_table(pd.concat(tables, ignore_index=True), output)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input, snakemake.output.identity, snakemake.params.repeats)
