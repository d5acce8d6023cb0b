"""Groups of homologous sequences are those that counting every pair gives, and identity is that of planted variants."""

import numpy as np
import pandas as pd
import pytest

from genestrata import homology
from genestrata.dna import reverse_complement
from genestrata.homology import group_sequences, nearest_identity

RANDOM = np.random.default_rng(7)


def random_gene(length):
    return "".join(RANDOM.choice(list("ACGT"), length))


def mutated(gene, share):
    """A copy in which exactly that share of letters, spread at random, is another one."""
    letters = np.array(list(gene))
    places = RANDOM.choice(len(gene), round(share * len(gene)), replace=False)
    letters[places] = [RANDOM.choice([base for base in "ACGT" if base != letter]) for letter in letters[places]]
    return "".join(letters)


def kmers_of(sequence):
    words = {sequence[i : i + homology.K] for i in range(len(sequence) - homology.K + 1)}
    return {min(word, reverse_complement(word)) for word in words if set(word) <= set("ACGT")}


def counted_groups(sequences, identity):
    """Single linkage over every pair, by sets."""
    sets = [kmers_of(sequence) for sequence in sequences]
    group = np.arange(len(sets))
    for i, first in enumerate(sets):
        for j, second in enumerate(sets[:i]):
            shared = len(first & second)
            if shared and shared >= identity**homology.K * min(len(first), len(second)):
                group[group == group[i]] = group[j]
    return group


def same_partition(first, second):
    return (
        pd.DataFrame({"first": first, "second": second}).drop_duplicates().shape[0]
        == len(set(first))
        == len(set(second))
    )


@pytest.fixture(scope="module")
def families():
    """Families of 1 to 40 variants at many distances, chains among them, in random order."""
    sequences = []
    for size in (40, 25, 12, 8, 5, 3, 2, 1, 1, 1):
        parent = random_gene(int(RANDOM.integers(200, 500)))
        members = [parent]
        for _ in range(size - 1):
            members.append(mutated(members[RANDOM.integers(len(members))], RANDOM.uniform(0.02, 0.3)))
        sequences += members
    return [sequences[i] for i in RANDOM.permutation(len(sequences))]


@pytest.mark.parametrize("identity", [0.75, 0.8, 0.9, 0.97])
def test_groups_are_those_of_all_pairs(families, identity):
    groups = group_sequences(families, identity)
    assert 1 < len(set(groups)) < len(families)
    assert same_partition(groups, counted_groups(families, identity))


@pytest.mark.parametrize(("pivots", "block", "chunk"), [(0, 2_000, 10**6), (3, 300, 1_000), (10**6, 50, 300)])
def test_neither_blocks_nor_pivots_nor_chunks_change_the_groups(families, monkeypatch, pivots, block, chunk):
    expected = group_sequences(families, 0.8)
    train, test = np.arange(0, 60), np.arange(60, len(families))
    nearest = nearest_identity(families, train, test)
    monkeypatch.setattr(homology, "PIVOTS", pivots)
    monkeypatch.setattr(homology, "BLOCK", block)
    monkeypatch.setattr(homology, "CHUNK", chunk)
    assert group_sequences(families, 0.8).tolist() == expected.tolist()
    np.testing.assert_allclose(nearest_identity(families, train, test), nearest)


def test_groups_do_not_depend_on_the_order_and_the_largest_comes_first(families):
    groups = group_sequences(families, 0.8)
    order = RANDOM.permutation(len(families))
    assert group_sequences([families[i] for i in order], 0.8).tolist() == groups[order].tolist()
    sizes = pd.Series(groups).value_counts().sort_index()
    assert sizes.index[0] == "h0001"
    assert sizes.tolist() == sorted(sizes, reverse=True)


def test_both_strands_and_a_fragment_join_their_gene():
    gene, other = random_gene(900), random_gene(900)
    groups = group_sequences([gene, reverse_complement(gene), mutated(gene[300:500], 0.05), other], 0.9)
    assert groups[0] == groups[1] == groups[2] != groups[3]


def test_chained_sequences_are_one_group():
    first = random_gene(600)
    second = first[300:] + random_gene(300)
    third = second[300:] + random_gene(300)
    groups = group_sequences([first, third, second], 0.9)
    assert len(set(groups)) == 1
    assert len(set(group_sequences([first, third], 0.9))) == 2


def test_sequences_without_kmers_are_alone_unless_identical():
    groups = group_sequences(["ACGT", "ACGT", "ACG", "N" * 50, "ACGTN" * 10, random_gene(100)], 0.8)
    assert groups[0] == groups[1]
    assert len(set(groups)) == 5


def test_letters_outside_acgt_cost_only_the_kmers_that_hold_them():
    gene = random_gene(400)
    ambiguous = gene[:200] + "R" + gene[201:]
    assert len(set(group_sequences([gene, ambiguous], 0.999))) == 1
    assert nearest_identity([gene, ambiguous], np.array([0]), np.array([1])) == pytest.approx([1.0])
    expected = (377 / 389) ** (1 / 12)
    assert nearest_identity([gene, ambiguous], np.array([1]), np.array([0])) == pytest.approx([expected])


def test_no_kmer_reaches_over_the_end_of_a_sequence():
    gene = random_gene(24)
    groups = group_sequences([gene[:12], gene[12:], gene[6:18]], 0.5)
    assert len(set(groups)) == 3


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.2])
def test_identity_to_the_nearest_follows_the_planted_one(share):
    genes = [random_gene(3000) for _ in range(5)]
    test = [mutated(gene, share) for gene in genes]
    nearest = nearest_identity([*genes, *test], np.arange(5), np.arange(5, 10))
    np.testing.assert_allclose(nearest, 1 - share, atol=0.02)


def test_nearest_is_the_closest_and_asks_how_much_of_the_test_sequence_is_known():
    gene = random_gene(1000)
    sequences = [gene, mutated(gene, 0.1), gene[:300], random_gene(1000), gene[200:600]]
    assert nearest_identity(sequences, np.array([1, 3, 0]), np.array([4])) == pytest.approx([1.0])
    known = nearest_identity(sequences, np.array([2]), np.array([0]))
    assert known == pytest.approx([(289 / 989) ** (1 / 12)], abs=0.002)
    far = nearest_identity(sequences, np.array([3]), np.array([0, 4]))
    assert (far < 0.7).all()


def test_nearest_of_sequences_without_kmers_in_common():
    sequences = ["A" * 40, "AC" * 20, "ACGT", "ACGT", "NNNN"]
    assert nearest_identity(sequences, np.array([0, 2]), np.array([1, 3, 4])).tolist() == [0.0, 1.0, 0.0]


def test_no_test_sequence_reaches_the_threshold_of_groups_kept_apart(families):
    groups = group_sequences(families, 0.85)
    held_out = np.isin(groups, ["h0001", "h0003", "h0005"])
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    assert nearest_identity(families, train, test).max() < 0.85


def test_sampled_kmers_find_the_same_families_and_close_identities(monkeypatch):
    parents = [random_gene(900) for _ in range(6)]
    sequences = [mutated(parent, 0.05) for parent in parents for _ in range(20)]
    train, test = np.arange(0, 120, 2), np.arange(1, 120, 2)
    exact = nearest_identity(sequences, train, test)
    monkeypatch.setattr(homology, "MOST_KMERS", 120 * 900 // 4)
    profiles, sizes = homology._profiles(np.array(sequences, dtype=object))
    assert sizes.mean() == pytest.approx(889 / 4, rel=0.1)
    assert profiles.shape[0] == 120
    assert same_partition(group_sequences(sequences, 0.8), np.repeat(np.arange(6), 20))
    np.testing.assert_allclose(nearest_identity(sequences, train, test), exact, atol=0.03)


def test_one_sequence_and_no_test_sequence():
    assert group_sequences(["ACGTACGTACGTACGT"], 0.8).tolist() == ["h0001"]
    assert nearest_identity(["ACGTACGTACGTACGT"], np.array([0]), np.array([], dtype=int)).tolist() == []
