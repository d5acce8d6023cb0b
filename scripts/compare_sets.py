"""Count the genes that the compared gene sets share and draw how they overlap."""

from pathlib import Path

from genestrata.drawing import simulated_note
from genestrata.files import read_table, write_table
from genestrata.gene_sets import overlap
from genestrata.logs import job_log
from genestrata.marker_figures import plot_overlap


def main(inputs, outputs, names, data):
    """Write overlap.tsv and its figure; names : the compared sets, in their order."""
    shared = overlap(read_table(inputs.gene_sets, dtype={"set": str, "feature": str}), names)
    write_table(shared, outputs.overlap)
    plot_overlap(shared, Path(outputs.figure[0]).with_suffix(""), simulated_note(data))


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input, snakemake.output, snakemake.params.names, snakemake.params.data)
