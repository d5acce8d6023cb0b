"""Figures are written as SVG and PNG, the same bytes twice, and show the numbers they are given."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from genestrata import figures
from genestrata.drawing import figure, simulated_note
from genestrata.explaining import rank_features
from genestrata.metrics import TestPredictions
from genestrata.models.storage import FittedModel

CLASSES = ["A", "B & C", "D"]


def predictions(n=30, seed=0):
    random = np.random.default_rng(seed)
    codes = np.arange(n) % 3
    scores = random.random((n, 3)) + np.eye(3)[codes]
    return TestPredictions(codes, scores / scores.sum(axis=1, keepdims=True), np.zeros(n, dtype=int), np.arange(n))


def metrics():
    entry = {"balanced_accuracy": {"value": 0.8, "ci95": [0.6, 0.9]}}
    return {"models": {"stack": entry, "majority": entry}, "selected": "stack", "classes": dict.fromkeys(CLASSES, 3)}


def tuning():
    rows = [("r0", "0", "linear_svm", k, score) for k, score in ((50, 0.7), (50, 0.9), (200, 0.8), (200, 0.5))]
    rows += [("r0", "1", "linear_svm", 50, 0.5), ("r0", "1", "linear_svm", 200, 0.6), ("r0", "0", "majority", 1, 0.3)]
    return pd.DataFrame(rows, columns=["repeat", "fold", "model", "k", "inner_balanced_accuracy"])


def shap_table():
    random = np.random.default_rng(0)
    rows = [
        ("r0", "0", f"s{sample}", label, f"g{gene}", random.normal(), random.normal() / (gene + 1))
        for sample in range(6)
        for label in CLASSES
        for gene in range(4)
    ]
    return pd.DataFrame(rows, columns=["repeat", "fold", "sample", "class", "feature", "value", "shap"])


def fitted(estimator):
    X = np.random.default_rng(0).normal(size=(30, 3))
    y = np.arange(30) % 3
    X[np.arange(30), y] += 2
    return FittedModel(estimator.fit(X, y), ["g0", "g1", "g2"], np.zeros(3), np.ones(3), CLASSES, [0, 1, 2])


def matrix():
    return pd.DataFrame([[9, 1, 0], [2, 8, 0], [0, 0, 5]], index=CLASSES, columns=CLASSES)


MARKERS = {"g1": "zyxin"}
POINTS = np.random.default_rng(0).normal(size=(9, 2))
SHARE = np.array([0.6, 0.3, 0.1])
# What is drawn, and a text that its SVG must hold.
DRAWINGS = {
    "confusion": (lambda stem: figures.plot_confusion(matrix(), "Stack: test", stem), "80%"),
    "roc": (
        lambda stem: figures.plot_roc({"A (0.9)": figures.roc_points([predictions()], 0)}, "title", stem),
        "A (0.9)",
    ),
    "precision_recall": (
        lambda stem: figures.plot_precision_recall(
            {"A (0.8)": figures.precision_recall_points([predictions()], 0)[:2]}, "title", stem
        ),
        "A (0.8)",
    ),
    "calibration": (
        lambda stem: figures.plot_calibration({"before": figures.reliability([predictions()])}, "title", stem),
        "before",
    ),
    "scores": (
        lambda stem: figures.plot_scores(metrics(), "balanced_accuracy", "Balanced accuracy", stem),
        "Stack (selected)",
    ),
    "tuning": (lambda stem: figures.plot_tuning(figures.tuning_curves(tuning()), "Genes kept", stem), "200"),
    "scatter": (
        lambda stem: figures.plot_scatter(POINTS, CLASSES * 3, "PC1", "PC2", "Samples", stem, "SIMULATED data"),
        "SIMULATED data",
    ),
    "variance": (lambda stem: figures.plot_explained_variance(SHARE, 2, stem), "2 components used"),
    "bars": (
        lambda stem: figures.plot_bars(pd.Series([1.0, -2.0], index=["g0", "g1"]), "x", "t", stem, signed=True),
        "g1",
    ),
    "shap_bar": (
        lambda stem: figures.plot_shap_bar(rank_features(shap_table(), "m"), CLASSES, MARKERS, "t", stem),
        "g1 zyxin",
    ),
    "tree": (
        lambda stem: figures.plot_tree(fitted(DecisionTreeClassifier(max_depth=2, random_state=0)), MARKERS, stem),
        "Decision tree fitted on all samples",
    ),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_figure_is_written_with_its_text_and_the_same_bytes_twice(name, tmp_path):
    draw, text = DRAWINGS[name]
    for folder in ("one", "two"):
        draw(tmp_path / folder / name)
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [f"{name}.png", f"{name}.svg"]
    for suffix in (".svg", ".png"):
        first, second = ((tmp_path / folder / f"{name}{suffix}").read_bytes() for folder in ("one", "two"))
        assert first == second
    assert (tmp_path / "one" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert text in (tmp_path / "one" / f"{name}.svg").read_text(encoding="utf-8")
    assert not plt.get_fignums()


def test_beeswarm_is_written_under_a_safe_name_and_the_same_bytes_twice(tmp_path):
    values = shap_table()
    ranks = rank_features(values, "m")
    for folder in ("one", "two"):
        figures.plot_shap_beeswarm(values, ranks, "B & C", MARKERS, "Model", tmp_path / folder, "SIMULATED data")
    (png, svg), again = (sorted((tmp_path / folder).iterdir()) for folder in ("one", "two"))
    assert (png.suffix, svg.suffix) == (".png", ".svg")
    assert png.stem.startswith("beeswarm_B_C_")
    assert [path.read_bytes() for path in (png, svg)] == [path.read_bytes() for path in again]
    text = svg.read_text(encoding="utf-8")
    assert "g1 zyxin" in text
    assert "SIMULATED data" in text


def test_only_simulated_data_are_marked():
    assert simulated_note("simulated") == "SIMULATED data"
    assert simulated_note("public") == simulated_note("user") == ""


def test_style_of_a_figure_does_not_leak(tmp_path):
    before = dict(plt.rcParams)
    with figure(tmp_path / "one") as (_, axes):
        assert not axes.spines["top"].get_visible()
        assert plt.rcParams["font.size"] == 9
    assert dict(plt.rcParams) == before


def test_reliability_is_confidence_and_accuracy_of_equal_bins():
    confidence = np.concatenate([np.linspace(0.55, 0.60, 10), np.linspace(0.90, 0.95, 10)])
    codes = np.array([0, 1] * 5 + [0] * 10)
    part = TestPredictions(codes, np.column_stack([confidence, 1 - confidence]), np.zeros(20, dtype=int), np.arange(20))
    means, accuracy, sizes = figures.reliability([part])
    assert sizes.tolist() == [2] * 10
    np.testing.assert_allclose(accuracy, [0.5] * 5 + [1.0] * 5)
    np.testing.assert_allclose(means, confidence.reshape(10, 2).mean(axis=1))


def test_roc_points_pool_repeats():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    parts = [
        TestPredictions(np.array(codes), probabilities, np.zeros(2, dtype=int), np.arange(2))
        for codes in ([0, 1], [1, 0])
    ]
    # Scores 0.8 and 0.1 stand each for one positive and one negative.
    false_rate, true_rate = figures.roc_points(parts, 1)
    np.testing.assert_allclose(np.interp([0, 0.5, 1], false_rate, true_rate), [0, 0.5, 1])


def test_precision_and_recall_of_one_class_against_the_rest():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
    part = TestPredictions(np.array([0, 1, 0, 1]), probabilities, np.zeros(4, dtype=int), np.arange(4))
    recall, precision, average = figures.precision_recall_points([part], 0)
    # From the surest call on: right, wrong, right.
    assert {(0.5, 1.0), (0.5, 0.5), (1.0, 2 / 3)} <= set(zip(recall.tolist(), precision.tolist(), strict=True))
    assert average == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_tuning_curve_over_epochs_leaves_out_models_without_any():
    rows = [("bilstm", 10, 0.5), ("bilstm", 20, 0.7), ("bilstm", 20, 0.6), ("kmer_svm", None, 0.9)]
    table = pd.DataFrame(
        {
            "repeat": "r0",
            "fold": "0",
            "model": [model for model, _, _ in rows],
            "k": 1,
            "parameters": [json.dumps({"C": 1} | ({"epochs": epochs} if epochs else {})) for _, epochs, _ in rows],
            "inner_balanced_accuracy": [score for _, _, score in rows],
        }
    )
    curves = figures.tuning_curves(figures.add_epochs(table), "epochs")
    assert {model: (sizes.tolist(), scores.tolist()) for model, (sizes, scores) in curves.items()} == {
        "bilstm": ([10, 20], [0.5, 0.7])
    }


def test_tuning_curve_takes_the_best_of_each_fold_and_its_mean():
    curves = figures.tuning_curves(tuning())
    assert list(curves) == ["linear_svm"]
    sizes, scores = curves["linear_svm"]
    assert sizes.tolist() == [50, 200]
    np.testing.assert_allclose(scores, [(0.9 + 0.5) / 2, (0.8 + 0.6) / 2])


def test_network_that_was_given_its_number_of_genes_is_no_tuning_curve():
    given = pd.DataFrame(
        {"repeat": "r0", "fold": ["0", "1"], "model": "cnn", "k": [50, 200], "inner_balanced_accuracy": [0.7, 0.8]}
    )
    assert list(figures.tuning_curves(pd.concat([tuning(), given]))) == ["linear_svm"]
    assert list(figures.tuning_curves(given)) == ["cnn"]


def test_weights_are_drawn_per_class_or_once(tmp_path):
    note, linear = "", True
    three = pd.DataFrame({"class": ["A", "B > 1", "C"], "feature": "g0", "weight": [1.0, -1.0, 0.5]})
    figures.plot_weights(three, MARKERS, "Model", tmp_path / "three", linear, note)
    assert len(list((tmp_path / "three").glob("coefficients_*.svg"))) == 3
    once = pd.DataFrame({"class": "", "feature": ["g0", "g1"], "weight": [0.9, 0.1]})
    figures.plot_weights(once, MARKERS, "Model", tmp_path / "once", False, note)
    assert sorted(path.name for path in (tmp_path / "once").iterdir()) == ["importances.png", "importances.svg"]


# Many classes

MANY = [f"tissue {number:02d}" for number in range(12)]


def many_ranks():
    """Gene g<c> matters most to class c, gene g<c + 1> second; 20 genes in all."""
    rows = [
        (label, f"g{gene:02d}", (gene - code) % 20 + 1, 1.0 / (1 + (gene - code) % 20), (-1) ** code * 0.5)
        for code, label in enumerate(MANY)
        for gene in range(20)
    ]
    return pd.DataFrame(rows, columns=["class", "feature", "rank", "mean_abs_shap", "median_shap"])


def shown(path):
    return path.with_suffix(".svg").read_text(encoding="utf-8")


def test_genes_of_many_classes_are_one_map(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "MAP_GENES", 12)
    drawn = []
    monkeypatch.setattr(plt.Axes, "imshow", keep(plt.Axes.imshow, drawn))
    figures.plot_class_map(many_ranks(), "median_shap", MANY, {"g03": "tb1"}, "SHAP", "title", tmp_path / "map", "note")
    text = shown(tmp_path / "map")
    assert [part for part in (*MANY, "g03 tb1", "SHAP", "title", "note") if part not in text] == []
    # The best gene of each class, class after class.
    assert [f"g{gene:02d}" in text for gene in range(20)] == [True] * 12 + [False] * 8
    (values,) = drawn
    np.testing.assert_array_equal(values, np.tile([0.5, -0.5] * 6, (12, 1)))


def keep(function, drawn):
    """The function, which notes what it draws."""

    def noted(axes, values, **options):
        drawn.append(np.asarray(values))
        return function(axes, values, **options)

    return noted


def test_bars_of_many_classes_are_their_sum(tmp_path, monkeypatch):
    widths = []
    own = plt.Axes.barh

    def barh(axes, places, values, **options):
        widths.append(np.asarray(values))
        return own(axes, places, values, **options)

    monkeypatch.setattr(plt.Axes, "barh", barh)
    ranks = many_ranks()
    figures.plot_shap_bar(ranks, MANY, {}, "t", tmp_path / "bar")
    (values,) = widths
    np.testing.assert_allclose(values, ranks.groupby("feature")["mean_abs_shap"].sum().sort_values(ascending=False))
    assert "sum over classes" in shown(tmp_path / "bar") and MANY[0] not in shown(tmp_path / "bar")


def test_weights_of_many_classes_are_one_map(tmp_path):
    weights = many_ranks().sort_values(["class", "rank"]).rename(columns={"median_shap": "weight"})
    figures.plot_weights(weights[["class", "feature", "weight"]], {}, "Model", tmp_path, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coefficients.png", "coefficients.svg"]
    assert MANY[-1] in shown(tmp_path / "coefficients")


def test_confusion_of_many_classes_has_no_text_where_there_is_no_sample(tmp_path):
    counts = pd.DataFrame(np.diag(np.arange(41.0, 53.0)), index=MANY, columns=MANY)
    counts.iloc[0, 1] = 0.5
    figures.plot_confusion(counts, "title", tmp_path / "confusion")
    text = shown(tmp_path / "confusion")
    assert [f">{count}<" in text for count in (41, 52, 0.5, 0)] == [True, True, True, False]
    assert ">0%<" not in text and ">100%<" not in text


def test_legend_of_many_curves_stands_beside_them(tmp_path, monkeypatch):
    places = []
    own = plt.Axes.legend
    monkeypatch.setattr(plt.Axes, "legend", lambda axes, **options: (places.append(options), own(axes, **options))[1])
    line = (np.linspace(0, 1, 3), np.linspace(0, 1, 3))
    for names in (CLASSES, MANY):
        figures.plot_roc(dict.fromkeys(names, line), "t", tmp_path / "roc")
    assert [options["loc"] for options in places] == ["lower right", "center left"]
