"""Figures of `genestrata.generalisation`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genestrata.appearance import look
from genestrata.drawing import figure
from genestrata.models.registry import model_title


def plot_cv_against_test(table: Mapping[str, Mapping[str, Any]], stem: str | Path, note: str = "") -> None:
    """Inner against test score: each fold of each model small, its mean large; below the line the inner score was too
    kind."""
    models = [model for model in table if model != "majority"]
    points = [fold[part] for model in models for fold in table[model]["folds"] for part in ("inner", "test")]
    limits = (max(0.0, min(points) - 0.05), min(1.0, max(points) + 0.03))
    with figure(stem, 6.4, 4.4, note) as (_, axes):
        axes.plot([0, 1], [0, 1], color="#999999", linestyle=":", linewidth=1)
        for number, model in enumerate(models):
            entry, style = table[model], dict(zip(("color", "marker"), look(number), strict=True))
            folds = entry["folds"]
            inner, test = ([fold[part] for fold in folds] for part in ("inner", "test"))
            axes.scatter(inner, test, s=18, alpha=0.35, linewidths=0, **style)
            axes.scatter(entry["inner"], entry["test"], s=70, edgecolors="black", label=model_title(model), **style)
        axes.set(
            xlabel="Balanced accuracy in the inner folds",
            ylabel="Balanced accuracy on the test part",
            title="Cross-validation inside the training part against test",
            xlim=limits,
            ylim=limits,
        )
        axes.set_aspect("equal")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, title="Large: mean of the folds")


def plot_accuracy_by_identity(
    table: Mapping[str, Sequence[Mapping[str, Any]]], stem: str | Path, note: str = ""
) -> None:
    """Accuracy of every model against the identity of a test sequence to its nearest training sequence."""
    models = [model for model in table if model != "majority"]
    sizes = {(entry["from"], entry["to"]): entry["n"] for model in models for entry in table[model]}
    bins = sorted(sizes)
    with figure(stem, 6.8, 4.2, note) as (_, axes):
        for number, model in enumerate(models):
            entries = {(entry["from"], entry["to"]): entry for entry in table[model]}
            places = [place for place, limits in enumerate(bins) if limits in entries]
            # Side by side, so that the intervals of one bin can be told apart.
            shifted = [place + 0.6 * ((number + 0.5) / len(models) - 0.5) for place in places]
            values = [entries[bins[place]] for place in places]
            errors = [
                [max(0.0, entry["accuracy"] - entry["ci95"][0]) for entry in values],
                [max(0.0, entry["ci95"][1] - entry["accuracy"]) for entry in values],
            ]
            shade, marker = look(number)
            axes.errorbar(
                shifted,
                [entry["accuracy"] for entry in values],
                yerr=errors,
                fmt=marker,
                color=shade,
                markersize=5,
                linewidth=1.2,
                label=model_title(model),
            )
        labels = [f"{'below' if low == 0 else f'{low:g} to'} {high:g}\nn = {sizes[low, high]}" for low, high in bins]
        axes.set_xticks(range(len(bins)), labels)
        axes.set(
            xlabel="Identity to the nearest training sequence (test sequences)",
            ylabel="Accuracy with 95 % interval",
            title="Accuracy by distance from the training part",
            ylim=(-0.02, 1.02),
        )
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
