"""Figures of gene sets: maps of the samples and V-measures among those of random sets."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from genestrata.appearance import LINE_STYLES
from genestrata.cluster_figures import NullPanel, draw_null, plot_maps, plot_nulls

RANDOM = np.random.default_rng(0)


def draw_maps(stem, sets=5, classes=23):
    labels = [f"tissue {number:02d}" for number in range(classes)] * 3
    plot_maps({f"Set {n}": RANDOM.normal(size=(3 * classes, 2)) for n in range(sets)}, labels, "PC", stem, "SIMULATED")


@pytest.mark.parametrize(("sets", "classes"), [(1, 2), (3, 3), (5, 23), (7, 60)])
def test_maps_name_every_set_once_and_every_class_once(sets, classes, tmp_path):
    draw_maps(tmp_path / "maps", sets, classes)
    text = (tmp_path / "maps.svg").read_text()
    assert all(text.count(f">Set {n}<") == 1 for n in range(sets))
    assert all(text.count(f">tissue {n:02d} (3)<") == 1 for n in range(classes))
    assert text.count(">PC 1<") == sets and "SIMULATED" in text
    assert (tmp_path / "maps.png").stat().st_size > 0


def test_null_has_a_density_for_each_size_and_a_line_for_each_set(tmp_path):
    panels = [
        NullPanel(
            "In sample", {"9 random sets of 5 genes": RANDOM.normal(0.5, 0.1, 9)}, {"SVM": 0.9, "All genes": 0.4}
        ),
        NullPanel("Out of sample", {"9 random sets of 4 genes": np.full(9, 0.5)}, {"All genes": 0.2}),
        NullPanel("Nothing drawn", {}, {"SVM": 0.125}),
    ]
    for folder in ("one", "two"):
        plot_nulls(panels, tmp_path / folder / "null")
    text = (tmp_path / "one/null.svg").read_text()
    for panel in panels:
        assert f">{panel.title}<" in text and all(f">{name}<" in text for name in panel.nulls)
        assert all(f">{name}: {value:.3f}<" in text for name, value in panel.values.items())
    for suffix in ("svg", "png"):
        assert (tmp_path / f"one/null.{suffix}").read_bytes() == (tmp_path / f"two/null.{suffix}").read_bytes()


def test_lines_have_the_styles_that_all_figures_share():
    values = {f"Set {number}": number / 10 for number in range(len(LINE_STYLES))}
    _, (found, expected) = plt.subplots(2)
    draw_null(found, NullPanel("In sample", {}, values), list(values))
    for number, style in enumerate(LINE_STYLES):
        expected.axvline(number, linestyle=style, linewidth=1.8)
    patterns = [line._unscaled_dash_pattern for line in found.lines]
    assert patterns == [line._unscaled_dash_pattern for line in expected.lines]
    plt.close()
