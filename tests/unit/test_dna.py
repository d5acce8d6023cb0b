"""DNA as text: letters made uniform, complaints about what is no DNA, the other strand, translation, numbers."""

import itertools
from collections import Counter

import numpy as np
import pytest

from genestrata.dna import (
    AMBIGUITY,
    AMINO_ACIDS,
    clean_letters,
    complaint,
    encode,
    foreign_letters,
    reverse_complement,
    translate,
)

PROTEIN = (
    "MSIQHFRVALIPFFAAFCLPVFAHPETLVKVKDAEDQLGARVGYIELDLNSGKILESFRPEERFPMMSTFKVLLCGAVLSRVDAGQEQLGRRIHYSQNDLVEYSPVTEKH"
)


@pytest.mark.parametrize(
    ("text", "cleaned", "counts"),
    [
        ("ACGT", "ACGT", {}),
        ("acGT", "ACGT", {"lower_case": 2}),
        ("UACU", "TACT", {"uracil": 2}),
        ("u", "T", {"lower_case": 1, "uracil": 1}),
        ("A-C..G", "ACG", {"gap": 3}),
        (" A C\tG\r\nT\n", "ACGT", {}),
        ("ANrY", "ANRY", {"lower_case": 1, "ambiguous": 3}),
        ("---", "", {"gap": 3}),
        ("AE*1", "AE*1", {}),
    ],
)
def test_letters_are_made_uniform_and_counted(text, cleaned, counts):
    counted = Counter()
    assert clean_letters(text, counted) == cleaned
    assert +counted == Counter(counts)
    assert set(counted) == {"lower_case", "uracil", "gap", "ambiguous"}


def test_counts_add_up_over_sequences():
    counts = Counter()
    for text in ("acgu", "NN-", "ACGT"):
        clean_letters(text, counts)
    assert counts == {"lower_case": 4, "uracil": 1, "gap": 1, "ambiguous": 2}


def test_letters_that_only_look_like_dna_in_upper_case_stay_foreign():
    assert foreign_letters(clean_letters("Aßſ", Counter())) == "ßſ"


def test_foreign_letters_in_order_of_appearance():
    assert foreign_letters("ACZGTE*EZ" + "".join(AMBIGUITY)) == "ZE*"
    assert foreign_letters("ACGT" + "".join(AMBIGUITY)) == ""


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("ACGTN", ""),
        ("", "has no letters"),
        (PROTEIN, "looks like protein (it has 'I', 'Q', 'F', 'L', 'P', 'E'); DNA is expected"),
        ("ACGT" * 20 + "E", "has 'E', which DNA in IUPAC code has not (A, C, G, T or U, R, Y,"),
        ("ACGT*", "has '*', which"),
        ("AEC", "has 'E', which"),
    ],
)
def test_complaint_tells_protein_from_a_wrong_letter(sequence, expected):
    assert complaint(sequence).startswith(expected)
    assert bool(complaint(sequence)) == bool(expected)


def test_the_other_strand_of_every_code():
    assert reverse_complement("AACGT") == "ACGTT"
    complement = {"A": "T", "C": "G", "G": "C", "T": "A"}
    for letter, bases in AMBIGUITY.items():
        other = reverse_complement(letter)
        assert set(AMBIGUITY[other]) == {complement[base] for base in bases}
        assert reverse_complement(other) == letter


def test_translation_of_the_published_code():
    codons = ["".join(codon) for codon in itertools.product("ACGT", repeat=3)]
    protein = translate("".join(codons))
    code = dict(zip(codons, protein, strict=True))
    assert {codon for codon, amino in code.items() if amino == "*"} == {"TAA", "TAG", "TGA"}
    assert set(protein) == {*AMINO_ACIDS, "*"}
    # Number of codons of each amino acid in NCBI table 11.
    assert Counter(protein) == (
        {"*": 3, "A": 4, "C": 2, "D": 2, "E": 2, "F": 2, "G": 4, "H": 2, "I": 3, "K": 2, "L": 6, "M": 1, "N": 2}
        | {"P": 4, "Q": 2, "R": 6, "S": 6, "T": 4, "V": 4, "W": 1, "Y": 2}
    )


def test_translation_of_a_known_gene():
    # The first codons of blaTEM-1 (GenBank J01749) and its protein.
    assert translate("ATGAGTATTCAACATTTCCGTGTCGCCCTTATTCCCTTTTTTGCGGCATTTTGCCTTCCTGTTTTT") == "MSIQHFRVALIPFFAAFCLPVF"


@pytest.mark.parametrize(
    ("sequence", "protein"),
    [
        ("", ""),
        ("AT", ""),
        ("ATGA", "M"),
        ("ATGAC", "M"),
        ("GTGTTG", "VL"),  # alternative starts
        ("GCN", "A"),
        ("AAR", "K"),
        ("YTR", "L"),
        ("AAN", "X"),
        ("NNN", "X"),
        ("TAR", "*"),
        ("TAN", "X"),
        ("ATGNNNTGG", "MXW"),
        ("AT?", "X"),
    ],
)
def test_incomplete_and_ambiguous_codons(sequence, protein):
    assert translate(sequence) == protein


def test_letters_as_numbers():
    codes = encode("ACGTNR")
    assert codes.dtype == np.uint8
    assert codes.tolist() == [0, 1, 2, 3, 4, 4]
    assert encode("").shape == (0,)
    assert encode("Aé").tolist() == [0, 4]
