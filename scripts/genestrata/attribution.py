"""What each token of a sequence adds to a network's probability of a class.

Integrated gradients (Sundararajan, Taly and Yan 2017, ICML) from a sequence that says nothing to the sequence itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genestrata.models.backend import compile_gradient
from genestrata.models.sequence_networks import SequenceNetwork
from genestrata.models.tokens import letters

# Points on the path; more are taken where the attributions miss the change of the probability by more than TOLERANCE.
POINTS = (16, 64, 256)
TOLERANCE = 0.02
# Rows (points of a path) that go through the network at once.
ROWS = 64
# Tokens of a word by what the network reads; a word of three nucleotides says nothing.
WORD_TOKENS = {"dna": 6, "codon": 3, "protein": 3, "reduced_protein": 3}


@dataclass(frozen=True)
class Attribution:
    """Tokens of a sequence, (length,) text, and for some classes by number what each token adds, (length,) float32."""

    tokens: list[str]
    by_class: dict[int, np.ndarray]


class IntegratedGradients:
    """Integrated gradients of one network, on the output of its embedding.

    The baseline is the mean of the embedded tokens at every position: the token of unknown letters would be as neutral
    only where training has seen enough of it. The strand that is given is explained, also of a network that averages
    both.
    """

    def __init__(self, estimator: SequenceNetwork):
        from genestrata.models.recurrence import fuse

        self.gradient, self.embedding = compile_gradient(fuse(estimator.network))
        # Neither padding, the first row, nor the unknown token, the last.
        self.baseline = self.embedding[1:-1].mean(axis=0)

    def __call__(self, tokens: np.ndarray, classes: Sequence[int]) -> np.ndarray:
        """(len(classes), length) float32 for the tokens of one sequence, (length,) int. Deterministic."""
        step = self.embedding[tokens] - self.baseline
        for number in POINTS:
            nodes, weights = np.polynomial.legendre.leggauss(number)
            # The two ends have no weight; they tell by how much the probability changes.
            places = np.concatenate([(nodes + 1) / 2, [0.0, 1.0]]).astype(np.float32)
            weights = np.concatenate([weights / 2, [0.0, 0.0]]).astype(np.float32)
            total = np.zeros((len(classes), *step.shape), dtype=np.float32)
            ends = np.zeros((len(classes), 2), dtype=np.float32)
            for row, code in enumerate(classes):
                probabilities = []
                for first in range(0, len(places), ROWS):
                    part = slice(first, first + ROWS)
                    path = self.baseline + places[part, None, None] * step
                    probability, slope = self.gradient(np.tile(tokens, (len(path), 1)), path, code)
                    total[row] += np.tensordot(weights[part], slope, 1)
                    probabilities.append(probability)
                ends[row] = np.concatenate(probabilities)[-2:]
            attributions = (total * step).sum(axis=2)
            if np.abs(attributions.sum(axis=1) - (ends[:, 1] - ends[:, 0])).max() <= TOLERANCE:
                break
        return attributions


def attribute(estimator: SequenceNetwork, X: np.ndarray, codes: np.ndarray) -> list[Attribution]:
    """Attributions of sequences (n, 1) text towards the class that the network calls and the true one.

    codes : (n,) int, the network's number of the true class, -1 for a class that it does not know. With two classes
    what one gains the other loses, so both are there.
    """
    integrate, reads = IntegratedGradients(estimator), estimator.settings["reads"]
    rows = estimator.tokens(X)
    called = estimator.predict(rows).argmax(axis=1)
    result = []
    for tokens, *towards in zip(rows, called, codes, strict=True):
        if len(estimator.classes_) == 2:
            second = integrate(tokens.astype(np.int32), [1])[0]
            by_class = {0: -second, 1: second}
        else:
            classes = sorted({int(code) for code in towards} - {-1})
            by_class = dict(zip(classes, integrate(tokens.astype(np.int32), classes), strict=True))
        result.append(Attribution(letters(tokens, reads), by_class))
    return result


def split_into_words(attribution: Attribution, size: int) -> Iterator[tuple[str, dict[int, float]]]:
    """Every word of `size` tokens with its part of the attribution by class.

    A token's attribution is shared equally by the words that cover it, so that the sum over the words is that over the
    tokens. A shorter sequence is one word.
    """
    length = len(attribution.tokens)
    size = min(size, length)
    n_words = length - size + 1
    place = np.arange(length)
    covered = np.minimum.reduce([place + 1, length - place, np.full(length, min(size, n_words))])
    parts = {
        code: np.convolve(values / covered, np.ones(size), "valid") for code, values in attribution.by_class.items()
    }
    for first in range(n_words):
        word = "".join(attribution.tokens[first : first + size])
        yield word, {code: float(values[first]) for code, values in parts.items()}


def word_effects(
    attributions: Sequence[Attribution], reads: str, n_classes: int, most: int
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The `most` words of the largest mean absolute effect.

    Returns their names, how often each occurs in each sequence, (n, k) float32, and their effects, (n, k, n_classes)
    float32, 0 for a class that is not explained.
    """
    records = [
        (row, word, code, value)
        for row, attribution in enumerate(attributions)
        for word, effects in split_into_words(attribution, WORD_TOKENS[reads])
        for code, value in effects.items()
    ]
    table = pd.DataFrame(records, columns=["row", "word", "class", "effect"])
    table = table.groupby(["row", "word", "class"])["effect"].agg(["sum", "size"]).reset_index()
    strength = table["sum"].abs().groupby(table["word"]).sum()
    names = strength.sort_values(ascending=False, kind="stable").index[:most]
    table = table[table["word"].isin(names)]
    columns = names.get_indexer(table["word"])
    counts = np.zeros((len(attributions), len(names)), dtype=np.float32)
    effects = np.zeros((*counts.shape, n_classes), dtype=np.float32)
    counts[table["row"], columns] = table["size"]
    effects[table["row"], columns, table["class"]] = table["sum"]
    return list(names), counts, effects


def token_table(attributions: Sequence[Attribution], samples: Sequence[str], classes: Sequence[str]) -> pd.DataFrame:
    """One row per sample, class and token: sample, class, position (from 1), token, attribution (of the probability).

    classes : label of each number in the attributions
    """
    parts = [
        pd.DataFrame(
            {
                "sample": sample,
                "class": classes[code],
                "position": np.arange(1, len(values) + 1, dtype=np.int32),
                "token": attribution.tokens,
                "attribution": values,
            }
        )
        for sample, attribution in zip(samples, attributions, strict=True)
        for code, values in attribution.by_class.items()
    ]
    return pd.concat(parts, ignore_index=True)
