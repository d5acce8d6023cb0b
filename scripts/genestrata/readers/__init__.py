"""Readers of published and user formats: a new format is one entry here and one file beside this one.

A reader's module offers `read(files, settings) -> (matrix, samples)`

    files    : name to path, as the study lists them
    settings : the study's reader settings (orientation, columns, label_column, separator, unlabelled)
    matrix   : DataFrame, samples (genes of a time series) x features (its time points), float64, NaN for missing,
               index = sample id as text; attrs["unlabelled"] lists samples left out for want of a label
    samples  : DataFrame with text columns sample, label, group, split ("" where a study has none), same order as
               matrix; the label is "" for a sample to be predicted

and raises InputError for anything that it cannot read.
"""

READERS = {
    "golub": "readers.golub",
    "spellman": "readers.spellman",
    "table": "readers.table",
    "yeoh": "readers.yeoh",
}
