"""DNA as text: letters made uniform, the other strand, translation to protein, and letters as numbers.

A clean sequence is upper case over A, C, G, T and the IUPAC ambiguity codes, without gaps, without U.
"""

import functools
import itertools
import string
from collections import Counter

import numpy as np

NUCLEOTIDES = "ACGT"
# Cornish-Bowden 1985 (Nucleic Acids Res. 13:3021).
AMBIGUITY = {
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": "ACGT",
}
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
GAPS = "-."

_CLEAN = str.maketrans(string.ascii_lowercase + "U" + "u", string.ascii_uppercase + "T" + "T", GAPS + string.whitespace)
_COMPLEMENT = str.maketrans("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN")
_DELETE_DNA = str.maketrans("", "", NUCLEOTIDES + "".join(AMBIGUITY))
# Letters of amino acids that are no nucleotide code.
_PROTEIN_ONLY = frozenset(AMINO_ACIDS) - set(NUCLEOTIDES) - set(AMBIGUITY)

# Amino acids of genetic code 11 (bacteria, archaea, plastids; NCBI), codons in the order TCAG of each position.
_CODE_11 = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
_CODONS = {"".join(codon): amino for codon, amino in zip(itertools.product("TCAG", repeat=3), _CODE_11, strict=True)}

_CODES = np.full(256, len(NUCLEOTIDES), dtype=np.uint8)
_CODES[list(NUCLEOTIDES.encode())] = range(len(NUCLEOTIDES))
_AMINO_BYTES = np.frombuffer(
    "".join(_CODONS["".join(codon)] for codon in itertools.product(NUCLEOTIDES, repeat=3)).encode(), dtype=np.uint8
)


def clean_letters(text: str, counts: Counter[str]) -> str:
    """Upper case, U read as T, gaps (- and .) and white space removed; letters outside IUPAC stay (`foreign_letters`).

    Adds to `counts` the number of letters that were in lower case ("lower_case"), were U ("uracil") or a gap ("gap"),
    and of the ambiguity codes that stay ("ambiguous").
    """
    cleaned = text.translate(_CLEAN)
    counts["lower_case"] += 0 if text.isupper() else sum(map(text.count, string.ascii_lowercase))
    counts["uracil"] += text.count("U") + text.count("u")
    counts["gap"] += sum(map(text.count, GAPS))
    counts["ambiguous"] += sum(map(cleaned.count, AMBIGUITY))
    return cleaned


def foreign_letters(sequence: str) -> str:
    """The distinct letters of a cleaned sequence that are no IUPAC nucleotide code, in order of appearance."""
    return "".join(dict.fromkeys(sequence.translate(_DELETE_DNA)))


def complaint(sequence: str) -> str:
    """What is wrong with a cleaned sequence, for a message; "" for DNA.

    E, F, I, L, P and Q are a third of the residues of an average protein and never DNA: a tenth of them, not all the
    same, tells a protein from DNA with a wrong letter.
    """
    if not sequence:
        return "has no letters"
    foreign = foreign_letters(sequence)
    if not foreign:
        return ""
    shown = ", ".join(map(repr, foreign[:6]))
    if len(_PROTEIN_ONLY & set(foreign)) > 1 and 10 * sum(map(sequence.count, _PROTEIN_ONLY)) > len(sequence):
        return f"looks like protein (it has {shown}); DNA is expected"
    return f"has {shown}, which DNA in IUPAC code has not (A, C, G, T or U, {', '.join(AMBIGUITY)}, gaps - and .)"


def reverse_complement(sequence: str) -> str:
    """The other strand, read in its own direction; ambiguity codes become the codes of the complementary bases."""
    return sequence.translate(_COMPLEMENT)[::-1]


def encode(sequence: str) -> np.ndarray:
    """(letters,) uint8: A, C, G, T as 0..3, any other letter as 4."""
    return _CODES[np.frombuffer(sequence.encode("ascii", "replace"), dtype=np.uint8)]


def translate(sequence: str) -> str:
    """Protein of a clean sequence in reading frame 0 by genetic code 11; stops are "*".

    A codon with an ambiguity code is its amino acid where all its readings agree, else "X"; an incomplete last codon is
    dropped. Alternative starts (GTG, TTG) are read as the amino acid they stand for inside a gene.
    """
    sequence = sequence[: len(sequence) // 3 * 3]
    codes = encode(sequence).reshape(-1, 3).astype(np.intp)
    known = (codes < len(NUCLEOTIDES)).all(axis=1)
    protein = np.full(len(codes), ord("X"), dtype=np.uint8)
    protein[known] = _AMINO_BYTES[codes[known] @ (16, 4, 1)]
    for place in np.flatnonzero(~known):
        protein[place] = ord(_translate_ambiguous(sequence[3 * place : 3 * place + 3]))
    return protein.tobytes().decode()


@functools.lru_cache(maxsize=len(NUCLEOTIDES + "".join(AMBIGUITY)) ** 3)
def _translate_ambiguous(codon: str) -> str:
    """The amino acid that all readings of an ambiguous codon share, else "X"."""
    readings = itertools.product(*(AMBIGUITY.get(letter, letter) for letter in codon))
    amino_acids = {_CODONS.get("".join(reading), "X") for reading in readings}
    return amino_acids.pop() if len(amino_acids) == 1 else "X"
