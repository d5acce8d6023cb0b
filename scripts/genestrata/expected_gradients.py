"""Expected gradients of networks (Erion et al. 2021, Nature Machine Intelligence 3:620), many draws at once.

A draw is a background row and a point on the straight path from it to the sample. The mean over draws of the gradient
there times the step from the background row to the sample estimates how much each feature adds to a probability; the
sum over features estimates by how much the probability of the sample differs from the mean of the background.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from genestrata.models.backend import compile_class_gradient
from genestrata.models.networks import network_input

# Numbers (float32) of the points that go through a network at once: 256 rows of 1,024 features, 1 MB, and what its
# layers make of them.
CHUNK = 2**18


class Paths(NamedTuple):
    """Draws of each sample: rows of the background, (n, draws) int, and places on the path to the sample, (n, draws)
    float32 in [0, 1]."""

    rows: np.ndarray
    places: np.ndarray


class Gradients(NamedTuple):
    """Expected gradients, (n, k, n_classes) float32, and the standard error of their sum over the k features, (n,
    n_classes) float64; 0 and NaN for a class that was not asked for."""

    values: np.ndarray
    standard_error: np.ndarray


def draw_paths(n_samples: int, n_background: int, draws: int, seed: int) -> Paths:
    """Draws that are spread evenly, for each sample anew: one place in each of `draws` equal parts of the path, and
    along the path every background row once, in random order, before any comes again. `seed` draws them."""
    random = np.random.default_rng(seed)
    rounds = -(-draws // n_background)
    rows = np.argsort(random.random((n_samples, rounds, n_background)), axis=2).reshape(n_samples, -1)[:, :draws]
    places = (np.arange(draws) + random.random((n_samples, draws))) / draws
    return Paths(rows, places.astype(np.float32))


def expected_gradients(
    network: Any, X: np.ndarray, background: np.ndarray, paths: Paths, asked: np.ndarray, chunk: int = CHUNK
) -> Gradients:
    """Expected gradients of a network's probabilities of some classes for each row of X.

    network : keras.Model; X : (n, k), background : (m, k) float32, as for `network_input`; asked : (n, n_classes) bool;
    chunk : numbers of the points that are computed at once, which bounds the memory and changes nothing but rounding.
    A value and whether it was measured count as one feature. Raises RuntimeError on a backend other than TensorFlow.
    """
    k = X.shape[1]
    X, background = network_input(network, X), network_input(network, background)
    samples, codes = np.nonzero(asked)
    draws = paths.rows.shape[1]
    totals = np.zeros((len(samples), k))
    sums = np.zeros((len(samples), draws))
    gradient = compile_class_gradient(network)
    size = max(1, chunk // X[0].size)
    for pairs, draw in batches(len(samples), draws, size):
        sample = samples[pairs]
        place = paths.places[sample, draw].reshape(-1, *(1,) * (X.ndim - 1))
        start = background[paths.rows[sample, draw]]
        step = X[sample] - start
        effects = (gradient(start + place * step, codes[pairs].astype(np.int32)) * step).reshape(len(pairs), k, -1)
        effects = effects.sum(axis=2)
        first = np.flatnonzero(np.diff(pairs, prepend=-1))
        totals[pairs[first]] += np.add.reduceat(effects, first, axis=0, dtype=np.float64)
        sums[pairs, draw] = effects.sum(axis=1, dtype=np.float64)
    values = np.zeros((len(X), k, asked.shape[1]), dtype=np.float32)
    values[samples, :, codes] = totals / draws
    errors = np.full(asked.shape, np.nan)
    if draws > 1:
        errors[samples, codes] = sums.std(axis=1, ddof=1) / np.sqrt(draws)
    return Gradients(values, errors)


def batches(n_pairs: int, draws: int, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every draw of every pair of a sample and a class, pair after pair, `size` at a time: numbers of the pairs and of
    the draws, each (size,) int."""
    total = n_pairs * draws
    for start in tqdm(range(0, total, size), desc="gradients", unit="batch", leave=False, disable=None):
        yield np.divmod(np.arange(start, min(start + size, total)), draws)
