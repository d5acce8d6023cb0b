"""k-mers, words of k letters, of DNA or of the protein that it codes for, as features of sequences.

Counting a sequence looks at no other; only the vocabulary is learnt, from training rows. The value of a k-mer is the
square root of its share of all k-mers of its sequence, so that rows have length 1, less what the vocabulary lacks, and
the product of two rows is their Bhattacharyya coefficient: 1 for the same k-mers, 0 where none is shared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from genestrata.dna import AMINO_ACIDS, NUCLEOTIDES, encode, translate
from genestrata.errors import InputError

# Ten groups of amino acids that often replace each other (Murphy, Wallqvist and Levy 2000, Protein Engineering 13:149);
# a group is written as its first letter. Related proteins share more and longer words of them.
AMINO_ACID_GROUPS = ("LVIM", "C", "A", "G", "ST", "P", "FYW", "EDNQ", "KR", "H")
# Letters of a word, in the order of their codes.
ALPHABETS = {
    "dna": NUCLEOTIDES,
    "protein": AMINO_ACIDS,
    "reduced_protein": "".join(group[0] for group in AMINO_ACID_GROUPS),
}
STRANDS = ("one", "both")
# Words that k-mer models read unless they or a study say otherwise: values to search, as in `models`.
WORDS: dict[str, list[Any]] = {
    "alphabet": ["reduced_protein"],
    "shortest": [2],
    "longest": [4],
    "strands": ["one"],
    "min_count": [2],
}
# Counts of sequences seen before are kept up to this number of distinct k-mers in all: 12 bytes each.
KEPT_KMERS = 20_000_000


def letter_codes(groups: Sequence[str]) -> np.ndarray:
    """(256,) int64: byte of a letter to the place of its group, len(groups) for any other."""
    codes = np.full(256, len(groups), dtype=np.int64)
    for place, group in enumerate(groups):
        codes[list(group.encode())] = place
    return codes


_PROTEIN_CODES = {"protein": letter_codes(AMINO_ACIDS), "reduced_protein": letter_codes(AMINO_ACID_GROUPS)}


@dataclass(frozen=True)
class KmerKind:
    """Which k-mers are counted; raises InputError for settings that do not exist.

    alphabet : "dna", "protein" (reading frame 0) or "reduced_protein" (its amino acids in `AMINO_ACID_GROUPS`); words
    with an ambiguous letter, an unknown amino acid or a stop do not count. shortest, longest : lengths of the words.
    strands : "one", or "both" to count a word of DNA and its reverse complement as one.
    """

    alphabet: str
    shortest: int
    longest: int
    strands: str = "one"

    def __post_init__(self) -> None:
        if self.alphabet not in ALPHABETS:
            raise InputError(f"k-mers: alphabet {self.alphabet!r}, expected one of {', '.join(ALPHABETS)}")
        if self.strands not in (STRANDS if self.alphabet == "dna" else STRANDS[:1]):
            raise InputError(f"k-mers: strands {self.strands!r} of {self.alphabet}, expected one; or both, of dna")
        # Numbers of words, with the digit in front, fit into 63 bits.
        limit = int(62 // np.log2(len(ALPHABETS[self.alphabet]))) - 1
        lengths = (self.shortest, self.longest)
        if any(type(length) is not int for length in lengths) or not 1 <= self.shortest <= self.longest <= limit:
            raise InputError(
                f"k-mers: lengths {self.shortest!r} to {self.longest!r} of {self.alphabet}, expected whole numbers "
                f"from 1 to {limit}, the shortest first"
            )


def count_kmers(sequence: str, kind: KmerKind) -> tuple[np.ndarray, np.ndarray]:
    """The distinct k-mers of a DNA sequence, (n,) int64 numbers, rising, and how often each occurs, (n,) float32.

    A word's number has its letters as digits, with a 1 in front, so that words of all lengths differ.
    """
    base = len(ALPHABETS[kind.alphabet])
    if kind.alphabet == "dna":
        codes = encode(sequence).astype(np.int64)
    else:
        codes = _PROTEIN_CODES[kind.alphabet][np.frombuffer(translate(sequence).encode(), dtype=np.uint8)]
    words = []
    for length in range(kind.shortest, min(kind.longest, len(codes)) + 1):
        windows = np.lib.stride_tricks.sliding_window_view(codes, length)
        windows = windows[(windows < base).all(axis=1)]
        places = base ** np.arange(length)
        numbers = windows @ places[::-1]
        if kind.strands == "both":
            numbers = np.minimum(numbers, (base - 1 - windows) @ places)
        words.append(numbers + base**length)
    kmers, counts = np.unique(np.concatenate(words or [np.empty(0, dtype=np.int64)]), return_counts=True)
    return kmers, counts.astype(np.float32)


class CountCache:
    """Counts of sequences seen before: a study's folds need those of the same sequences many times over."""

    def __init__(self, limit: int):
        self.limit, self.size = limit, 0
        self.counts: dict[tuple[str, KmerKind], tuple[np.ndarray, np.ndarray]] = {}

    def count(self, sequence: str, kind: KmerKind) -> tuple[np.ndarray, np.ndarray]:
        """`count_kmers`; forgets all when more than `limit` distinct k-mers are kept."""
        found = self.counts.get((sequence, kind))
        if found is None:
            found = count_kmers(sequence, kind)
            if self.size + len(found[0]) > self.limit:
                self.counts.clear()
                self.size = 0
            if len(found[0]) <= self.limit:
                self.counts[sequence, kind] = found
                self.size += len(found[0])
        return found


_CACHE = CountCache(KEPT_KMERS)


def _count_all(sequences: np.ndarray, kind: KmerKind) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """k-mers and counts of all sequences, one after the other, and the number of distinct k-mers of each."""
    counted = [_CACHE.count(sequence, kind) for sequence in sequences]
    sizes = np.array([len(kmers) for kmers, _ in counted])
    return *(np.concatenate(parts) for parts in zip(*counted, strict=True)), sizes


@dataclass
class KmerFeatures:
    """k-mers as the columns of a matrix. vocabulary : (n_kmers,) int64, rising, as `count_kmers` numbers them."""

    kind: KmerKind
    vocabulary: np.ndarray

    @classmethod
    def fit(cls, X: np.ndarray, kind: KmerKind, min_count: int) -> "KmerFeatures":
        """The k-mers that at least `min_count` of the sequences X, (n, 1) object, hold; deterministic.

        Raises InputError where there is none.
        """
        vocabulary, holders = np.unique(_count_all(X[:, 0], kind)[0], return_counts=True)
        vocabulary = vocabulary[holders >= min_count]
        if not len(vocabulary):
            raise InputError(
                f"k-mers: no word of {kind.shortest} to {kind.longest} letters ({kind.alphabet}) is in at least "
                f"{min_count} of {len(X)} sequences; are they coding sequences, from their first codon?"
            )
        return cls(kind, vocabulary)

    def transform(self, X: np.ndarray) -> csr_matrix:
        """Square roots of the shares of each k-mer, (n, n_kmers) float32, from sequences (n, 1) object."""
        kmers, counts, sizes = _count_all(X[:, 0], self.kind)
        rows = np.repeat(np.arange(len(X)), sizes)
        totals = np.bincount(rows, counts, minlength=len(X))
        values = np.sqrt(counts / totals[rows]).astype(np.float32)
        columns = np.minimum(np.searchsorted(self.vocabulary, kmers), len(self.vocabulary) - 1)
        known = self.vocabulary[columns] == kmers
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows[known], minlength=len(X)))])
        return csr_matrix((values[known], columns[known], starts), shape=(len(X), len(self.vocabulary)))

    def keep(self, columns: np.ndarray) -> "KmerFeatures":
        """Only some columns, a mask (n_kmers,) bool."""
        return KmerFeatures(self.kind, self.vocabulary[columns])

    def names(self) -> list[str]:
        """The words, in the order of the columns."""
        letters = ALPHABETS[self.kind.alphabet]
        names = []
        for number in self.vocabulary.tolist():
            word = ""
            while number > 1:
                number, code = divmod(number, len(letters))
                word = letters[code] + word
            names.append(word)
        return names

    def describe(self) -> dict[str, Any]:
        """All that `restore` needs, for JSON."""
        return asdict(self.kind) | {"vocabulary": " ".join(self.names())}

    @classmethod
    def restore(cls, description: Mapping[str, Any]) -> "KmerFeatures":
        """From what `describe` gave; raises KeyError, TypeError or ValueError for anything else."""
        kind = KmerKind(**{key: description[key] for key in ("alphabet", "shortest", "longest", "strands")})
        code = {letter: place for place, letter in enumerate(ALPHABETS[kind.alphabet])}
        numbers = []
        words = description["vocabulary"]
        if not isinstance(words, str):
            raise TypeError(f"found {type(words).__name__} for the k-mers, expected text")
        for word in words.split(" "):
            if not kind.shortest <= len(word) <= kind.longest or not set(word) <= set(code):
                raise ValueError(f"found the k-mer {word[:50]!r}, expected words of its alphabet and lengths")
            number = 1
            for letter in word:
                number = number * len(code) + code[letter]
            numbers.append(number)
        vocabulary = np.array(numbers, dtype=np.int64)
        if np.any(np.diff(vocabulary) <= 0):
            raise ValueError("found k-mers out of order or twice")
        return cls(kind, vocabulary)


class KmerClassifier:
    """An estimator on the k-mers of sequences. kmers : the columns that it was fitted on."""

    def __init__(self, kmers: KmerFeatures, estimator: Any):
        self.kmers, self.estimator = kmers, estimator
        self.classes_ = estimator.classes_

    @property
    def feature_names(self) -> list[str]:
        """The k-mers, in the order of the columns of `transform` and of the coefficients."""
        return self.kmers.names()

    @property
    def coef_(self) -> np.ndarray:
        """Coefficients of a linear model, as scikit-learn shapes them."""
        return self.estimator.coef_

    @property
    def intercept_(self) -> np.ndarray:
        """Intercepts of a linear model."""
        return self.estimator.intercept_

    def transform(self, X: np.ndarray) -> csr_matrix:
        """What the estimator is given, (n, n_kmers) float32, from sequences (n, 1) object."""
        return self.kmers.transform(X)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n, n_classes) float64 of sequences (n, 1) object."""
        return self.estimator.predict_proba(self.transform(X)).astype(float)


def learn_kmers(X: np.ndarray, parameters: dict[str, Any]) -> tuple[KmerFeatures, dict[str, Any]]:
    """k-mers by a model's parameters alphabet, shortest, longest, strands and min_count, and the other parameters."""
    others = dict(parameters)
    kind = KmerKind(*(others.pop(name) for name in ("alphabet", "shortest", "longest", "strands")))
    return KmerFeatures.fit(X, kind, others.pop("min_count")), others
