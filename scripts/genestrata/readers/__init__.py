"""Readers of published and user formats: a new format is one entry here and one file beside this one.

A reader's module offers `read(files, settings) -> (matrix, samples)`

    files    : name (or role, where the study gives one) to path, as the study lists them
    settings : the study's reader settings (orientation, columns, label_column, separator, unlabelled)
    matrix   : DataFrame, samples (genes of a time series) x features (its time points), float64, NaN for missing,
               index = sample id as text; attrs["unlabelled"] lists samples left out for want of a label,
               attrs["unfinished"] features left out because their values were not finished
    samples  : DataFrame with text columns sample, label, group, split ("" where a study has none), same order as
               matrix; the label is "" for a sample to be predicted

or, where samples are DNA sequences, `read(files, settings) -> table`

    settings : header, columns, separator, label_pattern, unlabelled
    table    : DataFrame in the order of the files, text columns sample, sequence (clean, see `genestrata.dna`), label,
               group, split; ids occur once; attrs["unlabelled"] as above, attrs["letters"] counts what was cleaned

and raises InputError for anything that it cannot read.
"""

READERS = {
    "fasta": "readers.fasta",
    "fpkm": "readers.fpkm",
    "golub": "readers.golub",
    "npy": "readers.sequence_archive",
    "sequence_table": "readers.sequence_table",
    "spellman": "readers.spellman",
    "table": "readers.table",
    "yeoh": "readers.yeoh",
}
