"""Sections of the report on gene sets against random sets."""

import pandas as pd
import pytest

from genestrata.cluster_report import sample_cluster_sections
from genestrata.figures import plot_bars
from genestrata.files import write_table
from genestrata.wording import TERMS

SCORES = dict.fromkeys(("homogeneity", "completeness", "purity"), 0.5)
NULL = {"mean": 0.41, "sd": 0.1, "percentile_95": 0.55, "p": 0.0099, "p_t": 0.02}
ON_MAP = {"v_measure": 0.33, **SCORES, "free": NULL}


def entry(v_measure, **more):
    return {"genes": 50, "random_sets": 100, "v_measure": v_measure, **SCORES, "free": NULL, "matched": NULL, **more}


def comparison(first, sets, all_genes):
    parts = {"classes_0": {"samples": 34, "labels": 12, "fitted": 34}}
    return {**entry(0.9), "set": first, "sets": sets, "all_genes": {"genes": 900, **all_genes}, "parts": parts}


@pytest.fixture
def sections(tmp_path):
    """Sections by their id for comparisons of scopes."""

    def read(comparisons):
        for figure in ("v_measure", "maps_pca", "umap"):
            plot_bars(pd.Series([1.0], index=["g0"]), "x", "t", tmp_path / "cluster" / figure)
        points = {"sample": ["a", "b"], "label": ["A", "B"], "PC1": [0.0, 1.0], "PC2": [1.0, 0.0]}
        write_table(pd.DataFrame(points), tmp_path / "cluster/pca.tsv")
        best = {"gene_set": "all", "method": "kmeans", "n_clusters": 3, "purity": 0.5, "v_measure": 0.5}
        row = {**best, "chosen": True, "matches_class_count": True, "genes": 7}
        row |= dict.fromkeys(("silhouette", "adjusted_rand", "homogeneity"), 0.5)
        write_table(pd.DataFrame([row]), tmp_path / "cluster/clustering.tsv")
        clusters = {"explained_variance": [0.6, 0.2], "components": 3, "best": best, "random_sets": comparisons}
        found = sample_cluster_sections(clusters, tmp_path, TERMS["expression"])
        return {name: (title, text, plot) for name, title, text, plot in found}

    return read


def test_table_has_a_row_for_each_set_scope_and_space(sections):
    reference = {"v_measure": 0.7, **SCORES}
    found = sections(
        {
            "in sample": comparison(
                "linear_svm",
                {"anova_f": entry(0.8, umap=ON_MAP), "linear_svm": entry(0.9, umap=ON_MAP)},
                reference | {"umap": {"v_measure": 0.3, **SCORES}},
            ),
            "out of sample": comparison("consensus", {"consensus": entry(0.6)}, reference),
        }
    )
    _, text, table = found["set_scores"]
    assert list(table["data"]) == [
        "Linear SVM, in sample, expression",
        "Linear SVM, in sample, UMAP",
        "ANOVA, in sample, expression",
        "ANOVA, in sample, UMAP",
        "All genes, in sample, expression",
        "All genes, in sample, UMAP",
        "Selected in training, out of sample, expression",
        "All genes, out of sample, expression",
    ]
    row = table["data"]["Linear SVM, in sample, expression"]
    assert (row["genes"], row["v_measure"], row["mean"], row["p"], row["p_t"], row["matched_p"]) == (
        50,
        0.9,
        0.41,
        0.0099,
        0.02,
        0.0099,
    )
    assert table["data"]["ANOVA, in sample, UMAP"]["v_measure"] == 0.33
    assert table["data"]["ANOVA, in sample, UMAP"]["matched_p"] == ""
    assert table["data"]["All genes, out of sample, expression"]["p"] == ""
    assert "100 random sets" in text and "34 with 12 labels" in text and "stand there for the consensus" in text
    assert "In sample is descriptive, out of sample is the claim" in text
    assert found["set_maps"][2]["data"].count("<img") == 2


def test_size_of_a_set_is_a_range_where_its_parts_differ(sections):
    sets = {
        "consensus": entry(0.6, sizes={"0": 50, "1": 50}),
        "xgboost": entry(0.5, sizes={"0": 50, "1": 61, "2": 47}),
    }
    found = sections({"out of sample": comparison("consensus", sets, {"v_measure": 0.7, **SCORES})})
    rows = found["set_scores"][2]["data"]
    assert [rows[f"{name}, out of sample, expression"]["genes"] for name in ("Selected in training", "XGBoost")] == [
        50,
        "47–61",
    ]
    assert rows["All genes, out of sample, expression"]["genes"] == 900


def test_study_without_large_parts_says_so_and_one_without_umap_shows_no_map_of_it(sections):
    found = sections({"in sample": comparison("consensus", {"consensus": entry(0.9)}, {"v_measure": 0.7, **SCORES})})
    assert "no part of held-out samples is large enough" in found["set_scores"][1]
    assert found["set_maps"][2]["data"].count("<img") == 1


def test_without_comparisons_there_is_no_table(sections):
    assert "set_scores" not in sections({})
