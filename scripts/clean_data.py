"""Read a study's files and clean them."""

import importlib

from genestrata.cleaning import check_features, check_labels, clean
from genestrata.files import write_json, write_table
from genestrata.logs import job_log
from genestrata.readers import READERS


def main(files, reader, settings, features_path, samples_path, cleaning_path):
    """Write features.parquet (sample, then one float32 column per gene), samples.tsv and cleaning.json."""
    matrix, samples = importlib.import_module(f"genestrata.{READERS[reader['reader']]}").read(files, reader)
    where = next(iter(files.values()))
    matrix, samples, report = clean(matrix, samples, settings, where)
    check_features(matrix, where)
    check_labels(samples, files.get("samples", where))
    report["classes"] = {label: int(size) for label, size in samples["label"].value_counts().sort_index().items()}
    matrix.insert(0, "sample", matrix.index)
    write_table(matrix, features_path)
    write_table(samples, samples_path)
    write_json(report, cleaning_path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(zip(snakemake.params.names, snakemake.input.files, strict=True)),
            snakemake.params.reader,
            snakemake.params.clean,
            snakemake.output.features,
            snakemake.output.samples,
            snakemake.output.cleaning,
        )
