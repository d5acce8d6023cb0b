"""Temperature scaling of class probabilities (Guo et al. 2017, ICML) and the confidence below which no call is made."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

# A probability of 0 or 1 from a small tree is not evidence without limit.
SMALLEST_PROBABILITY = 1e-6
# Accuracy that called samples should reach on out-of-fold predictions.
TARGET_ACCURACY = 0.95
LOG_TEMPERATURE_RANGE = (np.log(0.05), np.log(20.0))


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(log p / temperature), (n_samples, n_classes); above 1 softens, the order of classes stays."""
    logits = np.log(np.clip(probabilities, SMALLEST_PROBABILITY, None))
    return np.exp(log_softmax(logits / temperature, axis=1))


def fit_temperature(probabilities: np.ndarray, codes: np.ndarray) -> float:
    """Temperature of the least log loss on out-of-fold predictions.

    probabilities : (n_samples, n_classes); codes : (n_samples,) int, the column of the true class. Deterministic.
    The targets are smoothed as in Platt 1999: a class of n samples aims at (n + 1) / (n + 2), so that a small training
    part without an error does not make the model certain of everything.
    """
    logits = np.log(np.clip(probabilities, SMALLEST_PROBABILITY, None))
    n_classes = probabilities.shape[1]
    doubt = 1 / (np.bincount(codes, minlength=n_classes)[codes] + 2)
    targets = np.repeat(doubt[:, None] / max(n_classes - 1, 1), n_classes, axis=1)
    targets[np.arange(len(codes)), codes] = 1 - doubt

    def loss(log_temperature: float) -> float:
        return float(-(targets * log_softmax(logits / np.exp(log_temperature), axis=1)).sum(axis=1).mean())

    return float(np.exp(minimize_scalar(loss, bounds=LOG_TEMPERATURE_RANGE, method="bounded").x))


def choose_threshold(probabilities: np.ndarray, codes: np.ndarray) -> float:
    """Smallest confidence at which out-of-fold calls reach TARGET_ACCURACY while half of the samples are still called.

    Where no such confidence exists, the one that leaves half of the samples called.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == codes
    order = np.argsort(-confidence, kind="stable")
    accuracy = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    half = (len(order) + 1) // 2
    # A threshold calls all samples of equal confidence or none, so it can only stand at the last of them.
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)
    places = np.flatnonzero(last_of_equals[half - 1 :]) + half - 1
    enough = places[accuracy[places] >= TARGET_ACCURACY]
    last = enough[-1] if len(enough) else places[0]
    # Everything is called where the target is met by all.
    return 0.0 if last == len(order) - 1 else float(confidence[order][last])


@dataclass(frozen=True)
class Calibration:
    """What out-of-fold predictions teach about a model: temperature (None leaves probabilities alone), threshold."""

    temperature: float | None
    threshold: float

    @classmethod
    def fit(cls, probabilities: np.ndarray, codes: np.ndarray, method: str) -> "Calibration":
        """Fit on out-of-fold probabilities (n_samples, n_classes), codes (n_samples,); method : temperature or none."""
        temperature = fit_temperature(probabilities, codes) if method == "temperature" else None
        fitted = cls(temperature, threshold=0.0)
        return cls(temperature, choose_threshold(fitted.apply(probabilities), codes))

    def apply(self, probabilities: np.ndarray) -> np.ndarray:
        """Calibrated probabilities, (n_samples, n_classes)."""
        return probabilities if self.temperature is None else apply_temperature(probabilities, self.temperature)
