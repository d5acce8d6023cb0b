"""k-mers: which words are counted, what a fit learns, and descriptions that restore safely."""

import json
from collections import Counter

import numpy as np
import pytest

from genestrata.dna import AMINO_ACIDS, reverse_complement, translate
from genestrata.errors import InputError
from genestrata.kmers import ALPHABETS, AMINO_ACID_GROUPS, CountCache, KmerFeatures, KmerKind, count_kmers, learn_kmers


def column(*sequences):
    return np.array(sequences, dtype=object)[:, None]


def draw(length, seed=0, letters="ACGT"):
    return "".join(np.random.default_rng(seed).choice(list(letters), length))


def words(sequence, kind):
    """Word to number of times, as `count_kmers` found them."""
    kmers, counts = count_kmers(sequence, kind)
    assert (np.diff(kmers) > 0).all()
    return dict(zip(KmerFeatures(kind, kmers).names(), counts.tolist(), strict=True))


def plain_words(text, shortest, longest, letters):
    """The same, letter by letter."""
    parts = [text[start : start + k] for k in range(shortest, longest + 1) for start in range(len(text) - k + 1)]
    return Counter(part for part in parts if set(part) <= set(letters))


@pytest.mark.parametrize(("shortest", "longest"), [(1, 1), (3, 3), (2, 5)])
def test_dna_words_of_all_lengths_are_counted_but_those_with_ambiguous_letters(shortest, longest):
    sequence = draw(300, letters="ACGTNR")
    kind = KmerKind("dna", shortest, longest)
    assert words(sequence, kind) == plain_words(sequence, shortest, longest, "ACGT")


def test_both_strands_count_as_one():
    kind = KmerKind("dna", 2, 5, "both")
    sequence = draw(200, letters="ACGTN")
    assert words(sequence, kind) == words(reverse_complement(sequence), kind)
    assert words("AAAC", KmerKind("dna", 3, 3, "both")) == {"AAA": 1, "AAC": 1}
    # TTT is AAA on the other strand; ACGT is its own reverse complement.
    assert words("TTTAAA", KmerKind("dna", 3, 3, "both")) == {"AAA": 2, "TAA": 2}
    assert words("ACGT", KmerKind("dna", 4, 4, "both")) == {"ACGT": 1}


def test_strands_differ_where_one_is_counted():
    kind = KmerKind("dna", 3, 3)
    assert words("AAAC", kind) == {"AAA": 1, "AAC": 1}
    assert words("GTTT", kind) == {"GTT": 1, "TTT": 1}


def test_protein_words_skip_stops_and_unknown_amino_acids():
    # M A * X W W W
    sequence = "ATGGCTTAANNNTGGTGGTGGA"
    assert translate(sequence) == "MA*XWWW"
    assert words(sequence, KmerKind("protein", 1, 2)) == {"M": 1, "A": 1, "W": 3, "MA": 1, "WW": 2}
    sequence = draw(600, 3)
    assert words(sequence, KmerKind("protein", 2, 4)) == plain_words(translate(sequence), 2, 4, AMINO_ACIDS)


def test_reduced_protein_has_one_letter_for_amino_acids_that_replace_each_other():
    assert sorted("".join(AMINO_ACID_GROUPS)) == sorted(AMINO_ACIDS)
    kind = KmerKind("reduced_protein", 3, 3)
    # I V K and L M R; a word of another group differs.
    assert words("ATTGTTAAA", kind) == words("CTTATGCGT", kind) == {"LLK": 1}
    assert words("ATTGTTGAA", kind) == {"LLE": 1}


@pytest.mark.parametrize("alphabet", sorted(ALPHABETS))
def test_longest_words_have_numbers_of_their_own(alphabet):
    with pytest.raises(InputError, match="expected whole numbers from 1 to") as caught:
        KmerKind(alphabet, 1, 99)
    limit = int(str(caught.value).partition("from 1 to ")[2].partition(",")[0])
    assert limit >= 12
    kind = KmerKind(alphabet, limit, limit)
    letters = ALPHABETS[alphabet]
    codon = {translate(codon): codon for codon in (a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT")}
    sequence = letters[-1] * limit if alphabet == "dna" else codon[letters[-1]] * limit
    assert words(sequence, kind) == {letters[-1] * limit: 1}


@pytest.mark.parametrize("sequence", ["", "A", "NNNN", "TAATAA"])
def test_sequence_without_words_has_none(sequence):
    kind = KmerKind("protein", 2, 3)
    assert words(sequence, kind) == {}
    kmers = KmerFeatures.fit(column("ATGGCTGCT"), kind, 1)
    assert not kmers.transform(column(sequence)).toarray().any()


@pytest.mark.parametrize(
    "settings",
    [
        ("rna", 1, 2, "one"),
        ("dna", 0, 2, "one"),
        ("dna", 3, 2, "one"),
        ("dna", 1, 10**9, "one"),
        ("dna", 1.5, 2, "one"),
        ("dna", "1", 2, "one"),
        ("dna", True, 2, "one"),
        ("dna", 1, 2, "two"),
        ("protein", 1, 2, "both"),
    ],
)
def test_kinds_that_do_not_exist_are_refused(settings):
    with pytest.raises(InputError, match=r"^k-mers: .*expected"):
        KmerKind(*settings)


def test_vocabulary_is_what_enough_training_rows_hold():
    X = column("AAAA", "AACC", "AACG")
    assert KmerFeatures.fit(X, KmerKind("dna", 2, 2), 1).names() == ["AA", "AC", "CC", "CG"]
    # AA occurs three times in the first sequence: it counts as one holder.
    assert KmerFeatures.fit(X, KmerKind("dna", 2, 2), 2).names() == ["AA", "AC"]
    assert KmerFeatures.fit(X, KmerKind("dna", 2, 2), 3).names() == ["AA"]


def test_values_are_roots_of_shares_of_all_words_known_or_not():
    kmers = KmerFeatures.fit(column("AAAC"), KmerKind("dna", 2, 2), 1)
    Z = kmers.transform(column("AAAC", "ACGT", "GGGG"))
    assert Z.dtype == np.float32
    np.testing.assert_allclose(Z.toarray(), [[np.sqrt(2 / 3), np.sqrt(1 / 3)], [0, np.sqrt(1 / 3)], [0, 0]], rtol=1e-6)


def test_products_of_rows_say_how_much_is_shared():
    X = column(draw(90), draw(90, 1), draw(90)[:45] + draw(45, 1))
    Z = KmerFeatures.fit(X, KmerKind("dna", 8, 8), 1).transform(X)
    similarity = (Z @ Z.T).toarray()
    np.testing.assert_allclose(similarity.diagonal(), 1, rtol=1e-5)
    assert similarity[0, 1] == 0
    assert 0.3 < similarity[0, 2] < 0.6


def test_rows_do_not_depend_on_the_rows_beside_them():
    X = column(*(draw(80 + seed, seed) for seed in range(6)))
    kmers = KmerFeatures.fit(X[:4], KmerKind("dna", 2, 3), 1)
    together = kmers.transform(X).toarray()
    np.testing.assert_array_equal(together, np.vstack([kmers.transform(row[None]).toarray() for row in X]))
    np.testing.assert_array_equal(together[::-1], kmers.transform(X[::-1]).toarray())


def test_no_word_in_the_training_rows_is_an_error_that_says_so():
    with pytest.raises(InputError, match=r"no word of 2 to 3 letters \(protein\) is in at least 2 of 2 sequences"):
        KmerFeatures.fit(column("TAATAA", "ATGGCT"), KmerKind("protein", 2, 3), 2)


def test_kept_columns_are_those_of_the_mask_with_the_same_values():
    X = column("AAAC", "ACGT")
    kmers = KmerFeatures.fit(X, KmerKind("dna", 2, 2), 1)
    columns = np.array([False, True, True, False])
    kept = kmers.keep(columns)
    assert kept.names() == ["AC", "CG"]
    np.testing.assert_array_equal(kept.transform(X).toarray(), kmers.transform(X).toarray()[:, columns])


def test_parameters_of_a_model_say_what_is_counted():
    parameters = {"alphabet": "dna", "shortest": 2, "longest": 2, "strands": "both", "min_count": 2, "C": 3.0}
    kmers, others = learn_kmers(column("AAAA", "TTTT", "ACAC"), parameters)
    assert kmers.names() == ["AA"]
    assert others == {"C": 3.0}
    assert len(parameters) == 6


# The cache


def test_cache_gives_what_counting_gives_and_stays_within_its_limit():
    cache, kind = CountCache(50), KmerKind("dna", 4, 4)
    sequences = [draw(20, seed) for seed in range(8)] + [draw(500, 9)]
    for sequence in sequences * 2:
        found, expected = cache.count(sequence, kind), count_kmers(sequence, kind)
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
        assert sum(len(kmers) for kmers, _ in cache.counts.values()) == cache.size <= 50


def test_cache_counts_a_sequence_once_for_each_kind():
    cache, sequence = CountCache(1000), draw(50)
    first = cache.count(sequence, KmerKind("dna", 2, 2))
    assert cache.count(sequence, KmerKind("dna", 2, 2)) is first
    assert len(cache.count(sequence, KmerKind("dna", 3, 3))[0]) != len(first[0])


# Descriptions


@pytest.mark.parametrize("kind", [KmerKind("dna", 1, 6, "both"), KmerKind("protein", 1, 3)])
def test_description_restores_the_same_columns(kind):
    X = column(draw(150), draw(150, 1))
    kmers = KmerFeatures.fit(X, kind, 1)
    restored = KmerFeatures.restore(json.loads(json.dumps(kmers.describe())))
    assert restored.kind == kind
    np.testing.assert_array_equal(restored.vocabulary, kmers.vocabulary)
    np.testing.assert_array_equal(restored.transform(X).toarray(), kmers.transform(X).toarray())


@pytest.mark.parametrize(
    "change",
    [
        {"vocabulary": "AA AC AC"},
        {"vocabulary": "AC AA"},
        {"vocabulary": "AA AX"},
        {"vocabulary": "AA AAA"},
        {"vocabulary": "A" * 10**6},
        {"vocabulary": ""},
        {"vocabulary": 7},
        {"vocabulary": None},
        {"longest": 10**9},
        {"alphabet": "letters"},
        {"alphabet": ["dna"]},
        {"strands": 3},
        {"strands": None},
    ],
)
def test_descriptions_that_no_fit_wrote_are_refused(change):
    description = KmerFeatures.fit(column("AAAC"), KmerKind("dna", 2, 2), 1).describe()
    with pytest.raises((KeyError, TypeError, ValueError)):
        KmerFeatures.restore(description | change)
