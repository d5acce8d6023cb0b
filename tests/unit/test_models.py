"""Every classical model and the meta-learner: fitting, probabilities, determinism, and files that load safely."""

import json
import re
import zipfile

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from genestrata.calibration import apply_temperature, fit_temperature
from genestrata.errors import InputError
from genestrata.models import gradient_boosting, load_module, parameter_grid
from genestrata.models.registry import REGISTRY, model_title
from genestrata.models.storage import FittedModel, load_skops, save_skops, standardise

# Models that read time points have a file of their own.
CLASSICAL = [name for name, entry in REGISTRY.items() if not entry.deep and entry.task is None]
FEATURES = 6
PARAMETERS = {"random_forest": {"n_estimators": 20, "max_features": "sqrt", "min_samples_leaf": 1}}


def draw(n_classes, seed=0, rows=12):
    """Rows of each class around its own mean in its own column."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), rows)
    X = random.normal(size=(len(y), FEATURES))
    X[np.arange(len(y)), y] += 3
    return X.astype(np.float32), y


def fit(name, X, y, classes, codes=None, seed=0, threads=1):
    parameters = PARAMETERS.get(name, parameter_grid(name, {})[0])
    estimator = load_module(name).fit(X, y, parameters, seed, threads)
    columns = [f"g{number}" for number in range(X.shape[1])]
    return FittedModel(
        estimator, columns, X.mean(axis=0), X.std(axis=0), classes, codes or list(range(len(classes))), {"k": FEATURES}
    )


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", CLASSICAL)
def test_model_learns_classes_and_gives_probabilities(name, n_classes):
    X, y = draw(n_classes)
    model = fit(name, X, y, list("ABCD")[:n_classes])
    probabilities = model.predict_standardised(X)
    assert probabilities.shape == (len(y), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert probabilities.min() >= 0
    accuracy = (probabilities.argmax(axis=1) == y).mean()
    # The shallowest tree of the search space has two leaves.
    guessing = {"majority": 1 / n_classes, "decision_tree": 2 / n_classes}
    assert accuracy == pytest.approx(guessing[name], abs=0.15) if name in guessing else accuracy > 0.9


@pytest.mark.parametrize("name", CLASSICAL)
def test_classes_missing_in_training_get_no_probability(name):
    X, y = draw(2)
    probabilities = fit(name, X, y, list("ABCD"), codes=[1, 3]).predict_standardised(X)
    assert (probabilities[:, [0, 2]] == 0).all()
    np.testing.assert_allclose(probabilities[:, [1, 3]].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", CLASSICAL)
def test_same_seed_gives_the_same_model_whatever_the_threads(name):
    X, y = draw(3)
    first, again, two_threads = (fit(name, X, y, list("ABC"), threads=threads) for threads in (1, 1, 2))
    expected = first.predict_standardised(X)
    np.testing.assert_array_equal(again.predict_standardised(X), expected)
    np.testing.assert_array_equal(two_threads.predict_standardised(X), expected)


@pytest.mark.parametrize("name", ["random_forest", "xgboost"])
def test_another_seed_gives_another_model(name):
    X, y = draw(3)
    one, other = (fit(name, X, y, list("ABC"), seed=seed).predict_standardised(X) for seed in (0, 1))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", CLASSICAL)
def test_saved_model_predicts_the_same_and_holds_no_pickle(name, n_classes, tmp_path):
    X, y = draw(n_classes)
    model = fit(name, X, y, list("ABCD")[:n_classes])
    size = model.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    raw = np.random.default_rng(1).normal(size=(9, FEATURES))
    np.testing.assert_array_equal(loaded.predict_proba(raw), model.predict_proba(raw))
    assert (loaded.features, loaded.classes, loaded.settings) == (model.features, model.classes, {"k": FEATURES})
    files = sorted(tmp_path.iterdir())
    assert sum(file.stat().st_size for file in files) == size
    suffix = {"xgboost": ".ubj", "lightgbm": ".txt"}.get(name, ".skops")
    assert {file.suffix for file in files} == {".json", suffix}
    if suffix == ".skops":
        with zipfile.ZipFile(files[1]) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        assert {member.rpartition(".")[2] for member in members} <= {"json", "npy"}
        assert not any(content.startswith(b"\x80") for content in members.values())


def test_missing_value_is_the_training_mean():
    X, y = draw(2)
    model = fit("logistic_regression", X, y, ["A", "B"])
    missing, at_mean = X[:3].astype(float), X[:3].astype(float)
    missing[:, 2], at_mean[:, 2] = np.nan, model.mean[2]
    np.testing.assert_allclose(model.predict_proba(missing), model.predict_proba(at_mean), rtol=1e-6)
    Z = standardise(np.array([[1.0, np.nan, 7.0]]), np.array([0.0, 5.0, 3.0]), np.array([2.0, 1.0, 4.0]))
    assert Z.dtype == np.float32
    np.testing.assert_array_equal(Z, [[0.5, 0.0, 1.0]])


# The meta-learner


def draw_base(n_classes, sharpness=(0.3, 1.0, 8.0), rows=20, seed=0):
    """Probabilities of base models that know the same of the classes, each surer of itself than the one before.

    Returns (n_samples, n_models x n_classes) and class codes.
    """
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(n_classes), rows)
    logits = random.normal(size=(len(sharpness), len(y), n_classes))
    logits[:, np.arange(len(y)), y] += 1.5
    values = np.exp(logits * np.reshape(sharpness, (-1, 1, 1)))
    values /= values.sum(axis=2, keepdims=True)
    return np.concatenate(values, axis=1), y


def fit_stack(X, codes, classes, seed=0):
    """The meta-learner as the stack saves it, with three base models."""
    estimator = gradient_boosting.fit(X, codes, 3, seed)
    names = [f"m{number} p_{label}" for number in range(3) for label in classes]
    return FittedModel(estimator, names, np.zeros(len(names)), np.ones(len(names)), classes, estimator.class_codes)


def calibrated_mean(X, y, present):
    """Geometric mean of the three base models, each at its own temperature, over the classes present."""
    codes = np.searchsorted(present, y)
    blocks = [block[:, present] for block in np.split(X, 3, axis=1)]
    logs = np.mean([np.log(apply_temperature(block, fit_temperature(block, codes))) for block in blocks], axis=0)
    return softmax(logs, axis=1)


def pooled(model, X):
    """What the trees of a stack of three models start from, as probabilities."""
    return softmax(gradient_boosting.pool(gradient_boosting.log_probabilities(X, 3), model.estimator.weights), axis=1)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_meta_learner_learns_classes_and_gives_probabilities(n_classes):
    X, y = draw_base(n_classes)
    probabilities = fit_stack(X, y, list("ABCD")[:n_classes]).predict_proba(X)
    assert probabilities.shape == (len(y), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert probabilities.min() >= 0
    assert (probabilities.argmax(axis=1) == y).mean() > 0.8


@pytest.mark.parametrize("codes", [[0, 1], [1, 3], [0, 1, 2, 3], [0, 2, 3]])
def test_meta_learner_without_correction_is_the_mean_of_calibrated_base_models(codes, monkeypatch):
    """Trees that learn next to nothing leave what they start from."""
    monkeypatch.setitem(gradient_boosting.TREES, "learning_rate", 1e-9)
    monkeypatch.setattr(gradient_boosting, "SHRINKAGE", 1e9)
    n_classes = 2 if codes == [0, 1] else 4
    X, y = draw_base(n_classes)
    seen = np.isin(y, codes)
    model = fit_stack(X[seen], y[seen], list("ABCD")[:n_classes])
    expected = calibrated_mean(X[seen], y[seen], codes)
    np.testing.assert_allclose(model.predict_proba(X[seen])[:, codes], expected, atol=1e-5)


def test_trees_correct_what_no_pool_can_say():
    """Class B where the base models are unsure: no weighted sum of their logarithms says so."""
    p = np.tile(np.random.default_rng(0).uniform(0.02, 0.98, 120)[:, None], 3)
    X, y = np.stack([p, 1 - p], axis=2).reshape(len(p), -1), (np.abs(p[:, 0] - 0.5) < 0.2).astype(int)
    model, rows = fit_stack(X, y, ["A", "B"]), np.arange(len(y))
    losses = [-np.log(values[rows, y]).mean() for values in (model.predict_proba(X), pooled(model, X))]
    assert losses[0] < 0.8 * losses[1]


@pytest.mark.parametrize("n_classes", [2, 4])
def test_trees_leave_a_pool_alone_that_is_right_already(n_classes):
    """They learn what the pool misses, so their part in the log odds is small where it misses nothing."""
    y = np.repeat(np.arange(n_classes), 30)
    X = np.tile(0.999 * np.eye(n_classes)[y] + 0.001 / n_classes, 3)
    model = fit_stack(X, y, list("ABCD")[:n_classes])
    log_odds = [np.log(values[:, 0]) - np.log(values[:, 1]) for values in (pooled(model, X), model.predict_proba(X))]
    np.testing.assert_allclose(*log_odds, atol=0.2)


def test_rare_class_counts_as_much_for_the_meta_learner():
    """From base models that know nothing it learns nothing, not even which class is common."""
    y = np.repeat([0, 1], [10, 50])
    probabilities = fit_stack(np.full((60, 6), 0.5), y, ["A", "B"]).predict_proba(np.full((1, 6), 0.5))
    np.testing.assert_allclose(probabilities, 0.5, atol=0.05)


def test_base_model_that_knows_nothing_loses_its_weight_to_the_others():
    X, y = draw_base(3)
    noise = np.random.default_rng(5).dirichlet(np.ones(3), len(X))
    weights = gradient_boosting.fit(np.hstack([X, noise]), y, 4, 0).weights
    assert (weights >= 0).all()
    assert weights[3] < 0.05 * weights.max()


def test_weights_of_the_pool_lower_the_log_loss(monkeypatch):
    X, y = draw_base(3)
    logs, even = gradient_boosting.log_probabilities(X, 3), np.ones(len(y))

    def log_loss(weights):
        return -log_softmax(gradient_boosting.pool(logs, weights), axis=1)[np.arange(len(y)), y].mean()

    fitted = gradient_boosting.fit_weights(logs, y, even)
    monkeypatch.setattr(gradient_boosting, "SHRINKAGE", 1e9)
    assert log_loss(fitted) < log_loss(gradient_boosting.fit_weights(logs, y, even))


@pytest.mark.parametrize("weights", [[], [1.0], [-1.0, 0.5, 0.5], [float("nan"), 1.0, 1.0], ["x", 1.0, 1.0], 5])
def test_stack_with_unusable_weights_is_refused(weights, tmp_path):
    X, y = draw_base(3)
    fit_stack(X, y, list("ABC")).save(tmp_path / "stack")
    description = json.loads((tmp_path / "stack.json").read_text())
    (tmp_path / "stack.json").write_text(json.dumps(description | {"weights": weights}))
    with pytest.raises(InputError, match="not the description of a Genestrata model"):
        FittedModel.load(tmp_path / "stack")


@pytest.mark.parametrize("seen", [[0, 2], [0, 2, 3]])
def test_class_absent_from_the_training_of_the_meta_learner_gets_no_probability(seen):
    X, y = draw_base(4)
    rows = np.isin(y, seen)
    probabilities = fit_stack(X[rows], y[rows], list("ABCD")).predict_proba(X)
    unseen = np.setdiff1d(range(4), seen)
    assert (probabilities[:, unseen] == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities[rows].argmax(axis=1) == y[rows]).mean() > 0.8


def test_seed_decides_the_meta_learner():
    X, y = draw_base(3)
    first, again, other = (fit_stack(X, y, list("ABC"), seed).predict_proba(X) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("codes", [[0, 1], [0, 2], [0, 1, 2]])
def test_stack_model_is_saved_and_read_back(codes, tmp_path):
    n_classes = max(codes) + 1
    X, y = draw_base(n_classes)
    rows = np.isin(y, codes)
    model = fit_stack(X[rows], y[rows], list("ABC")[:n_classes])
    size = model.save(tmp_path / "stack")
    loaded = FittedModel.load(tmp_path / "stack")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.estimator.weights, model.estimator.weights)
    assert loaded.features == model.features
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["stack.json", "stack.ubj"]
    assert sum(file.stat().st_size for file in files) == size


# Files of a stranger


def fitted_tree(n_classes=3):
    X, y = draw(n_classes)
    return DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)


def tamper(tree, field, value, node=0):
    """Change a number of a fitted tree in place."""
    state = tree.tree_.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"][field][node] = value
    tree.tree_.__setstate__(state)
    return tree


@pytest.mark.parametrize(
    ("field", "value"),
    [("left_child", 10**6), ("right_child", 10**6), ("left_child", -7), ("right_child", 0), ("feature", FEATURES)],
)
def test_tree_that_points_outside_is_refused(field, value, tmp_path):
    save_skops(tamper(fitted_tree(), field, value), tmp_path / "model.skops")
    with pytest.raises(InputError, match="points outside"):
        load_skops(tmp_path / "model.skops")


def test_tampered_tree_inside_an_ensemble_is_refused(tmp_path):
    ensemble = fit("random_forest", *draw(2), ["A", "B"]).estimator
    last = ensemble.estimators_[-1]
    # The tree claims more columns than the ensemble checks its rows for.
    last.n_features_in_ = 10**6
    tamper(last, "feature", 10**5)
    save_skops(ensemble, tmp_path / "model.skops")
    with pytest.raises(InputError, match="points outside"):
        load_skops(tmp_path / "model.skops")


def test_estimators_that_could_hide_a_tree_are_refused(tmp_path):
    pipeline = make_pipeline(StandardScaler(), tamper(fitted_tree(), "left_child", 10**6))
    boosting = GradientBoostingClassifier(n_estimators=5).fit(*draw(2))
    boosting.init_ = tamper(fitted_tree(2), "left_child", 10**6)
    forest = fit("random_forest", *draw(2), ["A", "B"]).estimator
    forest.estimators_[3] = pipeline
    for name, estimator in (("pipeline", pipeline), ("boosting", boosting), ("forest", forest)):
        save_skops(estimator, tmp_path / f"{name}.skops")
        with pytest.raises(InputError, match="no model that Genestrata makes"):
            load_skops(tmp_path / f"{name}.skops")


def test_untrusted_type_is_refused(tmp_path):
    tree = fitted_tree()
    tree.note = zipfile.Path  # any object that no model holds
    save_skops(tree, tmp_path / "model.skops")
    with pytest.raises(InputError, match="objects that a Genestrata model never holds"):
        load_skops(tmp_path / "model.skops")


@pytest.mark.parametrize("name", ["logistic_regression", "xgboost", "lightgbm"])
def test_file_of_another_kind_is_refused(name, tmp_path):
    X, y = draw(2)
    fit(name, X, y, ["A", "B"]).save(tmp_path / "model")
    file = tmp_path / json.loads((tmp_path / "model.json").read_text())["file"]
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not a readable model file"):
        FittedModel.load(tmp_path / "model")


@pytest.mark.parametrize("kind", ["xgboost", "stack"])
@pytest.mark.parametrize(
    ("field", "value"), [("left_children", 10**6), ("right_children", 0), ("split_indices", 10**6), ("tree_info", 99)]
)
def test_tampered_booster_is_refused(field, value, kind, tmp_path):
    if kind == "stack":
        model = fit_stack(*draw_base(3), list("ABC"))
        booster = model.estimator.trees
    else:
        model = fit("xgboost", *draw(3), list("ABC"))
        booster = model.estimator
    model.save(tmp_path / "model")
    booster.save_model(tmp_path / "model.xgb.json")
    content = json.loads((tmp_path / "model.xgb.json").read_text())
    trees = content["learner"]["gradient_booster"]["model"]
    (trees if field == "tree_info" else trees["trees"][0])[field][0] = value
    (tmp_path / "model.xgb.json").write_text(json.dumps(content))
    booster.load_model(tmp_path / "model.xgb.json")
    booster.save_model(tmp_path / "model.ubj")
    with pytest.raises(InputError, match="refused"):
        FittedModel.load(tmp_path / "model")


# Search spaces


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(left_child=)\S+", r"\g<1>1000000"),
        (r"(right_child=)\S+", r"\g<1>-1000000"),
        (r"(left_child=)\S+", r"\g<1>0"),
        (r"(split_feature=)\S+", r"\g<1>1000000"),
        (r"(split_feature=)\S+", r"\g<1>-1"),
        (r"(decision_type=)\S+", r"\g<1>1"),
        (r"(decision_type=)\S+ ", r"\g<1>"),
        (r"(leaf_value=)\S+ ", r"\g<1>"),
        (r"(threshold=)\S+ ", r"\g<1>"),
        (r"num_leaves=\d+", "num_leaves=1000000"),
        (r"num_leaves=\d+", "num_leaves=3\nnum_leaves=4"),
        ("num_cat=0", "num_cat=1"),
        ("is_linear=0", "is_linear=1"),
        (r"num_tree_per_iteration=\d", "num_tree_per_iteration=7"),
        (r"max_feature_idx=\d", "max_feature_idx=1000000"),
        ("objective=", "tree_sizes=5 5 5\nobjective="),
        ("objective=\\w+", "objective=regression"),
    ],
)
def test_tampered_trees_of_lightgbm_are_refused(pattern, text, n_classes, tmp_path):
    fit("lightgbm", *draw(n_classes), list("ABC")[:n_classes]).save(tmp_path / "model")
    file = tmp_path / "model.txt"
    sound = file.read_text()
    file.write_text(re.sub(pattern, text, sound, count=1))
    assert file.read_text() != sound
    with pytest.raises(InputError, match=r"model\.txt: (refused|not a readable)"):
        FittedModel.load(tmp_path / "model")


def test_lightgbm_of_other_columns_or_classes_than_its_description_is_refused(tmp_path):
    fit("lightgbm", *draw(3), list("ABC")).save(tmp_path / "model")
    path, description = tmp_path / "model.json", json.loads((tmp_path / "model.json").read_text())
    path.write_text(json.dumps(description | {"class_codes": [0, 1], "classes": ["A", "B"]}))
    with pytest.raises(InputError, match="no set of trees that Genestrata makes"):
        FittedModel.load(tmp_path / "model")


@pytest.mark.parametrize("n_classes", [2, 4])
def test_effects_of_lightgbm_add_up_to_the_change_of_the_log_odds(n_classes):
    X, y = draw(n_classes)
    # Trees of one gene each would say as much by the genes of the other classes.
    parameters = parameter_grid("lightgbm", {"colsample_bytree": 1.0})[0]
    estimator = load_module("lightgbm").fit(X, y, parameters, 0, 1)
    effects = estimator.tree_effects(X)
    assert effects.shape == (len(X), FEATURES, 1 if n_classes == 2 else n_classes)
    margins = estimator.booster.predict(X, raw_score=True).reshape(len(X), -1)
    offsets = margins - effects.sum(axis=1)
    np.testing.assert_allclose(offsets, np.broadcast_to(offsets[0], offsets.shape), atol=1e-9)
    # The gene of a class counts most for its own rows.
    own = effects[:, :, -1][y == n_classes - 1].mean(axis=0)
    assert own.argmax() == n_classes - 1


def test_parameter_grid_is_every_combination_and_overrides_replace_a_list():
    assert parameter_grid("decision_tree", {"max_depth": 3, "min_samples_leaf": [1, 5]}) == [
        {"max_depth": 3, "min_samples_leaf": 1},
        {"max_depth": 3, "min_samples_leaf": 5},
    ]
    assert parameter_grid("logistic_regression", {}) == [{"C": 0.01}, {"C": 0.1}, {"C": 1.0}]
    assert parameter_grid("majority", {}) == [{}]


def test_unknown_parameter_is_refused_by_name():
    with pytest.raises(ValueError, match="decision_tree has no parameter depth; it has: max_depth, min_samples_leaf"):
        parameter_grid("decision_tree", {"depth": 3})


def test_network_has_one_setting_that_overrides_replace():
    settings, changed = (parameter_grid("cnn", overrides) for overrides in ({}, {"gene_order": "file", "epochs": 3}))
    assert len(settings) == len(changed) == 1
    assert changed[0] == settings[0] | {"gene_order": "file", "epochs": 3}
    published = parameter_grid("cnn", {"preset": "published", "kernel": [3, 3]})
    assert len(published) == 1
    assert (published[0]["learning_rate"], published[0]["kernel"]) == (1e-4, [3, 3])
    with pytest.raises(ValueError, match="dense has no parameter gene_order"):
        parameter_grid("dense", {"gene_order": "file"})


def test_titles():
    assert model_title("stack") == "Stack"
    assert model_title("linear_svm") == "Linear SVM"


def test_discriminant_analysis_of_one_sample_a_class_is_refused_in_words():
    with pytest.raises(InputError, match="shrinkage_lda: a part to fit on has one sample of each of its 3 classes"):
        load_module("shrinkage_lda").fit(np.eye(3), np.arange(3), {"shrinkage": "auto"}, 0, 1)
