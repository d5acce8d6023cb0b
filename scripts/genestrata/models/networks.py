"""Neural networks as classifiers: what they share beside their layers.

A network's module offers, beside `fit`,

    SETTINGS                           every parameter with the default that measured best
    PRESETS                            name to settings that replace them, e.g. those of a published system
    build(n_features, n_classes, settings) -> keras.Model from (n, n_features) to (n, n_classes) probabilities

and uses the Keras 3 API only, so that it runs on any backend. Settings are fixed, not searched: a network costs too
much for a grid of its own.
"""

import functools
import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genestrata.models.backend import start_backend
from genestrata.models.context import NO_CONTEXT, FitContext

# How a network is trained; epochs, patience and plateau_patience in epochs; noise in standard deviations of a feature,
# of a series in its own unit.
TRAINING = {
    "epochs": 150,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "smallest_learning_rate": 1e-6,
    "label_smoothing": 0.0,
    "noise": 1.0,
    "scale_range": 0.05,
    "watched_share": 0.15,
    "class_weights": "balanced",
    "monitor": "loss",
    "patience": 20,
    "plateau_patience": 8,
}
# Training of the published stack of networks; its layers stand with each network.
PUBLISHED_TRAINING = {
    "epochs": 150,
    "batch_size": 16,
    "learning_rate": 1e-4,
    "smallest_learning_rate": 1e-6,
    "label_smoothing": 0.0,
    "noise": 0.005,
    "scale_range": 0.01,
    "monitor": "accuracy",
    "patience": 25,
    "plateau_patience": 12,
}


class NetworkClassifier:
    """A trained network as an estimator.

    network : keras.Model from what `network_input` makes of (n, k) rows to probabilities; history : one row per epoch
    """

    def __init__(self, network: Any, history: Any = None):
        self.network, self.history = network, history
        self.classes_ = np.arange(network.output_shape[-1])

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n_samples, n_classes) float64 of rows (n_samples, k) as in `fit_network`."""
        import keras

        probabilities = self.network(network_input(self.network, X), training=False)
        return keras.ops.convert_to_numpy(probabilities).astype(float)


def network_input(network: Any, X: np.ndarray) -> np.ndarray:
    """Rows (n, k) float32 as a network takes them: as they are, or with channels (n, k, channels).

    The first channel is the value, 0 where it is missing; a second one says which values were measured.
    """
    X = np.asarray(X, dtype=np.float32)
    if len(network.input_shape) == 2:
        return X
    channels = [np.nan_to_num(X), ~np.isnan(X)]
    return np.stack(channels[: network.input_shape[-1]], axis=-1).astype(np.float32)


def fit_network(
    name: str,
    X: np.ndarray,
    y: np.ndarray,
    settings: Mapping[str, Any],
    seed: int,
    threads: int,
    context: FitContext = NO_CONTEXT,
    start: Sequence[np.ndarray] | None = None,
) -> NetworkClassifier:
    """Train the network of a module on all rows but some, which are watched to stop and to reduce the learning rate.

    X : (n_samples, k) float32, standardised, or of a series as measured with NaN for missing; y : (n_samples,) int.
    Watched rows keep to whole groups of the context. start : weights of a network of the same shape to go on from.
    `seed` draws everything that is random. Raises DivergedError.
    """
    from sklearn.utils.class_weight import compute_sample_weight

    start_backend(threads)
    n_classes = int(y.max()) + 1
    targets = np.eye(n_classes, dtype=np.float32)[y]
    balanced = settings["class_weights"] == "balanced"
    weights = compute_sample_weight("balanced" if balanced else None, y).astype(np.float32)
    watched = choose_watched(y, context.groups, settings["watched_share"], seed)
    kept_trainer = trainer(name, X.shape[1], n_classes, json.dumps(settings, sort_keys=True))
    inputs = network_input(kept_trainer.network, X)
    network, history, _ = kept_trainer.fit(
        inputs[~watched],
        targets[~watched],
        weights[~watched],
        inputs[watched],
        targets[watched],
        weights[watched],
        seed,
        start,
    )
    return NetworkClassifier(network, history)


@functools.lru_cache(maxsize=8)
def trainer(name: str, n_features: int, n_classes: int, settings: str) -> Any:
    """The trainer of a network for one shape of input, kept so that folds of the same shape compile it once."""
    from genestrata.models.network_training import Trainer

    parameters = json.loads(settings)
    build = importlib.import_module(f"genestrata.models.{name}").build
    return Trainer(functools.partial(build, n_features, n_classes, parameters), parameters)


def choose_watched(y: np.ndarray, groups: np.ndarray | None, share: float, seed: int) -> np.ndarray:
    """Mask of the rows to watch, about `share` of each class; at least two rows of a class are left to train on.

    With groups, whole groups are watched, and none where that would leave a class without a row.
    """
    random = np.random.default_rng(seed)
    watched = np.zeros(len(y), dtype=bool)
    units = np.arange(len(y)) if groups is None else groups
    for label in np.unique(y):
        members = np.unique(units[y == label])
        number = min(round(share * len(members)), len(members) - 2)
        if number > 0:
            watched |= np.isin(units, random.choice(members, number, replace=False))
    if set(y[~watched]) != set(y):
        watched[:] = False
    return watched
