"""Convolutions, then a bidirectional LSTM, over the time points of one or several experiments (Graves and Schmidhuber
2005, Neural Networks 18:602, for the latter).

One encoder reads every experiment; what it makes of each stands side by side before the softmax. A missing value is no
number that somebody made up: the network gets 0 and, beside it, that nothing was measured there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genestrata.errors import InputError
from genestrata.models.context import NO_CONTEXT, FitContext
from genestrata.models.networks import TRAINING, NetworkClassifier, fit_network
from genestrata.time_points import experiments_of

SETTINGS: dict[str, Any] = TRAINING | {
    "epochs": 100,
    "batch_size": 64,
    "learning_rate": 2e-3,
    "noise": 0.6,
    "scale_range": 0.0,
    "class_weights": "none",
    "patience": 15,
    "plateau_patience": 6,
    "input_scale": 1.0,
    "filters": [24],
    "kernel": [5],
    "pool": [2],
    "batch_normalisation": True,
    "units": [12],
    "summary": "flatten",
    "dropout": 0.6,
    "dense_units": [],
    "mask_missing": True,
}
LAYERS = ("filters", "kernel", "pool")
PRESETS = {
    "published": {
        "epochs": 80,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "noise": 0.0,
        "input_scale": 1.0,
        "filters": [32],
        "kernel": [3],
        "pool": [1],
        "batch_normalisation": True,
        "units": [64],
        "summary": "last",
        "dropout": 0.3,
        "dense_units": [32],
        "mask_missing": False,
    }
}
READS = "series"
# A recurrence of so few steps is written out: without a loop a step of the training takes half as long.
LONGEST_UNROLLED = 32


def build(n_features: int, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """A network from (n, n_features, channels) to (n, n_classes).

    settings : SETTINGS and series, the number of time points of each experiment, in the order of the features. Shorter
    experiments are filled up with points that were not measured.
    """
    from keras import Input, Model, layers, ops

    lengths = settings["series"]
    longest, channels = max(lengths), 2 if settings["mask_missing"] else 1
    inputs = Input((n_features, channels))
    outputs = inputs if settings["input_scale"] == 1 else layers.Rescaling(settings["input_scale"])(inputs)
    if len(lengths) > 1:
        parts, start = [], 0
        for length in lengths:
            part = layers.Cropping1D((start, n_features - start - length))(outputs)
            parts.append(layers.ZeroPadding1D((0, longest - length))(part) if length < longest else part)
            start += length
        # Experiments join the rows, so that one pass of the encoder reads all of them.
        outputs = ops.reshape(ops.stack(parts, axis=1), (-1, longest, channels))
    for filters, kernel, pool in zip(*(settings[key] for key in LAYERS), strict=True):
        outputs = layers.Conv1D(filters, kernel, padding="same")(outputs)
        if settings["batch_normalisation"]:
            outputs = layers.BatchNormalization()(outputs)
        outputs = layers.ReLU()(outputs)
        if pool > 1:
            outputs = layers.MaxPooling1D(pool, padding="same")(outputs)
    last = len(settings["units"]) - 1
    for number, units in enumerate(settings["units"]):
        recurrent = layers.LSTM(
            units,
            return_sequences=number < last or settings["summary"] == "flatten",
            unroll=outputs.shape[1] <= LONGEST_UNROLLED,
        )
        outputs = layers.Bidirectional(recurrent)(outputs)
    if settings["summary"] == "flatten":
        outputs = layers.Flatten()(outputs)
    if len(lengths) > 1:
        outputs = ops.reshape(outputs, (-1, len(lengths) * outputs.shape[-1]))
    outputs = layers.Dropout(settings["dropout"])(outputs)
    for units in settings["dense_units"]:
        outputs = layers.Dense(units, activation="relu")(outputs)
    return Model(inputs, layers.Dense(n_classes, activation="softmax", dtype="float32")(outputs))


def fit(
    X: np.ndarray,
    y: np.ndarray,
    settings: Mapping[str, Any],
    seed: int,
    threads: int,
    context: FitContext = NO_CONTEXT,
    start: Sequence[np.ndarray] | None = None,
) -> NetworkClassifier:
    """`fit_network` on time points; raises InputError for an experiment shorter than the first kernel."""
    series = {experiment: len(columns) for experiment, (columns, _) in experiments_of(context.features).items()}
    for experiment, length in series.items():
        if length < settings["kernel"][0]:
            raise InputError(
                f"cnn_bilstm: {experiment} has {length} time points, fewer than the kernel of {settings['kernel'][0]}; "
                "lower model_params.cnn_bilstm.kernel"
            )
    return fit_network("cnn_bilstm", X, y, {**settings, "series": list(series.values())}, seed, threads, context, start)
