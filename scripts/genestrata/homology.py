"""Homology of DNA sequences from shared k-mers: groups to keep together, and identity to the nearest known sequence.

Two sequences of identity p that differ by independent substitutions share a k-mer with probability p**k, so identity is
estimated as containment**(1/k), containment being the share of one sequence's distinct k-mers that the other holds too
(Ondov et al. 2016, Genome Biol. 17:132, for the model; Rahman Hera, Pierce-Ward & Koslicki 2023, Genome Res. 33:1061,
for containment). K-mers are canonical (the lesser of the two strands'), so the strand does not matter; those with a
letter other than A, C, G, T are left out.

K = 12: at 80 % identity 7 % of the k-mers are shared, 13 of the 189 of a gene of 200 letters, while the longest gene
(5,300 letters) holds 0.1 of them by chance (4**12 / 2 canonical k-mers). With k = 15 only 6 would be left to count, and
with k = 10 chance would give 2. Below about 60 letters estimates are coarse. Substitutions that gather in third codon
positions hit more k-mers than independent ones, so that genes far apart look farther: 80 % identity with every
difference in a third position is estimated as 74 %.

Up to MOST_KMERS letters (about 20,000 genes of 1,000) all k-mers count and nothing is approximated. Beyond it a hash
keeps the same fraction of k-mers of every sequence (FracMinHash: Irber et al. 2022, bioRxiv 2022.01.11.475838), which
bounds time and memory. Estimates then scatter: of 100,000 genes of 900 letters about 200 k-mers each are kept, of which
a pair at 80 % identity is expected to share 14, give or take 4. Half of the pairs exactly at such a threshold are
found, 95 % of those 3 points above it, and pairs a few points below it join too; a group is cut only where all its
links are missed.

Thresholds below 0.75 are not to be trusted: there, 3 k-mers that short genes share by chance make a link, and the
nearest of thousands of unrelated genes is estimated at about 0.6 to 0.7.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from genestrata.dna import NUCLEOTIDES, encode

K = 12
KMERS = len(NUCLEOTIDES) ** K
MOST_KMERS = 20_000_000
# Letters, and cells of a block of pairs, that are held at once.
CHUNK = 4_000_000
BLOCK = 20_000_000
# Sequences that are compared with all others to find the large groups, before pairs between groups are counted.
PIVOTS = 200


def group_sequences(sequences: Sequence[str], identity: float) -> np.ndarray:
    """Homology group of each sequence, by single linkage; returns (n,) text, "h0001" being the largest group.

    identity : 0..1; two sequences belong together if the estimate of either in the other reaches it, so that a fragment
    joins its gene. Groups of equal size are numbered by their first sequence in alphabetical order: neither names nor
    groups depend on the order of the sequences. Identical sequences are one group; a sequence without any k-mer has no
    other relatives.
    """
    which, distinct = pd.factorize(np.asarray(sequences, dtype=object), sort=True)
    profiles, sizes = _profiles(distinct)
    group = _link(profiles, sizes, identity**K)[which]
    members = pd.Series(which).groupby(group).agg(["size", "min"]).sort_values(["size", "min"], ascending=[False, True])
    digits = max(4, len(str(len(members))))
    names = {number: f"h{rank:0{digits}d}" for rank, number in enumerate(members.index, start=1)}
    return np.array([names[number] for number in group], dtype=object)


def nearest_identity(sequences: Sequence[str], train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Estimated identity of each test sequence to its nearest training sequence, (n_test,) float64 in 0..1.

    train, test : int row numbers. Containment is of the test sequence in the training one: how much of it has been
    seen. A fragment of a training gene is known in full (1), a gene of which training held a fragment is not. It never
    exceeds the estimate of `group_sequences`, so with its groups kept apart no test sequence reaches the threshold
    (unless k-mers were sampled). 0 where no k-mer is shared.
    """
    texts = np.asarray(sequences, dtype=object)
    profiles, sizes = _profiles(np.concatenate([texts[train], texts[test]]))
    known, asked = profiles[: len(train)], profiles[len(train) :]
    # The k-mers of a large family are in most of its sequences: a dense product of these is many times faster.
    holders = np.bincount(known.indices, minlength=known.shape[1])
    frequent = np.argsort(-holders, kind="stable")[: 2 * BLOCK // max(len(train), 1)]
    frequent = frequent[holders[frequent] > 0.02 * len(train)]
    rare = np.setdiff1d(np.arange(known.shape[1]), frequent)
    known_frequent, known_rare = known[:, frequent].toarray().T, known[:, rare].T.tocsr()
    asked_frequent, asked_rare = asked[:, frequent], asked[:, rare]

    best = np.zeros(len(test))
    height = max(1, BLOCK // max(len(train), 1))
    for first in range(0, len(test), height):
        rows = slice(first, first + height)
        shared = asked_frequent[rows].toarray() @ known_frequent
        shared += (asked_rare[rows] @ known_rare).toarray()
        best[rows] = shared.max(axis=1, initial=0.0)
    nearest = (best / np.maximum(sizes[len(train) :], 1)) ** (1 / K)
    nearest[pd.Series(texts[test]).isin(texts[train])] = 1.0
    return nearest


def _link(profiles: sparse.csr_array, sizes: np.ndarray, containment: float) -> np.ndarray:
    """Number of the group of each row, (n,) int: components of the graph of pairs that share enough k-mers."""
    group = _link_to_pivots(profiles, sizes, containment)
    n_groups = group.max(initial=-1) + 1
    # Rows of a group side by side, large groups first; only k-mers found in more than one group can link groups.
    rank = np.argsort(np.argsort(-np.bincount(group, minlength=n_groups), kind="stable"), kind="stable")
    group = rank[group]
    order = np.argsort(group, kind="stable")
    profiles, sizes, sorted_group = profiles[order], sizes[order], group[order]
    by_kmer = profiles.tocsc()
    by_kmer.sort_indices()
    # Every column has at least two entries.
    spread = sorted_group[by_kmer.indices[by_kmer.indptr[:-1]]] != sorted_group[by_kmer.indices[by_kmer.indptr[1:] - 1]]
    profiles = by_kmer[:, spread].tocsr()

    ends = np.searchsorted(sorted_group, sorted_group, side="right")
    links = [np.empty((0, 2), dtype=np.int64)]
    height = min(512, max(1, BLOCK // max(len(order), 1)))
    for first in range(0, len(order), height):
        last = min(first + height, len(order))
        # Pairs within a group need no count; a block inside one group skips them.
        start = ends[first] if ends[first] >= last else first
        shared = (profiles[start:] @ profiles[first:last].T.tocsr()).tocoo()
        rows, columns = shared.row + start, shared.col + first
        near = shared.data >= containment * np.minimum(sizes[rows], sizes[columns])
        pairs = np.column_stack([sorted_group[rows[near]], sorted_group[columns[near]]])
        links.append(np.unique(pairs, axis=0))
    first, second = np.concatenate(links).T
    graph = sparse.coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(n_groups, n_groups))
    return connected_components(graph, directed=False)[1][group]


def _link_to_pivots(profiles: sparse.csr_array, sizes: np.ndarray, containment: float) -> np.ndarray:
    """Groups as far as a few sequences and all their relatives make them, (n,) int from 0.

    Counting all pairs of a family of 100,000 would take hours, and nearly none of them is needed to know that it is
    one. Which sequences are pivots changes the time that it takes, not the groups that `_link` returns.
    """
    by_kmer = profiles.T.tocsr()
    group = np.arange(len(sizes))
    alone = np.ones(len(sizes), dtype=bool)
    pivots = 0
    for pivot in np.random.default_rng(0).permutation(len(sizes)):
        if pivots == PIVOTS:
            break
        if not alone[pivot]:
            continue
        pivots += 1
        kmers = profiles.indices[profiles.indptr[pivot] : profiles.indptr[pivot + 1]]
        shared = np.bincount(by_kmer[kmers].indices, minlength=len(sizes))
        near = (shared > 0) & (shared >= containment * np.minimum(sizes, sizes[pivot]))
        near[pivot] = True
        alone[near] = False
        group[np.isin(group, group[near])] = group[pivot]
    return np.unique(group, return_inverse=True)[1]


def _profiles(sequences: np.ndarray) -> tuple[sparse.csr_array, np.ndarray]:
    """Distinct k-mers of each sequence: 1.0 where a row holds a k-mer that another row holds too, and how many it has.

    sequences : (n,) text. Returns (n, k-mers) float32, in which a sum of products counts shared k-mers exactly, and
    (n,) int64 numbers of all k-mers (of the sampled ones, above MOST_KMERS), also those that no other sequence has.
    """
    share = min(1.0, MOST_KMERS / max(sum(map(len, sequences)), 1))
    parts = list(_distinct_kmers(sequences, share))
    rows = np.concatenate([rows for rows, _ in parts])
    kmers = np.concatenate([kmers for _, kmers in parts])
    del parts
    sizes = np.bincount(rows, minlength=len(sequences))
    shared = np.bincount(kmers, minlength=KMERS) > 1
    kept = shared[kmers]
    column = np.cumsum(shared, dtype=np.int32) - 1
    kmers = column[kmers[kept]]
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows[kept], minlength=len(sequences)))])
    shape = (len(sequences), int(column[-1]) + 1)
    return sparse.csr_array((np.ones(len(kmers), dtype=np.float32), kmers, starts), shape=shape), sizes


def _distinct_kmers(sequences: np.ndarray, share: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Row numbers and canonical k-mers as numbers below KMERS, int32, each pair once and in order, chunk by chunk.

    share : fraction of all k-mers, those of the smallest hashes, that are kept.
    """
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    chunk = np.cumsum(lengths) // CHUNK
    for members in np.split(np.arange(len(sequences)), np.flatnonzero(np.diff(chunk)) + 1):
        # The letter between two sequences, like any that is not A, C, G or T, ends a run of k-mers.
        letters = encode("N".join(sequences[members]) + "N" * K).astype(np.int32)
        forward, backward = np.zeros((2, len(letters) - K + 1), dtype=np.int32)
        known = np.ones(len(forward), dtype=bool)
        for place in range(K):
            part = letters[place : place + len(forward)]
            forward += part << 2 * (K - 1 - place)
            backward += (3 - part) << 2 * place
            known &= part < len(NUCLEOTIDES)
        kmers = np.minimum(forward, backward)[known]
        rows = np.repeat(members, lengths[members] + 1)[known]
        if share < 1.0:
            kept = _hash(kmers) < share * 2**32
            rows, kmers = rows[kept], kmers[kept]
        pairs = np.sort(rows.astype(np.int64) * KMERS + kmers)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        yield (pairs // KMERS).astype(np.int32), (pairs % KMERS).astype(np.int32)


def _hash(kmers: np.ndarray) -> np.ndarray:
    """Numbers mixed to uint32 that look random and repeat on every machine (the finaliser of MurmurHash3)."""
    mixed = kmers.astype(np.uint32)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))
