"""Draw a simulated cohort, or simulated sequences, as the files that a user would hand in, and the truth behind it."""

import importlib

from genestrata.files import atomic_path, write_table
from genestrata.logs import job_log
from genestrata.simulators import SIMULATORS


def main(source, seed, outputs):
    """Write values and samples as CSV, or one table of labelled sequences, and the planted truth as TSV."""
    settings = dict(source)
    simulator = importlib.import_module(f"genestrata.{SIMULATORS[settings.pop('simulator')]}")
    values, samples, truth = simulator.simulate(settings, seed)
    if hasattr(outputs, "sequences"):
        tables = {outputs.sequences: values.merge(samples, on="sample")}
    else:
        tables = {outputs.expression: values, outputs.samples: samples}
    for path, table in tables.items():
        with atomic_path(path) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")
    write_table(truth, outputs.truth)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.params.source, snakemake.params.seed, snakemake.output)
