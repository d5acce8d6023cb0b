"""metrics.json: calibration from out-of-fold rows, the choice of the headline model, and the contract's keys."""

import logging

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from genestrata import evaluation
from genestrata.calibration import apply_temperature, choose_threshold, fit_temperature
from genestrata.distrust import reasons_to_distrust
from genestrata.evaluation import (
    as_repeats,
    calibrate,
    confusion_table,
    evaluate,
    folds_without_class,
    metrics_table,
    select_model,
    shares_replicates,
)
from genestrata.files import json_ready
from genestrata.metrics import bootstrap_weights, intervals
from genestrata.predictions import codes, prediction_table, probabilities
from genestrata.splitting import FINAL

METRICS = {"accuracy", "balanced_accuracy", "macro_f1", "mcc", "roc_auc_ovr", "log_loss", "brier", "ece"}
MODEL_KEYS = METRICS | {"per_class", "uncalibrated", "unclassified", "train_seconds", "model_bytes"}


def run(study, predictions=None, tuning=None, calibration="temperature", **protocol):
    return evaluate(
        study.predictions if predictions is None else predictions,
        study.tuning if tuning is None else tuning,
        study.history,
        study.samples,
        study.protocol | protocol,
        calibration,
    )


@pytest.fixture(scope="module")
def evaluated(trained_study):
    return run(trained_study)


def test_metrics_hold_the_keys_of_the_contract(evaluated, trained_study):
    metrics = json_ready(evaluated[0])
    # study, data, n_features and controls are added by the script.
    assert {"n_samples", "classes", "protocol", "selected", "models", "extra"} <= set(metrics)
    assert metrics["n_samples"] == 36
    assert metrics["classes"] == {"A": 14, "B": 12, "C": 10}
    assert metrics["protocol"] == {
        "scheme": "cv",
        "folds": 3,
        "repeats": 2,
        "inner_folds": 3,
        "replicates": "separate",
        "group": None,
        "seed": 1,
        "folds_requested": 3,
        "inner_folds_requested": 3,
        "replicates_shared": [],
        "inner_samples_per_class": 6,
        "test_folds_without_class": {},
    }
    assert set(metrics["models"]) == {"majority", "logistic_regression", "decision_tree", "xgboost", "stack"}
    for name, entry in metrics["models"].items():
        assert set(entry) >= MODEL_KEYS
        for metric in METRICS:
            assert set(entry[metric]) == {"value", "ci95"}
            low, high = entry[metric]["ci95"]
            # Guessing by frequency has the same metrics in every stratified draw, up to rounding.
            slack = 1e-9 if name == "majority" else 0
            assert low - slack <= entry[metric]["value"] <= high + slack
        assert set(entry["per_class"]) == {"A", "B", "C"}
        for label, scores in entry["per_class"].items():
            assert set(scores) == {"precision", "recall", "f1", "roc_auc", "support"}
            assert scores["support"] == metrics["classes"][label]
        assert set(entry["uncalibrated"]) == {"log_loss", "brier", "ece"}
        assert set(entry["unclassified"]) == {"threshold", "coverage", "accuracy"}


def test_values_are_those_of_the_calibrated_test_rows(evaluated, trained_study):
    metrics, test = evaluated
    rows = test[test["model"] == "logistic_regression"]
    per_repeat = [(part["true"] == part["predicted"]).mean() for _, part in rows.groupby("repeat")]
    entry = metrics["models"]["logistic_regression"]
    assert len(rows) == 72
    assert entry["accuracy"]["value"] == pytest.approx(np.mean(per_repeat))
    assert entry["errors"] == pytest.approx(36 * (1 - np.mean(per_repeat)))
    truth = probabilities(rows)[np.arange(72), codes(rows["true"], ["A", "B", "C"])]
    assert entry["log_loss"]["value"] == pytest.approx(-np.log(truth).mean())
    raw = trained_study.predictions
    raw = raw[(raw["model"] == "logistic_regression") & raw["inner_fold"].isna()]
    truth = probabilities(raw)[np.arange(72), codes(raw["true"], ["A", "B", "C"])]
    assert entry["uncalibrated"]["log_loss"] == pytest.approx(-np.log(truth).mean())
    # Calibration with one temperature never changes a call.
    assert (raw["predicted"].to_numpy() == rows["predicted"].to_numpy()).all()


def test_majority_scores_as_guessing_and_is_never_selected(evaluated, trained_study):
    metrics = evaluated[0]
    assert metrics["models"]["majority"]["balanced_accuracy"]["value"] == pytest.approx(1 / 3)
    flattered = trained_study.tuning.copy()
    flattered.loc[flattered["model"] == "majority", ["inner_balanced_accuracy", "inner_log_loss"]] = [1.0, 0.0]
    assert run(trained_study, tuning=flattered)[0]["selected"] != "majority"


def test_selection_looks_at_the_inner_score_alone(evaluated, trained_study):
    """Test predictions that turn the ranking of the models around must not change `selected`."""
    before = evaluated[0]
    selected = before["selected"]
    predictions = trained_study.predictions.copy()
    columns = ["p_A", "p_B", "p_C"]
    outer = predictions["inner_fold"].isna()
    truth = np.eye(3)[codes(predictions["true"], ["A", "B", "C"])]
    worst = outer & (predictions["model"] == selected)
    best = outer & (predictions["model"] != selected)
    predictions.loc[worst, columns] = np.roll(truth, 1, axis=1)[worst]
    predictions.loc[best, columns] = truth[best]
    after = run(trained_study, predictions)[0]
    assert after["models"][selected]["accuracy"]["value"] == 0
    assert after["selected"] == selected
    assert after["exploratory_best"] != selected


def tuning_rows(model, scores, fold=("0", "1")):
    return pd.DataFrame(
        [
            {"model": model, "fold": name, "inner_balanced_accuracy": accuracy, "inner_log_loss": loss, "chosen": kept}
            for name, (accuracy, loss, kept) in zip(fold, scores, strict=True)
        ]
    )


def test_best_mean_inner_accuracy_then_log_loss_is_selected():
    tuning = pd.concat(
        [
            tuning_rows("a", [(0.8, 0.5, True), (0.9, 0.5, True)]),
            tuning_rows("b", [(0.9, 0.4, True), (0.8, 0.4, True)]),
            tuning_rows("a", [(1.0, 0.0, False), (1.0, 0.0, False)]),  # not the chosen setting
            tuning_rows("a", [(1.0, 0.0, True)], fold=["final"]),  # not an evaluated fold
            tuning_rows("majority", [(1.0, 0.0, True), (1.0, 0.0, True)]),
        ]
    )
    selected, scores = select_model(tuning)
    assert selected == "b"
    assert scores["a"] == {"inner_balanced_accuracy": pytest.approx(0.85), "inner_log_loss": pytest.approx(0.5)}


def test_calibration_is_fitted_on_out_of_fold_rows_of_the_same_fold(trained_study):
    predictions = trained_study.predictions
    test, parameters = calibrate(predictions, "temperature")
    assert len(parameters) == 2 * 3 * 5
    assert "final" not in set(test["fold"])
    rows = predictions[
        (predictions["repeat"] == "r1") & (predictions["fold"] == "2") & (predictions["model"] == "xgboost")
    ]
    inner, outer = rows[rows["inner_fold"].notna()], rows[rows["inner_fold"].isna()]
    truth = codes(inner["true"], ["A", "B", "C"])
    temperature = fit_temperature(probabilities(inner), truth)
    found = parameters[
        (parameters["repeat"] == "r1") & (parameters["fold"] == "2") & (parameters["model"] == "xgboost")
    ].iloc[0]
    assert found["temperature"] == temperature
    assert found["threshold"] == choose_threshold(apply_temperature(probabilities(inner), temperature), truth)
    calibrated = test[(test["repeat"] == "r1") & (test["fold"] == "2") & (test["model"] == "xgboost")]
    np.testing.assert_array_equal(probabilities(calibrated), apply_temperature(probabilities(outer), temperature))


def test_test_rows_do_not_reach_the_temperature_or_the_threshold(trained_study):
    predictions = trained_study.predictions
    outer = predictions["inner_fold"].isna()
    changed = predictions.copy()
    changed.loc[outer, "true"] = "A"
    changed.loc[outer, ["p_A", "p_B", "p_C"]] = [0.98, 0.01, 0.01]
    pd.testing.assert_frame_equal(calibrate(predictions, "temperature")[1], calibrate(changed, "temperature")[1])


def test_without_calibration_probabilities_stay(trained_study):
    predictions = trained_study.predictions
    test, parameters = calibrate(predictions, "none")
    assert parameters["temperature"].isna().all()
    raw = predictions[predictions["inner_fold"].isna()]
    np.testing.assert_array_equal(
        probabilities(test[test["model"] == "stack"]), probabilities(raw[raw["model"] == "stack"])
    )


def test_unclassified_counts_calls_at_or_above_the_threshold(evaluated, trained_study):
    metrics, test = evaluated
    parameters = calibrate(trained_study.predictions, "temperature")[1]
    called, right = [], []
    for (repeat, fold), rows in test[test["model"] == "stack"].groupby(["repeat", "fold"]):
        mine = parameters[
            (parameters["repeat"] == repeat) & (parameters["fold"] == fold) & (parameters["model"] == "stack")
        ]
        sure = probabilities(rows).max(axis=1) >= mine["threshold"].item()
        called += sure.tolist()
        right += (rows["true"] == rows["predicted"])[sure].tolist()
    entry = metrics["models"]["stack"]["unclassified"]
    assert entry["coverage"] == pytest.approx(np.mean(called))
    assert entry["accuracy"] == pytest.approx(np.mean(right))
    assert 0 < entry["coverage"] <= 1


def test_single_split_reports_wilson_and_one_fold(trained_study):
    one = {
        name: table[(table["repeat"] == "r0") & table["fold"].isin(["0", "final"])]
        for name, table in (("predictions", trained_study.predictions), ("tuning", trained_study.tuning))
    }
    metrics = run(trained_study, **one, scheme="published", folds=5, repeats=1)[0]
    assert metrics["protocol"]["folds"] == 1
    entry = metrics["models"]["xgboost"]["accuracy"]
    hits, n, z = round(entry["value"] * 12), 12, 1.959963984540054
    centre, half = (hits + z**2 / 2) / (n + z**2), z / (n + z**2) * np.sqrt(hits * (n - hits) / n + z**2 / 4)
    np.testing.assert_allclose(entry["ci95"], [centre - half, centre + half])


def test_grouped_scheme_draws_groups(trained_study, monkeypatch):
    asked = {}

    def spy(truth, groups, seed):
        asked.update(groups=groups, seed=seed)
        return bootstrap_weights(truth, groups, seed, draws=20)

    monkeypatch.setattr("genestrata.evaluation.bootstrap_weights", spy)
    trained = trained_study
    samples = trained.samples.assign(group=[f"p{number // 2}" for number in range(36)])
    arguments = (trained.predictions, trained.tuning, trained.history, samples)
    evaluate(*arguments, trained.protocol | {"scheme": "grouped_cv"}, "none")
    assert (asked["groups"] == samples["group"]).all()
    evaluate(*arguments, trained.protocol, "none")
    assert asked["groups"] is None


def test_same_input_gives_the_same_metrics(evaluated, trained_study):
    assert json_ready(run(trained_study)[0]) == json_ready(evaluated[0])


def test_tables_for_people(evaluated, trained_study):
    metrics, test = evaluated
    table = metrics_table(metrics)
    assert len(table) == 5 * len(METRICS)
    row = table[(table["model"] == "stack") & (table["metric"] == "mcc")].iloc[0]
    assert [row["value"], row["low"], row["high"]] == [
        metrics["models"]["stack"]["mcc"]["value"],
        *metrics["models"]["stack"]["mcc"]["ci95"],
    ]
    matrix = confusion_table(test[test["model"] == "majority"], trained_study.samples["sample"], ["A", "B", "C"])
    np.testing.assert_array_equal(matrix, [[14, 0, 0], [12, 0, 0], [10, 0, 0]])
    assert (matrix.index.name, list(matrix.columns)) == ("true", ["A", "B", "C"])


def test_repeats_number_samples_as_in_the_sample_table():
    table = pd.concat(
        [
            prediction_table(repeat, "0", "m", [None] * 2, order, ["a", "b"], np.eye(2), ["a", "b"])
            for repeat, order in (("r1", ["s3", "s1"]), ("r0", ["s1", "s2"]))
        ]
    )
    first, second = as_repeats(table, ["s1", "s2", "s3"], ["a", "b"])
    assert (first.samples.tolist(), second.samples.tolist()) == ([0, 1], [2, 0])


def test_replicates_on_both_sides_are_reported(trained_study):
    assert run(trained_study)[0]["protocol"]["replicates_shared"] == []
    group = [f"p{number // 2}" for number in range(len(trained_study.samples))]
    samples = trained_study.samples.assign(group=group)
    outer = trained_study.predictions[trained_study.predictions["fold"] != FINAL]
    assert shares_replicates(outer, samples, "separate") == ["outer", "inner"]
    apart = samples.assign(group=trained_study.samples["sample"])
    assert shares_replicates(outer, apart, "separate") == []
    # Declared as the question, whatever the groups are.
    assert shares_replicates(outer, apart, "shared") == ["outer", "inner"]


def test_interval_of_a_published_split_is_about_the_tested_samples(trained_study):
    only_first = trained_study.predictions[trained_study.predictions["fold"].isin(["0", FINAL])]
    metrics, test = run(trained_study, predictions=only_first, scheme="published")
    tested = trained_study.samples[trained_study.samples["sample"].isin(set(test["sample"]))]
    assert 0 < len(tested) < len(trained_study.samples)
    classes = trained_study.cohort.classes
    repeats = as_repeats(test[test["model"] == "stack"], list(tested["sample"]), classes)
    weights = bootstrap_weights(codes(tested["label"], classes), None, 1)
    expected = intervals(repeats, weights, len(tested), single_split=True)
    assert metrics["models"]["stack"]["balanced_accuracy"] == expected["balanced_accuracy"]


# Bootstrap weights of the tested samples


def published_test(labels, tested):
    """Test rows of a published split, in an order of their own; tested : numbers of the samples."""
    return prediction_table(
        "r0",
        "0",
        "m",
        [None] * len(tested),
        np.array([f"s{number:03d}" for number in tested], dtype=object),
        np.array([labels[number] for number in tested], dtype=object),
        np.tile(np.eye(3)[0], (len(tested), 1)),
        ["A", "B", "C"],
    )


LABELS = list("ABCABCABCABCAB")
TESTED = [9, 1, 12, 4, 3, 8, 5, 6]


def test_weights_are_those_of_the_tested_samples_in_the_order_of_the_sample_table(make_samples):
    samples = make_samples(LABELS, split="train")
    names, weights = evaluation.weights_of_tested(
        published_test(LABELS, TESTED), samples, {"scheme": "published", "seed": 7}
    )
    order = sorted(TESTED)
    assert names == [f"s{number:03d}" for number in order]
    tested_codes = np.array(["ABC".index(LABELS[number]) for number in order])
    np.testing.assert_array_equal(weights, bootstrap_weights(tested_codes, None, 7))
    again = evaluation.weights_of_tested(published_test(LABELS, order), samples, {"scheme": "published", "seed": 7})[1]
    np.testing.assert_array_equal(weights, again)
    other = evaluation.weights_of_tested(published_test(LABELS, TESTED), samples, {"scheme": "published", "seed": 8})[1]
    assert not np.array_equal(weights, other)
    # A draw holds as many samples of a class as were tested.
    for code in range(3):
        assert (weights[:, tested_codes == code].sum(axis=1) == (tested_codes == code).sum()).all()


def test_weights_of_a_published_split_with_groups_keep_groups_together(make_samples):
    group = [f"p{number % 3}_{number // 6}" for number in range(len(LABELS))]
    samples = make_samples(LABELS, group=group)
    names, weights = evaluation.weights_of_tested(
        published_test(LABELS, TESTED), samples, {"scheme": "published", "seed": 7}
    )
    of_name = dict(zip(samples["sample"], samples["group"], strict=True))
    groups = np.array([of_name[name] for name in names])
    assert len(set(groups)) < len(groups)
    for one in set(groups):
        members = weights[:, groups == one]
        assert (members == members[:, :1]).all()
    np.testing.assert_array_equal(
        weights, bootstrap_weights(np.array(["ABC".index(LABELS[n]) for n in sorted(TESTED)]), groups, 7)
    )


# Test folds that lack a class

FOLD_LABELS = {"0": "AABBCC", "1": "AABBCC", "2": "AAABB"}


def hand_made(fold_labels=FOLD_LABELS, repeats=("r0", "r1")):
    """Random predictions of two models: prediction, tuning, history and sample tables; test parts by their labels."""
    random = np.random.default_rng(5)
    labels = np.array(list("".join(fold_labels.values())), dtype=object)
    names = np.array([f"s{number:03d}" for number in range(len(labels))], dtype=object)
    fold_of = np.repeat(list(fold_labels), [len(text) for text in fold_labels.values()])
    predictions, tuning, history = [], [], []
    for repeat in repeats:
        for model in ("linear_svm", "majority"):
            for fold in fold_labels:
                where = {"repeat": repeat, "fold": fold, "model": model}
                for rows, inner in (
                    (np.flatnonzero(fold_of == fold), None),
                    (np.flatnonzero(fold_of != fold), [0, 1]),
                ):
                    inner_fold = [None] * len(rows) if inner is None else np.resize(inner, len(rows)).tolist()
                    values = random.dirichlet(np.ones(3), len(rows)) * 0.6 + 0.4 * np.eye(3)[codes_of(labels[rows])]
                    predictions.append(
                        prediction_table(
                            repeat, fold, model, inner_fold, names[rows], labels[rows], values, list("ABC")
                        )
                    )
                score = {"inner_balanced_accuracy": 0.8, "inner_log_loss": 0.5, "chosen": True, "k": 3}
                tuning.append(where | score)
                history.append(where | {"tune_seconds": 1.0, "fit_seconds": 0.5, "model_bytes": 10})
    samples = pd.DataFrame({"sample": names, "label": labels, "group": "", "split": ""}, dtype=object)
    return pd.concat(predictions, ignore_index=True), pd.DataFrame(tuning), pd.DataFrame(history), samples


def codes_of(labels):
    return np.array(["ABC".index(label) for label in labels])


PROTOCOL = {
    "scheme": "grouped_cv",
    "folds": 3,
    "repeats": 2,
    "inner_folds": 2,
    "group": "group",
    "replicates": "separate",
    "seed": 1,
}


def mean_of_folds(predictions, label, folds):
    """One-against-rest ROC-AUC of one class, averaged over folds and repeats."""
    test = predictions[predictions["inner_fold"].isna() & (predictions["model"] == "linear_svm")]
    return np.mean(
        [
            roc_auc_score(rows["true"] == label, rows[f"p_{label}"])
            for (_, fold), rows in test.groupby(["repeat", "fold"])
            if fold in folds
        ]
    )


@pytest.fixture
def lacking(caplog):
    """Metrics of a study whose fold 2 tests nothing of class C, its predictions, and the warnings."""
    predictions, tuning, history, samples = hand_made()
    samples["group"] = samples["sample"]
    with caplog.at_level(logging.WARNING):
        metrics = evaluate(predictions, tuning, history, samples, PROTOCOL, "none")[0]
    return metrics, predictions, [record.getMessage() for record in caplog.records]


def test_test_fold_without_a_class_is_listed_and_warned_about(lacking):
    metrics, _, messages = lacking
    assert metrics["protocol"]["test_folds_without_class"] == {"C": ["r0/2", "r1/2"]}
    assert messages == ["class 'C' is missing from test folds r0/2, r1/2"]


def test_area_of_a_class_is_the_mean_of_the_folds_that_have_it(lacking):
    metrics, predictions, _ = lacking
    entry = metrics["models"]["linear_svm"]
    expected = {
        "A": mean_of_folds(predictions, "A", "012"),
        "B": mean_of_folds(predictions, "B", "012"),
        "C": mean_of_folds(predictions, "C", "01"),
    }
    found = {label: scores["roc_auc"] for label, scores in entry["per_class"].items()}
    assert found == pytest.approx(expected)
    assert entry["roc_auc_ovr"]["value"] == pytest.approx(np.mean(list(expected.values())))
    assert all(np.isfinite(entry["roc_auc_ovr"]["ci95"]))
    assert entry["roc_auc_pooled"] is False
    # The rows of the fold count in everything else.
    test = predictions[predictions["inner_fold"].isna() & (predictions["model"] == "linear_svm")]
    assert entry["accuracy"]["value"] == pytest.approx((test["true"] == test["predicted"]).mean())


def test_fold_without_a_class_is_a_reason_to_distrust(lacking):
    metrics = lacking[0] | {
        "data": "public",
        "controls": {"permuted_labels": {"balanced_accuracy": {"value": 0.33, "ci95": [0.2, 0.5]}}},
    }
    sound = {"selection_inner": {"index": 0.9}}
    clusters = {"random_sets": {"in sample": {}}}
    reason = "Test folds without a class: C (2). The ROC-AUC of the class leaves them out."
    assert reason in reasons_to_distrust(metrics, {}, sound, clusters)
    whole = metrics | {"protocol": metrics["protocol"] | {"test_folds_without_class": {}}}
    assert not any("without a class" in text for text in reasons_to_distrust(whole, {}, sound, clusters))


def test_nothing_is_listed_when_all_test_folds_have_all_classes(caplog):
    predictions = hand_made({"0": "AABBCC", "1": "ABC", "2": "CBAA"})[0]
    assert folds_without_class(predictions, list("ABC")) == {}
    assert not caplog.records


def test_only_test_rows_say_which_classes_a_fold_has():
    predictions = hand_made({"0": "AAB", "1": "ABBCC", "2": "ABC"}, repeats=["r0"])[0]
    # Fold 0 trains on class C, and the inner folds of fold 1 need not hold every class.
    assert "C" in set(predictions[(predictions["fold"] == "0") & predictions["inner_fold"].notna()]["true"])
    assert folds_without_class(predictions, list("ABC")) == {"C": ["r0/0"]}
    assert folds_without_class(predictions, list("ABCD")) == {"C": ["r0/0"], "D": ["r0/0", "r0/1", "r0/2"]}


def test_shared_replicates_are_drawn_sample_by_sample(make_samples):
    samples = make_samples(list("AABBCC"), group=["1", "2"] * 3)
    protocol = {"scheme": "leave_one_group_out", "seed": 7}
    tested = published_test(list("AABBCC"), range(6))
    together = evaluation.weights_of_tested(tested, samples, protocol | {"replicates": "separate"})[1]
    assert (together[:, ::2] == together[:, :1]).all()
    apart = evaluation.weights_of_tested(tested, samples, protocol | {"replicates": "shared"})[1]
    np.testing.assert_array_equal(apart, bootstrap_weights(np.repeat([0, 1, 2], 2), None, 7))


@pytest.mark.parametrize(("inner", "expected"), [("001001", 1), ("012012", 2), ("001122", 2)])
def test_inner_fits_are_counted_by_the_samples_of_their_largest_class(inner, expected):
    """Two classes of three samples: of the inner fits the one with the fewest decides."""
    outer = pd.DataFrame(
        {
            "repeat": "r0",
            "fold": "0",
            "sample": [f"s{number}" for number in range(6)] + ["t"],
            "true": [*"AAABBB", "A"],
            "inner_fold": pd.array([*map(int, inner), None], dtype="Int16"),
        }
    )
    # The same rows of another model count once.
    assert evaluation.inner_samples_per_class(pd.concat([outer, outer])) == expected
