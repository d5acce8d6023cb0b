"""Dense network: fully connected layers over the selected genes."""

import functools
from collections.abc import Mapping
from typing import Any

from genestrata.models.networks import PUBLISHED_TRAINING, TRAINING, fit_network

SETTINGS: dict[str, Any] = TRAINING | {
    "units": [128],
    "dropout": [0.5],
    "input_dropout": 0.2,
    "batch_normalisation": False,
}
LAYERS = ("units", "dropout")
PRESETS = {
    "published": PUBLISHED_TRAINING
    | {"units": [256, 128], "dropout": [0.4, 0.3], "input_dropout": 0.0, "batch_normalisation": True}
}


def build(n_features: int, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """Dense layers of `units`, each with dropout, to a softmax."""
    from keras import Input, Sequential, layers

    network = Sequential([Input((n_features,))])
    if settings["input_dropout"]:
        network.add(layers.Dropout(settings["input_dropout"]))
    for units, dropout in zip(settings["units"], settings["dropout"], strict=True):
        network.add(layers.Dense(units, activation="relu"))
        if settings["batch_normalisation"]:
            network.add(layers.BatchNormalization())
        network.add(layers.Dropout(dropout))
    network.add(layers.Dense(n_classes, activation="softmax", dtype="float32"))
    return network


fit = functools.partial(fit_network, "dense")
