"""Convolutional network over the selected genes in a meaningful order."""

import functools
from collections.abc import Mapping
from typing import Any

from genestrata.models.networks import PUBLISHED_TRAINING, TRAINING, fit_network

SETTINGS: dict[str, Any] = TRAINING | {
    "gene_order": "clustered",
    "filters": [32, 64],
    "kernel": [8, 4],
    "strides": [4, 2],
    "pool": [1, 1],
    "dropout": [0.2, 0.4],
    "summary": "flatten",
    "units": [],
}
LAYERS = ("filters", "kernel", "strides", "pool", "dropout")
PRESETS = {
    "published": PUBLISHED_TRAINING
    | {
        "filters": [64, 128],
        "kernel": [5, 3],
        "strides": [1, 1],
        "pool": [2, 1],
        "dropout": [0.3, 0.4],
        "summary": "average",
        "units": [64],
    }
}


def build(n_features: int, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """Convolutions with batch normalisation, pooling and dropout, then their summary and dense layers to a softmax."""
    from keras import Input, Sequential, layers

    network = Sequential([Input((n_features,)), layers.Reshape((n_features, 1))])
    last = len(settings["filters"]) - 1
    shapes = zip(*(settings[key] for key in LAYERS), strict=True)
    for number, (filters, kernel, strides, pool, dropout) in enumerate(shapes):
        network.add(layers.Conv1D(filters, kernel, strides=strides, padding="same", activation="relu"))
        network.add(layers.BatchNormalization())
        if pool > 1:
            network.add(layers.MaxPooling1D(pool, padding="same"))
        if number == last:
            network.add(layers.GlobalAveragePooling1D() if settings["summary"] == "average" else layers.Flatten())
        network.add(layers.Dropout(dropout))
    for units in settings["units"]:
        network.add(layers.Dense(units, activation="relu"))
        network.add(layers.BatchNormalization())
    network.add(layers.Dense(n_classes, activation="softmax", dtype="float32"))
    return network


fit = functools.partial(fit_network, "cnn")
