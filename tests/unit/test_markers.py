"""Gene sets and markers of a trained study: what the jobs write, and what the page and the figure show of it."""

from types import SimpleNamespace

import compare_sets
import list_markers
import numpy as np
import pandas as pd
import pytest
import rank_genes

from genestrata.errors import InputError
from genestrata.explaining import rank_features
from genestrata.files import read_json, read_table, write_table
from genestrata.gene_sets import class_scores, correct_calls, data_scores, take
from genestrata.marker_figures import plot_overlap
from genestrata.marker_report import marker_sections
from genestrata.markers import TOP_GENES, marker_table, means_by_class
from genestrata.specificity import lowest_level, tau
from genestrata.wording import TERMS

MODELS = ["logistic_regression", "xgboost"]
NAMES = ["consensus", "logistic_regression", "moderated_f"]


def test_means_inside_and_outside_leave_out_missing_values():
    values = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, np.nan], [9.0, 8.0]])
    inside, outside = means_by_class(values, np.array(list("AABB")), ["A", "B"])
    np.testing.assert_allclose(inside, [[2.0, 2.0], [7.0, 8.0]])
    np.testing.assert_allclose(outside, [[7.0, 8.0], [2.0, 2.0]])
    inside, _ = means_by_class(values[1:3], np.array(list("AB")), ["A", "B"])
    assert np.isnan(inside[:, 1]).all()


@pytest.fixture(scope="module")
def study(trained_study, tmp_path_factory):
    """The inputs of the jobs: SHAP-like values that favour gene c in class c, predictions, data."""
    folder, cohort = tmp_path_factory.mktemp("markers"), trained_study.cohort
    random = np.random.default_rng(0)
    rows = [
        (fold.repeat, fold.name, cohort.samples[row], label, f"g{gene:03d}", 0.0, random.normal(0, 0.01))
        for fold in trained_study.folds
        if len(fold.test)
        for row in fold.test
        for label in cohort.classes
        for gene in range(8)
    ]
    values = pd.DataFrame(rows, columns=["repeat", "fold", "sample", "class", "feature", "value", "shap"])
    own = pd.Series(cohort.labels, index=cohort.samples)[values["sample"]].to_numpy() == values["class"].to_numpy()
    planted = values["feature"] == "g" + values["class"].map({"A": "000", "B": "001", "C": "002"})
    values.loc[own & planted, "shap"] += 1
    values = values.astype(dict.fromkeys(["repeat", "fold", "sample", "class", "feature"], "category"))
    paths = {}
    for model in MODELS:
        write_table(values, folder / f"{model}.parquet")
        for repeat in ("r0", "r1"):
            paths[model, repeat] = folder / f"{model}_{repeat}.parquet"
            table = trained_study.predictions
            write_table(table[(table["model"] == model) & (table["repeat"] == repeat)], paths[model, repeat])
    matrix = pd.DataFrame(cohort.values, columns=cohort.features)
    matrix.insert(0, "sample", cohort.samples)
    write_table(matrix, folder / "features.parquet")
    write_table(trained_study.samples, folder / "samples.tsv")
    truth = pd.DataFrame({"class": list("ABC"), "feature": ["g000", "g001", "g002"]})
    write_table(truth, folder / "truth.tsv")
    ranking = pd.DataFrame({"fold": "0", "inner_fold": 0, "feature": cohort.features, "score": 1.0, "rank": 1})
    write_table(ranking, folder / "ranking.parquet")
    return SimpleNamespace(folder=folder, values=values, predictions=paths, cohort=cohort, trained=trained_study)


def rank(study, folder, truth=True, **sets):
    """Run rank_genes in a folder of its own."""
    inputs = SimpleNamespace(
        values=[study.folder / f"{model}.parquet" for model in MODELS],
        predictions=list(study.predictions.values()),
        ranking=[str(study.folder / "ranking.parquet")] * 2,
        features=study.folder / "features.parquet",
        samples=study.folder / "samples.tsv",
        truth=study.folder / "truth.tsv" if truth else [],
    )
    files = ("ranks", "consensus", "genes", "scores", "gene_sets", "markers")
    outputs = {name: folder / f"{name}.tsv" for name in files}
    outputs |= {"stability": folder / "stability.json", "figure": [folder / "consensus.svg"]}
    sets = {"names": NAMES, "rule": "size", "size": 4, "asked": True, "expressed": None} | sets
    rank_genes.main(inputs, SimpleNamespace(**outputs), MODELS, ["r0", "r1"], sets, {"g000": "zyxin"}, "simulated")
    return SimpleNamespace(**outputs)


def test_sets_of_one_size_and_the_scores_behind_them_are_written(study, tmp_path):
    outputs = rank(study, tmp_path)
    scores = read_table(outputs.scores)
    assert list(scores.columns) == ["model", "class", "feature", "median_shap", "rank"]
    assert set(scores["model"]) == set(MODELS)
    table = study.trained.predictions
    correct = correct_calls(table[table["model"] == "logistic_regression"])
    assert 0 < len(correct) < 2 * len(study.cohort.samples)
    expected = class_scores(study.values, correct)
    found = scores[scores["model"] == "logistic_regression"].drop(columns="model").reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-4)
    sets = read_table(outputs.gene_sets)
    assert list(sets.columns) == ["set", "rank", "feature", "class"]
    assert sets["set"].tolist() == [name for name in NAMES for _ in range(4)]
    by_set = {name: part.drop(columns="set").reset_index(drop=True) for name, part in sets.groupby("set")}
    pd.testing.assert_frame_equal(by_set["logistic_regression"], take(expected, "size", 4), check_dtype=False)
    assert by_set["consensus"]["feature"].tolist() == read_table(outputs.consensus)["feature"][:4].tolist()
    assert by_set["moderated_f"]["feature"][:3].tolist() == ["g000", "g001", "g002"]
    report = read_json(outputs.stability)
    assert report["gene_sets"] == {"names": NAMES, "rule": "size", "size": 4, "genes": dict.fromkeys(NAMES, 4)}


def test_recovery_of_planted_markers_is_counted_for_every_set(study, tmp_path):
    report = read_json(rank(study, tmp_path).stability)
    assert set(report["marker_recovery_of_sets"]) == set(NAMES)
    found = report["marker_recovery_of_sets"]["logistic_regression"]
    assert found == {"planted": 3, "recovered_at_planted": 3, "precision_at": {"3": 1.0}}
    assert report["marker_recovery"]["planted"] == 3
    assert "marker_recovery_of_sets" not in read_json(rank(study, tmp_path, truth=False).stability)


def test_first_set_gives_the_size_by_its_repeats(study, tmp_path):
    # Every class ranks the same genes, so that repeats come soon.
    outputs = rank(study, tmp_path, names=["xgboost", "moderated_f"], rule="half_repeats", asked=False)
    sizes = read_json(outputs.stability)["gene_sets"]["genes"]
    scores = read_table(outputs.scores)
    expected = len(take(scores[scores["model"] == "xgboost"].drop(columns="model"), "half_repeats", 0))
    assert sizes == {"xgboost": expected, "moderated_f": expected}
    assert expected >= 3


def test_set_that_was_asked_for_must_be_expressed(study, tmp_path):
    with pytest.raises(InputError, match=r"a set of 21 genes was asked for \(cluster.set_size\), only 20 genes are"):
        rank(study, tmp_path, size=21)
    limits = {"level": 1e3, "samples": 1}
    with pytest.raises(InputError, match="only 0 genes are expressed"):
        rank(study, tmp_path, expressed=limits)
    outputs = rank(study, tmp_path, names=["consensus"], size=50, asked=False)
    assert len(read_table(outputs.gene_sets)) == 8


def test_marker_table_has_the_top_genes_of_every_class_with_their_ranks(study, tmp_path):
    ranked = rank(study, tmp_path)
    inputs = SimpleNamespace(
        scores=ranked.scores, features=study.folder / "features.parquet", samples=study.folder / "samples.tsv", truth=[]
    )
    outputs = SimpleNamespace(markers=tmp_path / "marker_table.tsv")
    list_markers.main(inputs, outputs, MODELS, None, {"g000": "zyxin"})
    table = read_table(outputs.markers)
    columns = ["class", "place", "feature", "name", "tau", "mean_inside", "mean_outside"]
    assert list(table.columns) == [*columns, "rank_logistic_regression", "rank_xgboost", "rank_moderated_f"]
    assert table["class"].is_monotonic_increasing
    assert table.groupby("class")["place"].apply(list).tolist() == [
        list(range(1, size + 1)) for size in table.groupby("class").size()
    ]
    first = table[table["place"] == 1].set_index("class")
    assert first["feature"].to_dict() == {"A": "g000", "B": "g001", "C": "g002"}
    assert first["name"].dropna().to_dict() == {"A": "zyxin"}
    cohort = study.cohort
    inside = cohort.labels == "B"
    np.testing.assert_allclose(first.loc["B", "mean_inside"], cohort.values[inside, 1].mean(), rtol=1e-5)
    np.testing.assert_allclose(first.loc["B", "mean_outside"], cohort.values[~inside, 1].mean(), rtol=1e-5)
    means = np.array([cohort.values[cohort.labels == label].mean(axis=0) for label in "ABC"])
    np.testing.assert_allclose(first.loc["B", "tau"], tau(means, lowest_level(cohort.values))[1], rtol=1e-5)
    scores = read_table(ranked.scores)
    scores = scores[(scores["model"] == "xgboost") & (scores["class"] == "B")].set_index("feature")
    for _, row in table[table["class"] == "B"].iterrows():
        supported = row["feature"] in scores.index and scores.loc[row["feature"], "median_shap"] > 0
        assert supported == pd.notna(row["rank_xgboost"])
        if supported:
            assert row["rank_xgboost"] == scores.loc[row["feature"], "rank"]


def test_only_the_first_genes_of_a_ranking_are_listed(make_cohort):
    cohort = make_cohort(n_features=100)
    scores = {"moderated_f": data_scores(cohort.values, cohort.labels, cohort.features, "moderated_f")}
    table = marker_table(cohort, scores, {})
    assert table.groupby("class").size().to_dict() == {"A": TOP_GENES, "B": TOP_GENES}
    assert table["rank_moderated_f"].tolist() == table["place"].tolist()
    assert table["name"].isna().all()


def test_overlap_is_counted_and_drawn(study, tmp_path):
    inputs = SimpleNamespace(gene_sets=rank(study, tmp_path).gene_sets)
    for folder in ("one", "two"):
        outputs = SimpleNamespace(overlap=tmp_path / folder / "o.tsv", figure=[tmp_path / folder / "overlap.svg"])
        compare_sets.main(inputs, outputs, NAMES, "simulated")
    for name in ("o.tsv", "overlap.svg", "overlap.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    table = read_table(outputs.overlap)
    assert list(table.columns) == [*NAMES, "genes"]
    assert [table.loc[table[name], "genes"].sum() for name in NAMES] == [4, 4, 4]
    text = (tmp_path / "one" / "overlap.svg").read_text(encoding="utf-8")
    assert all(part in text for part in ("Consensus (4)", "Moderated t (4)", "SIMULATED data"))


def test_overlap_of_one_set_is_one_bar(tmp_path):
    plot_overlap(pd.DataFrame({"consensus": [True], "genes": [7]}), tmp_path / "overlap")
    assert "Consensus (7)" in (tmp_path / "overlap.svg").read_text(encoding="utf-8")


def sections_of(study, tmp_path, label="B", extra=("explain/marker_table.tsv", "explain/overlap.png"), **sets):
    """Sections of the page on a marker table with one label changed."""
    rows = [(label, place, f"g{place}", 0.5, 3.0, 1.0, place, None) for place in (1, 2, 3, 4)]
    columns = ["class", "place", "feature", "tau", "mean_inside", "mean_outside", "rank_xgboost", "rank_moderated_f"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(3, "name", None)
    write_table(table, tmp_path / "explain/marker_table.tsv")
    plot_overlap(pd.DataFrame({"consensus": [True], "genes": [7]}), tmp_path / "explain/overlap")
    stability = {"gene_sets": {"names": ["xgboost", "consensus"], "rule": "size", "size": 9} | sets}
    stability["gene_sets"].setdefault("genes", {"consensus": 7, "xgboost": 9})
    return {name: rest for name, *rest in marker_sections({"extra": extra}, stability, tmp_path, TERMS["expression"])}


def test_page_lists_three_genes_of_a_class_without_trusting_its_label(study, tmp_path):
    sections = sections_of(study, tmp_path, label="<b>/x")
    assert list(sections) == ["marker_table", "overlap"]
    plot = sections["marker_table"][-1]
    assert list(plot["data"]) == [f"&lt;b&gt;&#47;x: g{place}" for place in (1, 2, 3)]
    assert plot["data"]["&lt;b&gt;&#47;x: g1"]["rank_moderated_f"] == ""
    assert "name" not in plot["headers"]
    assert plot["headers"]["rank_moderated_f"]["title"] == "Rank, Moderated t"


def test_page_states_sizes_and_rule_of_the_sets(study, tmp_path):
    text = sections_of(study, tmp_path)["overlap"][1]
    assert "Every set has at most 9 genes, set for this study; fewer where its ranking has no more." in text
    assert "Sizes: XGBoost 9, Consensus 7." in text
    text = sections_of(study, tmp_path, rule="half_repeats", size=50)["overlap"][1]
    assert "at most 9 genes, the size at which half of the genes that XGBoost had given were repeats" in text


def test_page_has_no_section_for_what_a_study_does_not_have(study, tmp_path):
    assert sections_of(study, tmp_path, extra=()) == {}


def test_shap_ranks_still_hold_every_model(study, tmp_path):
    ranks = read_table(rank(study, tmp_path).ranks)
    expected = pd.concat([rank_features(study.values, model) for model in MODELS], ignore_index=True)
    pd.testing.assert_frame_equal(ranks, expected, check_dtype=False, rtol=1e-4)
