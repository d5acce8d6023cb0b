"""Fit the meta-learner of a repeat."""

from pathlib import Path

from genestrata.logs import job_log
from genestrata.stacking import train_stack
from genestrata.tables import read_all

if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        train_stack(
            read_all(list(snakemake.input.predictions)),
            snakemake.params.base,
            snakemake.wildcards.repeat,
            snakemake.params.seed,
            Path(snakemake.output.models),
        ).write(snakemake.output)
