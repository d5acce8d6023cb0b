"""Models of time series that are no networks, the radial SVM beside them, and how training hands rows to each."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import vonmises

from genestrata.errors import InputError
from genestrata.models import load_module, parameter_grid, reads
from genestrata.models.context import FitContext
from genestrata.models.fourier_phase import LARGEST_CONCENTRATION, FourierPhaseClassifier
from genestrata.models.peak_time import PeakTimeClassifier
from genestrata.models.storage import FittedModel
from genestrata.ranking import Rankings, rank_folds
from genestrata.training import fit_model, refit, train_fold

MISSING = float("nan")
# Experiment to its period, first minute, last minute, step and how far its cycle is turned, in radians.
ALPHA = {"alpha": (66.0, 0, 119, 7, 0.0)}
CDC15 = {"cdc15": (110.0, 10, 250, 10, 1.1)}


def series_of(experiments):
    return [f"{name}_{minute}" for name, (_, *minutes, _) in experiments.items() for minute in range(*minutes)]


def draw_angles(angles, experiments, noise=0.2, missing=0.0, seed=0):
    """Rows that peak at these angles of the cycle, and the names of their time points."""
    random = np.random.default_rng(seed)
    parts = []
    for period, *minutes, turn in experiments.values():
        cycle = 2 * np.pi * np.arange(*minutes) / period
        parts.append(np.cos(cycle - np.reshape(angles, (-1, 1)) - turn))
    X = np.hstack(parts)
    X += random.normal(0, noise, X.shape) if noise else 0
    X[random.random(X.shape) < missing] = MISSING
    return X.astype(np.float32), series_of(experiments)


def draw_classes(n_classes, experiments, rows=25, spread=0.15, seed=0, **options):
    """Rows of classes around 0, 2 pi / n_classes and so on: the first one lies across the border of the circle."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), rows)
    angles = 2 * np.pi * y / n_classes + random.normal(0, spread, len(y))
    return *draw_angles(angles, experiments, seed=seed, **options), y


def fit(name, X, y, features=(), **overrides):
    return load_module(name).fit(X, y, parameter_grid(name, overrides)[0], 0, 1, FitContext(None, features))


# Fourier phase


@pytest.mark.parametrize("experiments", [ALPHA, CDC15, ALPHA | CDC15])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_fourier_phase_tells_classes_on_the_cycle(n_classes, experiments):
    X, features, y = draw_classes(n_classes, experiments)
    X_test, _, y_test = draw_classes(n_classes, experiments, seed=1)
    probabilities = fit("fourier_phase", X, y, features).predict_proba(X_test)
    assert probabilities.shape == (len(y_test), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == y_test).mean() > 0.97


@pytest.mark.parametrize("centre", [0.0, np.pi])
def test_class_across_the_border_of_the_circle_is_one_class(centre):
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 40)
    X, features = draw_angles(centre + np.pi * y + random.uniform(-0.5, 0.5, 80), ALPHA)
    model = fit("fourier_phase", X, y, features)
    apart = np.angle(np.exp(1j * (model.centres - [centre, centre + np.pi])))
    np.testing.assert_allclose(apart, 0, atol=0.15)
    both_sides, _ = draw_angles(centre + np.array([-0.3, 0.3, np.pi - 0.3, np.pi + 0.3]), ALPHA, noise=0)
    assert model.predict_proba(both_sides).argmax(axis=1).tolist() == [0, 0, 1, 1]
    assert model.predict_proba(both_sides).max(axis=1).min() > 0.99


def test_fourier_phase_bears_missing_values():
    X, features, y = draw_classes(4, ALPHA | CDC15, missing=0.25)
    X_test, _, y_test = draw_classes(4, ALPHA | CDC15, missing=0.25, seed=1)
    probabilities = fit("fourier_phase", X, y, features).predict_proba(X_test)
    assert not np.isnan(probabilities).any()
    assert (probabilities.argmax(axis=1) == y_test).mean() > 0.95


def test_every_experiment_gets_its_period_and_is_turned_to_agree_with_the_longest():
    X, features, y = draw_classes(4, ALPHA | CDC15)
    model = fit("fourier_phase", X, y, features)
    np.testing.assert_allclose(model.periods, [66, 110], rtol=0.05)
    assert [len(columns) for columns in model.columns] == [17, 24]
    # The cycle of cdc15, which has more time points, is 1.1 ahead.
    np.testing.assert_allclose(model.turns, [-1.1, 0], atol=0.25)
    alone = [X.copy(), X.copy()]
    alone[0][:, 17:] = alone[1][:, :17] = MISSING
    for values in alone:
        assert (model.predict_proba(values).argmax(axis=1) == y).mean() > 0.9


def test_experiment_that_a_gene_does_not_follow_has_little_say():
    X, features, y = draw_classes(4, ALPHA | CDC15, noise=0.1)
    model = fit("fourier_phase", X, y, features)
    noisy = X.copy()
    noisy[:, :17] = np.random.default_rng(0).normal(0, 5, (len(X), 17))
    assert (model.predict_proba(noisy).argmax(axis=1) == y).mean() > 0.9


def test_probabilities_are_those_of_a_mixture_of_von_mises_distributions():
    X, features, y = draw_classes(3, ALPHA, spread=0.8, noise=0.5)
    rows = np.concatenate([np.flatnonzero(y == 0)[:5], np.flatnonzero(y > 0)])
    model = fit("fourier_phase", X[rows], y[rows], features)
    angle = model.angles(X)
    densities = vonmises.pdf(angle[:, None], model.concentrations, model.centres) * [5 / 55, 25 / 55, 25 / 55]
    np.testing.assert_allclose(model.predict_proba(X), densities / densities.sum(axis=1, keepdims=True), rtol=1e-6)
    assert (model.concentrations < LARGEST_CONCENTRATION).all()


def test_concentrations_are_those_of_the_angles():
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 2000)
    angles = np.concatenate([vonmises.rvs(kappa, size=2000, random_state=random) for kappa in (2.0, 8.0)]) + np.pi * y
    X, features = draw_angles(angles, ALPHA, noise=0)
    np.testing.assert_allclose(fit("fourier_phase", X, y, features).concentrations, [2, 8], rtol=0.1)


def test_class_of_one_gene_is_not_certain_of_itself():
    X, features, y = draw_classes(2, ALPHA, rows=20)
    model = fit("fourier_phase", X[:21], y[:21], features)
    assert model.concentrations[1] == LARGEST_CONCENTRATION > model.concentrations[0]


# Peak time


def test_peak_time_is_the_arc_of_the_highest_time_point():
    random = np.random.default_rng(0)
    X, features = draw_angles(random.uniform(0, 2 * np.pi, 400), ALPHA)
    arcs = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 0, 1, 1, 1, 2, 2, 2])
    y = arcs[X.argmax(axis=1)]
    X_test, _ = draw_angles(random.uniform(0, 2 * np.pi, 100), ALPHA, seed=1)
    probabilities = fit("peak_time", X, y, features).predict_proba(X_test)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), arcs[X_test.argmax(axis=1)])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_shares_of_a_time_point_are_those_of_its_rows_with_one_gene_of_doubt():
    # Three rows peak at the first time point, none at the second, one at the third.
    X = np.array([[3.0, 1, 2], [5, MISSING, 4], [2, 0, 1], [MISSING, 1, 2]])
    model = PeakTimeClassifier().fit(X, np.array([0, 0, 1, 0]))
    np.testing.assert_allclose(model.shares, [[2.75 / 4, 1.25 / 4], [0.75, 0.25], [1.75 / 2, 0.25 / 2]])


def test_peak_is_the_first_highest_value_that_was_measured():
    X = np.eye(3)
    model = PeakTimeClassifier().fit(X, np.arange(3))
    rows = np.array([[MISSING, 1, 5], [7, 7, 7], [-9, -1, MISSING], [MISSING, 2, 2]])
    assert model.predict_proba(rows).argmax(axis=1).tolist() == [2, 0, 1, 1]


# Radial SVM


def draw_blobs(n_classes, sizes=None, effect=3.0, seed=0):
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), sizes or [20] * n_classes)
    X = random.normal(size=(len(y), 6))
    X[np.arange(len(y)), y] += effect
    return X.astype(np.float32), y


@pytest.mark.parametrize("n_classes", [2, 4])
def test_radial_svm_learns_classes_and_gives_probabilities(n_classes):
    X, y = draw_blobs(n_classes)
    model = fit("rbf_svm", X, y)
    X_test, y_test = draw_blobs(n_classes, seed=1)
    probabilities = model.predict_proba(X_test)
    assert probabilities.shape == (len(y_test), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == y_test).mean() > 0.85
    margins = model.decision_function(X_test)
    if n_classes == 2:
        np.testing.assert_allclose(np.diff(np.log(probabilities), axis=1)[:, 0], 2 * margins)
    else:
        np.testing.assert_array_equal(probabilities.argmax(axis=1), margins.argmax(axis=1))


def test_radial_svm_tells_a_disc_from_the_ring_around_it():
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    angles, radius = random.uniform(0, 2 * np.pi, 120), np.where(y == 0, random.uniform(0, 1, 120), 2)
    X = radius[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    assert (fit("rbf_svm", X, y).predict_proba(X).argmax(axis=1) == y).mean() > 0.95
    assert (fit("linear_svm", X, y).predict_proba(X).argmax(axis=1) == y).mean() < 0.75


def test_rare_class_counts_as_much_for_the_radial_svm():
    X, y = draw_blobs(2, [150, 15], effect=1.0)
    X_test, y_test = draw_blobs(2, [10, 300], effect=1.0, seed=1)
    recalls = [
        (model.predict_proba(X_test).argmax(axis=1) == y_test)[y_test == 1].mean()
        for model in (fit("rbf_svm", X, y, C=1.0), fit("rbf_svm", X, y, C=1.0, class_weights="none"))
    ]
    assert recalls[0] > recalls[1] + 0.3


def test_search_space_of_the_radial_svm_is_its_cost():
    others = {"gamma": "scale", "class_weights": "balanced"}
    assert parameter_grid("rbf_svm", {}) == [{"C": cost} | others for cost in (1.0, 3.0, 10.0)]
    model = fit("rbf_svm", *draw_blobs(2), C=3.0, gamma=0.2)
    assert (model.C, model.gamma) == (3.0, 0.2)
    assert parameter_grid("fourier_phase", {}) == parameter_grid("peak_time", {}) == [{}]


# Files

NAMES = ["fourier_phase", "peak_time", "rbf_svm"]


def fitted(name, n_classes):
    """A model of two experiments with a class that training did not see."""
    X, features, y = draw_classes(n_classes, ALPHA | CDC15, missing=0.1)
    series = reads(name) == "series"
    mean, scale = (np.zeros(41), np.ones(41)) if series else (np.full(41, 0.1), np.full(41, 1.5))
    estimator = fit(name, X if series else np.nan_to_num(X), y, features)
    classes = [chr(ord("A") + code) for code in range(n_classes + 1)]
    return FittedModel(estimator, features, mean, scale, classes, [*range(1, n_classes + 1)], {"k": 41}, series), X


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_saved_model_predicts_the_same_and_knows_whether_it_keeps_missing_values(name, n_classes, tmp_path):
    model, X = fitted(name, n_classes)
    assert np.isnan(X).any()
    size = model.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    probabilities = loaded.predict_proba(X)
    np.testing.assert_array_equal(probabilities, model.predict_proba(X))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities[:, 0] == 0).all() and np.ptp(probabilities[:, 1]) > 0.3
    assert loaded.keeps_missing is (name != "rbf_svm")
    assert np.isnan(loaded.standardise(X)).any() == loaded.keeps_missing
    assert (loaded.features, loaded.classes, loaded.settings) == (model.features, model.classes, {"k": 41})
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["model.json", "model.skops"]
    assert sum(file.stat().st_size for file in files) == size
    assert json.loads(files[0].read_text())["keeps_missing"] is loaded.keeps_missing


@pytest.mark.parametrize("name", ["fourier_phase", "peak_time"])
def test_series_model_with_a_foreign_part_is_refused(name, tmp_path):
    model, _ = fitted(name, 2)
    model.estimator.note = zipfile.Path  # any object that no model holds
    model.save(tmp_path / "model")
    with pytest.raises(InputError, match="objects that a Genestrata model never holds"):
        FittedModel.load(tmp_path / "model")


# Training


@pytest.fixture
def cohort(make_cohort):
    """Three classes, two experiments whose time points are mixed in rank, missing values and groups of two rows."""
    cohort = make_cohort(sizes=(12, 12, 12), n_features=10, effect=3.0)
    values = cohort.values[:, [4, 0, 5, 1, 6, 7, 8, 2, 9, 3]].copy()
    values[::4, 1] = values[1::5, 6] = MISSING
    names = np.array([*(f"alpha_{minute}" for minute in range(0, 30, 5)), *(f"elu_{30 * n}" for n in range(4))], object)
    groups = np.array([f"group{number // 2}" for number in range(36)], object)
    return replace(cohort, values=values, features=names, groups=groups)


@pytest.fixture
def folds(cohort, make_folds, make_samples):
    return make_folds(make_samples(cohort.labels))


@pytest.fixture
def rankings(cohort, folds):
    """By the F statistic, so that the time points come in another order than that of time."""
    table = rank_folds(cohort.values, cohort.labels, cohort.features, folds, {"method": "anova_f"})
    return Rankings(table, cohort.features)


@pytest.fixture
def calls(monkeypatch):
    """What every fit of two models gets."""
    seen = []
    for name in ("peak_time", "shrinkage_lda"):
        module = load_module(name)

        def spy(X, y, parameters, seed, threads, context, own=module.fit):
            seen.append((X.copy(), y, context))
            return own(X, y, parameters, seed, threads, context)

        monkeypatch.setattr(module, "fit", spy)
    return seen


def parts_of(fold):
    """Training rows of a fold's fits in their order: inner ones, then the refit."""
    return [*(train for train, _ in fold.inner), fold.train]


@pytest.mark.parametrize("k", [4, 10])
def test_series_model_sees_values_as_measured_in_the_order_of_time(k, cohort, folds, rankings, calls):
    fold = folds[0]
    result = train_fold("peak_time", cohort, fold, rankings, [{"k": k, "parameters": {}}], 0, 1)
    for number, (rows, (X, y, context)) in enumerate(zip(parts_of(fold), calls, strict=True)):
        best = rankings.best(fold.name, number if number < len(fold.inner) else None, k)[0]
        columns = np.sort(best)
        assert not np.array_equal(columns, best)
        np.testing.assert_array_equal(X, cohort.values[np.ix_(rows, columns)])
        np.testing.assert_array_equal(y, cohort.codes[rows])
        assert context.features == cohort.features[columns].tolist()
        np.testing.assert_array_equal(context.groups, cohort.groups[rows])
    assert np.isnan(calls[-1][0]).any()
    model = result.model
    assert model.keeps_missing and model.features == calls[-1][2].features
    assert (model.mean == 0).all() and (model.scale == 1).all() and len(model.mean) == k


def test_other_model_sees_standardised_values_without_gaps_best_first(cohort, folds, rankings, calls):
    fold = folds[0]
    result = train_fold("shrinkage_lda", cohort, fold, rankings, [{"k": 10, "parameters": {"shrinkage": "auto"}}], 0, 1)
    for number, (rows, (X, _, context)) in enumerate(zip(parts_of(fold), calls, strict=True)):
        columns, mean, scale = rankings.best(fold.name, number if number < len(fold.inner) else None, 10)
        expected = (cohort.values[np.ix_(rows, columns)] - mean) / scale
        np.testing.assert_allclose(X, np.nan_to_num(expected), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-5)
        assert context.features == cohort.features[columns].tolist()
    assert not result.model.keeps_missing
    assert result.model.mean.min() > 5


def test_predictions_of_a_series_model_are_those_of_its_own_fits(cohort, folds, rankings):
    fold, setting = folds[1], {"k": 10, "parameters": {}}
    table = train_fold("peak_time", cohort, fold, rankings, [setting], 0, 1).predictions.set_index("sample")
    parts = [(train, held_out, table[table["inner_fold"] == n]) for n, (train, held_out) in enumerate(fold.inner)]
    parts.append((fold.train, fold.test, table[table["inner_fold"].isna()]))
    for train, held_out, rows in parts:
        model = PeakTimeClassifier().fit(cohort.values[train], cohort.codes[train])
        expected = model.predict_proba(cohort.values[held_out])
        found = rows.loc[cohort.samples[held_out], ["p_A", "p_B", "p_C"]]
        np.testing.assert_allclose(found, expected)


def test_refit_names_the_columns_of_a_series_in_the_order_of_time(cohort, folds, rankings):
    model, columns = refit("peak_time", cohort, folds[0], rankings, {"k": 6, "parameters": {}}, 0, 1)
    assert (np.diff(columns) > 0).all() and len(columns) == 6
    assert model.features == cohort.features[columns].tolist()


def test_fit_model_leaves_out_absent_classes_and_gives_the_rows_their_groups(cohort, calls):
    rows = np.flatnonzero(cohort.labels != "B")
    selected = (np.array([2, 0, 1]), np.zeros(3), np.ones(3))
    Z = cohort.values[np.ix_(rows, selected[0])]
    model, order = fit_model("peak_time", Z, cohort, rows, selected, {"k": 3, "parameters": {}}, 0, 1)
    assert order.tolist() == [1, 2, 0] and model.features == ["alpha_0", "alpha_5", "alpha_10"]
    assert model.class_codes == [0, 2] and set(calls[0][1]) == {0, 1}
    np.testing.assert_array_equal(calls[0][2].groups, cohort.groups[rows])
    np.testing.assert_array_equal(calls[0][0], Z[:, order])
    fit_model("peak_time", Z, replace(cohort, groups=None), rows, selected, {"k": 3, "parameters": {}}, 0, 1)
    assert calls[1][2].groups is None


def test_fourier_phase_is_trained_from_the_names_of_the_time_points(make_cohort, make_folds, make_samples):
    X, features, y = draw_classes(3, ALPHA | CDC15, rows=12, missing=0.1)
    cohort = make_cohort(sizes=(12, 12, 12), n_features=41)
    cohort = replace(cohort, values=X, features=np.array(features, object), labels=np.array(list("ABC"), object)[y])
    folds = make_folds(make_samples(cohort.labels))
    rankings = Rankings(rank_folds(X, cohort.labels, cohort.features, folds, {"method": "none"}), cohort.features)
    result = train_fold("fourier_phase", cohort, folds[0], rankings, [{"k": 41, "parameters": {}}], 0, 1)
    assert (result.predictions["predicted"] == result.predictions["true"]).mean() > 0.9
    own = FourierPhaseClassifier().fit(X[folds[0].train], y[folds[0].train], features)
    np.testing.assert_array_equal(result.model.predict_proba(X), own.predict_proba(X))
