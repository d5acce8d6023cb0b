"""Neural networks that read sequences of any length: tokens, batches of similar length, prediction."""

import functools
import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from genestrata.models.backend import compile_prediction, start_backend
from genestrata.models.context import NO_CONTEXT, FitContext
from genestrata.models.networks import NetworkClassifier, choose_watched
from genestrata.models.tokens import n_tokens, tokenise_all

# How a network of sequences is trained; epochs and patience in epochs, without patience it runs through all epochs and
# the weights are averaged over them; crop, substitutions and unknown are shares of a training sequence.
SEQUENCE_TRAINING = {
    "epochs": 40,
    "batch_size": 16,
    "learning_rate": 2e-3,
    "smallest_learning_rate": 1e-5,
    "label_smoothing": 0.0,
    "averaging": 0.8,
    "substitutions": 0.02,
    "unknown": 0.0,
    "crop": 0.5,
    "members_per_group": 4,
    "watched_share": 0.0,
    "class_weights": "balanced",
    "monitor": "loss",
    "patience": None,
    "plateau_patience": None,
}

# A larger batch is computed in parts of at most so many rows: what the operation that runs an LSTM works on then stays
# in the cache of a core, and parts of similar length hold less padding.
ROWS_AT_ONCE = 64


class SequenceNetwork(NetworkClassifier):
    """A trained network as an estimator on (n, 1) text.

    reads, longest, strands : how a sequence becomes tokens; stages : epoch to the weights after it, if they were kept
    """

    def __init__(self, network: Any, settings: Mapping[str, Any], history: Any = None, stages: Mapping | None = None):
        super().__init__(network, history)
        self.settings, self.stages = settings, stages or {}

    def tokens(self, X: np.ndarray, other_strand: bool = False) -> np.ndarray:
        """Tokens of each row."""
        return tokenise_all(X[:, 0], self.settings["reads"], self.settings["longest"], other_strand)

    def use_stage(self, epochs: int) -> None:
        """Go back to the weights after so many epochs."""
        self.network.set_weights(self.stages[epochs])
        self.__dict__.pop("predict", None)

    @functools.cached_property
    def predict(self) -> Callable:
        """From tokens of each row to probabilities; the steps of the network run in one operation."""
        from genestrata.models.recurrence import fuse

        return compile_prediction(fuse(self.network))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) float64, means of both strands if the network was trained on both."""
        strands = (False, True) if self.settings["strands"] == "both" else (False,)
        return np.mean([self.predict(self.tokens(X, other)) for other in strands], axis=0).astype(float)


def fit_sequence_network(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    settings: Mapping[str, Any],
    seed: int,
    threads: int,
    context: FitContext = NO_CONTEXT,
) -> SequenceNetwork:
    """Train the network of a module on (n, 1) text; y : (n,) int.

    An epoch draws at most `members_per_group` rows of each group of the context, so that a family with a hundred
    alleles counts as much as one with a few. With a `watched_share`, whole groups are watched to stop and to reduce the
    learning rate. settings["stages"], if given, are epochs whose weights are kept. Raises DivergedError.
    """
    start_backend(threads)
    settings = dict(settings)
    stages = settings.pop("stages", ())
    tokenise = functools.partial(tokenise_all, X[:, 0], settings["reads"], settings["longest"])
    tokens = tokenise()
    other = tokenise(other_strand=True) if settings["strands"] == "both" else None
    groups = np.arange(len(X)) if context.groups is None else np.unique(context.groups, return_inverse=True)[1]
    watched = choose_watched(y, context.groups, settings["watched_share"], seed)
    n_classes = int(y.max()) + 1
    targets = np.eye(n_classes, dtype=np.float32)[y]
    weights = np.ones(len(y), dtype=np.float32)
    weights[~watched] = row_weights(y[~watched], groups[~watched], settings)
    rows = SequenceRows(tokens[~watched], None if other is None else other[~watched], groups[~watched])
    network, history, kept = trainer(name, n_classes, json.dumps(settings, sort_keys=True)).fit(
        rows,
        targets[~watched],
        weights[~watched],
        tokens[watched],
        targets[watched],
        weights[watched],
        seed,
        stages=stages,
    )
    return SequenceNetwork(network, settings, history, kept)


class SequenceRows(NamedTuple):
    """Training rows: tokens, those of the other strand or None, and the group of each row as a number."""

    tokens: np.ndarray
    other_strand: np.ndarray | None
    groups: np.ndarray


def row_weights(y: np.ndarray, groups: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Weight of each row, (n,) float32: 1, or such that every class weighs as much in the rows that an epoch draws."""
    if settings["class_weights"] == "none":
        return np.ones(len(y), dtype=np.float32)
    sizes = np.bincount(groups)[groups]
    drawn = np.minimum(sizes, settings["members_per_group"] or len(y)) / sizes
    per_class = np.bincount(y, weights=drawn)
    return (drawn.sum() / (len(per_class) * per_class[y])).astype(np.float32)


def draw_rows(groups: np.ndarray, most: int | None, random: np.random.Generator) -> np.ndarray:
    """Rows of an epoch in a new order, at most `most` of each group."""
    order = random.permutation(len(groups))
    if most is None:
        return order
    by_group = order[np.argsort(groups[order], kind="stable")]
    first = np.searchsorted(groups[by_group], groups[by_group])
    kept = by_group[np.arange(len(by_group)) - first < most]
    return random.permutation(kept)


def batch_parts(batch_size: int) -> int:
    """Number of equal parts in which a batch is computed, whose mean gradient is the batch's; 1 for a size that has no
    divisor near ROWS_AT_ONCE."""
    fitting = [rows for rows in range(ROWS_AT_ONCE // 2, ROWS_AT_ONCE + 1) if batch_size % rows == 0]
    return batch_size // max(fitting) if batch_size > ROWS_AT_ONCE and fitting else 1


def make_sequence_batches(
    rows: SequenceRows, y: np.ndarray, weights: np.ndarray, parameters: Mapping[str, Any], random: np.random.Generator
) -> tuple[list[list[np.ndarray]], list[np.ndarray], list[np.ndarray]]:
    """One epoch of augmented training rows in batches of similar length, the batches in a new order.

    y : (n, n_classes) one-hot; weights : (n,). Rows are sorted by length, give or take a tenth, so that short genes do
    not pay for long ones and yet meet others in every epoch. A batch that is computed in parts stays together, and the
    last one is filled up, so that all parts have the same size. A sequence loses up to a share `crop` at its ends; a
    share `substitutions` of its tokens is drawn anew, a share `unknown` becomes the unknown one.
    """
    chosen = draw_rows(rows.groups, parameters["members_per_group"], random)
    size = parameters["batch_size"]
    parts = batch_parts(size)
    if parts > 1:
        chosen = np.resize(chosen, -(-len(chosen) // size) * size)
    lengths = np.array([len(rows.tokens[row]) for row in chosen]) * random.uniform(0.9, 1.1, len(chosen))
    chosen = chosen[np.argsort(lengths)]
    batches = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    batches = [part for number in random.permutation(len(batches)) for part in np.array_split(batches[number], parts)]
    strands = random.random(len(rows.tokens)) < 0.5 if rows.other_strand is not None else np.zeros(len(rows.tokens))
    last = n_tokens(parameters["reads"]) - 1

    def augmented(row: int) -> np.ndarray:
        tokens = (rows.other_strand if strands[row] else rows.tokens)[row]
        if parameters["crop"]:
            length = round(len(tokens) * random.uniform(1 - parameters["crop"], 1)) or 1
            start = random.integers(len(tokens) - length + 1)
            tokens = tokens[start : start + length]
        if parameters["substitutions"]:
            drawn = random.integers(1, last, len(tokens), dtype=np.uint8)
            tokens = np.where(random.random(len(tokens)) < parameters["substitutions"], drawn, tokens)
        if parameters["unknown"]:
            tokens = np.where(random.random(len(tokens)) < parameters["unknown"], np.uint8(last), tokens)
        return tokens

    X = [[augmented(row) for row in batch] for batch in batches]
    return X, [y[batch] for batch in batches], [weights[batch] for batch in batches]


@functools.lru_cache(maxsize=8)
def trainer(name: str, n_classes: int, settings: str) -> Any:
    """The trainer of a network, kept so that all folds compile it once."""
    from genestrata.models.backend import compile_steps
    from genestrata.models.network_training import Trainer
    from genestrata.models.recurrence import fuse

    parameters = json.loads(settings)
    build = importlib.import_module(f"genestrata.models.{name}").build
    new = functools.partial(build, n_tokens(parameters["reads"]), n_classes, parameters)
    parts = batch_parts(parameters["batch_size"])
    return Trainer(new, parameters, fuse(new()), make_sequence_batches, compile_steps, parts)
