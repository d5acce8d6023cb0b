"""LSTM that reads the selected genes, in a meaningful order, a chunk at a time: Hochreiter and Schmidhuber 1997."""

import functools
from collections.abc import Mapping
from typing import Any

from genestrata.models.networks import PUBLISHED_TRAINING, TRAINING, fit_network

SETTINGS: dict[str, Any] = TRAINING | {
    "batch_size": 32,
    "learning_rate": 2e-3,
    "gene_order": "clustered",
    "steps": 16,
    "units": [64],
    "dropout": [0.4],
    "batch_normalisation": False,
    "bidirectional": False,
    "summary": "flatten",
    "dense_units": [],
}
LAYERS = ("units", "dropout")
PRESETS = {
    "published": PUBLISHED_TRAINING
    | {
        "steps": 32,
        "units": [128, 64],
        "dropout": [0.3, 0.4],
        "batch_normalisation": True,
        "summary": "last",
        "bidirectional": False,
        "dense_units": [32],
    }
}


def build(n_features: int, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """`steps` chunks of neighbouring genes through LSTM layers, then dense layers to a softmax.

    The last chunk is filled with zeros, the training mean, where the number of genes is no multiple of `steps`.
    """
    from keras import Input, Sequential, layers

    steps = min(settings["steps"], n_features)
    width = -(-n_features // steps)
    network = Sequential([Input((n_features,)), layers.Reshape((n_features, 1))])
    if steps * width > n_features:
        network.add(layers.ZeroPadding1D((0, steps * width - n_features)))
    network.add(layers.Reshape((steps, width)))
    last = len(settings["units"]) - 1
    for number, (units, dropout) in enumerate(zip(settings["units"], settings["dropout"], strict=True)):
        recurrent = layers.LSTM(units, return_sequences=number < last or settings["summary"] != "last")
        network.add(layers.Bidirectional(recurrent) if settings["bidirectional"] else recurrent)
        if settings["batch_normalisation"]:
            network.add(layers.BatchNormalization())
        if number == last and settings["summary"] != "last":
            network.add(layers.GlobalAveragePooling1D() if settings["summary"] == "average" else layers.Flatten())
        network.add(layers.Dropout(dropout))
    for units in settings["dense_units"]:
        network.add(layers.Dense(units, activation="relu"))
    network.add(layers.Dense(n_classes, activation="softmax", dtype="float32"))
    return network


fit = functools.partial(fit_network, "lstm")
