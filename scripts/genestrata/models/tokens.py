"""DNA as the numbers that a network reads: nucleotides, codons or amino acids. 0 is padding and nothing else."""

import itertools
from collections.abc import Sequence

import numpy as np

from genestrata.dna import AMINO_ACIDS, NUCLEOTIDES, encode, reverse_complement, translate
from genestrata.kmers import AMINO_ACID_GROUPS, letter_codes

PADDING = 0
# The tokens of each reading; ids count from 1, one more stands for anything else.
TOKENS = {
    "dna": list(NUCLEOTIDES),
    "codon": ["".join(codon) for codon in itertools.product(NUCLEOTIDES, repeat=3)],
    "protein": [*AMINO_ACIDS, "*"],
    "reduced_protein": [*(group[0] for group in AMINO_ACID_GROUPS), "*"],
}
UNKNOWN = {"dna": "N", "codon": "NNN", "protein": "X", "reduced_protein": "X"}


# Ids by the byte of an amino acid, of a stop or of anything else.
_AMINO_CODES = {
    name: (letter_codes([*groups, "*"]) + 1).astype(np.uint8)
    for name, groups in (("protein", AMINO_ACIDS), ("reduced_protein", AMINO_ACID_GROUPS))
}


def n_tokens(reads: str) -> int:
    """Number of ids of a reading: padding, its tokens and the unknown one."""
    return len(TOKENS[reads]) + 2


def letters(tokens: np.ndarray, reads: str) -> list[str]:
    """The text of each token of a sequence."""
    names = ["", *TOKENS[reads], UNKNOWN[reads]]
    return [names[token] for token in tokens]


def tokenise(sequence: str, reads: str) -> np.ndarray:
    """Tokens of one clean sequence, (at least 1,) uint8, read from its first letter; an incomplete last codon is
    dropped."""
    unknown = n_tokens(reads) - 1
    if reads in _AMINO_CODES:
        tokens = _AMINO_CODES[reads][np.frombuffer(translate(sequence).encode(), dtype=np.uint8)]
    else:
        tokens = encode(sequence) + 1
        if reads == "codon":
            triplets = tokens[: len(tokens) // 3 * 3].reshape(-1, 3).astype(np.intp)
            known = (triplets <= len(NUCLEOTIDES)).all(axis=1)
            tokens = np.where(known, (triplets - 1) @ (16, 4, 1) + 1, unknown).astype(np.uint8)
    return tokens if len(tokens) else np.array([unknown], dtype=np.uint8)


def tokenise_all(
    sequences: Sequence[str], reads: str, longest: int | None = None, other_strand: bool = False
) -> np.ndarray:
    """Tokens of each sequence, or of its reverse complement, (n,) object; only the first `longest` are kept."""
    strands = map(reverse_complement, sequences) if other_strand else sequences
    rows = np.empty(len(sequences), dtype=object)
    # One by one: of rows of one length NumPy would make a matrix.
    for number, sequence in enumerate(strands):
        rows[number] = tokenise(sequence, reads)[:longest]
    return rows


def pad(rows: Sequence[np.ndarray], length: int | None = None) -> np.ndarray:
    """Rows of tokens as (n, length) int32, filled up behind their ends, by default to the longest of them."""
    padded = np.full((len(rows), length or max(map(len, rows))), PADDING, dtype=np.int32)
    for row, tokens in zip(padded, rows, strict=True):
        row[: len(tokens)] = tokens
    return padded
