"""Training a network: batches, one compiled call per epoch, callbacks; one compiled network serves a job's folds."""

import random as standard_random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd

from genestrata.errors import DivergedError
from genestrata.models.backend import compile_epoch


def make_batches(
    X: np.ndarray, y: np.ndarray, weights: np.ndarray, parameters: Mapping[str, Any], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One epoch of augmented training rows in a new order: arrays (steps, batch, ...) float32.

    X : (n, k) or (n, k, channels), of which the first holds the values and a second says which were measured; y : (n,
    n_classes) one-hot; weights : (n,). Each row is multiplied by U(1 - scale_range, 1 + scale_range) and its measured
    values get N(0, noise). The last batch is filled up from the front of the order, so that every batch has the same
    shape.
    """
    steps = -(-len(X) // parameters["batch_size"])
    order = np.resize(random.permutation(len(X)), steps * parameters["batch_size"])
    rows = X[order]
    # A view: what is done to the values is done to the rows.
    values = rows if rows.ndim == 2 else rows[..., 0]
    if parameters["scale_range"]:
        factors = random.uniform(1 - parameters["scale_range"], 1 + parameters["scale_range"], len(rows))
        values *= factors.astype(np.float32)[:, None]
    if parameters["noise"]:
        noise = parameters["noise"] * random.standard_normal(values.shape, dtype=np.float32)
        values += noise if rows.ndim == 2 or rows.shape[2] == 1 else noise * rows[..., 1]
    shape = (steps, parameters["batch_size"])
    return tuple(values.reshape(*shape, *values.shape[1:]) for values in (rows, y[order], weights[order]))


class Trainer:
    """A compiled network that is trained again and again from new weights, without being compiled again."""

    def __init__(
        self,
        build: Callable[[], keras.Model],
        parameters: Mapping[str, Any],
        network: keras.Model | None = None,
        draw_batches: Callable = make_batches,
        compile_training: Callable = compile_epoch,
        parts: int = 1,
    ):
        """build : makes a network with new weights; network : one of the same variables that trains faster;
        draw_batches, compile_training : see `make_batches` and `compile_epoch`, whose results fit together; parts :
        steps whose gradients are averaged before the weights change."""
        self.build, self.parameters, self.draw_batches = build, parameters, draw_batches
        self.network = network or build()
        self.network.compile(
            optimizer=make_optimizer(parameters, parts),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=parameters["label_smoothing"]),
            weighted_metrics=["accuracy"],
        )
        self.network.optimizer.build(self.network.trainable_variables)
        self.start = [keras.ops.convert_to_numpy(variable) for variable in self.network.optimizer.variables]
        self.run_epoch = compile_training(self.network)

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray,
        watched: np.ndarray,
        watched_y: np.ndarray,
        watched_weights: np.ndarray,
        seed: int,
        start: Sequence[np.ndarray] | None = None,
        stages: Sequence[int] = (),
    ) -> tuple[keras.Model, pd.DataFrame, dict[int, list[np.ndarray]]]:
        """Train from new weights, or from those of `start`, on X (n, ...), y (n, n_classes) one-hot, weights (n,); stop
        and reduce the learning rate by the watched rows, or by the training loss where there are none.

        Without patience all epochs are run and the last weights are kept. Returns an own network with the weights, one
        row per epoch (epoch, loss, accuracy, val_loss, val_accuracy, learning_rate), and the weights after each epoch
        of `stages`. `seed` draws weights, dropout, order and augmentation. Raises DivergedError.
        """
        parameters = self.parameters
        # Keras draws the seeds of weights and dropout from Python's generator. Its own set_random_seed would also make
        # TensorFlow forget the compiled epoch, whose preparation takes longer than many a fit.
        standard_random.seed(seed)
        result = self.build()
        if start is not None:
            result.set_weights(start)
        for ours, fresh in zip(self.network.variables, result.variables, strict=True):
            ours.assign(fresh)
        for variable, value in zip(self.network.optimizer.variables, self.start, strict=True):
            variable.assign(value)
        self.network.stop_training = False
        random = np.random.default_rng(seed)
        prefix = "val_" if len(watched) else ""
        callbacks = keras.callbacks.CallbackList(self._callbacks(prefix), model=self.network)
        average: list[np.ndarray] = []
        kept = {}
        rows = []
        callbacks.on_train_begin()
        for epoch in range(parameters["epochs"]):
            self.network.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            logs, probabilities = self.run_epoch(*self.draw_batches(X, y, weights, parameters, random), watched)
            if len(watched):
                logs |= watched_logs(probabilities, watched_y, watched_weights)
            for name in ("loss", "val_loss"):
                if not np.isfinite(logs.get(name, 0.0)):
                    raise DivergedError(f"epoch {epoch + 1}: the {name} is {logs[name]}")
            rows.append({"epoch": epoch + 1} | logs | {"learning_rate": float(self.network.optimizer.learning_rate)})
            callbacks.on_epoch_end(epoch, logs)
            if parameters.get("averaging") and not parameters["patience"]:
                average = running_average(average, self.network.get_weights(), parameters["averaging"])
            if epoch + 1 in stages:
                kept[epoch + 1] = average or self.network.get_weights()
            if self.network.stop_training:
                break
        callbacks.on_train_end()
        result.set_weights(average or self.network.get_weights())
        return result, pd.DataFrame(rows), kept

    def _callbacks(self, prefix: str) -> list[keras.callbacks.Callback]:
        """What stops the training and reduces the learning rate, where the settings have patience."""
        parameters, callbacks = self.parameters, []
        if parameters["patience"]:
            # Keeps the best weights in memory: a checkpoint on disk takes five times as long as an epoch.
            callbacks.append(
                keras.callbacks.EarlyStopping(
                    prefix + parameters["monitor"],
                    patience=parameters["patience"],
                    mode="max" if parameters["monitor"] == "accuracy" else "min",
                    restore_best_weights=True,
                )
            )
        if parameters["plateau_patience"]:
            callbacks.append(
                keras.callbacks.ReduceLROnPlateau(
                    prefix + "loss",
                    mode="min",
                    factor=0.5,
                    patience=parameters["plateau_patience"],
                    min_lr=parameters["smallest_learning_rate"],
                )
            )
        return callbacks


def make_optimizer(parameters: Mapping[str, Any], parts: int) -> keras.optimizers.Optimizer:
    """Adam, or RMSprop (ρ 0.9) where the settings name it; with `decay` the learning rate is divided by 1 + decay x
    step, so that no callback may reduce it."""
    rate = parameters["learning_rate"]
    if parameters.get("decay"):
        rate = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=parameters["decay"])
    kinds = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}
    kind = kinds[parameters.get("optimizer", "adam")]
    return kind(rate, gradient_accumulation_steps=parts if parts > 1 else None)


def running_average(average: list[np.ndarray], weights: list[np.ndarray], share: float) -> list[np.ndarray]:
    """Exponential moving average of the weights after each epoch, of which `share` is the past (Izmailov et al. 2018,
    UAI, for why it generalises better than the last weights)."""
    if not average:
        return weights
    return [share * past + (1 - share) * new for past, new in zip(average, weights, strict=True)]


def watched_logs(probabilities: np.ndarray, y: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Weighted log loss and accuracy of watched rows: probabilities, y (n, n_classes); weights (n,)."""
    loss = -np.log(np.clip((probabilities * y).sum(axis=1), 1e-7, None))
    right = probabilities.argmax(axis=1) == y.argmax(axis=1)
    return {
        "val_loss": float(np.average(loss, weights=weights)),
        "val_accuracy": float(np.average(right, weights=weights)),
    }
