"""Figures of gene sets: maps of the samples on each set, and V-measures among those of random sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from scipy.stats import gaussian_kde

from genestrata.appearance import LINE_STYLES, colour, look
from genestrata.drawing import STYLE, save

MOST_COLUMNS = 3
# Entries of a legend that fit below each other beside a row of panels.
LEGEND_ROWS = 16
# Points at which a density is drawn.
GRID = 200


def plot_maps(
    maps: Mapping[str, np.ndarray], labels: Sequence[str], axis: str, stem: str | Path, note: str = ""
) -> None:
    """One panel per gene set with the samples by label, one legend for all; maps : title to (n_samples, 2) points, axis
    : what the axes are called, with their number behind."""
    labels = np.asarray(labels, dtype=str)
    classes = np.unique(labels)
    n_columns = min(len(maps), MOST_COLUMNS)
    n_rows = -(-len(maps) // n_columns)
    legend_columns = -(-len(classes) // (LEGEND_ROWS * n_rows))
    with plt.rc_context(STYLE):
        size = (3.0 * n_columns + 1.8 * legend_columns, 2.9 * n_rows)
        drawing, panels = plt.subplots(n_rows, n_columns, figsize=size, layout="constrained", squeeze=False)
        for axes, (title, points) in zip(panels.flat, maps.items(), strict=False):
            for number, label in enumerate(classes):
                shade, marker = look(number)
                rows = labels == label
                axes.scatter(*points[rows].T, s=22, color=shade, marker=marker, alpha=0.85, linewidths=0, label=label)
            axes.set(title=title, xlabel=f"{axis} 1", ylabel=f"{axis} 2")
            axes.set_xticks([])
            axes.set_yticks([])
        for axes in panels.flat[len(maps) :]:
            axes.set_visible(False)
        handles, _ = panels.flat[0].get_legend_handles_labels()
        names = [f"{label} ({(labels == label).sum()})" for label in classes]
        drawing.legend(handles, names, loc="outside right center", fontsize=7, ncols=legend_columns, markerscale=1.1)
        save(drawing, stem, note)


class NullPanel(NamedTuple):
    """One panel of `plot_nulls`: V-measures of random sets by their name, and named values among them."""

    title: str
    nulls: Mapping[str, np.ndarray]
    values: Mapping[str, float]


def plot_nulls(panels: Sequence[NullPanel], stem: str | Path, note: str = "") -> None:
    """Densities of the V-measures of random sets over light histograms, with a line per named value."""
    n_columns = min(len(panels), 2)
    n_rows = -(-len(panels) // n_columns)
    with plt.rc_context(STYLE):
        size = (5.4 * n_columns, 3.0 * n_rows)
        drawing, grid = plt.subplots(n_rows, n_columns, figsize=size, layout="constrained", squeeze=False)
        # A set has the same line in every panel.
        names = list(dict.fromkeys(name for panel in panels for name in panel.values))
        for axes, panel in zip(grid.flat, panels, strict=False):
            draw_null(axes, panel, names)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        save(drawing, stem, note)


def draw_null(axes: Axes, panel: NullPanel, names: Sequence[str]) -> None:
    """One panel of `plot_nulls`; names : of the lines of all panels."""
    found = np.concatenate([*panel.nulls.values(), np.array(list(panel.values.values()))])
    margin = 0.1 * np.ptp(found) or 0.05
    limits = (found.min() - margin, found.max() + margin)
    for number, (name, null) in enumerate(panel.nulls.items()):
        style = LINE_STYLES[number % len(LINE_STYLES)]
        axes.hist(null, bins=15, density=True, color="#DDDDDD", alpha=0.7)
        if null.std() > 1e-9:
            grid = np.linspace(*limits, GRID)
            axes.plot(grid, gaussian_kde(null)(grid), color="#666666", linewidth=1.5, linestyle=style, label=name)
        else:
            # Equal values have no density; the histogram is one bar.
            axes.plot([], [], color="#DDDDDD", linewidth=6, label=name)
    for name, value in panel.values.items():
        number = names.index(name)
        style = LINE_STYLES[number % len(LINE_STYLES)]
        axes.axvline(value, color=colour(number), linewidth=1.8, linestyle=style, label=f"{name}: {value:.3f}")
    axes.set(xlabel="V-measure of k-means", ylabel="Density of random sets", title=panel.title, xlim=limits)
    axes.set_yticks([])
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
