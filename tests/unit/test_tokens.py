"""DNA as tokens: ids of every reading, ambiguous letters, the other strand, truncation and padding."""

import itertools

import numpy as np
import pytest

from genestrata.dna import AMBIGUITY, NUCLEOTIDES, translate
from genestrata.models.tokens import PADDING, TOKENS, letters, n_tokens, pad, tokenise, tokenise_all

# Every codon, then every ambiguity code in each place of a codon.
ALL_LETTERS = "".join(
    "".join(codon) for codon in itertools.chain(itertools.product(NUCLEOTIDES, repeat=3), itertools.permutations("ACG"))
) + "".join(f"{code}AC G{code}T TT{code}".replace(" ", "") for code in AMBIGUITY)


@pytest.mark.parametrize("reads", TOKENS)
def test_padding_is_the_id_of_no_letter_and_no_id_is_beyond_the_table(reads):
    tokens = tokenise(ALL_LETTERS, reads)
    assert PADDING not in tokens and tokens.dtype == np.uint8
    # Each token of the reading occurs, and what it does not know.
    assert set(tokens) == set(range(1, n_tokens(reads)))


@pytest.mark.parametrize(
    ("reads", "sequence", "text"),
    [
        ("dna", "ACGTRN", ["A", "C", "G", "T", "N", "N"]),
        ("codon", "ATGAARTAGNNNGC", ["ATG", "NNN", "TAG", "NNN"]),
        # AAR is lysine whatever its last base is, ARA is not one amino acid; a stop in the middle stays.
        ("protein", "ATGAARARATAGGCNGC", ["M", "K", "X", "*", "A"]),
        ("reduced_protein", "ATGCTAGTTATTAARCGTTAANNN", ["L", "L", "L", "L", "K", "K", "*", "X"]),
    ],
)
def test_tokens_of_a_reading_are_its_letters_in_order(reads, sequence, text):
    assert letters(tokenise(sequence, reads), reads) == text


def test_ids_count_from_1_in_the_order_of_the_letters():
    assert tokenise("ACGTN", "dna").tolist() == [1, 2, 3, 4, 5]
    assert tokenise("AAAAACACATTTAAN", "codon").tolist() == [1, 2, 5, 64, 65]
    assert tokenise("GCATGTTAANNN", "protein").tolist() == [1, 2, 21, 22]


def test_synonymous_codons_differ_as_codons_only():
    one, other = "TTATCA", "CTGAGC"
    assert translate(one) == translate(other)
    assert not np.array_equal(tokenise(one, "codon"), tokenise(other, "codon"))
    np.testing.assert_array_equal(tokenise(one, "protein"), tokenise(other, "protein"))


@pytest.mark.parametrize("reads", TOKENS)
@pytest.mark.parametrize("sequence", ["", "AC"])
def test_a_sequence_without_a_token_is_one_unknown_token(reads, sequence):
    expected = [1, 2] if reads == "dna" and sequence else [n_tokens(reads) - 1]
    assert tokenise(sequence, reads).tolist() == expected


def test_only_the_first_tokens_are_kept_counted_in_those_of_the_reading():
    rows = tokenise_all(["ATGTGGTAAC", "ATG"], "codon", longest=2)
    assert [letters(row, "codon") for row in rows] == [["ATG", "TGG"], ["ATG"]]
    assert [len(row) for row in tokenise_all(["ATGTGGTAAC"], "dna", longest=4)] == [4]
    assert [len(row) for row in tokenise_all(["ATGTGGTAAC"], "dna")] == [10]


def test_the_other_strand_is_read_from_its_own_start_before_it_is_truncated():
    (row,) = tokenise_all(["AACCGRT"], "dna", longest=5, other_strand=True)
    assert letters(row, "dna") == ["A", "N", "C", "G", "G"]
    # AACCGRT is read as AYCGGTT there.
    (row,) = tokenise_all(["AACCGGT"], "codon", other_strand=True)
    assert letters(row, "codon") == ["ACC", "GGT"]


def test_rows_are_padded_behind_their_ends():
    rows = [tokenise("ACGT", "dna"), tokenise("T", "dna")]
    expected = [[1, 2, 3, 4], [4, 0, 0, 0]]
    assert pad(rows).tolist() == expected and pad(rows).dtype == np.int32
    np.testing.assert_array_equal(pad(rows, 6), np.pad(expected, ((0, 0), (0, 2))))
