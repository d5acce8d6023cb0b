"""Convolutional network over the selected genes as a square picture."""

import functools
from collections.abc import Mapping
from typing import Any

from genestrata.models.networks import TRAINING, fit_network
from genestrata.ordering import square_side

SETTINGS: dict[str, Any] = TRAINING | {
    "optimizer": "adam",
    "decay": 0.0,
    "gene_order": "grid",
    "filters": [16, 32],
    "kernel": [3, 3],
    "strides": [2, 2],
    "pool": [1, 1],
    "dropout": [0.2, 0.4],
    "units": [],
    "dense_dropout": 0.0,
}
LAYERS = ("filters", "kernel", "strides", "pool", "dropout")
PRESETS = {
    "published": {
        "optimizer": "rmsprop",
        "learning_rate": 1e-4,
        "decay": 0.01,
        "batch_size": 64,
        "epochs": 50,
        "watched_share": 0.1,
        "patience": None,
        "plateau_patience": None,
        "class_weights": "none",
        "noise": 0.0,
        "scale_range": 0.0,
        "gene_order": "file",
        "filters": [32, 64, 128, 256],
        "kernel": [3, 3, 3, 3],
        "strides": [1, 1, 1, 1],
        "pool": [1, 2, 1, 2],
        "dropout": [0.0, 0.0, 0.0, 0.2],
        "units": [512],
        "dense_dropout": 0.2,
    }
}


def build(n_features: int, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """Convolutions with batch normalisation, pooling and dropout over a square, then dense layers to a softmax.

    Genes are written row by row; places behind the last one hold 0, the training mean.
    """
    from keras import Input, Sequential, layers

    side = square_side(n_features)
    network = Sequential([Input((n_features,)), layers.Reshape((n_features, 1))])
    if side**2 > n_features:
        network.add(layers.ZeroPadding1D((0, side**2 - n_features)))
    network.add(layers.Reshape((side, side, 1)))

    def normalise() -> None:
        network.add(layers.BatchNormalization())
        network.add(layers.ReLU())

    for filters, kernel, strides, pool, dropout in zip(*(settings[key] for key in LAYERS), strict=True):
        network.add(layers.Conv2D(filters, kernel, strides=strides, padding="same"))
        normalise()
        if pool > 1:
            network.add(layers.MaxPooling2D(pool, padding="same"))
        if dropout:
            network.add(layers.Dropout(dropout))
    network.add(layers.Flatten())
    for units in settings["units"]:
        network.add(layers.Dense(units))
        normalise()
        network.add(layers.Dropout(settings["dense_dropout"]))
    network.add(layers.Dense(n_classes, activation="softmax", dtype="float32"))
    return network


fit = functools.partial(fit_network, "cnn_2d")
