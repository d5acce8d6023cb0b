"""Read a study's sequences, clean them and keep relatives together in groups."""

import importlib

from genestrata.cleaning import report_classes
from genestrata.files import write_json, write_table
from genestrata.homology import group_sequences
from genestrata.logs import job_log
from genestrata.readers import READERS
from genestrata.sequence_cleaning import clean_sequences
from genestrata.wording import TERMS


def main(files, reader, study, sequences_path, samples_path, cleaning_path):
    """Write sequences.parquet (sample, sequence, label, group), samples.tsv and cleaning.json."""
    settings = {**reader, "unlabelled": study["unlabelled"]}
    table = importlib.import_module(f"genestrata.{READERS[reader['reader']]}").read(files, settings)
    where = next(iter(files.values()))
    table, report = clean_sequences(table, study["clean"], where)
    report_classes(report, table, where, TERMS["sequence"])
    report["homology"] = None
    # Groups of the user's own, such as organisms, are not replaced.
    if study["homology"] and (table["group"] == "").all():
        identity = study["homology"]["identity"]
        table["group"] = group_sequences(table["sequence"].tolist(), identity)
        sizes = table["group"].value_counts()
        report["homology"] = {"identity": identity, "groups": len(sizes), "largest": int(sizes.iloc[0])}
    write_table(table[["sample", "sequence", "label", "group"]], sequences_path)
    write_table(table[["sample", "label", "group", "split"]], samples_path)
    write_json(report, cleaning_path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            dict(zip(snakemake.params.names, snakemake.input.files, strict=True)),
            snakemake.params.reader,
            snakemake.params.study,
            snakemake.output.sequences,
            snakemake.output.samples,
            snakemake.output.cleaning,
        )
