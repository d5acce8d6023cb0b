"""Build one expression table from the cufflinks tables of all samples."""

import gzip

from genestrata.cufflinks import merge_tracking
from genestrata.files import atomic_path, write_table
from genestrata.logs import job_log


def main(paths, expression_path, samples_path, unfinished_path):
    """Write genes x samples (FPKM with four significant digits), the samples and the loci that were not finished."""
    values, samples, unfinished = merge_tracking(paths)
    text = values.to_csv(sep="\t", index_label="gene_id", float_format="%.4g", lineterminator="\n")
    with atomic_path(expression_path) as temporary:
        # Without the time, so that the same tables give the same file.
        temporary.write_bytes(gzip.compress(text.encode(), mtime=0))
    write_table(samples, samples_path)
    write_table(unfinished, unfinished_path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.files,
            snakemake.output.expression,
            snakemake.output.samples,
            snakemake.output.unfinished,
        )
