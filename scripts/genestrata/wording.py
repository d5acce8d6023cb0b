"""What the rows and columns of a study are called: samples and genes, or genes and time points."""

from typing import NamedTuple


class Terms(NamedTuple):
    """A row and a column of a study's matrix, one and many."""

    sample: str
    samples: str
    feature: str
    features: str


TERMS = {
    "expression": Terms("sample", "samples", "gene", "genes"),
    "time_series": Terms("gene", "genes", "time point", "time points"),
}
