"""Draw the folds of a study."""

from genestrata.files import write_table
from genestrata.logs import job_log
from genestrata.splitting import split_samples
from genestrata.tables import read_samples

if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        splits = split_samples(
            read_samples(snakemake.input.samples),
            snakemake.params.evaluation,
            snakemake.params.seed,
            snakemake.input.samples,
        )
        write_table(splits, snakemake.output.splits)
