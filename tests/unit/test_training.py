"""Tuning and fitting of a fold: what it learns from, and above all what it must not learn from."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from planted import cohort_of, plant_sequences

from genestrata import training
from genestrata.cohort import Cohort
from genestrata.controls import permuted_scores
from genestrata.errors import DivergedError, InputError
from genestrata.evaluation import calibrate
from genestrata.files import write_table
from genestrata.models import load_module, reads
from genestrata.models.registry import REGISTRY
from genestrata.models.storage import FittedModel
from genestrata.ordering import GENE_ORDERS
from genestrata.predictions import class_names, codes, probabilities
from genestrata.ranking import Rankings, Unranked, rank_folds, rank_part
from genestrata.scoring import balanced_accuracy, inner_score
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold
from genestrata.tables import read_tuning
from genestrata.training import candidate_settings, chosen_sizes, stages_of, train_fold, train_model

CLASSICAL = [name for name, entry in REGISTRY.items() if not entry.deep and entry.task is None]
# `neighbours` stands in for a network that reads genes in an order.
MODELS = [*CLASSICAL, "neighbours"]
SETTINGS = {
    "neighbours": [{"k": k, "parameters": {"gene_order": "clustered"}} for k in (2, 8)],
    "random_forest": [
        {"k": k, "parameters": {"n_estimators": 5, "max_features": "sqrt", "min_samples_leaf": 1}} for k in (2, 8)
    ],
    "xgboost": candidate_settings("xgboost", [2, 8], 20, {"n_estimators": 5}),
}


class Neighbours:
    """Nearest class mean of running sums of the genes, so that their order counts; remembers its training rows."""

    def __init__(self, X, y):
        self.X = X.copy()
        self.means = np.array([X[y == code].cumsum(axis=1).mean(axis=0) for code in np.unique(y)])
        self.history = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})

    def predict_proba(self, X):
        distance = np.square(X.cumsum(axis=1)[:, None] - self.means).mean(axis=2)
        values = np.exp(distance.min(axis=1, keepdims=True) - distance)
        return values / values.sum(axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def neighbours(monkeypatch):
    """A model of the name `neighbours`; returns the list of its fits."""
    fits = []

    def fit(X, y, parameters, seed, threads, context):
        fits.append(SimpleNamespace(estimator=Neighbours(X, y), y=y, groups=context.groups))
        return fits[-1].estimator

    module = SimpleNamespace(fit=fit)
    monkeypatch.setattr(training, "load_module", lambda name: module if name == "neighbours" else load_module(name))
    monkeypatch.setattr(training, "reads", lambda name: "features" if name == "neighbours" else reads(name))
    return fits


def settings_of(name):
    return SETTINGS.get(name) or candidate_settings(name, [2, 8], 20, {})


def run(name, cohort, fold, settings=None):
    """Ranking and result of one fold, from the data on."""
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, [fold], {"method": "anova_f"})
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


@pytest.mark.parametrize("name", MODELS)
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


@pytest.mark.parametrize("name", MODELS)
def test_labels_of_test_rows_do_not_reach_their_own_predictions(name, noisy):
    cohort, folds = noisy
    tables = [
        run(name, data, folds[0])[1].predictions
        for data in (cohort, with_changed_rows(cohort, folds[0].test, values=False))
    ]
    np.testing.assert_array_equal(probabilities(tables[0]), probabilities(tables[1]))
    assert (tables[0]["true"] != tables[1]["true"]).sum() == len(folds[0].test)


@pytest.mark.parametrize("name", MODELS)
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
        ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, {"method": "anova_f"})
        if not inside:
            everything = rank_part(cohort.values, cohort.labels, cohort.features, {"method": "anova_f"})
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


def test_every_fold_tries_the_sizes_given_for_it(noisy, tmp_path):
    cohort, folds = noisy
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, {"method": "anova_f"})
    sizes = {"0": [4, 2], "1": [7], "2": [9, 50], "final": [5]}
    tuning = train_model("linear_svm", cohort, folds, ranking, sizes, {"C": 1}, 1, 1, tmp_path).tuning
    assert tuning[["fold", "k"]].values.tolist() == [
        *(["0", 2], ["0", 4], ["1", 7]),
        *(["2", 9], ["2", 20], ["final", 5]),
    ]
    assert len(FittedModel.load(tmp_path / "1").features) == 7


def test_chosen_sizes_are_those_of_the_models_that_were_kept(noisy, tmp_path):
    cohort, folds = noisy
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, {"method": "anova_f"})
    sizes = {fold.name: [1, 3, 6, 50] for fold in folds}
    overrides = {"max_depth": [1, 4], "min_samples_leaf": 1}
    tables = train_model("decision_tree", cohort, folds, ranking, sizes, overrides, 1, 1, tmp_path)
    write_table(tables.tuning, tmp_path / "tuning.tsv")
    chosen = chosen_sizes(read_tuning(tmp_path / "tuning.tsv"))
    assert chosen == chosen_sizes(tables.tuning)
    assert chosen == {fold.name: [len(FittedModel.load(tmp_path / fold.name).features)] for fold in folds}
    assert len({size for (size,) in chosen.values()}) > 1


def test_seed_depends_on_every_name():
    assert derive_seed(1, "r0", "0", "cnn") == derive_seed(1, "r0", "0", "cnn")
    assert (
        len({derive_seed(1, *names) for names in (("r0", "0"), ("r0", "1"), ("r1", "0"))} | {derive_seed(2, "r0", "0")})
        == 4
    )


# Order, missing classes, files


@pytest.mark.parametrize("name", MODELS)
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


def column_places(part, whole):
    """Which column of `whole` each column of `part` is, by its values."""
    equal = (part.T[:, None] == whole.T[None]).all(axis=2)
    assert (equal.sum(axis=1) == 1).all()
    return equal.argmax(axis=1)


@pytest.mark.parametrize("gene_order", GENE_ORDERS)
def test_columns_of_an_ordered_model_go_with_their_names_and_statistics(gene_order, noisy, neighbours):
    cohort, folds = noisy
    fold = folds[0]
    cohort = replace(cohort, genome_order=np.random.default_rng(4).permutation(20))
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, [fold], {"method": "anova_f"})
    rankings = Rankings(ranking, cohort.features)
    setting = {"k": 12, "parameters": {"gene_order": gene_order}}
    result = train_fold("neighbours", cohort, fold, rankings, [setting], 1, 1)

    model = result.model
    ranked = list(cohort.features[rankings.best("0", None, 12)[0]])
    assert sorted(model.features) == sorted(ranked)
    assert model.features != ranked
    by_name = pd.DataFrame(cohort.values, columns=cohort.features)[model.features].to_numpy()
    np.testing.assert_allclose(model.mean, by_name[fold.train].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(model.scale, by_name[fold.train].std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(model.standardise(by_name[fold.train]), neighbours[-1].estimator.X, atol=1e-5)

    table = result.predictions
    tested = table[table["inner_fold"].isna()]
    assert tested["sample"].tolist() == cohort.samples[fold.test].tolist()
    np.testing.assert_allclose(probabilities(tested), model.predict_proba(by_name[fold.test]), atol=1e-6)
    np.testing.assert_allclose(
        model.predict_proba(by_name[fold.train]), neighbours[-1].estimator.predict_proba(neighbours[-1].estimator.X)
    )

    for number, ((train, held_out), fitted) in enumerate(zip(fold.inner, neighbours[:-1], strict=True)):
        columns, mean, scale = rankings.best("0", number, 12)
        Z, Z_held_out = (((cohort.values[np.ix_(rows, columns)]) - mean) / scale for rows in (train, held_out))
        places = column_places(fitted.estimator.X, Z.astype(np.float32))
        assert places.tolist() != list(range(12))
        kept = table[(table["inner_fold"] == number).fillna(False)].set_index("sample").loc[cohort.samples[held_out]]
        expected = fitted.estimator.predict_proba(Z_held_out[:, places])
        np.testing.assert_allclose(probabilities(kept), expected, atol=1e-5)


def test_order_of_genes_depends_on_the_method_and_needs_positions_where_it_names_them(noisy):
    cohort, folds = noisy
    backwards = replace(cohort, genome_order=np.arange(20)[::-1])

    def features(gene_order, cohort=cohort):
        setting = {"k": 20, "parameters": {"gene_order": gene_order}}
        return run("neighbours", cohort, folds[0], [setting])[1].model.features

    assert features("file") == list(cohort.features)
    assert features("position", backwards) == list(cohort.features[::-1])
    assert len({tuple(features(name)) for name in ("file", "clustered", "shuffled")}) == 3
    with pytest.raises(ValueError, match="position"):
        features("position")


def test_model_without_an_order_gets_its_genes_best_first(noisy):
    cohort, folds = noisy
    ranking, result = run("logistic_regression", cohort, folds[0])
    outer = ranking[ranking["inner_fold"].isna()].sort_values("rank")
    assert result.model.features == outer["feature"].astype(str).head(len(result.model.features)).tolist()


def test_groups_of_its_rows_reach_every_fit(noisy, neighbours):
    cohort, folds = noisy
    fold = folds[0]
    grouped = replace(cohort, groups=np.array([f"p{number % 7}" for number in range(42)], dtype=object))
    run("neighbours", cohort, fold)
    assert len(neighbours) == 7
    assert all(fitted.groups is None for fitted in neighbours)
    neighbours.clear()
    run("neighbours", grouped, fold)
    inner = [train for train, _ in fold.inner for _ in settings_of("neighbours")]
    for rows, fitted in zip([*inner, fold.train], neighbours, strict=True):
        assert fitted.groups.tolist() == grouped.groups[rows].tolist()
        assert fitted.y.tolist() == grouped.codes[rows].tolist()


@pytest.mark.parametrize(
    ("fits_before", "part"), [(0, "fold 1, inner fold 0"), (2, "fold 1, inner fold 2"), (3, "fold 1")]
)
def test_diverged_network_is_explained_with_its_fold(fits_before, part, noisy, neighbours, monkeypatch):
    cohort, folds = noisy
    fit = training.load_module("neighbours").fit

    def diverge(*arguments):
        if len(neighbours) == fits_before:
            raise DivergedError("epoch 3: the loss is nan")
        return fit(*arguments)

    monkeypatch.setattr(training, "load_module", lambda name: SimpleNamespace(fit=diverge))
    with pytest.raises(InputError) as caught:
        run("neighbours", cohort, folds[1], settings_of("neighbours")[:1])
    assert str(caught.value) == (
        f"neighbours: repeat r0, {part}: epoch 3: the loss is nan; lower model_params.neighbours.learning_rate"
    )


def test_epochs_of_every_fit_are_kept_with_their_fold(noisy):
    cohort, folds = noisy
    epochs = pd.concat(run("neighbours", cohort, folds[1], settings_of("neighbours")[:1])[1].epochs)
    assert epochs.columns.tolist() == ["fold", "inner_fold", "epoch", "loss"]
    assert set(epochs["fold"]) == {"1"}
    assert epochs["inner_fold"].fillna(-1).tolist() == [0, 0, 1, 1, 2, 2, -1, -1]
    assert epochs["epoch"].tolist() == [1, 2] * 4
    assert epochs["loss"].tolist() == [0.5, 0.25] * 4
    assert pd.concat(run("decision_tree", cohort, folds[1])[1].epochs).empty


# Settings that one fit serves


class Boosted:
    """Class means of the first `depth` genes, moved towards the rows that `epochs` random draws meet; keeps those after
    each stage."""

    def __init__(self, X, y, parameters, seed):
        random = np.random.default_rng(seed)
        self.y = y
        self.means = np.zeros((y.max() + 1, X.shape[1]))
        self.stages = {}
        for epoch in range(1, parameters["epochs"] + 1):
            for row in random.choice(len(y), 10):
                self.means[y[row]] += parameters["rate"] * (X[row] - self.means[y[row]])
            if epoch in parameters.get("stages", ()):
                self.stages[epoch] = self.means.copy()
        self.history = pd.DataFrame({"epoch": range(1, parameters["epochs"] + 1)})

    def use_stage(self, epochs):
        self.means = self.stages[epochs]

    def predict_proba(self, X):
        values = np.exp(-np.square(X[:, None] - self.means).mean(axis=2))
        return values / values.sum(axis=1, keepdims=True)


@pytest.fixture
def boosted(monkeypatch):
    """A function that puts Boosted, with or without STAGED, behind the name `neighbours`; gives the list of its
    parameters."""

    def install(is_staged):
        fits = []

        def fit(X, y, parameters, seed, threads, context):
            fits.append(dict(parameters))
            return Boosted(X, y, parameters, seed)

        module = SimpleNamespace(fit=fit, **({"STAGED": "epochs"} if is_staged else {}))
        monkeypatch.setattr(training, "load_module", lambda name: module)
        return fits

    return install


STAGED = [
    {"k": k, "parameters": {"epochs": epochs, "rate": rate}}
    for k, rate in ((3, 0.1), (3, 0.5), (8, 0.1))
    for epochs in (1, 9, 4)
]


def test_settings_that_differ_in_the_staged_parameter_only_share_a_fit_of_the_largest(boosted):
    boosted(True)
    fits = stages_of("neighbours", STAGED)
    assert [setting for setting, _ in fits] == [
        {"k": k, "parameters": {"epochs": 9, "rate": rate, "stages": [1, 4, 9]}}
        for k, rate in ((3, 0.1), (3, 0.5), (8, 0.1))
    ]
    assert [staged for _, staged in fits] == [{0: 1, 1: 9, 2: 4}, {3: 1, 4: 9, 5: 4}, {6: 1, 7: 9, 8: 4}]
    # Settings of the study stay as they were.
    assert all("stages" not in setting["parameters"] for setting in STAGED)


def test_single_value_needs_no_stages(boosted):
    boosted(True)
    settings = [STAGED[0], STAGED[4]]
    assert stages_of("neighbours", settings) == [(STAGED[0], {0: None}), (STAGED[4], {1: None})]


@pytest.mark.parametrize("settings", [STAGED, [STAGED[0]] * 3])
def test_model_without_stages_is_fitted_for_every_setting(boosted, settings):
    boosted(False)
    expected = [(setting, {position: None}) for position, setting in enumerate(settings)]
    assert stages_of("neighbours", settings) == expected


def test_stages_of_one_fit_predict_what_separate_fits_predict(boosted, noisy):
    cohort, folds = noisy
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, [folds[0]], {"method": "anova_f"})
    rankings = Rankings(ranking, cohort.features)
    results, fits = {}, {}
    for is_staged in (True, False):
        fits[is_staged] = boosted(is_staged)
        results[is_staged] = train_fold("neighbours", cohort, folds[0], rankings, STAGED, 1, 1)
    pd.testing.assert_frame_equal(results[True].tuning, results[False].tuning)
    pd.testing.assert_frame_equal(results[True].predictions, results[False].predictions)
    assert results[True].tuning["inner_log_loss"].nunique() == len(STAGED)
    # Three inner folds, three fits instead of nine in each, and the refit.
    assert (len(fits[True]), len(fits[False])) == (3 * 3 + 1, 3 * 9 + 1)


def test_refit_is_of_the_chosen_setting_alone(boosted, noisy):
    cohort, folds = noisy
    fits = boosted(True)
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, [folds[0]], {"method": "anova_f"})
    result = train_fold("neighbours", cohort, folds[0], Rankings(ranking, cohort.features), STAGED, 1, 1)
    chosen = STAGED[int(np.flatnonzero(result.tuning["chosen"])[0])]
    assert fits[-1] == chosen["parameters"] == result.model.settings["parameters"]
    assert result.model.settings["k"] == chosen["k"]
    epochs = pd.concat(result.epochs)
    # The curve of a staged fit is that of its largest stage.
    inner = epochs[epochs["inner_fold"].notna()]
    assert inner.groupby("inner_fold").size().tolist() == [3 * 9] * 3
    assert len(epochs) - len(inner) == chosen["parameters"]["epochs"]


# Sequences, which are neither scaled nor ranked


@pytest.fixture
def genes(make_samples, make_folds):
    """A cohort of text whose classes a word of their protein tells, in groups of two, and its folds."""
    X, y = plant_sequences((12, 12))
    samples = make_samples([("A", "B")[code] for code in y], group=[f"h{number // 2}" for number in range(24)])
    return cohort_of(X, samples), make_folds(samples, scheme="grouped_cv")


def test_unranked_features_are_all_there_are_unscaled():
    columns, mean, scale = Unranked(np.array(["a", "b", "c"])).best("0", None, 2)
    assert (columns.tolist(), mean.tolist(), scale.tolist()) == ([0, 1], [0, 0], [1, 1])
    columns, mean, scale = Unranked(np.array(["sequence"])).best("final", 3, 50)
    assert (columns.tolist(), mean.tolist(), scale.tolist()) == ([0], [0], [1])


@pytest.mark.parametrize("name", ["majority", "kmer_nearest", "kmer_svm", "kmer_logistic_regression"])
def test_text_is_trained_and_predicted_as_it_is(name, genes, tmp_path):
    cohort, folds = genes
    assert cohort.holds_sequences
    sizes = {fold.name: [1] for fold in folds}
    overrides = {"kmer_svm": {"C": [1.0, 10.0]}, "kmer_nearest": {"alphabet": "protein"}}.get(name, {})
    tables = train_model(name, cohort, folds, None, sizes, overrides, 1, 1, tmp_path)
    tested = tables.predictions[tables.predictions["inner_fold"].isna()]
    assert sorted(tested["sample"]) == cohort.samples.tolist()
    accuracy = (tested["true"] == tested["predicted"]).mean()
    assert accuracy > 0.9 or name in ("majority", "kmer_logistic_regression")
    assert set(tables.tuning["k"]) == {1}
    for fold in folds[:-1]:
        model = FittedModel.load(tmp_path / fold.name)
        assert model.features == ["sequence"]
        again = model.predict_proba(cohort.values[fold.test])
        np.testing.assert_allclose(again, probabilities(tested[tested["fold"] == fold.name]), atol=1e-6)


def test_test_sequences_influence_nothing_but_their_own_predictions(genes):
    cohort, folds = genes
    fold = folds[0]
    values = cohort.values.copy()
    values[fold.test] = "ATG" + "GCA" * 30
    settings = candidate_settings("kmer_svm", [1], 1, {})
    results = [
        train_fold("kmer_svm", data, fold, Unranked(cohort.features), settings, 1, 1)
        for data in (cohort, replace(cohort, values=values))
    ]
    pd.testing.assert_frame_equal(results[0].tuning, results[1].tuning)
    inner = [result.predictions[result.predictions["inner_fold"].notna()] for result in results]
    pd.testing.assert_frame_equal(*inner)
    outer = [probabilities(result.predictions)[-len(fold.test) :] for result in results]
    assert not np.allclose(*outer)
    # The vocabulary is learnt from training rows.
    np.testing.assert_array_equal(*(result.model.estimator.kmers.vocabulary for result in results))


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
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, {"method": "anova_f"})
    sizes = {fold.name: [4, 50] for fold in folds}
    runs = [
        train_model("decision_tree", cohort, folds, ranking, sizes, {"max_depth": 2}, 1, 1, tmp_path / str(number))
        for number in range(2)
    ]
    for table, again in zip(*(tables[:2] for tables in runs), strict=True):
        pd.testing.assert_frame_equal(table, again)
    predictions, tuning, history, epochs = runs[0]
    assert epochs.empty
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
    assert cohort.groups is None
    assert cohort.genome_order is None


def test_column_named_sequence_is_text_only_if_it_holds_text(tmp_path, make_samples):
    numbers = pd.DataFrame({"sample": ["s000", "s001"], "sequence": [1.5, 2.5], "group": [1.0, 2.0]})
    write_table(numbers, tmp_path / "features.parquet")
    cohort = Cohort.read(tmp_path / "features.parquet", make_samples(["b", "a"]))
    assert not cohort.holds_sequences
    assert cohort.features.tolist() == ["sequence", "group"]
    text = pd.DataFrame({"sample": ["s000", "s001"], "sequence": ["ACGT", "NAN"], "label": ["b", "a"], "group": ""})
    write_table(text, tmp_path / "sequences.parquet")
    cohort = Cohort.read(tmp_path / "sequences.parquet", make_samples(["b", "a"]))
    assert cohort.holds_sequences
    assert cohort.features.tolist() == ["sequence"]
    assert cohort.values.tolist() == [["ACGT"], ["NAN"]]
    assert cohort.groups is None


def test_cohort_knows_groups_that_are_complete_and_positions_that_are_given(tmp_path, make_samples):
    table = pd.DataFrame({"sample": ["s000", "s001"], "x": [1.5, 2.5], "y": [2.0, 3.0]})
    write_table(table, tmp_path / "features.parquet")
    (tmp_path / "genes.tsv").write_text("feature\tchromosome\tstart\nx\t2\t5\ny\t1\t9\n")
    samples = make_samples(["b", "a"], group=["p2", "p1"])
    cohort = Cohort.read(tmp_path / "features.parquet", samples, tmp_path / "genes.tsv")
    assert cohort.groups.tolist() == ["p2", "p1"]
    assert cohort.genome_order.tolist() == [1, 0]
    assert Cohort.read(tmp_path / "features.parquet", make_samples(["b", "a"], group=["p2", ""])).groups is None
