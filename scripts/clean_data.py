"""Read a study's files and clean them."""

import importlib

from genestrata.cleaning import (
    check_cycle,
    check_features,
    clean,
    keep_largest_classes,
    report_classes,
    resolve_unlabelled,
)
from genestrata.files import write_json, write_matrix, write_table
from genestrata.logs import job_log
from genestrata.readers import READERS
from genestrata.tables import labelled
from genestrata.time_points import select_series
from genestrata.wording import TERMS


def main(files, reader, study, features_path, samples_path, cleaning_path):
    """Write features.parquet (sample, then one float32 column per feature), samples.tsv and cleaning.json."""
    terms = TERMS[study["task"]]
    matrix, samples = importlib.import_module(f"genestrata.{READERS[reader['reader']]}").read(files, reader)
    where = next(iter(files.values()))
    if study["task"] == "time_series":
        matrix, samples = select_series(matrix, samples, study["series"], where)
    matrix, samples = resolve_unlabelled(matrix, samples, study["unlabelled"], where, terms)
    matrix, samples = keep_largest_classes(matrix, samples, study["clean"].get("largest_classes"))
    matrix, samples, report = clean(matrix, samples, study["clean"], where, terms)
    check_features(matrix, where, terms)
    label_file = files.get("samples", where)
    check_cycle(labelled(samples)["label"], study["cycle"], label_file)
    report_classes(report, samples, label_file, terms, study["scheme"])
    write_matrix(matrix, features_path)
    write_table(samples, samples_path)
    write_json(report, cleaning_path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(zip(snakemake.params.names, snakemake.input.files, strict=True)),
            snakemake.params.reader,
            snakemake.params.study,
            snakemake.output.features,
            snakemake.output.samples,
            snakemake.output.cleaning,
        )
