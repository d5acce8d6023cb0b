"""Every model of the registry: fitting, probabilities, determinism, and files that load safely."""

import json
import zipfile

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from genestrata.errors import InputError
from genestrata.models import gradient_boosting, load_module, parameter_grid
from genestrata.models.registry import REGISTRY, model_title
from genestrata.models.storage import FittedModel, load_skops, save_skops, standardise

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
@pytest.mark.parametrize("name", REGISTRY)
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


@pytest.mark.parametrize("name", REGISTRY)
def test_classes_missing_in_training_get_no_probability(name):
    X, y = draw(2)
    probabilities = fit(name, X, y, list("ABCD"), codes=[1, 3]).predict_standardised(X)
    assert (probabilities[:, [0, 2]] == 0).all()
    np.testing.assert_allclose(probabilities[:, [1, 3]].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", REGISTRY)
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
@pytest.mark.parametrize("name", REGISTRY)
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
    assert [file.suffix for file in files] == [".json", ".ubj" if name == "xgboost" else ".skops"]
    if name != "xgboost":
        with zipfile.ZipFile(files[1]) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        assert {member.rpartition(".")[2] for member in members} <= {"json", "npy"}
        assert not any(content.startswith(b"\x80") for content in members.values())


def test_stack_model_is_saved_and_read_back(tmp_path):
    X, y = draw(3)
    save_skops(gradient_boosting.fit(X, y, 0), tmp_path / "stack.skops")
    loaded = load_skops(tmp_path / "stack.skops")
    np.testing.assert_array_equal(loaded.predict_proba(X), gradient_boosting.fit(X, y, 0).predict_proba(X))


def test_missing_value_is_the_training_mean():
    X, y = draw(2)
    model = fit("logistic_regression", X, y, ["A", "B"])
    missing, at_mean = X[:3].astype(float), X[:3].astype(float)
    missing[:, 2], at_mean[:, 2] = np.nan, model.mean[2]
    np.testing.assert_allclose(model.predict_proba(missing), model.predict_proba(at_mean), rtol=1e-6)
    Z = standardise(np.array([[1.0, np.nan, 7.0]]), np.array([0.0, 5.0, 3.0]), np.array([2.0, 1.0, 4.0]))
    assert Z.dtype == np.float32
    np.testing.assert_array_equal(Z, [[0.5, 0.0, 1.0]])


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


@pytest.mark.parametrize("kind", ["random_forest", "stack"])
def test_tampered_tree_inside_an_ensemble_is_refused(kind, tmp_path):
    X, y = draw(2)
    ensemble = gradient_boosting.fit(X, y, 0) if kind == "stack" else fit(kind, X, y, ["A", "B"]).estimator
    last = np.ravel(ensemble.estimators_)[-1]
    # The tree claims more columns than the ensemble checks its rows for.
    last.n_features_in_ = 10**6
    tamper(last, "feature", 10**5)
    save_skops(ensemble, tmp_path / "model.skops")
    with pytest.raises(InputError, match="points outside"):
        load_skops(tmp_path / "model.skops")


def test_estimators_that_could_hide_a_tree_are_refused(tmp_path):
    pipeline = make_pipeline(StandardScaler(), tamper(fitted_tree(), "left_child", 10**6))
    boosting = gradient_boosting.fit(*draw(2), 0)
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


@pytest.mark.parametrize("name", ["logistic_regression", "xgboost"])
def test_file_of_another_kind_is_refused(name, tmp_path):
    X, y = draw(2)
    fit(name, X, y, ["A", "B"]).save(tmp_path / "model")
    file = tmp_path / json.loads((tmp_path / "model.json").read_text())["file"]
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="not a readable model file"):
        FittedModel.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("field", "value"), [("left_children", 10**6), ("right_children", 0), ("split_indices", 10**6), ("tree_info", 99)]
)
def test_tampered_booster_is_refused(field, value, tmp_path):
    X, y = draw(3)
    model = fit("xgboost", X, y, list("ABC"))
    model.save(tmp_path / "model")
    model.estimator.save_model(tmp_path / "model.xgb.json")
    content = json.loads((tmp_path / "model.xgb.json").read_text())
    trees = content["learner"]["gradient_booster"]["model"]
    (trees if field == "tree_info" else trees["trees"][0])[field][0] = value
    (tmp_path / "model.xgb.json").write_text(json.dumps(content))
    model.estimator.load_model(tmp_path / "model.xgb.json")
    model.estimator.save_model(tmp_path / "model.ubj")
    with pytest.raises(InputError, match="refused"):
        FittedModel.load(tmp_path / "model")


# Search spaces


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


def test_titles():
    assert model_title("stack") == "Stack"
    assert model_title("linear_svm") == "Linear SVM"
