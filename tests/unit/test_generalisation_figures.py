"""Figures of how scores carry over: every model, fold and bin is drawn where its numbers say."""

import copy

import matplotlib.pyplot as plt
import numpy as np
import pytest

from genestrata import drawing
from genestrata.generalisation_figures import plot_accuracy_by_identity, plot_cv_against_test


def fold(number, inner, test):
    return {"repeat": "r0", "fold": str(number), "inner": inner, "test": test, "parameters": "{}"}


INNER = {
    "majority": {"inner": 0.5, "test": 0.5, "folds": [fold(0, 0.5, 0.5)]},
    "kmer_svm": {"inner": 0.9, "test": 0.8, "folds": [fold(0, 0.88, 0.7), fold(1, 0.92, 0.9)]},
    "stack": {"inner": 0.95, "test": 0.85, "folds": [fold(0, 0.94, 0.8), fold(1, 0.96, 0.9)]},
}


def entry(low, high, n, accuracy, ci95):
    return {"from": low, "to": high, "n": n, "accuracy": accuracy, "ci95": ci95}


BINS = {
    "majority": [entry(0.0, 0.7, 40, 0.5, [0.4, 0.6])],
    "kmer_svm": [entry(0.0, 0.7, 40, 0.6, [0.5, 0.7]), entry(0.99, 1.0, 7, 1.0, [0.6, 1.0])],
    "bilstm": [entry(0.0, 0.7, 40, 0.8, [0.7, 0.9]), entry(0.99, 1.0, 7, 0.9, [0.5, 1.0])],
}


@pytest.fixture
def axes(monkeypatch, tmp_path):
    """A function that draws and gives the axes as they were saved."""
    kept = []
    save = drawing.save

    def keep(figure, *arguments):
        kept.extend(figure.axes)
        save(figure, *arguments)

    monkeypatch.setattr(drawing, "save", keep)

    def draw(plot, table, note=""):
        before = copy.deepcopy(table)
        plot(table, tmp_path / "figure", note)
        assert table == before
        assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
        assert "</svg>" in (tmp_path / "figure.svg").read_text()
        assert plt.get_fignums() == []
        (found,) = kept
        return found

    return draw


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_folds_and_means_of_every_model_but_the_baseline(axes):
    found = axes(plot_cv_against_test, INNER)
    small, mean, *others = (np.asarray(points.get_offsets()).tolist() for points in found.collections)
    assert small == [[0.88, 0.7], [0.92, 0.9]]
    assert mean == [[0.9, 0.8]]
    assert others == [[[0.94, 0.8], [0.96, 0.9]], [[0.95, 0.85]]]
    assert legend(found) == ["k-mer SVM", "Stack"]


def test_both_axes_have_the_same_limits_that_hold_every_point(axes):
    found = axes(plot_cv_against_test, INNER)
    assert found.get_xlim() == found.get_ylim()
    low, high = found.get_xlim()
    assert low < 0.7
    assert high > 0.96
    assert 0 <= low < high <= 1
    # Equal scores lie on this line.
    np.testing.assert_array_equal(found.lines[0].get_xdata(), found.lines[0].get_ydata())


def test_accuracies_and_intervals_of_every_bin(axes):
    found = axes(plot_accuracy_by_identity, BINS)
    assert legend(found) == ["k-mer SVM", "BiLSTM"]
    for container, model in zip(found.containers, ("kmer_svm", "bilstm"), strict=True):
        line, _, (bars,) = container
        assert line.get_ydata().tolist() == [value["accuracy"] for value in BINS[model]]
        intervals = [segment[:, 1].tolist() for segment in bars.get_segments()]
        for drawn, value in zip(intervals, BINS[model], strict=True):
            assert drawn == pytest.approx(value["ci95"])
        # Models of one bin stand side by side, none nearer to the next bin.
        assert np.round(line.get_xdata().astype(float)).tolist() == [0, 1]
    first, second = (container[0].get_xdata() for container in found.containers)
    assert (first < second).all()
    labels = [label.get_text() for label in found.get_xticklabels()]
    assert labels == ["below 0.7\nn = 40", "0.99 to 1\nn = 7"]


def test_bin_that_a_model_lacks_leaves_a_gap(axes):
    table = BINS | {"bilstm": BINS["bilstm"][1:]}
    found = axes(plot_accuracy_by_identity, table)
    assert len(found.get_xticklabels()) == 2
    assert np.round(found.containers[1][0].get_xdata().astype(float)).tolist() == [1]


def test_accuracy_beyond_its_interval_by_rounding_is_drawn(axes):
    table = {"kmer_svm": [entry(0.99, 1.0, 5, 1.0, [0.6, 1.0 - 1e-16])]}
    axes(plot_accuracy_by_identity, table)


@pytest.mark.parametrize(("plot", "table"), [(plot_cv_against_test, INNER), (plot_accuracy_by_identity, BINS)])
def test_note_says_that_data_are_simulated(plot, table, axes, tmp_path):
    axes(plot, table, "SIMULATED data")
    assert "SIMULATED data" in (tmp_path / "figure.svg").read_text()
