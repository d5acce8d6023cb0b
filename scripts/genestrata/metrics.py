"""Classification metrics and their 95 % intervals, weighted by sample so that a bootstrap is one matrix product.

A metric is computed on the pooled test predictions of one repeat and averaged over repeats. Every function takes
`weights`, (n_draws, n_samples): ones for the value itself, bootstrap counts for the interval.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

LOG_LOSS_CLIP = 1e-15
ECE_BINS = 10
DRAWS = 1000


@dataclass(frozen=True)
class TestPredictions:
    """Test predictions of one model in one repeat, rows in the order of the samples that were tested.

    codes : (n,) int true class; probabilities : (n, n_classes) float; folds : (n,) int; samples : (n,) int number of
    the sample, by which repeats share bootstrap weights
    """

    __test__ = False

    codes: np.ndarray
    probabilities: np.ndarray
    folds: np.ndarray
    samples: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """Column of the largest probability, (n,) int."""
        return self.probabilities.argmax(axis=1)


def confusion(predictions: TestPredictions, weights: np.ndarray) -> np.ndarray:
    """Weighted confusion matrices (n_draws, true, predicted)."""
    n_classes = predictions.probabilities.shape[1]
    cell = predictions.codes * n_classes + predictions.predicted
    one_hot = np.zeros((len(cell), n_classes**2))
    one_hot[np.arange(len(cell)), cell] = 1.0
    return (weights @ one_hot).reshape(-1, n_classes, n_classes)


def label_metrics(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy, balanced accuracy, macro-F1 and Matthews correlation (Gorodkin 2004) of (n_draws, K, K) confusion
    matrices.

    Classes without a sample are left out of the balanced accuracy; macro-F1 also counts classes that were only
    predicted.
    """
    total = matrices.sum(axis=(1, 2))
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    support, called = matrices.sum(axis=2), matrices.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        recall = hits / support
        f1 = 2 * hits / (support + called)
        numerator = hits.sum(axis=1) * total - (support * called).sum(axis=1)
        denominator = np.sqrt((total**2 - (called**2).sum(axis=1)) * (total**2 - (support**2).sum(axis=1)))
        mcc = np.where(denominator > 0, numerator / denominator, 0.0)
    return {
        "accuracy": hits.sum(axis=1) / total,
        "balanced_accuracy": _mean_of_finite(recall),
        "macro_f1": _mean_of_finite(f1),
        "mcc": mcc,
    }


def probability_metrics(predictions: TestPredictions, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Log loss, Brier score and expected calibration error for each draw of weights.

    Brier is the mean squared distance to the one-hot truth, halved for two classes (as scikit-learn does); ECE compares
    the confidence of the call with its accuracy in ten bins of equal mass.
    """
    probabilities, rows = predictions.probabilities, np.arange(len(predictions.codes))
    total = weights.sum(axis=1)
    # 0.0 - keeps a perfect prediction from being printed as -0.0.
    log_losses = 0.0 - np.log(np.clip(probabilities[rows, predictions.codes], LOG_LOSS_CLIP, None))
    one_hot = np.zeros_like(probabilities)
    one_hot[rows, predictions.codes] = 1.0
    squares = ((probabilities - one_hot) ** 2).sum(axis=1)
    if probabilities.shape[1] == 2:
        squares /= 2
    gap = np.zeros(len(weights))
    confidence = probabilities.max(axis=1)
    surprise = (predictions.predicted == predictions.codes) - confidence
    for members in equal_mass_bins(confidence):
        gap += np.abs(weights[:, members] @ surprise[members])
    return {"log_loss": weights @ log_losses / total, "brier": weights @ squares / total, "ece": gap / total}


def equal_mass_bins(confidence: np.ndarray) -> list[np.ndarray]:
    """Row numbers of ECE_BINS bins of (nearly) equal size by rising confidence.

    Equal confidences, which small trees and the baseline give, share a bin: the order of rows must not matter.
    """
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(np.arange(len(order)), min(ECE_BINS, len(order)))
    bin_of_place = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    ranked = confidence[order]
    middle = (np.searchsorted(ranked, ranked, side="left") + np.searchsorted(ranked, ranked, side="right") - 1) // 2
    bins = bin_of_place[middle]
    return [order[bins == number] for number in np.unique(bins)]


def class_auc(predictions: TestPredictions, weights: np.ndarray) -> tuple[np.ndarray, bool]:
    """One-against-rest area under the ROC curve, (n_draws, n_classes), and whether any class had to be pooled over
    folds.

    Averaged over the folds in which the class and others occur; where there is none, over all folds pooled; NaN for a
    class that was never tested.
    """
    n_classes = predictions.probabilities.shape[1]
    areas = np.full((len(weights), n_classes), np.nan)
    pooled = False
    for code in range(n_classes):
        is_class = predictions.codes == code
        folds = [fold for fold in np.unique(predictions.folds) if 0 < is_class[predictions.folds == fold].mean() < 1]
        parts = [predictions.folds == fold for fold in folds]
        if not parts and 0 < is_class.mean() < 1:
            parts, pooled = [np.ones(len(is_class), dtype=bool)], True
        if parts:
            per_fold = [
                _weighted_auc(predictions.probabilities[part, code], is_class[part], weights[:, part]) for part in parts
            ]
            areas[:, code] = _mean_of_finite(np.stack(per_fold, axis=1))
    return areas, pooled


def _weighted_auc(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted share of (positive, negative) pairs in the right order, ties half, for each draw; NaN without pairs."""
    above = scores[positive][:, None] - scores[~positive][None, :]
    ordered = (above > 0) + 0.5 * (above == 0)
    heavy, light = weights[:, positive], weights[:, ~positive]
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((heavy @ ordered) * light).sum(axis=1) / (heavy.sum(axis=1) * light.sum(axis=1))


def _mean_of_finite(values: np.ndarray) -> np.ndarray:
    """Mean over the second axis of finite values, NaN where there is none."""
    finite = np.isfinite(values)
    count = finite.sum(axis=1)
    return np.where(count > 0, np.where(finite, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def all_metrics(repeats: Sequence[TestPredictions], weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every headline metric averaged over repeats, (n_draws,) each; weights : (n_draws, number of samples)."""
    per_repeat = []
    for predictions in repeats:
        drawn = weights[:, predictions.samples]
        areas, _ = class_auc(predictions, drawn)
        per_repeat.append(
            label_metrics(confusion(predictions, drawn))
            | {"roc_auc_ovr": _mean_of_finite(areas)}
            | probability_metrics(predictions, drawn)
        )
    return {name: np.mean([values[name] for values in per_repeat], axis=0) for name in per_repeat[0]}


def bootstrap_weights(codes: np.ndarray, groups: np.ndarray | None, seed: int, draws: int = DRAWS) -> np.ndarray:
    """Counts of each sample in `draws` bootstrap samples, (draws, n_samples), stratified by class.

    codes : (n_samples,) int; groups : (n_samples,) labels of units that are drawn whole, or None to draw samples.
    """
    random = np.random.default_rng(seed)
    unit = np.arange(len(codes)) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_units = unit.max() + 1
    # The stratum of a unit is the class of most of its samples.
    counts = np.zeros((n_units, codes.max() + 1))
    np.add.at(counts, (unit, codes), 1)
    stratum = counts.argmax(axis=1)
    weights = np.zeros((draws, n_units))
    for code in np.unique(stratum):
        members = np.flatnonzero(stratum == code)
        weights[:, members] = random.multinomial(len(members), np.full(len(members), 1 / len(members)), size=draws)
    return weights[:, unit]


def wilson_interval(hits: int, n: int) -> list[float]:
    """95 % interval of a share, [low, high] (Wilson 1927, JASA 22:209)."""
    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return [float(interval.low), float(interval.high)]


def paired_entry(value: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    """A metric, or a difference of two from the same weights, as {value, ci95}; value : (1,); draws : (n_draws,)."""
    return {"value": float(value[0]), "ci95": np.nanpercentile(draws, [2.5, 97.5]).tolist()}


def intervals(
    repeats: Sequence[TestPredictions], weights: np.ndarray, n_samples: int, single_split: bool
) -> dict[str, dict[str, Any]]:
    """Each metric as {value, ci95}: percentile bootstrap, Wilson for the accuracy on a single split."""
    values = all_metrics(repeats, np.ones((1, n_samples)))
    draws = all_metrics(repeats, weights)
    table: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        finite = draws[name][np.isfinite(draws[name])]
        if name == "ece" and len(finite):
            # A bootstrap sample is coarser than the sample and its ECE larger by chance: take that bias out.
            finite = np.clip(finite - finite.mean() + value[0], 0.0, None)
        bounds = np.percentile(finite, [2.5, 97.5]).tolist() if len(finite) else [None, None]
        table[name] = {"value": float(value[0]), "ci95": bounds}
    if single_split:
        hits = int(np.sum(repeats[0].predicted == repeats[0].codes))
        table["accuracy"]["ci95"] = wilson_interval(hits, len(repeats[0].codes))
    return table


def per_class(
    repeats: Sequence[TestPredictions], classes: Sequence[str], n_samples: int
) -> dict[str, Mapping[str, Any]]:
    """Precision, recall, F1 and one-against-rest ROC-AUC of each class, means over repeats; support per repeat."""
    ones = np.ones((1, n_samples))
    tables = []
    for predictions in repeats:
        drawn = ones[:, predictions.samples]
        matrix = confusion(predictions, drawn)[0]
        support, called, hits = matrix.sum(axis=1), matrix.sum(axis=0), np.diagonal(matrix)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(called > 0, hits / called, 0.0)
            recall = np.where(support > 0, hits / support, np.nan)
            f1 = np.where(support + called > 0, 2 * hits / (support + called), np.nan)
        tables.append(np.stack([precision, recall, f1, class_auc(predictions, drawn)[0][0], support]))
    means = np.mean(tables, axis=0)
    names = ("precision", "recall", "f1", "roc_auc", "support")
    result = {label: dict(zip(names, map(float, means[:, code]), strict=True)) for code, label in enumerate(classes)}
    for entry in result.values():
        entry["support"] = round(entry["support"])
    return result
