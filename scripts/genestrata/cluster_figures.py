"""Figures of gene sets: maps of the samples on each set, and V-measures among those of random sets."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import gaussian_kde

from genestrata.appearance import LINE_STYLES, colour, look
from genestrata.drawing import panel_grid

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
    n_rows = -(-len(maps) // MOST_COLUMNS)
    legend_columns = -(-len(classes) // (LEGEND_ROWS * n_rows))
    beside = 1.8 * legend_columns
    with panel_grid(stem, len(maps), MOST_COLUMNS, 3.0, 2.9, beside, note) as (drawing, panels):
        for axes, (title, points) in zip(panels, maps.items(), strict=True):
            for number, label in enumerate(classes):
                shade, marker = look(number)
                rows = labels == label
                axes.scatter(*points[rows].T, s=22, color=shade, marker=marker, alpha=0.85, linewidths=0, label=label)
            axes.set(title=title, xlabel=f"{axis} 1", ylabel=f"{axis} 2")
            axes.set_xticks([])
            axes.set_yticks([])
        handles, _ = panels[0].get_legend_handles_labels()
        names = [f"{label} ({(labels == label).sum()})" for label in classes]
        drawing.legend(handles, names, loc="outside right center", fontsize=7, ncols=legend_columns, markerscale=1.1)


class NullPanel(NamedTuple):
    """One panel of `plot_nulls`: V-measures of random sets by their name, and named values among them."""

    title: str
    nulls: Mapping[str, np.ndarray]
    values: Mapping[str, float]


def plot_nulls(panels: Sequence[NullPanel], stem: str | Path, note: str = "") -> None:
    """Densities of the V-measures of random sets over light histograms, with a line per named value."""
    # A set has the same line in every panel.
    names = list(dict.fromkeys(name for panel in panels for name in panel.values))
    with panel_grid(stem, len(panels), 2, 5.4, 3.0, note=note) as (_, grid):
        for axes, panel in zip(grid, panels, strict=True):
            draw_null(axes, panel, names)


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
