"""What the rows and features of a study are called: samples and genes, genes and time points, sequences and k-mers."""

from typing import NamedTuple


class Terms(NamedTuple):
    """A row of a study's data and a feature of its models, one and many, and what the data have as columns."""

    sample: str
    samples: str
    feature: str
    features: str
    columns: str


TERMS = {
    "expression": Terms("sample", "samples", "gene", "genes", "genes"),
    "time_series": Terms("gene", "genes", "time point", "time points", "time points"),
    "sequence": Terms("sequence", "sequences", "k-mer", "k-mers", "letters in the longest"),
}
