"""Tuning and fitting of a fold: what it learns from, and above all what it must not learn from."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genestrata.cohort import Cohort
from genestrata.controls import permuted_scores
from genestrata.evaluation import calibrate
from genestrata.files import write_table
from genestrata.models.registry import REGISTRY
from genestrata.models.storage import FittedModel
from genestrata.predictions import class_names, codes, probabilities
from genestrata.ranking import Rankings, rank_folds, rank_part
from genestrata.scoring import balanced_accuracy, inner_score
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold
from genestrata.training import (
    candidate_settings,
    train_fold,
    train_model,
)

SETTINGS = {
    "random_forest": [
        {"k": k, "parameters": {"n_estimators": 5, "max_features": "sqrt", "min_samples_leaf": 1}} for k in (2, 8)
    ],
    "xgboost": candidate_settings("xgboost", [2, 8], 20, {"n_estimators": 5}),
}


def settings_of(name):
    return SETTINGS.get(name) or candidate_settings(name, [2, 8], 20, {})


def run(name, cohort, fold, settings=None):
    """Ranking and result of one fold, from the data on."""
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, [fold], "anova_f")
    rankings = Rankings(ranking, cohort.features)
    return ranking, train_fold(name, cohort, fold, rankings, settings or settings_of(name), seed=1, threads=1)


def with_changed_rows(cohort, rows, values=True, labels=True):
    """The cohort with other values and labels in some rows."""
    random = np.random.default_rng(5)
    new_values, new_labels = cohort.values.copy(), cohort.labels.copy()
    if values:
        new_values[rows] = random.normal(50, 30, (len(rows), cohort.values.shape[1]))
        new_values[rows[0]] = np.nan
    if labels:
        first, second = cohort.classes[:2]
        new_labels[rows] = np.where(cohort.labels[rows] == first, second, first)
    return replace(cohort, values=new_values, labels=new_labels)


@pytest.fixture
def noisy(make_cohort, make_samples, make_folds):
    """A cohort hard enough that tuning matters, and its folds."""
    cohort = make_cohort(sizes=(16, 14, 12), effect=1.2)
    return cohort, make_folds(make_samples(cohort.labels))


@pytest.mark.parametrize("name", REGISTRY)
def test_test_rows_influence_nothing_but_their_own_predictions(name, noisy):
    cohort, folds = noisy
    ranking, result = run(name, cohort, folds[0])
    changed = with_changed_rows(cohort, folds[0].test)
    ranking_changed, result_changed = run(name, changed, folds[0])

    pd.testing.assert_frame_equal(ranking_changed, ranking)
    pd.testing.assert_frame_equal(result_changed.tuning, result.tuning)
    assert (result_changed.model.features, result_changed.model.settings) == (
        result.model.features,
        result.model.settings,
    )
    probe = np.random.default_rng(3).normal(8, 2, (5, len(result.model.features)))
    np.testing.assert_array_equal(result_changed.model.predict_proba(probe), result.model.predict_proba(probe))
    inner = [table[table["inner_fold"].notna()] for table in (result.predictions, result_changed.predictions)]
    pd.testing.assert_frame_equal(*inner)
    # Temperature and threshold.
    pd.testing.assert_frame_equal(
        *(calibrate(table, "temperature")[1] for table in (result.predictions, result_changed.predictions))
    )
    if name != "majority":
        outer = [
            probabilities(table[table["inner_fold"].isna()])
            for table in (result.predictions, result_changed.predictions)
        ]
        assert not np.allclose(*outer)


@pytest.mark.parametrize("name", REGISTRY)
def test_labels_of_test_rows_do_not_reach_their_own_predictions(name, noisy):
    cohort, folds = noisy
    tables = [
        run(name, data, folds[0])[1].predictions
        for data in (cohort, with_changed_rows(cohort, folds[0].test, values=False))
    ]
    np.testing.assert_array_equal(probabilities(tables[0]), probabilities(tables[1]))
    assert (tables[0]["true"] != tables[1]["true"]).sum() == len(folds[0].test)


@pytest.mark.parametrize("name", REGISTRY)
def test_out_of_fold_predictions_do_not_depend_on_the_labels_they_predict(name, noisy):
    cohort, folds = noisy
    setting = settings_of(name)[:1]
    before = run(name, cohort, folds[0], setting)[1].predictions
    for number, (_, held_out) in enumerate(folds[0].inner):
        changed = with_changed_rows(cohort, held_out, values=False)
        after = run(name, changed, folds[0], setting)[1].predictions
        rows = (before["inner_fold"] == number).to_numpy(dtype=bool, na_value=False)
        assert rows.sum() == len(held_out)
        np.testing.assert_array_equal(probabilities(before[rows]), probabilities(after[rows]))
        # The other inner folds learn from these labels, so the change was not without effect.
        assert not np.array_equal(probabilities(before[~rows]), probabilities(after[~rows]))


def test_values_of_held_out_rows_do_not_change_the_predictions_of_others(noisy):
    cohort, folds = noisy
    held_out = folds[0].inner[0][1]
    setting = settings_of("logistic_regression")[:1]
    changed = with_changed_rows(cohort, held_out[:1], labels=False)
    before, after = (run("logistic_regression", data, folds[0], setting)[1].predictions for data in (cohort, changed))
    others = before["sample"].isin(cohort.samples[held_out[1:]])
    np.testing.assert_array_equal(probabilities(before[others]), probabilities(after[others]))


@pytest.mark.parametrize(("inside", "lowest", "highest"), [(True, 0.35, 0.65), (False, 0.85, 1.0)])
def test_genes_selected_outside_the_folds_find_what_is_not_there(
    inside, lowest, highest, make_cohort, make_samples, make_folds
):
    """Random labels score as guessing with selection inside the folds, and high with selection on all rows."""
    scores = []
    for seed in range(4):
        cohort = make_cohort(sizes=(20, 20), n_features=1000, effect=0, seed=seed)
        folds = make_folds(make_samples(cohort.labels), folds=5, inner_folds=2)[:-1]
        ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, "anova_f")
        if not inside:
            everything = rank_part(cohort.values, cohort.labels, cohort.features, "anova_f")
            parts = ranking[["fold", "inner_fold"]].drop_duplicates()
            ranking = parts.merge(everything, how="cross")
        rankings, setting = Rankings(ranking, cohort.features), [{"k": 20, "parameters": {"C": 0.1}}]
        test = pd.concat(
            train_fold("logistic_regression", cohort, fold, rankings, setting, 1, 1).predictions for fold in folds
        )
        test = test[test["inner_fold"].isna()]
        called, truth = (codes(test[column], cohort.classes) for column in ("predicted", "true"))
        scores.append(balanced_accuracy(truth, called))
    assert lowest < np.mean(scores) < highest


def test_permutation_control_of_a_clear_signal_scores_as_guessing(make_cohort, make_samples):
    cohort = make_cohort(sizes=(15, 15, 15), effect=4.0)
    evaluation = {"scheme": "cv", "folds": 3, "repeats": 5, "inner_folds": 2}
    arguments = (make_samples(cohort.labels), evaluation, {"method": "anova_f", "k": [3]}, "logistic_regression")
    scores = permuted_scores(cohort, *arguments, {"C": 0.1}, permutations=8, seed=1, where="study.yaml")
    assert len(scores) == 8
    assert scores["balanced_accuracy"].mean() == pytest.approx(1 / 3, abs=0.1)


# Tuning


@pytest.mark.parametrize("effect", [1.2, 6.0])
def test_best_setting_is_chosen_by_accuracy_then_log_loss(effect, make_cohort, make_samples, make_folds):
    cohort = make_cohort(sizes=(16, 14, 12), effect=effect)
    _, result = run("logistic_regression", cohort, make_folds(make_samples(cohort.labels))[0])
    tuning = result.tuning
    assert len(tuning) == 6
    # Where the classes are far apart most settings are without an error, and the log loss decides.
    assert (tuning["inner_balanced_accuracy"].eq(1).sum() > 1) == (effect == 6.0)
    assert tuning["k"].tolist() == [2, 2, 2, 8, 8, 8]
    ordered = tuning.sort_values(["inner_balanced_accuracy", "inner_log_loss"], ascending=[False, True], kind="stable")
    assert tuning["chosen"].tolist() == (tuning.index == ordered.index[0]).tolist()
    assert result.model.settings["k"] == tuning.loc[tuning["chosen"], "k"].item()


def test_tuning_scores_are_those_of_the_kept_out_of_fold_predictions(noisy):
    cohort, folds = noisy
    result = run("decision_tree", cohort, folds[1])[1]
    kept = result.predictions[result.predictions["inner_fold"].notna()]
    assert kept["sample"].tolist() == cohort.samples[folds[1].train].tolist()
    chosen = result.tuning[result.tuning["chosen"]].iloc[0]
    score = inner_score(probabilities(kept), codes(kept["true"], cohort.classes))
    np.testing.assert_allclose(score, chosen[["inner_balanced_accuracy", "inner_log_loss"]].astype(float))


def test_equal_settings_keep_the_first(noisy):
    cohort, folds = noisy
    same = [{"k": 5, "parameters": {"C": 0.1}}] * 3
    assert run("logistic_regression", cohort, folds[0], same)[1].tuning["chosen"].tolist() == [True, False, False]


def test_inner_score_prefers_accuracy_and_then_the_better_probabilities():
    truth = np.array([0, 0, 1, 1])
    ordered = np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.1, 0.9]])
    mixed = np.array([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6], [0.1, 0.9]])
    assert inner_score(ordered, truth)[0] == 1.0
    assert inner_score(mixed, truth)[0] == 0.75
    assert inner_score(ordered, truth)[1] < inner_score(mixed, truth)[1]


def test_candidates_are_clipped_to_the_features_and_the_baseline_has_one():
    assert [setting["k"] for setting in candidate_settings("linear_svm", [50, 10, 200], 60, {"C": 1})] == [10, 50, 60]
    assert candidate_settings("linear_svm", [50], 60, {"C": 1}) == [{"k": 50, "parameters": {"C": 1}}]
    assert candidate_settings("majority", [50, 100], 60, {}) == [{"k": 1, "parameters": {}}]


def test_seed_depends_on_every_name():
    assert derive_seed(1, "r0", "0", "cnn") == derive_seed(1, "r0", "0", "cnn")
    assert (
        len({derive_seed(1, *names) for names in (("r0", "0"), ("r0", "1"), ("r1", "0"))} | {derive_seed(2, "r0", "0")})
        == 4
    )


# Order, missing classes, files


@pytest.mark.parametrize("name", REGISTRY)
def test_order_of_columns_does_not_matter(name, noisy):
    cohort, folds = noisy
    order = np.random.default_rng(9).permutation(len(cohort.features))
    shuffled = replace(cohort, values=np.ascontiguousarray(cohort.values[:, order]), features=cohort.features[order])
    (ranking, result), (ranking_shuffled, result_shuffled) = (run(name, data, folds[0]) for data in (cohort, shuffled))
    key = ["inner_fold", "rank"]
    for table in (ranking, ranking_shuffled):
        table["feature"] = table["feature"].astype(str)
    pd.testing.assert_frame_equal(
        ranking.sort_values(key, ignore_index=True), ranking_shuffled.sort_values(key, ignore_index=True)
    )
    assert result_shuffled.model.features == result.model.features
    pd.testing.assert_frame_equal(result_shuffled.predictions, result.predictions)


def test_class_absent_from_training_is_never_predicted(make_cohort):
    cohort = make_cohort(sizes=(8, 8, 4))
    missing = np.flatnonzero(cohort.labels == "C")
    train = np.setdiff1d(np.arange(20), missing)
    inner = [(train[train % 2 != half], train[train % 2 == half]) for half in (0, 1)]
    fold = Fold("r0", "0", train, missing, inner)
    predictions = run("logistic_regression", cohort, fold)[1].predictions
    assert class_names(predictions) == ["A", "B", "C"]
    assert (predictions["p_C"] == 0).all()
    np.testing.assert_allclose(probabilities(predictions).sum(axis=1), 1)


def test_training_twice_gives_the_same_tables_and_readable_models(noisy, tmp_path):
    cohort, folds = noisy
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, "anova_f")
    runs = [
        train_model("decision_tree", cohort, folds, ranking, [4, 50], {"max_depth": 2}, 1, 1, tmp_path / str(number))
        for number in range(2)
    ]
    for table, again in zip(*(tables[:2] for tables in runs), strict=True):
        pd.testing.assert_frame_equal(table, again)
    predictions, tuning, history = runs[0]
    assert history["fold"].tolist() == ["0", "1", "2", "final"]
    assert (history["model_bytes"] > 0).all()
    assert set(tuning["k"]) == {4, 20}
    tested = predictions[predictions["inner_fold"].isna()]
    assert sorted(tested["sample"]) == cohort.samples.tolist()
    position = pd.Series(range(20), index=cohort.features)
    for fold in folds[:-1]:
        model = FittedModel.load(tmp_path / "0" / fold.name)
        again = model.predict_proba(cohort.values[np.ix_(fold.test, position[model.features])])
        np.testing.assert_allclose(again, probabilities(tested[tested["fold"] == fold.name]), atol=1e-6)


def test_cohort_is_read_in_the_order_of_its_samples(tmp_path, make_samples):
    table = pd.DataFrame({"sample": ["s000", "s001"], "x": [1.5, None], "y": [2.0, 3.0]})
    write_table(table, tmp_path / "features.parquet")
    cohort = Cohort.read(tmp_path / "features.parquet", make_samples(["b", "a"]))
    assert cohort.classes == ["a", "b"]
    assert cohort.codes.tolist() == [1, 0]
    assert cohort.values.dtype == np.float32
    np.testing.assert_array_equal(cohort.values, [[1.5, 2.0], [np.nan, 3.0]])
