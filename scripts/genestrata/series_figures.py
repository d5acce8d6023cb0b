"""Figures that show time series before any model: profiles, order, peaks, noise, periodicity, synchrony, maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from genestrata.appearance import PALETTE, colour
from genestrata.drawing import STYLE, save
from genestrata.embedding import draw_map
from genestrata.sinusoids import FALSE_DISCOVERY_RATE

Series = Mapping[str, tuple[np.ndarray, np.ndarray]]
# Highest correlation lag that is drawn, in time points, and the number of genes drawn one by one.
LAGS = 12
# Inches of a figure, so that one panel leaves room for its title and legend.
SMALLEST_WIDTH = 5.5
MULTIPLES = 40


def _panels(
    number: int, width: float, height: float, columns: int | None = None, **options: bool | str
) -> tuple[plt.Figure, np.ndarray]:
    """A figure with `number` panels side by side, or in rows of `columns`; unused ones are hidden."""
    columns = columns or number
    rows = -(-number // columns)
    drawing, axes = plt.subplots(
        rows,
        columns,
        figsize=(max(width * columns, SMALLEST_WIDTH), height * rows),
        layout="constrained",
        squeeze=False,
        **options,
    )
    for unused in axes.flat[number:]:
        unused.set_visible(False)
    return drawing, axes.flat[:number]


def _times(axes: plt.Axes, experiment: str) -> None:
    axes.set(xlabel="Minutes", title=experiment)
    axes.grid(axis="y", color="#EEEEEE")
    axes.set_axisbelow(True)


def plot_profiles(
    values: np.ndarray, labels: np.ndarray, classes: Sequence[str], series: Series, stem: Path, unit: str, note: str
) -> None:
    """Mean course of each class in each experiment, with the middle half of its genes."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(len(series), 3.3, 3.0, sharey=True)
        for axes, (experiment, (columns, minutes)) in zip(panels, series.items(), strict=True):
            for number, label in enumerate(classes):
                courses = values[labels == label][:, columns]
                axes.plot(minutes, np.nanmean(courses, axis=0), color=colour(number), label=label, linewidth=1.6)
                low, high = np.nanpercentile(courses, [25, 75], axis=0)
                axes.fill_between(minutes, low, high, color=colour(number), alpha=0.12, linewidth=0)
            _times(axes, experiment)
        panels[0].set_ylabel(f"Expression ({unit})")
        panels[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        drawing.suptitle("Mean course of each class, band: middle half of its genes", fontsize=10)
        save(drawing, stem, note)


def plot_heat_map(
    values: np.ndarray,
    labels: np.ndarray,
    angles: np.ndarray,
    classes: Sequence[str],
    series: Series,
    stem: Path,
    note: str,
) -> None:
    """Labelled genes as rows, by class in the order of the cycle and by Fourier angle within a class."""
    place = np.array([list(classes).index(label) for label in labels])
    centre = np.array([np.angle(np.exp(1j * angles[place == code]).mean()) for code in range(len(classes))])
    within = np.angle(np.exp(1j * (angles - centre[place])))
    order = np.lexsort((within, place))
    scale = np.nanpercentile(np.abs(values), 97)
    with plt.rc_context(STYLE):
        widths = [len(columns) for columns, _ in series.values()]
        drawing, panels = plt.subplots(
            1,
            len(series),
            figsize=(2.2 + 0.1 * sum(widths), 6.0),
            layout="constrained",
            squeeze=False,
            width_ratios=widths,
        )
        ends = np.cumsum([np.sum(place == code) for code in range(len(classes))])
        for axes, (experiment, (columns, minutes)) in zip(panels[0], series.items(), strict=True):
            image = axes.imshow(
                values[order][:, columns],
                aspect="auto",
                cmap="RdBu_r",
                vmin=-scale,
                vmax=scale,
                interpolation="nearest",
            )
            for end in ends[:-1]:
                axes.axhline(end - 0.5, color="black", linewidth=0.6)
            shown = np.arange(0, len(minutes), max(1, len(minutes) // 4))
            axes.set_xticks(shown, [f"{minutes[place]:g}" for place in shown])
            axes.set_yticks([])
            axes.set(xlabel="Minutes", title=experiment)
        middles = ends - np.diff(ends, prepend=0) / 2
        panels[0][0].set_yticks(
            middles, [f"{label} ({size})" for label, size in zip(classes, np.diff(ends, prepend=0), strict=True)]
        )
        drawing.colorbar(image, ax=panels[0].tolist(), shrink=0.5, label="Expression", pad=0.01)
        drawing.suptitle("Labelled genes in the order of the cycle", fontsize=10)
        save(drawing, stem, note)


def plot_extremes(values: np.ndarray, series: Series, stem: Path, note: str) -> None:
    """When genes are highest and lowest: a flat distribution is no cycle, a heap at an end is a drift."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(len(series), 3.0, 2.7)
        for axes, (experiment, (columns, minutes)) in zip(panels, series.items(), strict=True):
            X = values[:, columns]
            X = X[~np.isnan(X).all(axis=1)]
            for number, (name, extreme) in enumerate((("peak", np.nanargmax), ("trough", np.nanargmin))):
                counts = np.bincount(extreme(X, axis=1), minlength=len(minutes))
                axes.plot(minutes, counts, color=colour(number), marker="o", markersize=3, label=name)
            axes.set_ylim(bottom=0)
            _times(axes, experiment)
        panels[0].set_ylabel("Genes")
        panels[-1].legend(fontsize=8)
        drawing.suptitle("Time of the highest and the lowest value, all genes", fontsize=10)
        save(drawing, stem, note)


def noise_of(X: np.ndarray) -> np.ndarray:
    """Noise of each row from the differences of neighbouring time points: 1.4826 MAD / sqrt(2), (n,)."""
    steps = np.diff(X, axis=1)
    median = np.nanmedian(steps, axis=1, keepdims=True)
    return 1.4826 * np.nanmedian(np.abs(steps - median), axis=1) / np.sqrt(2)


def plot_range(values: np.ndarray, labels: np.ndarray, series: Series, stem: Path, unit: str, note: str) -> None:
    """Dynamic range of each gene against its noise; on the line a range is ten times the noise."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(len(series), 3.0, 3.0, sharey=True)
        for axes, (experiment, (columns, _)) in zip(panels, series.items(), strict=True):
            X = values[:, columns]
            X = X[(~np.isnan(X)).sum(axis=1) >= 3], labels[(~np.isnan(X)).sum(axis=1) >= 3]
            noise, spread = noise_of(X[0]), np.nanmax(X[0], axis=1) - np.nanmin(X[0], axis=1)
            for rows, shade, name in ((X[1] == "", "#BBBBBB", "unlabelled"), (X[1] != "", PALETTE[0], "labelled")):
                axes.scatter(noise[rows], spread[rows], s=5, color=shade, linewidths=0, alpha=0.7, label=name)
            limit = np.nanmax(noise)
            axes.plot([0, limit], [0, 10 * limit], color=PALETTE[1], linewidth=1, linestyle="--", label="10 x noise")
            axes.set(xlabel=f"Noise ({unit}, MAD)", title=experiment, ylim=(0, np.nanmax(spread) * 1.05))
        panels[0].set_ylabel(f"Highest - lowest ({unit})")
        panels[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), markerscale=2)
        drawing.suptitle("Dynamic range against noise", fontsize=10)
        save(drawing, stem, note)


def plot_periodicity(genes: pd.DataFrame, labels: np.ndarray, experiments: pd.DataFrame, stem: Path, note: str) -> None:
    """Share of variance that one sinusoid explains, labelled and unlabelled genes, and where the FDR is reached."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(len(experiments), 3.0, 2.8)
        bins = np.linspace(0, 1, 31)
        for axes, experiment in zip(panels, experiments.itertuples(), strict=True):
            rows = genes[genes["experiment"] == experiment.experiment]
            known = labels[rows["row"]] != ""
            for number, (chosen, name) in enumerate(((~known, "unlabelled"), (known, "labelled"))):
                if chosen.any():
                    axes.hist(
                        rows["share"][chosen],
                        bins,
                        density=True,
                        histtype="stepfilled",
                        alpha=0.5,
                        color=colour(number),
                        label=name,
                    )
            passed = rows.loc[rows["fdr"] < FALSE_DISCOVERY_RATE, "share"]
            if len(passed):
                axes.axvline(
                    passed.min(), color="black", linestyle="--", linewidth=1, label=f"FDR {FALSE_DISCOVERY_RATE:.0%}"
                )
            axes.set(
                xlabel="Share of variance explained", title=f"{experiment.experiment}, {experiment.period:.0f} min"
            )
        panels[0].set_ylabel("Density of genes")
        panels[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        drawing.suptitle("Periodicity: one sinusoid of the experiment's period", fontsize=10)
        save(drawing, stem, note)


def plot_autocorrelation(
    lags: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str], stem: Path, note: str
) -> None:
    """Mean autocorrelation of each class and of unlabelled genes, by experiment; lags : name to (n, lags)."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(len(lags), 3.0, 2.8, sharey=True)
        for axes, (experiment, table) in zip(panels, lags.items(), strict=True):
            groups = [(label, colour(number)) for number, label in enumerate(classes)]
            for label, shade in [*groups, *([("", "#999999")] if (labels == "").any() else [])]:
                mean = np.nanmean(table[labels == label], axis=0)
                axes.plot(np.arange(1, len(mean) + 1), mean, color=shade, label=label or "unlabelled")
            axes.axhline(0, color="#999999", linewidth=0.8)
            axes.set(xlabel="Lag (time points)", title=experiment)
        panels[0].set_ylabel("Autocorrelation")
        panels[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        drawing.suptitle("Mean autocorrelation of each class", fontsize=10)
        save(drawing, stem, note)


def plot_maps(
    maps: Mapping[str, np.ndarray], labels: np.ndarray, classes: Sequence[str], stem: Path, note: str
) -> None:
    """PCA and UMAP of labelled genes by class, on contours of the potential -log(density)."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(len(maps), 4.2, 4.0)
        for axes, (name, points) in zip(panels, maps.items(), strict=True):
            draw_map(axes, points, labels, classes)
            axes.set(xlabel=f"{name} 1", ylabel=f"{name} 2", title=name)
        panels[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        drawing.suptitle("Labelled genes; contours: potential -log(density)", fontsize=10)
        save(drawing, stem, note)


def plot_multiples(
    values: np.ndarray,
    names: Sequence[str],
    labels: np.ndarray,
    classes: Sequence[str],
    series: Series,
    stem: Path,
    note: str,
) -> None:
    """The strongest periodic genes one by one, all experiments after each other, coloured by class."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(len(names), 1.75, 1.15, columns=5, sharex=True)
        for axes, course, name, label in zip(panels, values, names, labels, strict=True):
            shade = colour(list(classes).index(label)) if label in classes else "#777777"
            start = 0
            for columns, _ in series.values():
                axes.plot(np.arange(start, start + len(columns)), course[columns], color=shade, linewidth=0.9)
                start += len(columns) + 2
            axes.set_title(f"{name} {label or 'unlabelled'}", fontsize=6, pad=2)
            axes.set_xticks([])
            axes.tick_params(labelsize=5)
        drawing.suptitle(
            f"The {len(names)} strongest periodic genes ({', '.join(series)} from left to right)", fontsize=9
        )
        save(drawing, stem, note)


def plot_synchrony(experiments: pd.DataFrame, stem: Path, note: str) -> None:
    """Share of periodic genes and the part of their amplitude that is left in the second cycle, by experiment."""
    with plt.rc_context(STYLE):
        drawing, panels = _panels(2, 3.4, 0.8 + 0.4 * len(experiments), sharey=True)
        for axes, (column, title) in zip(
            panels,
            (
                ("periodic_share", f"Share of periodic genes (FDR {FALSE_DISCOVERY_RATE:.0%})"),
                ("amplitude_kept", "Amplitude in cycle 2 / cycle 1"),
            ),
            strict=True,
        ):
            axes.barh(experiments["experiment"], experiments[column].fillna(0), color=PALETTE[0])
            for row, value in enumerate(experiments[column]):
                text = "less than two cycles" if np.isnan(value) else f"{value:.2f}"
                axes.text(0 if np.isnan(value) else value, row, f" {text}", va="center", fontsize=8)
            axes.set(xlabel=title, xlim=(0, 1.25 * max(0.1, np.nanmax(experiments[column].fillna(0)))))
        panels[0].invert_yaxis()
        save(drawing, stem, note)


def strongest(genes: pd.DataFrame, number: int = MULTIPLES) -> np.ndarray:
    """Rows with the largest mean share of periodic variance over experiments."""
    share = genes.groupby("row")["share"].mean()
    return share.sort_values(ascending=False, kind="stable").index[:number].to_numpy()
