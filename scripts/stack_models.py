"""Fit the meta-learner of a repeat."""

from pathlib import Path

from genestrata.files import write_table
from genestrata.logs import job_log
from genestrata.stacking import train_stack
from genestrata.tables import read_all


def main(paths, base, repeat, seed, outputs):
    """Write the stack's predictions, tuning and history tables and its fitted models."""
    predictions, tuning, history = train_stack(read_all(paths), base, repeat, seed, Path(outputs.models))
    write_table(predictions, outputs.predictions)
    write_table(tuning, outputs.tuning)
    write_table(history, outputs.history)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            list(snakemake.input.predictions),
            snakemake.params.base,
            snakemake.wildcards.repeat,
            snakemake.params.seed,
            snakemake.output,
        )
