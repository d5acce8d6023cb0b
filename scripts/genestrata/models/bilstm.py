"""Embedding and bidirectional LSTM over nucleotides, codons or amino acids (Graves and Schmidhuber 2005, Neural
Networks 18:602), with convolutions in front that shorten the series if wanted.

Padding has an id of its own and is masked everywhere, so that a gene is classified alike whatever stands beside it.
"""

import functools
from collections.abc import Mapping
from typing import Any

from genestrata.models.sequence_networks import SEQUENCE_TRAINING, fit_sequence_network

SETTINGS: dict[str, Any] = SEQUENCE_TRAINING | {
    "reads": "reduced_protein",
    "longest": None,
    "strands": "one",
    "embedding": 10,
    "embedding_sd": 1.0,
    "filters": [64],
    "kernel": [7],
    "pool": [4],
    "units": [32],
    "summary": "average_and_max",
    "dropout": 0.3,
}
LAYERS = ("filters", "kernel", "pool")
PRESETS = {
    # Its sigmoid is the softmax of two classes.
    "published": {
        "epochs": 10,
        "batch_size": 400,
        "learning_rate": 1e-3,
        "substitutions": 0.0,
        "crop": 0.0,
        "averaging": 0.0,
        "members_per_group": None,
        "watched_share": 0.2,
        "patience": 10,
        "reads": "dna",
        "longest": 900,
        "embedding": 50,
        "embedding_sd": 0.03,
        "filters": [],
        "kernel": [],
        "pool": [],
        "units": [62, 62],
        "summary": "last",
        "dropout": 0.18,
    }
}
READS = "sequences"
STAGED = "epochs"


def build(n_tokens: int, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """A network from (n, length) tokens, of any length, to (n, n_classes)."""
    from keras import Input, Model, initializers, layers, ops

    tokens = Input((None,), dtype="int32")
    # 1 where a token stands, 0 where padding; padding must look like the end of the sequence to a convolution.
    present = ops.expand_dims(ops.cast(ops.not_equal(tokens, 0), "float32"), -1)
    outputs = layers.Embedding(
        n_tokens, settings["embedding"], embeddings_initializer=initializers.RandomNormal(0.0, settings["embedding_sd"])
    )(tokens)
    for filters, kernel, pool in zip(*(settings[key] for key in LAYERS), strict=True):
        outputs = layers.Conv1D(filters, kernel, padding="same", activation="relu")(ops.multiply(outputs, present))
        if pool > 1:
            # Windows must start at the first token, whatever the length that the batch is padded to.
            shorten = [layers.ZeroPadding1D((0, pool - 1)), layers.MaxPooling1D(pool)]
            outputs, present = (
                functools.reduce(lambda steps, layer: layer(steps), shorten, steps)
                for steps in (ops.multiply(outputs, present), present)
            )
    mask = ops.not_equal(ops.squeeze(present, -1), 0)
    for number, units in enumerate(settings["units"], start=1):
        keeps_steps = number < len(settings["units"]) or settings["summary"] != "last"
        outputs = layers.Bidirectional(layers.LSTM(units, return_sequences=keeps_steps))(outputs, mask=mask)
        if keeps_steps and number == len(settings["units"]):
            outputs = summarise(outputs, present, settings["summary"])
        outputs = layers.Dropout(settings["dropout"])(outputs)
    return Model(tokens, layers.Dense(n_classes, activation="softmax", dtype="float32")(outputs))


def summarise(steps: Any, present: Any, summary: str) -> Any:
    """Average, maximum or both of the steps (n, length, units) that are present (n, length, 1)."""
    from keras import ops

    kept = ops.multiply(steps, present)
    parts = []
    if summary in ("average", "average_and_max"):
        parts.append(ops.divide(ops.sum(kept, axis=1), ops.sum(present, axis=1)))
    if summary in ("max", "average_and_max"):
        # Nothing that an LSTM puts out is below -1.
        parts.append(ops.max(ops.add(kept, ops.subtract(present, 1.0)), axis=1))
    return ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


fit = functools.partial(fit_sequence_network, "bilstm")
