"""Pieces of the report page; the page as a whole is tested on finished runs in tests/workflow."""

import base64
import json

import numpy as np
import pandas as pd
import pytest

from genestrata import reporting
from genestrata.cluster_report import sample_cluster_sections
from genestrata.errors import InputError
from genestrata.figures import plot_bars
from genestrata.files import write_json, write_table
from genestrata.report_parts import fewer_colours
from genestrata.wording import TERMS


def test_numbers_have_three_decimals_and_a_dash_for_none():
    assert reporting.number(0.12345) == "0.123"
    assert reporting.number(None) == "–"
    assert reporting.with_interval({"value": 0.9, "ci95": [0.8, None]}) == "0.900 (0.800 to –)"


def test_text_of_a_table_is_escaped_and_a_missing_cell_is_empty():
    plot = reporting.table_section(
        {"a/b<c": {"x": "<script>", "y": None}, "c": {"x": "fine", "y": float("nan")}},
        {"x": {"title": "X"}, "y": {"title": "Y"}},
        "Name",
        "X",
        descending=True,
    )
    assert plot["data"] == {"a&#47;b&lt;c": {"x": "&lt;script&gt;", "y": ""}, "c": {"x": "fine", "y": ""}}
    assert plot["pconfig"]["defaultsort"] == [{"column": "X", "direction": "desc"}]


def test_figure_is_embedded_at_the_size_it_was_drawn_for(tmp_path):
    plot_bars(pd.Series([1.0, 2.0], index=["g0", "g1"]), "x", "t", tmp_path / "bars")
    html = reporting.image_section([(tmp_path / "bars.png", 'two "bars"')])["data"]
    content = (tmp_path / "bars.png").read_bytes()
    smaller = fewer_colours(content)
    assert base64.b64encode(smaller).decode() in html
    assert len(smaller) < len(content)
    assert 'alt="two &quot;bars&quot;"' in html
    width = int(html.partition('width="')[2].partition('"')[0])
    assert 480 < width < 600


def test_cleaning_table_counts_what_went_in_order():
    report = {
        "before": {"samples": 10, "features": 100},
        "steps": [{"step": "drop_features AFFX*", "dropped": 5, "of": "features", "examples": ["AFFX-1"]}],
        "after": {"samples": 10, "features": 95},
    }
    rows = reporting._cleaning(report, TERMS["expression"])["data"]
    assert [row["order"] for row in rows.values()] == [1, 2, 3]
    assert rows["drop_features AFFX*"]["features"] == -5
    assert rows["drop_features AFFX*"]["why"] == "e.g. AFFX-1"
    assert rows["kept"]["features"] == 95


def test_failing_multiqc_is_reported_with_its_own_words(tmp_path, monkeypatch):
    monkeypatch.setattr(reporting.sys, "executable", "/bin/false")
    with pytest.raises(InputError, match="MultiQC could not write the report"):
        reporting._run_multiqc(tmp_path, [], tmp_path)


def test_settings_of_the_user_do_not_reach_the_page(tmp_path, monkeypatch):
    monkeypatch.setenv("MULTIQC_TITLE", "not ours")
    section = {"plot_type": "html", "data": "<p>kept</p>", "id": "one", "section_name": "One", "description": ""}
    content = tmp_path / "content"
    content.mkdir()
    (content / "one_mqc.json").write_text(json.dumps(section))
    (tmp_path / "run.json").write_text(json.dumps({"title": "Ours", "output_fn_name": "report.html"}))
    root = reporting.Path(reporting.__file__).parents[2]
    reporting._run_multiqc(content, [root / "resources/report/multiqc_config.yaml", tmp_path / "run.json"], tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<p>kept</p>" in page
    assert "not ours" not in page
    assert "Ours" in page


# Networks


def score(value, low, high):
    return {"value": value, "ci95": [low, high]}


ORDERS = {
    "cnn": {
        "clustered": {"accuracy": score(0.9, 0.85, 0.95), "balanced_accuracy": score(0.8, 0.7, 0.9)},
        "file": {
            "accuracy": score(0.88, 0.8, 0.93),
            "balanced_accuracy": score(0.75, 0.65, 0.85),
            "accuracy_gain": score(0.02, -0.01, 0.05),
            "balanced_accuracy_gain": score(0.05, -0.0125, 0.1),
        },
    },
}


@pytest.fixture
def drawn(tmp_path):
    """A study folder with the training figures of two networks, and their bytes."""
    for number, model in enumerate(("dense", "cnn")):
        bars = pd.Series([1.0, 2.0 + number], index=["g0", "g1"])
        plot_bars(bars, "x", "t", tmp_path / "evaluation" / f"training_history_{model}")
    return tmp_path


def network_sections(networks, orders, folder):
    metrics = {"controls": {"gene_order": orders}}
    return {name: rest for name, *rest in reporting._network_sections({"networks": networks}, metrics, folder)}


def test_training_of_every_network_is_shown(drawn):
    sections = network_sections(["dense", "cnn"], {}, drawn)
    assert list(sections) == ["training"]
    html = sections["training"][-1]["data"]
    places = []
    for model, title in (("dense", "Dense network"), ("cnn", "CNN")):
        assert f'alt="Loss and accuracy of {title}"' in html
        image = fewer_colours((drawn / "evaluation" / f"training_history_{model}.png").read_bytes())
        places.append(html.index(base64.b64encode(image).decode()))
    assert places == sorted(places)


def test_order_table_holds_scores_with_intervals_and_the_gain_of_the_order_used(drawn):
    title, description, table = network_sections(["dense", "cnn"], ORDERS, drawn)["gene_order"]
    assert title == "Does the order of the genes matter?"
    assert "paired by sample" in description
    assert table["data"] == {
        "CNN, clustered": {
            "balanced_accuracy": "0.800 (0.700 to 0.900)",
            "accuracy": "0.900 (0.850 to 0.950)",
            "gain": "used by the model",
        },
        "CNN, file": {
            "balanced_accuracy": "0.750 (0.650 to 0.850)",
            "accuracy": "0.880 (0.800 to 0.930)",
            "gain": "0.050 (-0.013 to 0.100)",
        },
    }
    titles = {key: header["title"] for key, header in table["headers"].items()}
    assert titles == {
        "balanced_accuracy": "Balanced accuracy (95 %)",
        "accuracy": "Accuracy (95 %)",
        "gain": "Gain of the order used (95 %)",
    }
    assert table["pconfig"]["defaultsort"] == [{"column": "Network, order", "direction": "asc"}]


def test_networks_whose_order_means_nothing_have_no_order_table(drawn):
    assert list(network_sections(["dense"], {}, drawn)) == ["training"]


def test_explanation_of_a_network_says_how_well_its_values_add_up(tmp_path):
    (tmp_path / "explain/dense").mkdir(parents=True)
    consensus = {"feature": ["g1"], "rank": [1], "class": ["A"], "score": [0.1], "models": [2], "rank_dense": [1]}
    write_table(pd.DataFrame(consensus), tmp_path / "explain/consensus.tsv")
    sums = pd.DataFrame({"sum": [0.1, 0.5], "expected": [0.11, 0.9], "standard_error": [0.01, 0.1]})
    write_table(sums, tmp_path / "explain/dense/additivity.tsv")
    study = {"data": "user", "explained": ["dense", "logistic_regression"]}
    stability, markers = {"selection_inner": {"index": None}}, pd.DataFrame({"feature": [], "name": []})
    sections = reporting._feature_sections(study, stability, markers, tmp_path, TERMS["expression"])
    texts = {name: text for name, _, text, _ in sections}
    assert "1 of 2 sums lie within 2 standard errors" in texts["explain_dense"]
    assert "sums" not in texts["explain_logistic_regression"]


def test_study_without_networks_has_no_section_about_them(tmp_path):
    assert network_sections([], {}, tmp_path) == {}


# Labels that HTML would read as markup

ODD = ["<5 %", "Hyperdip>50", "a & b"]
ESCAPED = ["&lt;5 %", "Hyperdip&gt;50", "a &amp; b"]


@pytest.fixture
def odd_metrics():
    scores = ("balanced_accuracy", "accuracy", "macro_f1", "roc_auc_ovr", "mcc", "brier", "ece")
    per_class = dict.fromkeys(("precision", "recall", "f1", "roc_auc"), 0.5) | {"support": 4}
    entry = {name: score(0.5, 0.4, 0.6) for name in scores} | {
        "errors": 6.0,
        "inner_score": {"balanced_accuracy": 0.5},
        "train_seconds": 1.0,
        "per_class": dict.fromkeys(ODD, per_class),
        "uncalibrated": {"brier": 0.6, "ece": 0.2},
        "unclassified": {"threshold": 0.4, "coverage": 0.9, "accuracy": 0.6},
    }
    return {
        "models": {"dense": entry, "majority": entry},
        "selected": "dense",
        "exploratory_best": "dense",
        "classes": dict.fromkeys(ODD, 4),
        "n_samples": 12,
        "n_features": 7,
        "protocol": {"scheme": "cv", "folds": 2, "repeats": 1, "replicates": "separate"},
        "controls": {"permuted_labels": {"balanced_accuracy": score(0.33, 0.2, 0.5)}, "gene_order": {}},
        "extra": {},
    }


def raw_labels(pieces):
    """Labels that stand unescaped anywhere in pieces of the page."""
    text = json.dumps(pieces, ensure_ascii=False)
    return [label for label in ODD if label in text]


def test_labels_are_escaped_in_the_summary(odd_metrics):
    html = reporting._summary(
        {"task": "expression", "data": "public", "citation": "Nobody & Sons 2020"}, odd_metrics, [], TERMS["expression"]
    )
    assert raw_labels(html) == []
    assert "&lt;5 % (4), Hyperdip&gt;50 (4), a &amp; b (4)" in html
    assert "Nobody &amp; Sons" in html


@pytest.mark.parametrize("replicates", ["separate", "shared"])
def test_summary_says_where_replicates_were_seen_in_training(replicates, odd_metrics):
    odd_metrics["protocol"]["replicates"] = replicates
    study = {"task": "expression", "data": "public", "citation": ""}
    html = reporting._summary(study, odd_metrics, [], TERMS["expression"])
    assert ("to recognise a kind that was seen" in html) == (replicates == "shared")


def test_labels_are_escaped_in_tables_and_curves_of_the_evaluation(odd_metrics, drawn):
    evaluation = drawn / "evaluation"
    plot_bars(pd.Series([1.0, 2.0], index=["g0", "g1"]), "x", "t", evaluation / "scores")
    curve = {"title": "t", "xlab": "x", "ylab": "y", "description": "d"}
    roc = curve | {"title": "a & b against <5 %", "lines": {f"{label} (0.5)": [[0, 0], [1, 1]] for label in ODD}}
    empty = curve | {"lines": {}}
    write_json({"roc": roc, "calibration": empty, "tuning": empty}, evaluation / "curves.json")
    confusion = pd.DataFrame(np.eye(3), index=pd.Index(ODD, name="true"), columns=ODD)
    write_table(confusion.reset_index(), evaluation / "confusion_matrix.tsv")
    sections = {
        name: plot for name, _, _, plot in reporting._evaluation_sections(odd_metrics, drawn, TERMS["expression"])
    }
    assert raw_labels(list(sections.values())) == []
    assert list(sections["classes"]["data"]) == ESCAPED
    assert sections["confusion"]["xcats"] == sections["confusion"]["ycats"] == ESCAPED
    assert list(sections["roc"]["data"]) == [f"{label} (0.5)" for label in ESCAPED]
    assert sections["roc"]["pconfig"]["title"] == "a &amp; b against &lt;5 %"


def test_labels_are_escaped_among_the_samples(drawn):
    for figure in ("v_measure", "maps_pca"):
        plot_bars(pd.Series([1.0, 2.0], index=["g0", "g1"]), "x", "t", drawn / "cluster" / figure)
    points = {"sample": ["s>1", "s2", "s3"], "label": ODD, "PC1": [0.0, 1.0, 2.0], "PC2": [1.0, 0.0, 2.0]}
    write_table(pd.DataFrame(points), drawn / "cluster/pca.tsv")
    best = {"gene_set": "all", "method": "kmeans", "n_clusters": 3, "purity": 0.5, "v_measure": 0.5}
    row = best | {"chosen": True, "matches_class_count": True, "genes": 7}
    row |= dict.fromkeys(("silhouette", "adjusted_rand", "homogeneity"), 0.5)
    write_table(pd.DataFrame([row]), drawn / "cluster/clustering.tsv")
    clusters = {"explained_variance": [0.6, 0.2], "components": 3, "best": best, "random_sets": {}}
    pieces = list(sample_cluster_sections(clusters, drawn, TERMS["expression"]))
    assert raw_labels(pieces) == []
    points = pieces[0][-1]["data"]
    assert [point["group"] for point in points.values()] == ESCAPED
    assert list(points) == ["s&gt;1", "s2", "s3"]
