"""Figures of time series are written as SVG and PNG, the same bytes twice, whatever is missing or unlabelled."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from genestrata import series_figures as figures
from genestrata.periodicity import autocorrelation, score_experiments
from genestrata.time_points import experiments_of

CLASSES = ["M", "G1", "S"]
FEATURES = [f"alpha_{7 * n}" for n in range(12)] + [f"cdc15_{10 * n}" for n in range(22)]
SERIES = experiments_of(FEATURES)
PERIODS = {"alpha": 42, "cdc15": 100}


def draw(unlabelled, seed=0):
    """Values of 30 genes with missing points and their labels, of which the last ones may be empty."""
    random = np.random.default_rng(seed)
    codes = np.arange(30) % 3
    cycle = np.concatenate([minutes / PERIODS[name] for name, (_, minutes) in SERIES.items()])
    X = np.cos(2 * np.pi * (cycle - codes[:, None] / 3)) + random.normal(0, 0.3, (30, len(FEATURES)))
    X[random.random(X.shape) < 0.08] = np.nan
    labels = np.array(CLASSES, dtype=object)[codes]
    if unlabelled:
        X[20:] = random.normal(size=(10, X.shape[1]))
        X[-1, :12] = np.nan
        labels[20:] = ""
    return X, labels


def heat_map(X, labels, stem):
    known = labels != ""
    angles = np.linspace(-3, 3, known.sum())
    figures.plot_heat_map(X[known], labels[known], angles, CLASSES, SERIES, stem, "NOTE")


def lags_of(X):
    return {name: autocorrelation(X[:, columns], 5) for name, (columns, _) in SERIES.items()}


def maps(X, labels, stem):
    points = np.random.default_rng(1).normal(size=(len(X), 2))
    figures.plot_maps({"PCA": points, "t-SNE": points + 1}, labels, CLASSES, stem, "NOTE")


def multiples(X, labels, stem):
    names = [f"gene{number}" for number in range(7)]
    # From both ends, so that there are unlabelled ones among them.
    figures.plot_multiples(X[::-1][:7], names, labels[::-1][:7], CLASSES, SERIES, stem, "NOTE")


def periodicity(X, labels, stem):
    genes, experiments = score_experiments(X, FEATURES, 0)
    figures.plot_periodicity(genes, labels, experiments, stem, "NOTE")


# What is drawn, texts that its SVG must hold, and whether it tells unlabelled genes from others.
DRAWINGS = {
    "profiles": (
        lambda X, labels, stem: figures.plot_profiles(X, labels, CLASSES, SERIES, stem, "log2 ratio", "NOTE"),
        ["Expression (log2 ratio)", *CLASSES],
        False,
    ),
    "heat_map": (heat_map, ["Labelled genes in the order of the cycle"], False),
    "extremes": (lambda X, labels, stem: figures.plot_extremes(X, SERIES, stem, "NOTE"), ["peak", "trough"], False),
    "range": (
        lambda X, labels, stem: figures.plot_range(X, labels, SERIES, stem, "log2 ratio", "NOTE"),
        ["Noise (log2 ratio, MAD)", "10 x noise"],
        False,
    ),
    "periodicity": (periodicity, ["FDR 5%", "labelled", " min"], True),
    "autocorrelation": (
        lambda X, labels, stem: figures.plot_autocorrelation(lags_of(X), labels, CLASSES, stem, "NOTE"),
        ["Lag (time points)", *CLASSES],
        True,
    ),
    "maps": (maps, ["PCA", "t-SNE 2", "M ("], True),
    "multiples": (multiples, ["gene6", "The 7 strongest periodic genes (alpha, cdc15 from left to right)"], True),
}


@pytest.mark.parametrize("unlabelled", [True, False])
@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:All-NaN slice")
def test_figure_is_written_with_its_texts_and_the_same_bytes_twice(name, unlabelled, tmp_path):
    plot, texts, tells_unlabelled = DRAWINGS[name]
    X, labels = draw(unlabelled)
    kept = X.copy()
    for folder in ("one", "two"):
        plot(X, labels, tmp_path / folder / name)
    np.testing.assert_array_equal(X, kept)
    files = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in files] == [f"{name}.png", f"{name}.svg"]
    assert [file.read_bytes() for file in files] == [(tmp_path / "two" / file.name).read_bytes() for file in files]
    text = files[1].read_text(encoding="utf-8")
    shown = [*texts, "NOTE", *(SERIES if name != "maps" else [])]
    assert [part for part in shown if part not in text] == []
    if tells_unlabelled:
        assert ("unlabelled" in text) == unlabelled
    assert not plt.get_fignums()


def synchrony():
    return pd.DataFrame(
        {
            "experiment": ["alpha", "elu"],
            "time_points": [12, 9],
            "period": [42.0, 60.0],
            "periodic_share": [0.25, 0.0],
            "amplitude_kept": [0.62, np.nan],
        }
    )


def test_synchrony_is_written_with_the_same_bytes_twice(tmp_path):
    for folder in ("one", "two"):
        figures.plot_synchrony(synchrony(), tmp_path / folder / "synchrony", "NOTE")
    files = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in files] == ["synchrony.png", "synchrony.svg"]
    assert [file.read_bytes() for file in files] == [(tmp_path / "two" / file.name).read_bytes() for file in files]
    text = files[1].read_text(encoding="utf-8")
    assert [part for part in ("alpha", "elu", "0.62", "NOTE", "FDR 5%") if part not in text] == []


# What figures show


@pytest.fixture
def shown(monkeypatch):
    """Keeps figures from being written; gives the list of them."""
    drawn = []
    monkeypatch.setattr(figures, "save", lambda drawing, stem, note: drawn.append(drawing))
    yield drawn
    plt.close("all")


def test_profile_is_the_mean_of_the_values_that_were_measured(shown):
    X, labels = draw(True)
    figures.plot_profiles(X, labels, CLASSES, SERIES, "stem", "", "")
    for panel, (columns, minutes) in zip(shown[0].axes, SERIES.values(), strict=True):
        assert [line.get_label() for line in panel.get_lines()] == CLASSES
        for line, label in zip(panel.get_lines(), CLASSES, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), minutes)
            np.testing.assert_allclose(line.get_ydata(), np.nanmean(X[labels == label][:, columns], axis=0))
        for band, label in zip(panel.collections, CLASSES, strict=True):
            heights = band.get_paths()[0].vertices[:, 1]
            for edge in np.nanpercentile(X[labels == label][:, columns], [25, 75], axis=0):
                assert np.abs(heights[:, None] - edge).min(axis=0).max() < 1e-9


def test_heat_map_has_genes_by_class_and_by_angle_within_a_class_across_its_border(shown):
    values = np.arange(7.0)[:, None] + np.arange(len(FEATURES)) / 100
    labels = np.array(["S", "M", "G1", "M", "M", "G1", "M"], dtype=object)
    # M lies across the border of the circle, from 3.0 over 3.1 and -3.1 to -3.0.
    angles = np.array([1.0, -3.1, -2.0, 3.1, -3.0, -2.2, 3.0])
    figures.plot_heat_map(values, labels, angles, CLASSES, SERIES, "stem", "")
    panels = [axes for axes in shown[0].axes if axes.images]
    for panel, (columns, _) in zip(panels, SERIES.values(), strict=True):
        np.testing.assert_array_equal(panel.images[0].get_array(), values[[6, 3, 1, 4, 5, 2, 0]][:, columns])
    assert [tick.get_text() for tick in panels[0].get_yticklabels()] == ["M (4)", "G1 (2)", "S (1)"]
    np.testing.assert_allclose(panels[0].get_yticks(), [2.0, 5.0, 6.5])


def test_extremes_count_genes_by_the_time_of_their_peak_and_trough(shown):
    X = np.full((4, len(FEATURES)), 0.0)
    X[0, 3] = X[1, 3] = X[2, 0] = 2
    X[:3, 11] = -1
    X[3, :12] = np.nan
    X[0, 5] = np.nan
    figures.plot_extremes(X, SERIES, "stem", "")
    peak, trough = (line.get_ydata() for line in shown[0].axes[0].get_lines())
    assert peak.tolist() == [1, 0, 0, 2, *[0] * 8]
    assert trough.tolist() == [*[0] * 11, 3]


def test_noise_is_that_of_the_steps_between_neighbours():
    random = np.random.default_rng(0)
    drift = np.linspace(0, 50, 4001)
    noise = figures.noise_of(np.stack([drift + random.normal(0, 0.7, 4001), drift]))
    assert noise[0] == pytest.approx(0.7, rel=0.05)
    assert noise[1] == pytest.approx(0, abs=1e-9)
    row = np.array([[0.0, 1, np.nan, 3, 4, 9, 10]])
    # Steps 1, 1, 5, 1: their median is 1, the median of the distances from it 0.
    assert figures.noise_of(row).tolist() == [0.0]
    # Steps 1, 3, 5: median 3, distances 2, 0, 2.
    assert figures.noise_of(np.array([[0.0, 1, 4, 9]])) == pytest.approx(1.4826 * 2 / np.sqrt(2))


def test_range_is_highest_minus_lowest_of_genes_with_three_points(shown):
    X = np.full((3, len(FEATURES)), np.nan)
    X[0, :4], X[1, :2], X[2, :3] = [0, 1, 4, 9], [1, 2], [5, 5, 6]
    X[:, 12:] = np.arange(22.0)
    figures.plot_range(X, np.array(["M", "M", ""], dtype=object), SERIES, "stem", "", "")
    unlabelled, labelled = (part.get_offsets() for part in shown[0].axes[0].collections)
    np.testing.assert_allclose(unlabelled, [[1.4826 * 0.5 / np.sqrt(2), 1]])
    np.testing.assert_allclose(labelled, [[1.4826 * 2 / np.sqrt(2), 9]])


def test_fdr_line_stands_at_the_smallest_share_that_passes(shown):
    genes = pd.DataFrame(
        {
            "row": [0, 1, 2, 3] * 2,
            "experiment": ["alpha"] * 4 + ["elu"] * 4,
            "share": [0.9, 0.6, 0.3, 0.1] * 2,
            "fdr": [0.001, 0.04, 0.06, 0.9, 1, 1, 1, 1],
        }
    )
    figures.plot_periodicity(genes, np.array(["M", "", "M", "S"], object), synchrony(), "stem", "")
    alpha, elu = shown[0].axes
    assert [line.get_xdata()[0] for line in alpha.get_lines()] == [0.6]
    assert len(elu.get_lines()) == 0
    assert alpha.get_title() == "alpha, 42 min"


def test_autocorrelation_is_the_mean_of_each_class(shown):
    table = np.arange(12.0).reshape(6, 2)
    table[0, 0] = np.nan
    labels = np.array(["M", "M", "S", "", "G1", ""], dtype=object)
    figures.plot_autocorrelation({"alpha": table}, labels, CLASSES, "stem", "")
    lines = {line.get_label(): line.get_ydata() for line in shown[0].axes[0].get_lines()[:4]}
    assert list(lines) == [*CLASSES, "unlabelled"]
    expected = {"M": [2, 2], "G1": [8, 9], "S": [4, 5], "unlabelled": [8, 9]}
    assert {label: list(values) for label, values in lines.items()} == expected


def test_multiples_hide_panels_that_are_not_needed_and_colour_by_class(shown):
    X, labels = draw(True)
    rows = [0, 1, 29]
    figures.plot_multiples(X[rows], ["a", "b", "c"], labels[rows], CLASSES, SERIES, "stem", "")
    assert [panel.get_visible() for panel in shown[0].axes] == [True] * 3 + [False] * 2
    used = shown[0].axes[:3]
    assert [panel.get_title() for panel in used] == ["a M", "b G1", "c unlabelled"]
    assert [panel.get_lines()[0].get_color() for panel in used] == [figures.colour(0), figures.colour(1), "#777777"]
    first, second = (line.get_xdata() for line in used[0].get_lines())
    assert first.tolist() == list(range(12)) and second.tolist() == list(range(14, 36))
    np.testing.assert_array_equal(used[1].get_lines()[1].get_ydata(), X[1, 12:])


@pytest.mark.parametrize(("kept", "expected"), [(0.62, "0.62"), (np.nan, "less than two cycles")])
def test_synchrony_shows_its_numbers_or_that_there_is_no_second_cycle(kept, expected, shown):
    table = synchrony()
    table.loc[0, "amplitude_kept"] = kept
    figures.plot_synchrony(table, "stem", "")
    share, amplitude = shown[0].axes
    assert [text.get_text().strip() for text in share.texts] == ["0.25", "0.00"]
    assert [text.get_text().strip() for text in amplitude.texts] == [expected, "less than two cycles"]
    assert [bar.get_width() for bar in share.patches] == [0.25, 0.0]
    assert [bar.get_width() for bar in amplitude.patches] == [np.nan_to_num(kept), 0.0]
    assert amplitude.get_xlim()[0] == 0 and amplitude.get_xlim()[1] > max(0.1, np.nan_to_num(kept))


def test_strongest_genes_have_the_largest_mean_share_over_experiments():
    genes = pd.DataFrame({"row": [0, 1, 2, 3] * 2, "share": [0.9, 0.5, 0.2, 0.5, 0.0, 0.6, 0.1, 0.6]})
    assert figures.strongest(genes, 3).tolist() == [1, 3, 0]
    assert figures.strongest(genes).tolist() == [1, 3, 0, 2]
