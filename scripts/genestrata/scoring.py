"""The score inside the training part, by which settings and the headline model are chosen."""

import numpy as np

from genestrata.calibration import SMALLEST_PROBABILITY, apply_temperature, fit_temperature


def balanced_accuracy(codes: np.ndarray, predicted: np.ndarray) -> float:
    """Mean recall over the classes that occur; codes, predicted : (n_samples,) int."""
    support = np.bincount(codes)
    hits = np.bincount(codes[codes == predicted], minlength=len(support))
    return float((hits[support > 0] / support[support > 0]).mean())


def inner_score(probabilities: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """Score of out-of-fold predictions: balanced accuracy, then the log loss after temperature scaling (less is
    better).

    On a small training part many settings make the same few errors; the calibrated log loss separates them.
    """
    calibrated = apply_temperature(probabilities, fit_temperature(probabilities, codes))
    truth = np.clip(calibrated[np.arange(len(codes)), codes], SMALLEST_PROBABILITY, None)
    return balanced_accuracy(codes, probabilities.argmax(axis=1)), float((0.0 - np.log(truth)).mean())
