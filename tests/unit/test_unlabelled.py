"""Samples without a label: read and kept where the study says so, predicted in the final fold, and nothing else."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from genestrata.bundle import write_bundle
from genestrata.calibration import Calibration
from genestrata.cleaning import check_cycle, check_labels, clean, resolve_unlabelled
from genestrata.cohort import Cohort
from genestrata.errors import InputError
from genestrata.evaluation import evaluate
from genestrata.files import read_json, write_table
from genestrata.models.storage import FittedModel
from genestrata.predictions import codes, probabilities
from genestrata.ranking import rank_folds
from genestrata.readers.table import read
from genestrata.readers.tables import sample_frame
from genestrata.splitting import FINAL, read_evaluated_folds, read_folds, split_samples
from genestrata.stacking import train_stack
from genestrata.tables import labelled, read_samples
from genestrata.training import train_model
from genestrata.wording import TERMS

EVALUATION = {
    "scheme": "cv",
    "folds": 3,
    "repeats": 2,
    "inner_folds": 2,
    "replicates": "separate",
    "group": None,
    "seed": 1,
}
LABELS = ["A", "B", "", "A", "B", "A", "B", "", "A", "B", "A", "B", "A", "B", ""]
UNLABELLED = [2, 7, 14]
MODELS = {"majority": {}, "logistic_regression": {"C": 0.1}, "decision_tree": {"max_depth": [1, 2]}}
PREDICT = {"orientation": "genes_by_samples", "unlabelled": "predict"}
EXPRESSION = "gene,s1,s2,s3,s4\ng1,1,2,3,4\ng2,5,NA,7,8\n"


# cohort and tables


def build_cohort(labels, groups=None):
    """A cohort of two features with these labels."""
    names = np.array([f"s{number}" for number in range(len(labels))], dtype=object)
    values = np.arange(2 * len(labels), dtype=np.float32).reshape(-1, 2)
    features = np.array(["x", "y"], dtype=object)
    labels = np.array(labels, dtype=object)
    groups = None if groups is None else np.array(groups, dtype=object)
    return Cohort(values, features, names, labels, sorted(set(labels) - {""}), groups, np.array([1, 0]))


def test_code_of_no_label_is_minus_one():
    assert build_cohort(["b", "", "c", "a", ""]).codes.tolist() == [1, -1, 2, 0, -1]


def test_labelled_cohort_has_the_rows_with_a_label():
    cohort = build_cohort(["b", "", "c", "b"], groups=["p1", "", "p2", "p3"])
    assert cohort.codes.tolist() == [0, -1, 1, 0]
    known = cohort.labelled()
    assert known.samples.tolist() == ["s0", "s2", "s3"]
    assert known.values.tolist() == [[0, 1], [4, 5], [6, 7]]
    assert known.labels.tolist() == ["b", "c", "b"]
    assert known.codes.tolist() == [0, 1, 0]
    assert known.groups.tolist() == ["p1", "p2", "p3"]
    assert (known.classes, known.features.tolist(), known.genome_order.tolist()) == (["b", "c"], ["x", "y"], [1, 0])
    assert build_cohort(["b", ""]).labelled().groups is None


def test_read_cohort_leaves_no_label_out_of_classes_and_groups(tmp_path, make_samples):
    table = pd.DataFrame({"sample": ["s000", "s001", "s002"], "x": [1.0, 2.0, 3.0]})
    write_table(table, tmp_path / "features.parquet")
    cohort = Cohort.read(tmp_path / "features.parquet", make_samples(["b", "", "a"], group=["p2", "", "p1"]))
    assert cohort.classes == ["a", "b"]
    assert cohort.labels.tolist() == ["b", "", "a"]
    assert cohort.codes.tolist() == [1, -1, 0]
    assert cohort.groups.tolist() == ["p2", "", "p1"]
    incomplete = make_samples(["b", "", "a"], group=["p2", "p1", ""])
    assert Cohort.read(tmp_path / "features.parquet", incomplete).groups is None


def test_labelled_samples_of_a_written_table(make_samples, tmp_path):
    samples = make_samples(["", "NA", "", "b"], group=["p1", "p2", "p3", "p4"])
    write_table(samples, tmp_path / "samples.tsv")
    read_back = read_samples(tmp_path / "samples.tsv")
    assert read_back["label"].tolist() == ["", "NA", "", "b"]
    known = labelled(read_back)
    assert known["sample"].tolist() == ["s001", "s003"]
    assert known["group"].tolist() == ["p2", "p4"]
    assert known.index.tolist() == [0, 1]


# folds


@pytest.mark.parametrize(
    ("settings", "columns"),
    [
        ({"scheme": "cv"}, {}),
        ({"scheme": "grouped_cv"}, {"group": [f"p{row // 2}" if label else "" for row, label in enumerate(LABELS)]}),
        ({"scheme": "leave_one_group_out", "repeats": 1}, {"group": ["p1"] * 8 + ["p2"] * 7}),
        ({"scheme": "published", "repeats": 1}, {"split": ["train"] * 8 + ["test"] * 6 + [""]}),
        ({"scheme": "auto", "repeats": 1}, {"split": ["train"] * 8 + ["test"] * 6 + [""]}),
    ],
)
def test_samples_without_a_label_are_tested_in_the_final_fold_of_the_first_repeat_only(settings, columns, make_samples):
    samples = make_samples(LABELS, **columns)
    splits = split_samples(samples, EVALUATION | settings, 1, "study.yaml")
    rows = splits[splits["sample"].isin(samples.loc[UNLABELLED, "sample"])]
    assert rows["sample"].tolist() == ["s002", "s007", "s014"]
    assert set(map(tuple, rows[["repeat", "fold", "inner_fold", "role"]].to_numpy())) == {("r0", FINAL, "", "test")}
    known = split_samples(labelled(samples), EVALUATION | settings, 1, "study.yaml")
    pd.testing.assert_frame_equal(splits.drop(rows.index), known)


def test_folds_number_the_rows_of_all_samples(make_samples):
    samples = make_samples(LABELS)
    splits = split_samples(samples, EVALUATION, 1, "study.yaml")
    known = [row for row in range(len(LABELS)) if row not in UNLABELLED]
    *folds, final = read_folds(splits, samples, "r0")
    assert (final.name, final.test.tolist(), final.train.tolist()) == (FINAL, UNLABELLED, known)
    for fold in [*folds, *read_folds(splits, samples, "r1")]:
        assert sorted([*fold.train, *fold.test]) == known
    for fold in (final, *folds):
        assert sorted(np.concatenate([held_out for _, held_out in fold.inner])) == fold.train.tolist()


def test_evaluated_folds_never_show_samples_without_a_label(make_samples):
    samples = make_samples(LABELS)
    splits = split_samples(samples, EVALUATION, 1, "study.yaml")
    folds = read_evaluated_folds(splits, samples, ["r0", "r1"])
    assert [(fold.repeat, fold.name) for fold in folds] == [(repeat, name) for repeat in ("r0", "r1") for name in "012"]
    for fold in folds:
        parts = [fold.train, fold.test, *(rows for pair in fold.inner for rows in pair)]
        assert not set(UNLABELLED) & set(np.concatenate(parts))


def test_classes_without_a_label_do_not_shrink_the_folds(make_samples, caplog):
    samples = make_samples([*"AAAABBBB", ""])
    splits = split_samples(samples, EVALUATION | {"folds": 4}, 1, "study.yaml")
    assert set(splits["fold"]) == {"0", "1", "2", "3", FINAL}
    assert "folds asked for" not in caplog.text


# cleaning


@pytest.fixture
def unlabelled():
    """Values and samples, two of the four without a label."""
    matrix = pd.DataFrame({"g1": [1.0, 2, 3, 4], "g2": [8.0, 6, 7, 5]}, index=["d", "c", "b", "a"])
    matrix.attrs["unlabelled"] = ["z"]
    return matrix, sample_frame(list(matrix.index), ["A", "", "B", ""])


def test_samples_without_a_label_are_an_error_that_names_them(unlabelled):
    with pytest.raises(InputError) as caught:
        resolve_unlabelled(*unlabelled, "error", "e.csv")
    assert str(caught.value) == (
        "e.csv: 2 samples have no label, e.g. 'c'; label them or set `unlabelled` to drop or predict"
    )
    with pytest.raises(InputError, match=r"^e.csv: 2 genes have no label"):
        resolve_unlabelled(*unlabelled, "error", "e.csv", TERMS["time_series"])


def test_samples_without_a_label_are_dropped_and_remembered(unlabelled):
    matrix, samples = resolve_unlabelled(*unlabelled, "drop", "e.csv")
    assert matrix.index.tolist() == samples["sample"].tolist() == ["d", "b"]
    assert matrix["g2"].tolist() == [8, 7]
    assert samples["label"].tolist() == ["A", "B"]
    assert samples.index.tolist() == [0, 1]
    assert matrix.attrs["unlabelled"] == ["z", "c", "a"]
    assert unlabelled[0].attrs["unlabelled"] == ["z"]


def test_samples_to_predict_are_kept(unlabelled):
    matrix, samples = resolve_unlabelled(*unlabelled, "predict", "e.csv")
    pd.testing.assert_frame_equal(matrix, unlabelled[0])
    pd.testing.assert_frame_equal(samples, unlabelled[1])
    assert matrix.attrs["unlabelled"] == ["z"]


@pytest.mark.parametrize("rule", ["error", "drop", "predict"])
def test_nothing_is_resolved_where_every_sample_has_a_label(unlabelled, rule):
    matrix, samples = resolve_unlabelled(unlabelled[0], unlabelled[1].assign(label="A"), rule, "e.csv")
    assert len(matrix) == len(samples) == 4
    assert matrix.attrs["unlabelled"] == ["z"]


def test_cleaning_reports_dropped_samples_and_keeps_those_to_predict(unlabelled, repository):
    defaults = yaml.safe_load((repository / "resources" / "defaults" / "expression.yaml").read_text())["clean"]
    reports = {}
    for rule in ("drop", "predict"):
        _, samples, reports[rule] = clean(*resolve_unlabelled(*unlabelled, rule, "e.csv"), defaults, "e.csv")
        assert reports[rule]["before"]["samples"] == 5
        assert reports[rule]["after"]["samples"] == len(samples) == (4 if rule == "predict" else 2)
    assert dict(zip(samples["sample"], samples["label"], strict=True)) == {"a": "", "b": "B", "c": "", "d": "A"}
    examples = {rule: [entry["examples"] for entry in report["steps"]] for rule, report in reports.items()}
    assert examples == {"drop": [["z", "c", "a"]], "predict": [["z"]]}


def test_label_outside_the_cycle_is_named():
    labels = pd.Series(["S", "M", "G1", "G2"], dtype=object)
    check_cycle(labels, ["G1", "S", "G2", "M", "G0"], "s.csv")
    check_cycle(labels, [], "s.csv")
    with pytest.raises(InputError) as caught:
        check_cycle(labels, ["S", "M", "G1/S"], "s.csv")
    assert str(caught.value) == "s.csv: label 'G1' is not in the study's cycle: S, M, G1/S"


@pytest.mark.parametrize(("task", "noun"), [("expression", "sample"), ("time_series", "gene")])
def test_no_label_at_all_is_an_error(task, noun):
    samples = sample_frame(["s1", "s2"], ["", ""])
    with pytest.raises(InputError, match=f"^s.csv: no {noun} has a label$"):
        check_labels(labelled(samples), "s.csv", TERMS[task])


# the reader of a user's own files


@pytest.fixture
def read_study(tmp_path):
    """Write the files and read them with `unlabelled: predict` unless told otherwise."""

    def write_and_read(expression, samples=None, **settings):
        files = {"expression": tmp_path / "e.csv"}
        files["expression"].write_text(expression)
        if samples is not None:
            files["samples"] = tmp_path / "s.csv"
            files["samples"].write_text(samples)
        return read({key: str(path) for key, path in files.items()}, PREDICT | settings)

    return write_and_read


@pytest.mark.parametrize(
    "table",
    [
        "sample,label\ns3,A\ns1,B\n",
        "sample,label\ns3,A\ns1,B\ns2,\ns4, \n",
        "sample,label\ns4,\ns3,A\ns1,B\n",
    ],
)
def test_samples_without_row_or_label_are_kept_to_be_predicted(read_study, table):
    matrix, samples = read_study(EXPRESSION, table)
    assert matrix.index.tolist() == samples["sample"].tolist() == ["s1", "s2", "s3", "s4"]
    assert samples["label"].tolist() == ["B", "", "A", ""]
    np.testing.assert_array_equal(matrix.to_numpy(), [[1, 5], [2, np.nan], [3, 7], [4, 8]])
    assert matrix.attrs["unlabelled"] == []
    matrix, samples = read_study(EXPRESSION, table, unlabelled="drop")
    assert matrix.index.tolist() == samples["sample"].tolist() == ["s1", "s3"]


def test_group_and_split_stay_with_their_sample_and_are_empty_without_a_row(read_study):
    table = "sample,label,group,split\ns4,,p2,test\ns3,A,p1,train\ns1,B,p2,test\n"
    _, samples = read_study(EXPRESSION, table)
    assert samples["label"].tolist() == ["B", "", "A", ""]
    assert samples["group"].tolist() == ["p2", "", "p1", "p2"]
    assert samples["split"].tolist() == ["test", "", "train", "test"]


def test_label_column_with_empty_cells(read_study):
    text = "id,g1,g2,tissue\ns1,1,5,B\ns2,2,NA,\ns3,3,7,A\ns4,4,8, \n"
    matrix, samples = read_study(text, orientation="samples_by_genes", label_column="tissue")
    assert matrix.index.tolist() == samples["sample"].tolist() == ["s1", "s2", "s3", "s4"]
    assert matrix.columns.tolist() == ["g1", "g2"]
    assert samples["label"].tolist() == ["B", "", "A", ""]
    np.testing.assert_array_equal(matrix.to_numpy(), [[1, 5], [2, np.nan], [3, 7], [4, 8]])
    assert matrix.attrs["unlabelled"] == []
    matrix, _ = read_study(text, orientation="samples_by_genes", label_column="tissue", unlabelled="drop")
    assert matrix.attrs["unlabelled"] == ["s2", "s4"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("sample,label\ns1,A\ns2,B\ns5,A\n", "e.csv: 1 labelled samples have no values, e.g. 's5'"),
        ("sample,label\ns1,\ns2,\n", "s.csv: no sample has a label in column 'label'"),
        ("sample,label\ns1,A\ns1,\ns2,B\n", "s.csv: sample 's1' has more than one row"),
        ("sample,label\ng1,A\ng2,B\n", "have no sample id in common, e.g. 's1' and 'g1'; check `orientation`"),
    ],
)
def test_other_mistakes_stay_mistakes(read_study, table, expected):
    with pytest.raises(InputError) as caught:
        read_study(EXPRESSION, table)
    assert expected in str(caught.value)


# training and bundle


def train(cohort, samples, folder):
    """Three models and a stack of two of them through the folds of r0: their tables."""
    folds = list(read_folds(split_samples(samples, EVALUATION, 1, "study.yaml"), samples, "r0"))
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, {"method": "anova_f"})
    sizes = {fold.name: [4] for fold in folds}
    tables = {
        model: train_model(model, cohort, folds, ranking, sizes, overrides, 1, 1, folder / model)
        for model, overrides in MODELS.items()
    }
    base = list(MODELS)[1:]
    predictions = pd.concat(tables[model].predictions for model in base)
    return tables | {"stack": train_stack(predictions, base, "r0", 1, folder / "stack")}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three classes, each with a gene of its own and three of its 15 samples without a label, and their models."""
    folder = tmp_path_factory.mktemp("cv")
    of_class = np.tile([0, 1, 2], 15)
    values = np.random.default_rng(0).normal(8.0, 1.0, (45, 6))
    values[np.arange(45), of_class] += 2.0
    labels = np.array(["A", "B", "C"], dtype=object)[of_class]
    labels[36:] = ""
    # Rows without a label stand among the others.
    order = np.random.default_rng(1).permutation(45)
    names = np.array([f"s{number:02d}" for number in range(45)], dtype=object)
    features = np.array([f"g{number}" for number in range(6)], dtype=object)
    cohort = Cohort(values[order].astype(np.float32), features, names, labels[order], ["A", "B", "C"])
    samples = sample_frame(list(names), list(cohort.labels))
    hidden = list(names[cohort.labels == ""])
    return SimpleNamespace(
        cohort=cohort, samples=samples, hidden=hidden, tables=train(cohort, samples, folder), folder=folder
    )


def joined(study, name):
    """One table of all models of the study."""
    tables = {model: getattr(tables, name) for model, tables in study.tables.items()}
    return pd.concat([table.assign(repeat="r0", model=model) for model, table in tables.items()], ignore_index=True)


@pytest.mark.parametrize("model", [*MODELS, "stack"])
def test_final_fold_predicts_the_samples_without_a_label(model, study):
    table = study.tables[model].predictions
    rows = table[table["sample"].isin(study.hidden)]
    assert rows["sample"].tolist() == study.hidden
    assert set(rows["fold"]) == {FINAL}
    assert rows["inner_fold"].isna().all()
    assert (rows["true"] == "").all()
    assert set(rows["predicted"]) <= set(study.cohort.classes)
    np.testing.assert_allclose(probabilities(rows).sum(axis=1), 1)
    final = table[(table["fold"] == FINAL) & table["inner_fold"].isna()]
    assert final["sample"].tolist() == study.hidden
    assert (table.loc[~table["sample"].isin(study.hidden), "true"] != "").all()


@pytest.mark.parametrize("model", list(MODELS))
def test_predictions_of_the_final_fold_are_those_of_its_model(model, study):
    table = study.tables[model].predictions
    fitted = FittedModel.load(study.folder / model / FINAL)
    columns = [study.cohort.features.tolist().index(feature) for feature in fitted.features]
    rows = np.isin(study.cohort.samples, study.hidden)
    expected = fitted.predict_proba(study.cohort.values[np.ix_(rows, columns)])
    np.testing.assert_allclose(probabilities(table[table["true"] == ""]), expected, atol=1e-6)


def test_samples_without_a_label_teach_no_model(study, tmp_path):
    known = train(study.cohort.labelled(), labelled(study.samples), tmp_path)
    for model, tables in study.tables.items():
        predictions = tables.predictions[~tables.predictions["sample"].isin(study.hidden)]
        pd.testing.assert_frame_equal(predictions.reset_index(drop=True), known[model].predictions)
        pd.testing.assert_frame_equal(tables.tuning, known[model].tuning)


def test_evaluation_and_bundle_leave_samples_without_a_label_out(study, tmp_path):
    known, predictions = labelled(study.samples), joined(study, "predictions")
    tuning, history, protocol = joined(study, "tuning"), joined(study, "history"), EVALUATION | {"repeats": 1}
    metrics, test = evaluate(predictions, tuning, history, known, protocol, "temperature")
    assert sorted(set(test["sample"])) == known["sample"].tolist()
    assert (metrics["n_samples"], metrics["classes"]) == (36, {"A": 12, "B": 12, "C": 12})
    metrics |= {"n_features": 6, "controls": {"permuted_labels": {"balanced_accuracy": {"value": 0.3}}}}
    described = dict.fromkeys(("name", "title", "data", "citation", "licence"), "x")
    described |= {"task": "time_series", "calibration": "temperature"}
    directories = {model: study.folder / model for model in study.tables}
    features = list(study.cohort.features)
    write_bundle(tmp_path, directories, predictions, list(MODELS), metrics, {"settings": {}}, features, described)
    bundle = read_json(tmp_path / "bundle.json")
    assert bundle["classes"] == ["A", "B", "C"]
    for model, tables in study.tables.items():
        final = tables.predictions[tables.predictions["fold"] == FINAL]
        rows = final[~final["sample"].isin(study.hidden)]
        assert len(rows) == 36
        fitted = Calibration.fit(probabilities(rows), codes(rows["true"], bundle["classes"]), "temperature")
        assert bundle["models"][model] == {"temperature": fitted.temperature, "threshold": fitted.threshold}
