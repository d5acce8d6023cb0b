"""Sections of the report page that only studies of sequences have, made of small files."""

import base64
import json
import zlib

import pandas as pd
import pytest
from PIL import Image

from genestrata.files import write_table
from genestrata.report_parts import fewer_colours
from genestrata.sequence_report import (
    LISTED,
    best_possible_row,
    best_possible_text,
    cleaning_sections,
    cluster_sections,
    explanation_text,
    sequence_sections,
    setting_names,
)

ODD = "<b>a & b"
ESCAPED = "&lt;b&gt;a &amp; b"
CLEANING = {
    "letters": {"lower_case": 1200, "uracil": 3, "gap": 0, "ambiguous": 29},
    "left_out_classes": {ODD: 3, "rifampicin": 9},
    "conflicts": [{"samples": ["cfr_1", "cfr_2"], "labels": ["phenicol", ODD]}],
    "homology": {"identity": 0.8, "groups": 1482, "largest": 801},
}


def write_figure(path):
    """A picture in a colour of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (450, 8), tuple(zlib.crc32(path.name.encode()).to_bytes(4, "big")[:3])).save(path)


def embedded(path):
    return base64.b64encode(fewer_colours(path.read_bytes())).decode()


def by_name(sections):
    return {name: rest for name, *rest in sections}


def sections(folder, extra=None, files=(), networks=()):
    study = {"extra": list(files), "networks": list(networks)}
    return by_name(sequence_sections(study, {"extra": extra or {}}, folder))


def titles(plot):
    return [header["title"] for header in plot["headers"].values()]


def score(value):
    return {"value": value, "ci95": [value - 0.05, value + 0.05]}


def test_study_that_has_none_of_it_has_no_section(tmp_path):
    # Every study compares inner with test scores; the page shows them where the figure is made.
    assert sections(tmp_path, {"v_measure": {}, "cv_against_test": {}}) == {}
    assert by_name(cleaning_sections({"before": {}, "steps": [], "after": {}})) == {}


# Cleaning


def test_letters_groups_and_classes_left_out_are_counted():
    title, text, plot = by_name(cleaning_sections(CLEANING))["letters"]
    assert title == "What was done to the letters"
    assert f"Classes left out: {ESCAPED} (3), rifampicin (9)." in text
    assert "at least 80% estimated identity" in text and "1,482 groups, the largest of 801 sequences" in text
    assert [row["letters"] for row in plot["data"].values()] == [1200, 3, 0, 29]
    assert list(plot["data"])[1] == "U, read as T"


def test_cleaning_without_groups_and_conflicts_says_nothing_of_them():
    plain = CLEANING | {"left_out_classes": {}, "conflicts": [], "homology": None}
    found = by_name(cleaning_sections(plain))
    assert list(found) == ["letters"]
    assert found["letters"][1] == ""


def test_conflicting_labels_are_listed():
    title, text, plot = by_name(cleaning_sections(CLEANING))["conflicts"]
    assert title == "One sequence, several labels"
    assert "belong to no class: 1, of which 1 are listed" in text
    assert plot["data"] == {"cfr_1, cfr_2": {"labels": f"{ESCAPED}, phenicol"}}
    many = CLEANING | {"conflicts": [{"samples": [f"s{n}"], "labels": ["A", "B", "A"]} for n in range(LISTED + 5)]}
    title, text, plot = by_name(cleaning_sections(many))["conflicts"]
    assert f"belong to no class: {LISTED + 5}, of which {LISTED} are listed" in text
    assert len(plot["data"]) == LISTED and plot["data"]["s0"] == {"labels": "A, B"}


# How far scores carry over


def test_gap_to_a_random_split_by_model_and_score(tmp_path):
    metrics = ("accuracy", "balanced_accuracy", "macro_f1")
    parts = {"grouped": 0.7, "random": 0.95, "gap": 0.25}
    entry = {part: {metric: score(value) for metric in metrics} for part, value in parts.items()}
    title, _, plot = sections(tmp_path, {"random_split": {"kmer_svm": entry}})["random_split"]
    assert title == "How much a random split flatters"
    assert list(plot["data"]) == ["k-mer SVM, accuracy", "k-mer SVM, balanced accuracy", "k-mer SVM, macro-F1"]
    assert plot["data"]["k-mer SVM, macro-F1"] == {
        "grouped": "0.700 (0.650 to 0.750)",
        "random": "0.950 (0.900 to 1.000)",
        "gap": "0.250 (0.200 to 0.300)",
    }
    assert titles(plot)[-1] == "What a random split adds (95 %)"


def test_accuracy_by_identity_is_a_table_of_bins(tmp_path):
    def entry(low, high, n, accuracy):
        return {"from": low, "to": high, "n": n, "accuracy": accuracy, "ci95": [accuracy - 0.1, accuracy + 0.1]}

    extra = {
        "accuracy_by_identity": {
            "kmer_nearest": [entry(0.0, 0.7, 1500, 0.6), entry(0.99, 1.0, 20, 0.9)],
            "bilstm": [entry(0.0, 0.7, 1500, 0.8)],
        }
    }
    figure = tmp_path / "evaluation/accuracy_by_identity.png"
    write_figure(figure)
    found = sections(tmp_path, extra, ["evaluation/accuracy_by_identity.png"])
    assert list(found) == ["accuracy_by_identity", "identity_curves"]
    plot = found["accuracy_by_identity"][-1]
    assert titles(plot) == ["0% to 70% (1,500)", "99% to 100% (20)"]
    near, far = plot["headers"]
    assert plot["data"]["BiLSTM"] == {near: "0.800 (0.700 to 0.900)"}
    assert plot["data"]["Nearest neighbours by k-mers"][far] == "0.900 (0.800 to 1.000)"
    assert embedded(figure) in found["identity_curves"][-1]["data"]


def test_inner_scores_stand_beside_test_scores(tmp_path):
    write_figure(tmp_path / "evaluation/cv_against_test.png")
    extra = {"cv_against_test": {"bilstm": {"inner": 0.9, "test": 0.75, "folds": [{}] * 5}}}
    found = sections(tmp_path, extra, ["evaluation/cv_against_test.png"])
    assert list(found) == ["cv_against_test", "cv_against_test_folds"]
    assert found["cv_against_test"][-1]["data"] == {
        "BiLSTM": {"inner": 0.9, "test": 0.75, "difference": pytest.approx(0.15), "folds": 5}
    }


def test_figures_that_the_study_lists_are_embedded(tmp_path):
    names = ["evaluation/precision_recall.png", "evaluation/architecture_bilstm.png"]
    for name in names:
        write_figure(tmp_path / name)
    found = sections(tmp_path, files=names, networks=["bilstm", "cnn"])
    assert list(found) == ["precision_recall", "architecture"]
    assert embedded(tmp_path / names[0]) in found["precision_recall"][-1]["data"]
    html = found["architecture"][-1]["data"]
    assert embedded(tmp_path / names[1]) in html and "Layers of BiLSTM" in html and "CNN" not in html


def test_best_possible_accuracy_is_a_row_of_the_models_where_it_is_known():
    known = {"extra": {"best_possible": {"accuracy": 0.95}}}
    assert best_possible_row(known) == {
        "Best possible": {"note": "knows the rule behind the labels", "accuracy": "0.950"}
    }
    assert "best possible accuracy is known" in best_possible_text(known)
    assert best_possible_row({"extra": {}}) == {} and best_possible_text({"extra": {}}) == ""


# Search


def tuning_rows(model, parameters, scores, chosen, fold="0"):
    return [
        {
            "repeat": "r0",
            "model": model,
            "fold": fold,
            "k": 1,
            "parameters": json.dumps(values, sort_keys=True),
            "inner_balanced_accuracy": value,
            "chosen": place == chosen,
        }
        for place, (values, value) in enumerate(zip(parameters, scores, strict=True))
    ]


def test_search_is_a_table_of_settings_by_fold(tmp_path):
    grid = [{"epochs": epochs, "units": [32, 32], "reads": "dna"} for epochs in (10, 20)]
    rows = tuning_rows("bilstm", grid, [0.5, 0.75], 1)
    rows += tuning_rows("bilstm", grid, [0.7, 0.6], 0, "final")
    rows += tuning_rows("kmer_nearest", [{"neighbours": 1}], [0.9], 0)
    write_table(pd.DataFrame(rows), tmp_path / "evaluation/tuning.tsv")
    title, _, plot = sections(tmp_path, files=["evaluation/tuning.tsv"])["search"]
    assert title == "Search of the settings"
    assert plot["data"] == {
        "BiLSTM: epochs 10": {"fold_0": "0.500", "fold_1": "0.700 ✓", "chosen": 1},
        "BiLSTM: epochs 20": {"fold_0": "0.750 ✓", "fold_1": "0.600", "chosen": 1},
    }
    assert titles(plot) == ["r0/0", "r0/all data", "Times chosen"]


def test_study_in_which_nothing_is_searched_has_no_table_of_it(tmp_path):
    write_table(pd.DataFrame(tuning_rows("bilstm", [{"epochs": 5}], [0.5], 0)), tmp_path / "evaluation/tuning.tsv")
    assert sections(tmp_path, files=["evaluation/tuning.tsv"]) == {}


def test_settings_are_named_by_what_differs():
    settings = [{"C": 1.0, "units": [32]}, {"C": 1.0, "units": [62, 62]}, {"C": 1.0, "units": [32], "reads": "dna"}]
    names = setting_names(pd.Series([json.dumps(setting) for setting in settings]))
    assert names.tolist() == ["reads null, units 32", "reads null, units 62, 62", "reads dna, units 32"]


def test_explanation_says_what_was_done_to_each_kind_of_model():
    assert explanation_text("bilstm").startswith("Integrated gradients")
    assert explanation_text("kmer_svm") == explanation_text("kmer_xgboost") != explanation_text("bilstm")
    assert explanation_text("xgboost") == explanation_text("cnn_bilstm") == ""


# Clusters


def test_clusters_show_groups_beside_those_of_kmers(tmp_path):
    points = pd.DataFrame({"sample": ["s>1", "s2"], "label": [ODD, "B"], "PC1": [0.0, 1.0], "PC2": [1.0, 0.0]})
    write_table(points, tmp_path / "cluster/pca.tsv")
    row = dict.fromkeys(("purity", "homogeneity", "v_measure", "adjusted_rand", "silhouette"), 0.99)
    row |= {"gene_set": "sequences", "method": "homology groups", "n_clusters": 482, "completeness": 0.25}
    other = row | {"method": "kmeans", "n_clusters": 9, "gene_set": "k-mers", "silhouette": None}
    write_table(pd.DataFrame([row, other]), tmp_path / "cluster/clustering.tsv")
    clusters = {
        "explained_variance": [0.1, 0.06],
        "components": 2,
        "kmers": 6132,
        "sequences": 5000,
        "of_sequences": 100000,
        "homology": row,
        "random_sets": {},
    }
    found = by_name(cluster_sections(clusters, tmp_path))
    assert list(found) == ["pca", "clusters"]
    _, text, plot = found["pca"]
    assert "6,132 protein words" in text and "5,000 of 100,000 sequences" in text and ESCAPED in text
    assert [point["group"] for point in plot["data"].values()] == [ESCAPED, "B"]
    _, text, plot = found["clusters"]
    assert "99.0% of the sequences have the commonest label" in text and "completeness 0.250" in text
    assert plot["data"]["homology groups"]["n_clusters"] == 482
    assert plot["data"]["kmeans"]["silhouette"] == ""
    complete = by_name(cluster_sections(clusters | {"sequences": 100000, "homology": None}, tmp_path))
    assert "drawn at random" not in complete["pca"][1]
    assert complete["clusters"][1].startswith("k-means and agglomerative")
