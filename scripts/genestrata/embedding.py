"""Maps of rows in two dimensions, with the density of the rows as a landscape."""

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import gaussian_kde

from genestrata.appearance import MOST_COLOURS, look
from genestrata.drawing import figure

NEIGHBOURS = 15
MAPS = {"umap": "UMAP", "tsne": "t-SNE"}
# Steps of the grid on which the density is drawn, and levels of its contours.
GRID = 80
LEVELS = 8


def map_points(values: np.ndarray, method: str, seed: int) -> np.ndarray:
    """Map (n, width) values to (n, 2) by umap (McInnes, Healy and Melville 2018, arXiv:1802.03426) or tsne (van der
    Maaten and Hinton 2008, JMLR 9:2579); deterministic for a seed."""
    if method == "tsne":
        from sklearn.manifold import TSNE

        return TSNE(perplexity=min(30, (len(values) - 1) / 3), random_state=seed).fit_transform(values)
    # UMAP would import TensorFlow for a part of it that is not used here, which takes longer than the map.
    had_tensorflow = sys.modules.setdefault("tensorflow", None) is not None
    try:
        from umap import UMAP
    finally:
        if not had_tensorflow:
            del sys.modules["tensorflow"]
    with warnings.catch_warnings():
        # A seed makes UMAP use one thread, of which it warns.
        warnings.filterwarnings("ignore", message="n_jobs value")
        return UMAP(n_neighbors=min(NEIGHBOURS, len(values) - 1), random_state=seed).fit_transform(values)


def draw_map(axes: Axes, points: np.ndarray, labels: np.ndarray, classes: Sequence[str], density: bool = True) -> None:
    """Points (n, 2) by class, those without a label small and grey, on contours of the potential -log(density)."""
    if density:
        low, high = points.min(axis=0), points.max(axis=0)
        margin = 0.05 * (high - low)
        grid = np.stack(
            np.meshgrid(*(np.linspace(*bounds, GRID) for bounds in zip(low - margin, high + margin, strict=True)))
        )
        potential = -np.log(np.maximum(gaussian_kde(points.T)(grid.reshape(2, -1)), 1e-12)).reshape(GRID, GRID)
        levels = np.linspace(potential.min(), np.percentile(potential, 70), LEVELS)
        axes.contour(*grid, potential, levels=levels, colors="#AAAAAA", linewidths=0.6, zorder=0)
    unlabelled = labels == ""
    if unlabelled.any():
        axes.scatter(
            *points[unlabelled].T, s=4, color="#CCCCCC", linewidths=0, label=f"unlabelled ({unlabelled.sum()})"
        )
    for number, label in enumerate(classes):
        rows = labels == label
        shade, marker = look(number)
        axes.scatter(
            *points[rows].T,
            s=14,
            color=shade,
            marker=marker if len(classes) > MOST_COLOURS else "o",
            linewidths=0,
            alpha=0.85,
            label=f"{label} ({rows.sum()})",
        )
    axes.set_xticks([])
    axes.set_yticks([])


def plot_embedding(
    values: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    method: str,
    title: str,
    stem: Path,
    seed: int,
    note: str = "",
) -> None:
    """Map of (n, width) values by `method` as a figure."""
    with figure(stem, 6.4, 4.6, note) as (_, axes):
        draw_map(axes, map_points(values, method, seed), np.asarray(labels, dtype=str), classes, density=False)
        axes.set(xlabel=f"{MAPS[method]} 1", ylabel=f"{MAPS[method]} 2", title=title)
        axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=1.6)
