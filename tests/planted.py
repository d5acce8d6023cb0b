"""Small sets of coding sequences whose class a short word of their protein tells."""

import itertools

import numpy as np

from genestrata.cohort import Cohort
from genestrata.dna import NUCLEOTIDES, translate

# A word for each class, and a codon for each amino acid.
WORDS = ("WCHMW", "YDNKY", "FQPRF")
CODONS = {translate(codon): codon for codon in map("".join, itertools.product(NUCLEOTIDES, repeat=3))}
BACKGROUND = "AGILSTVE"


def cohort_of(X, samples):
    """A cohort of sequences X (n, 1) of the classes A and B, whose table is `samples`."""
    return Cohort(
        values=X,
        features=np.array(["sequence"], dtype=object),
        samples=samples["sample"].to_numpy(dtype=object),
        labels=samples["label"].to_numpy(dtype=object),
        classes=["A", "B"],
        groups=samples["group"].to_numpy(dtype=object),
    )


def plant_sequences(sizes=(20, 20), residues=40, seed=0):
    """DNA (n, 1) object and class codes (n,) int; the protein of class c holds WORDS[c] at a place of its own."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(sizes)), sizes)
    sequences = []
    for code in y:
        protein = list(random.choice(list(BACKGROUND), residues))
        place = random.integers(residues - len(WORDS[code]))
        protein[place : place + len(WORDS[code])] = WORDS[code]
        sequences.append("".join(CODONS[letter] for letter in protein))
    return np.array(sequences, dtype=object)[:, None], y
