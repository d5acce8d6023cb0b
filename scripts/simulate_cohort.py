"""Draw a simulated cohort as the files that a user would hand in, and the truth behind it."""

import importlib

from genestrata.files import atomic_path, write_table
from genestrata.logs import job_log
from genestrata.simulators import SIMULATORS


def main(source, seed, expression_path, samples_path, truth_path):
    """Write the values and the sample table as CSV and the planted markers as TSV."""
    settings = dict(source)
    simulator = importlib.import_module(f"genestrata.{SIMULATORS[settings.pop('simulator')]}")
    matrix, samples, truth = simulator.simulate(settings, seed)
    for table, path in ((matrix, expression_path), (samples, samples_path)):
        with atomic_path(path) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")
    write_table(truth, truth_path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.params.source,
            snakemake.params.seed,
            snakemake.output.expression,
            snakemake.output.samples,
            snakemake.output.truth,
        )
