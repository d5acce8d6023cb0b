"""Epochs of all fits of a network as one curve and its figure."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from genestrata.appearance import colour
from genestrata.drawing import STYLE, save

# What is drawn: the rows that are fitted and those that are only watched.
CURVES = {
    "loss": ("loss", "val_loss"),
    "accuracy": ("accuracy", "val_accuracy"),
}


# Epochs that fewer fits reach are not drawn: the curve would be that of a few stragglers.
SMALLEST_SHARE = 0.1


def summarise_epochs(epochs: pd.DataFrame) -> pd.DataFrame:
    """Median and 10th and 90th percentile of every logged value over the fits that reach an epoch.

    epochs : rows of epochs.tsv. Returns quantity, epoch, fits, low, median, high.
    """
    names = [name for pair in CURVES.values() for name in pair if name in epochs]
    long = epochs.melt(id_vars="epoch", value_vars=names, var_name="quantity").dropna(subset="value")
    grouped = long.groupby(["quantity", "epoch"])["value"]
    table = grouped.quantile([0.1, 0.5, 0.9]).unstack().set_axis(["low", "median", "high"], axis="columns")
    table.insert(0, "fits", grouped.count())
    return table.reset_index()


def plot_training(curves: pd.DataFrame, title: str, stem: str | Path, note: str = "") -> None:
    """Loss and accuracy of a network over its epochs; curves : what `summarise_epochs` returns."""
    drawn = curves[curves["fits"] >= SMALLEST_SHARE * curves["fits"].max()]
    with plt.rc_context(STYLE):
        drawing, both = plt.subplots(1, 2, figsize=(8.0, 3.4), layout="constrained")
        for axes, (quantity, names) in zip(both, CURVES.items(), strict=True):
            for number, (name, label) in enumerate(zip(names, ("fitted rows", "watched rows"), strict=True)):
                rows = drawn[drawn["quantity"] == name]
                if rows.empty:
                    continue
                marker = "o" if len(rows) == 1 else None
                shade = colour(number)
                axes.plot(rows["epoch"], rows["median"], color=shade, linewidth=1.6, marker=marker, label=label)
                axes.fill_between(rows["epoch"], rows["low"], rows["high"], color=shade, alpha=0.15, linewidth=0)
            axes.set(xlabel="Epoch", ylabel=quantity.capitalize())
            axes.grid(axis="y", color="#EEEEEE")
            axes.set_axisbelow(True)
        both[0].set_ylim(bottom=0)
        both[1].set_ylim(0, 1.02)
        both[1].legend(fontsize=8, loc="lower right")
        drawing.suptitle(f"{title}, median and 10 to 90 % of {curves['fits'].max()} fits", fontsize=10)
        save(drawing, stem, note)
