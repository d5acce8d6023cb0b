"""The figures of a study."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_curve

from genestrata.appearance import MOST_COLOURS, PALETTE, colour, line_style, look
from genestrata.drawing import STYLE, figure, save
from genestrata.metrics import TestPredictions, equal_mass_bins
from genestrata.models.registry import model_title
from genestrata.naming import readable, slug

# Genes of a map of genes and classes.
MAP_GENES = 50


def plot_confusion(matrix: pd.DataFrame, title: str, stem: str | Path, note: str = "") -> None:
    """Confusion matrix as a heat map of recall with counts; rows true, columns predicted.

    Of many classes the cells are small and hold a count alone, those without a sample nothing.
    """
    n_classes = len(matrix)
    many = n_classes > MOST_COLOURS
    counts = matrix.to_numpy()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
    size = 2.4 + (0.3 if many else 0.6) * n_classes
    with figure(stem, size + 0.8, size, note) as (drawing, axes):
        image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(counts.shape):
            if many and counts[row, column] == 0:
                continue
            count = f"{round(counts[row, column], 1):g}"
            axes.text(
                column,
                row,
                count if many else f"{count}\n{share[row, column]:.0%}",
                ha="center",
                va="center",
                fontsize=7 if many else 8,
                color="white" if share[row, column] > 0.5 else "black",
            )
        axes.set_xticks(range(n_classes), matrix.columns, rotation=90 if many else 45 if n_classes > 3 else 0)
        axes.set_yticks(range(n_classes), matrix.index)
        axes.set(xlabel="Predicted", ylabel="True", title=title)
        axes.spines[:].set_visible(False)
        drawing.colorbar(image, ax=axes, label="Share of the true class", shrink=0.8)


def pooled_scores(repeats: Sequence[TestPredictions], code: int) -> tuple[np.ndarray, np.ndarray]:
    """Which samples are of one class, and its probabilities, over folds and repeats."""
    positive = np.concatenate([part.codes == code for part in repeats])
    return positive, np.concatenate([part.probabilities[:, code] for part in repeats])


def draw_curves(axes: Axes, curves: Mapping[str, Sequence[np.ndarray]]) -> None:
    """Lines in the unit square, label to x and y."""
    for number, (label, (x, y)) in enumerate(curves.items()):
        shade, style = colour(number), line_style(number)
        axes.plot(x, y, linestyle=style, color=shade, label=label, linewidth=1.6, alpha=0.9)
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_aspect("equal")


def roc_points(repeats: Sequence[TestPredictions], code: int) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates of one class against the rest, pooled over folds and repeats."""
    false_rate, true_rate, _ = roc_curve(*pooled_scores(repeats, code))
    return false_rate, true_rate


def plot_roc(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str, stem: str | Path, note: str = "") -> None:
    """ROC curves, label (with its area) to false and true positive rates."""
    many = len(curves) > MOST_COLOURS
    with figure(stem, 7.2 if many else 5.2, 4.4, note) as (_, axes):
        axes.plot([0, 1], [0, 1], color="#999999", linestyle=":", linewidth=1)
        draw_curves(axes, curves)
        axes.set(xlabel="False positive rate", ylabel="True positive rate", title=title)
        beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if many else {"loc": "lower right"}
        axes.legend(fontsize=7, **beside)


def precision_recall_points(repeats: Sequence[TestPredictions], code: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Recall and precision of one class against the rest, pooled over folds and repeats, and the average precision."""
    pooled = pooled_scores(repeats, code)
    precision, recall, _ = precision_recall_curve(*pooled)
    return recall, precision, float(average_precision_score(*pooled))


def plot_precision_recall(
    curves: Mapping[str, Sequence[np.ndarray]], title: str, stem: str | Path, note: str = ""
) -> None:
    """Precision-recall curves, label (with its average precision) to recall and precision."""
    with figure(stem, 6.4, 4.4, note) as (_, axes):
        draw_curves(axes, curves)
        axes.set(xlabel="Recall", ylabel="Precision", title=title)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, title="Average precision")


def reliability(repeats: Sequence[TestPredictions]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence, accuracy and size of the bins of equal mass, pooled over repeats."""
    confidence = np.concatenate([part.probabilities.max(axis=1) for part in repeats])
    right = np.concatenate([part.predicted == part.codes for part in repeats])
    bins = equal_mass_bins(confidence)
    points = [(confidence[members].mean(), right[members].mean(), len(members)) for members in bins]
    return tuple(np.array(points).T)


def plot_calibration(
    series: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], title: str, stem: str | Path, note: str = ""
) -> None:
    """Reliability diagram: accuracy of calls against their confidence; series : label to what `reliability` returns."""
    with figure(stem, 4.8, 4.4, note) as (_, axes):
        axes.plot([0, 1], [0, 1], color="#999999", linestyle=":", linewidth=1, label="perfect")
        for number, (label, (confidence, accuracy, _)) in enumerate(series.items()):
            shade, marker = look(number)
            axes.plot(confidence, accuracy, color=shade, marker=marker, markersize=5, label=label)
        lowest = min(min(confidence.min(), accuracy.min()) for confidence, accuracy, _ in series.values())
        limits = (max(0.0, lowest - 0.05), 1.02)
        axes.set(xlabel="Confidence of the call", ylabel="Accuracy", title=title, xlim=limits, ylim=limits)
        axes.legend(loc="best", fontsize=8)


def plot_scores(metrics: Mapping[str, Any], metric: str, label: str, stem: str | Path, note: str = "") -> None:
    """One metric of every model with its interval, best on top, the selected model named."""
    models = sorted(metrics["models"], key=lambda name: metrics["models"][name][metric]["value"])
    with figure(stem, 5.6, 0.8 + 0.34 * len(models), note) as (_, axes):
        for row, name in enumerate(models):
            entry = metrics["models"][name][metric]
            chosen = name == metrics["selected"]
            shade = PALETTE[1] if chosen else PALETTE[0]
            axes.plot(entry["ci95"], [row, row], color=shade, linewidth=2, solid_capstyle="butt")
            axes.plot(entry["value"], row, marker="o", color=shade, markersize=6)
        names = [f"{model_title(name)}{' (selected)' if name == metrics['selected'] else ''}" for name in models]
        axes.set_yticks(range(len(models)), names)
        axes.axvline(1 / len(metrics["classes"]), color="#999999", linestyle=":", linewidth=1)
        axes.set(xlabel=f"{label} with 95 % interval (dotted: guessing)", ylim=(-0.6, len(models) - 0.4))
        axes.grid(axis="x", color="#EEEEEE")
        axes.set_axisbelow(True)


def add_epochs(tuning: pd.DataFrame) -> pd.DataFrame:
    """The tuning table with the epochs of each setting, missing for models that have none."""
    return tuning.assign(epochs=[json.loads(parameters).get("epochs") for parameters in tuning["parameters"]])


def tuning_curves(tuning: pd.DataFrame, size: str = "k") -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Model to numbers of genes (or another column `size`) and inner balanced accuracy, the best other parameters at
    each, mean over folds.

    Networks, whose number of genes another model chose, are left out unless nothing else was tuned.
    """
    models = tuning[~tuning["model"].isin(["majority", "stack"]) & tuning[size].notna()]
    tried = models.groupby(["model", "repeat", "fold"], observed=True)[size].nunique().groupby("model").max()
    searched = tried.index[tried > 1] if (tried > 1).any() else tried.index
    curves = {}
    for model, rows in models[models["model"].isin(searched)].groupby("model", sort=False):
        scores = rows.groupby(["repeat", "fold", size], observed=True)["inner_balanced_accuracy"].max()
        means = scores.groupby(size).mean()
        curves[model] = (means.index.to_numpy(), means.to_numpy())
    return curves


def plot_tuning(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], xlabel: str, stem: str | Path, note: str = ""
) -> None:
    """Inner balanced accuracy against the number of features kept, one line per model."""
    with figure(stem, 5.6, 4.0, note) as (_, axes):
        for number, (model, (sizes, scores)) in enumerate(curves.items()):
            shade, marker = look(number)
            axes.plot(sizes, scores, color=shade, marker=marker, markersize=5, label=model_title(model))
        ticks = sorted({int(size) for sizes, _ in curves.values() for size in sizes})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [str(size) for size in ticks])
        axes.minorticks_off()
        axes.set(xlabel=xlabel, ylabel="Inner balanced accuracy")
        axes.grid(axis="y", color="#EEEEEE")
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


def plot_scatter(
    points: np.ndarray, labels: Sequence[str], xlabel: str, ylabel: str, title: str, stem: str | Path, note: str = ""
) -> None:
    """Two-dimensional map of samples, one colour and marker per label; points : (n_samples, 2)."""
    labels = np.asarray(labels, dtype=str)
    classes = np.unique(labels)
    with figure(stem, 7.6 if len(classes) > MOST_COLOURS else 6.0, 4.2, note) as (_, axes):
        for number, label in enumerate(classes):
            rows = labels == label
            shade, marker = look(number)
            axes.scatter(
                *points[rows].T,
                s=26,
                color=shade,
                marker=marker,
                label=f"{label} ({rows.sum()})",
                alpha=0.85,
                linewidths=0,
            )
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def plot_explained_variance(share: np.ndarray, chosen: int, stem: str | Path, note: str = "") -> None:
    """Share of variance of each principal component and its sum; `chosen` components are used."""
    share = share[: max(30, chosen + 5)]
    with figure(stem, 6.4, 3.6, note) as (_, axes):
        number = np.arange(1, len(share) + 1)
        axes.bar(number, share, color=PALETTE[5], label="component")
        axes.plot(number, np.cumsum(share), color=PALETTE[0], marker="o", markersize=3, label="sum")
        axes.axvline(chosen, color=PALETTE[1], linestyle="--", linewidth=1, label=f"{chosen} components used")
        axes.set(xlabel="Principal component", ylabel="Share of variance", ylim=(0, 1.02))
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def plot_bars(
    values: pd.Series, xlabel: str, title: str, stem: str | Path, signed: bool = False, note: str = ""
) -> None:
    """Horizontal bars, the first on top; `signed` colours negative values differently."""
    with figure(stem, 5.6, 1.0 + 0.21 * len(values), note) as (_, axes):
        shades = [PALETTE[1] if signed and value < 0 else PALETTE[0] for value in values]
        axes.barh(range(len(values)), values, color=shades)
        axes.set_yticks(range(len(values)), values.index, fontsize=7)
        axes.invert_yaxis()
        axes.set(xlabel=xlabel, title=title)


def plot_shap_bar(
    ranks: pd.DataFrame,
    classes: Sequence[str],
    markers: Mapping[str, str],
    title: str,
    stem: str | Path,
    note: str = "",
) -> None:
    """Mean absolute SHAP of the 20 strongest genes, stacked over classes, of many classes only the sum."""
    wide = ranks[ranks["class"].isin(classes)].pivot(index="feature", columns="class", values="mean_abs_shap").fillna(0)
    wide = wide.loc[wide.sum(axis=1).sort_values(ascending=False, kind="stable").index[:20]]
    summed = len(classes) > MOST_COLOURS
    if summed:
        classes = ["all"]
        wide = wide.sum(axis=1).to_frame("all")
    with figure(stem, 5.6, 1.0 + 0.22 * len(wide), note) as (_, axes):
        left = np.zeros(len(wide))
        for number, label in enumerate(classes):
            axes.barh(range(len(wide)), wide[label], left=left, color=colour(number), label=label)
            left += wide[label].to_numpy()
        axes.set_yticks(range(len(wide)), [readable(feature, markers) for feature in wide.index], fontsize=7)
        axes.invert_yaxis()
        over = ", sum over classes" if summed else ""
        axes.set(xlabel=f"Mean |SHAP| over held-out samples{over}", title=title)
        if len(classes) > 1:
            axes.legend(fontsize=7, loc="lower right")


def plot_class_map(
    ranks: pd.DataFrame,
    column: str,
    classes: Sequence[str],
    markers: Mapping[str, str],
    label: str,
    title: str,
    stem: str | Path,
    note: str = "",
) -> None:
    """Genes and classes as a heat map: of each class its best genes, class after class, each gene once.

    ranks : class, feature, rank and a `column` of signed values, which `label` names
    """
    per_class = max(1, MAP_GENES // len(classes))
    wide = ranks.pivot(index="feature", columns="class", values=column).fillna(0)[list(classes)]
    best = ranks[ranks["rank"] <= per_class].sort_values("rank")
    genes = list(dict.fromkeys(gene for name in classes for gene in best.loc[best["class"] == name, "feature"]))
    values = wide.loc[genes].to_numpy()
    largest = max(float(np.abs(values).max()), 1e-12)
    with figure(stem, 3.0 + 0.22 * len(classes), 1.8 + 0.17 * len(genes), note) as (drawing, axes):
        image = axes.imshow(values, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
        axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
        axes.set_yticks(range(len(genes)), [readable(gene, markers) for gene in genes], fontsize=7)
        axes.set_title(title)
        axes.spines[:].set_visible(False)
        drawing.colorbar(image, ax=axes, label=label, shrink=0.5)


def plot_shap_beeswarm(
    values: pd.DataFrame,
    ranks: pd.DataFrame,
    label: str,
    markers: Mapping[str, str],
    title: str,
    folder: Path,
    note: str = "",
) -> None:
    """SHAP's beeswarm of one class: a point per held-out sample, colour the value of the gene."""
    import shap

    top = ranks.loc[ranks["class"] == label, "feature"].head(15).tolist()
    rows = values[(values["class"] == label) & values["feature"].isin(top)]
    index = ["repeat", "fold", "sample"]
    effect, value = (
        rows.pivot(index=index, columns="feature", values=name)[top].fillna(0).to_numpy() for name in ("shap", "value")
    )
    explanation = shap.Explanation(effect, data=value, feature_names=[readable(feature, markers) for feature in top])
    with plt.rc_context(STYLE):
        drawing = plt.figure()
        axes = drawing.gca()
        # The positions of points are jittered from NumPy's global state.
        np.random.seed(0)  # noqa: NPY002
        shap.plots.beeswarm(
            explanation, ax=axes, max_display=len(top), show=False, plot_size=None, group_remaining_features=False
        )
        drawing.set_size_inches(6.4, 1.4 + 0.28 * len(top))
        axes.tick_params(labelsize=7)
        for other in drawing.axes[1:]:
            other.tick_params(labelsize=7)
            other.set_ylabel("Value", fontsize=8)
        axes.set_xlabel("SHAP value of held-out samples", fontsize=8)
        axes.set_title(title)
        save(drawing, folder / f"beeswarm_{slug(label)}", note)


def plot_weights(
    weights: pd.DataFrame, markers: Mapping[str, str], title: str, folder: Path, linear: bool, note: str = ""
) -> None:
    """The 25 largest coefficients towards each class, or importances, of a model fitted on all samples; of many classes
    a map of the genes with the largest ones."""
    if weights["class"].nunique() > MOST_COLOURS:
        # The largest stand first within a class.
        ranks = weights.assign(rank=weights.groupby("class", sort=False).cumcount() + 1)
        heading, stem = f"{title}, fitted on all samples", folder / "coefficients"
        plot_class_map(ranks, "weight", list(weights["class"].unique()), markers, "Coefficient", heading, stem, note)
        return
    for label, rows in weights.groupby("class", sort=False):
        rows = rows[rows["weight"] != 0].head(25)
        values = pd.Series(rows["weight"].to_numpy(), index=[readable(name, markers) for name in rows["feature"]])
        # Two classes have one set of coefficients, trees one of importances.
        suffix = f"_{slug(label)}" if weights["class"].nunique() > 1 else ""
        name, xlabel = ("coefficients", f"Coefficient (towards {label})") if linear else ("importances", "Importance")
        plot_bars(values, xlabel, f"{title}, fitted on all samples", folder / f"{name}{suffix}", linear, note)


def plot_tree(model: Any, markers: Mapping[str, str], stem: str | Path, note: str = "") -> None:
    """A decision tree as scikit-learn draws it; thresholds are in standard deviations of the gene."""
    from sklearn.tree import plot_tree as draw_tree

    depth, leaves = model.estimator.get_depth(), model.estimator.get_n_leaves()
    with figure(stem, max(5.0, 1.8 * leaves), 1.6 + 1.3 * depth, note) as (_, axes):
        draw_tree(
            model.estimator,
            feature_names=[readable(feature, markers) for feature in model.features],
            class_names=[model.classes[code] for code in model.class_codes],
            filled=True,
            impurity=False,
            proportion=True,
            precision=2,
            fontsize=8,
            ax=axes,
        )
        axes.set_title("Decision tree fitted on all samples (thresholds in standard deviations)")
