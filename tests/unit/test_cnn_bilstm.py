"""The CNN-BiLSTM: its layers, what it makes of missing values and of several experiments, training, files, SHAP."""

import json

import numpy as np
import pytest
import yaml
from sklearn.utils.class_weight import compute_sample_weight

from genestrata.errors import InputError
from genestrata.explaining import network_effects
from genestrata.models import cnn_bilstm, networks, parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.context import FitContext
from genestrata.models.networks import TRAINING, NetworkClassifier, network_input
from genestrata.models.storage import FittedModel

MISSING = float("nan")
SMALL = {"filters": [4], "kernel": [3], "units": [3], "batch_size": 16, "dropout": 0.1}
LENGTHS = {"alpha": 6, "elu": 9}
FEATURES = [f"{name}_{5 * point}" for name, length in LENGTHS.items() for point in range(length)]
# Networks of every kind that settings can make.
KINDS = [
    {},
    {"summary": "last"},
    {"units": [3, 2]},
    {"dense_units": [5]},
    {"batch_normalisation": False, "input_scale": 0.1},
    {"filters": [4, 3], "kernel": [3, 2], "pool": [1, 3]},
    {"mask_missing": False},
    {"preset": "published"},
]


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


def settings_of(**overrides):
    own = {} if "preset" in overrides else SMALL
    return parameter_grid("cnn_bilstm", own | overrides)[0]


def build(lengths, n_classes=3, seed=0, **overrides):
    """An untrained network."""
    import keras

    keras.utils.set_random_seed(seed)
    return cnn_bilstm.build(sum(lengths), n_classes, settings_of(**overrides) | {"series": list(lengths)})


def draw(rows=20, missing=0.1, seed=0):
    """Rows of three phases of a cycle in two experiments, with missing values."""
    random = np.random.default_rng(seed)
    y = np.tile(np.arange(3), rows)
    angle = np.concatenate([2 * np.pi * np.arange(length) / 6 for length in LENGTHS.values()])
    X = np.cos(angle - 2 * np.pi * y[:, None] / 3) + random.normal(0, 0.2, (len(y), len(angle)))
    X[random.random(X.shape) < missing] = MISSING
    return X.astype(np.float32), y


def fit(X, y, start=None, seed=0, features=FEATURES, **overrides):
    return cnn_bilstm.fit(X, y, settings_of(**overrides), seed, 1, FitContext(None, features), start)


@pytest.fixture(scope="module")
def fitted():
    """A trained network in a model with a class that training did not see."""
    X, y = draw()
    estimator = fit(X, y, epochs=12, learning_rate=0.01, noise=0.2)
    k = len(FEATURES)
    return FittedModel(estimator, FEATURES, np.zeros(k), np.ones(k), list("ABCD"), [0, 1, 3], {"k": k}, True)


@pytest.fixture
def untrained(monkeypatch):
    """Trainers that only look at their batches; gives the list of (X, y, weights) of all epochs."""
    seen = []
    own = networks.trainer

    def trainer(*arguments):
        kept = own(*arguments)
        probabilities = np.full((100, 3), 1 / 3)

        def run_epoch(X, y, weights, watched):
            seen.append((X, y, weights))
            return {"loss": 1.0, "accuracy": 0.5}, probabilities[: len(watched)]

        monkeypatch.setattr(kept, "run_epoch", run_epoch)
        return kept

    monkeypatch.setattr(networks, "trainer", trainer)
    return seen


# Layers


def describe(layer):
    """What a published description says of a layer."""
    kind = type(layer).__name__
    if kind == "Conv1D":
        return kind, layer.filters, layer.kernel_size, layer.padding
    if kind == "Dense":
        return kind, layer.units, layer.activation.__name__
    if kind == "Bidirectional":
        return kind, layer.forward_layer.units, layer.return_sequences
    return (kind, layer.rate) if kind == "Dropout" else (kind,)


def test_preset_builds_the_published_layers():
    network = build([9], n_classes=4, preset="published")
    assert network.count_params() == 54_180
    assert [describe(layer) for layer in network.layers] == [
        ("InputLayer",),
        ("Conv1D", 32, (3,), "same"),
        ("BatchNormalization",),
        ("ReLU",),
        ("Bidirectional", 64, False),
        ("Dropout", 0.3),
        ("Dense", 32, "relu"),
        ("Dense", 4, "softmax"),
    ]
    assert network.input_shape == (None, 9, 1)


def test_preset_trains_as_published():
    settings = settings_of(preset="published")
    expected = {"epochs": 80, "batch_size": 32, "learning_rate": 1e-3, "noise": 0.0, "class_weights": "none"}
    assert {key: settings[key] for key in expected} == expected


def test_schema_and_code_have_the_same_parameters(repository):
    schema = yaml.safe_load((repository / "resources/schemas/study.schema.yaml").read_text())
    properties = schema["$defs"]["cnn_bilstm"]["properties"]
    assert set(properties) == set(cnn_bilstm.SETTINGS) | {"preset"}
    assert set(properties["preset"]["enum"]) == set(cnn_bilstm.PRESETS)
    assert set(TRAINING) <= set(cnn_bilstm.SETTINGS)
    assert all(set(preset) <= set(cnn_bilstm.SETTINGS) for preset in cnn_bilstm.PRESETS.values())


@pytest.mark.parametrize(
    ("overrides", "lengths"), [*((kind, [9, 5, 7]) for kind in KINDS), *((kind, [9]) for kind in KINDS[:2])]
)
def test_network_of_any_settings_gives_probabilities_and_passes_the_whitelist(overrides, lengths, tmp_path):
    k = sum(lengths)
    features = [f"e{number}_{point}" for number, length in enumerate(lengths) for point in range(length)]
    estimator = NetworkClassifier(build(lengths, n_classes=4, **overrides))
    model = FittedModel(estimator, features, np.zeros(k), np.ones(k), list("ABCD"), [0, 1, 2, 3], keeps_missing=True)
    X = np.random.default_rng(0).normal(size=(7, k))
    X[1:3, ::4] = MISSING
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (7, 4) and probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.ptp(probabilities, axis=0).min() > 0
    # No row has to do with another one.
    np.testing.assert_allclose(model.predict_proba(X[2:3]), probabilities[2:3], atol=1e-6)
    model.save(tmp_path / "model")
    assert FittedModel.load(tmp_path / "model").predict_proba(X).tobytes() == probabilities.tobytes()


def joined(network, X):
    """What a network makes of rows before its last layer."""
    import keras

    return keras.ops.convert_to_numpy(keras.Model(network.inputs, network.layers[-1].input)(network_input(network, X)))


@pytest.mark.parametrize(("summary", "width"), [("last", 6), ("flatten", 6 * 5)])
def test_every_experiment_is_read_by_itself_with_one_encoder(summary, width):
    network = build([6, 9, 9], summary=summary)
    X = np.random.default_rng(0).normal(size=(4, 24))
    X[:, 15:] = X[:, 6:15]
    before = joined(network, X)
    assert before.shape == (4, 3 * width)
    np.testing.assert_allclose(before[:, width : 2 * width], before[:, 2 * width :], atol=1e-6)
    for part, columns in enumerate((slice(0, 6), slice(6, 15), slice(15, 24))):
        changed = X.copy()
        changed[:, columns] += 1
        same = np.isclose(joined(network, changed), before, atol=1e-6).reshape(4, 3, width).all(axis=(0, 2))
        assert same.tolist() == [number != part for number in range(3)]


def test_weights_do_not_depend_on_the_length_of_a_series_whose_last_states_count():
    shapes = [[weight.shape for weight in build([length], summary="last").get_weights()] for length in (5, 12)]
    assert shapes[0] == shapes[1]


# Missing values


@pytest.mark.parametrize("lengths", [[9], [6, 9]])
def test_missing_value_is_told_from_a_zero_only_with_the_mask(lengths):
    zero = np.random.default_rng(0).normal(size=(3, sum(lengths)))
    zero[:, 2] = 0
    missing = zero.copy()
    missing[:, 2] = MISSING
    told, untold = (NetworkClassifier(build(lengths, mask_missing=mask)) for mask in (True, False))
    assert np.abs(told.predict_proba(zero) - told.predict_proba(missing)).min() > 1e-5
    np.testing.assert_array_equal(untold.predict_proba(zero), untold.predict_proba(missing))


def test_network_gets_values_and_whether_they_were_measured():
    X = np.array([[1.5, MISSING, 0.0, -2.0, 3.0]])
    two, one = (network_input(build([5], mask_missing=mask), X) for mask in (True, False))
    assert two.dtype == one.dtype == np.float32
    assert two.tolist() == [[[1.5, 1], [0, 0], [0, 1], [-2, 1], [3, 1]]]
    assert one.tolist() == [[[1.5], [0], [0], [-2], [3]]]


@pytest.mark.parametrize("summary", ["last", "flatten"])
def test_shorter_experiment_is_filled_up_with_points_that_were_not_measured(summary):
    short, full = (build(lengths, summary=summary) for lengths in ([6, 9], [9, 9]))
    full.set_weights(short.get_weights())
    X = np.random.default_rng(0).normal(size=(5, 15))
    filled = np.insert(X, [6] * 3, MISSING, axis=1)
    expected = NetworkClassifier(short).predict_proba(X)
    np.testing.assert_allclose(NetworkClassifier(full).predict_proba(filled), expected, atol=1e-6)
    zeros = np.insert(X, [6] * 3, 0, axis=1)
    assert np.abs(NetworkClassifier(full).predict_proba(zeros) - expected).max() > 1e-5


# Training


def test_series_shorter_than_the_kernel_is_refused_with_its_name(untrained):
    X, y = draw(rows=4)
    with pytest.raises(InputError, match=r"alpha has 6 time points, fewer than the kernel of 7; lower .*\.kernel$"):
        fit(X, y, kernel=[7])
    fit(X, y, kernel=[6], epochs=1)
    assert len(untrained) == 1


def test_network_learns_from_rows_with_missing_values(fitted):
    history = fitted.estimator.history
    assert np.isfinite(history.to_numpy(dtype=float)).all()
    assert history["loss"].iloc[-1] < 0.7 * history["loss"].iloc[0]
    X, y = draw(seed=1)
    assert np.isnan(X).sum() > 50
    probabilities = fitted.predict_proba(X)
    assert (probabilities[:, 2] == 0).all()
    assert (probabilities[:, [0, 1, 3]].argmax(axis=1) == y).mean() > 0.9


def test_batches_hold_missing_values_as_such(untrained):
    X, y = draw()
    fit(X, y, epochs=1, watched_share=0.0, noise=0.0)
    rows = untrained[0][0].reshape(-1, X.shape[1], 2)
    expected = {np.stack([np.nan_to_num(row), ~np.isnan(row)], axis=-1).astype(np.float32).tobytes() for row in X}
    assert {row.tobytes() for row in rows} == expected


def augmented(channels, **parameters):
    """Rows of ones of which half was not measured, as batches; rows (n, 40, channels)."""
    from genestrata.models.network_training import make_batches

    X = np.zeros((64, 40, 2), dtype=np.float32)
    X[:, ::2] = 1
    parameters = {"batch_size": 16, "noise": 0.0, "scale_range": 0.0} | parameters
    y, weights = np.ones((64, 1), np.float32), np.ones(64, np.float32)
    rows, *_ = make_batches(X[..., :channels], y, weights, parameters, np.random.default_rng(0))
    assert rows.shape == (4, 16, 40, channels) and rows.dtype == np.float32
    assert (X[:, 1::2] == 0).all() and (X[:, ::2] == 1).all()
    return rows.reshape(64, 40, channels)


def test_noise_moves_measured_values_only_and_never_the_mask():
    rows = augmented(2, noise=0.5)
    assert (rows[:, 1::2] == 0).all()
    assert (rows[:, ::2, 1] == 1).all()
    np.testing.assert_allclose(rows[:, ::2, 0].std(axis=0).mean(), 0.5, rtol=0.05)
    np.testing.assert_allclose(rows[:, ::2, 0].mean(), 1, atol=0.05)


def test_factors_change_values_and_not_the_mask():
    rows = augmented(2, scale_range=0.2)
    np.testing.assert_allclose(np.ptp(rows[:, ::2, 0], axis=1), 0, atol=1e-6)
    assert 0.8 - 1e-6 <= rows[:, 0, 0].min() < 0.85 and 1.15 < rows[:, 0, 0].max() <= 1.2 + 1e-6
    assert (rows[:, ::2, 1] == 1).all() and (rows[:, 1::2] == 0).all()


def test_without_a_mask_noise_moves_all_values():
    rows = augmented(1, noise=0.5)
    np.testing.assert_allclose((rows[:, 1::2, 0]).std(axis=0).mean(), 0.5, rtol=0.05)
    assert (rows != 0).all()


@pytest.mark.parametrize("kind", ["none", "balanced"])
def test_class_weights_are_the_weights_of_the_rows(kind, untrained):
    X, y = draw(rows=12)
    X, y = X[:24], np.where(np.arange(24) < 16, 0, y[:24])
    fit(X, y, epochs=1, watched_share=0.0, class_weights=kind)
    _, targets, weights = untrained[0]
    codes = targets.argmax(axis=-1)
    expected = np.ones(24) if kind == "none" else compute_sample_weight("balanced", y)
    for code in range(3):
        np.testing.assert_allclose(weights[codes == code], expected[y == code][0], rtol=1e-6)
    assert (len(np.unique(weights)) > 1) == (kind == "balanced")


def test_training_goes_on_from_the_weights_of_the_start(untrained):
    X, y = draw()
    options = {"epochs": 1, "watched_share": 0.0, "summary": "last"}
    start = [weight + 0.5 for weight in build(LENGTHS.values(), summary="last").get_weights()]
    going_on, anew, again = (fit(X, y, given, **options).network.get_weights() for given in (start, None, None))
    for expected, own, fresh, same in zip(start, going_on, anew, again, strict=True):
        np.testing.assert_array_equal(own, expected)
        assert not np.allclose(fresh, expected)
        np.testing.assert_array_equal(same, fresh)


def test_seed_draws_the_weights(untrained):
    X, y = draw()
    one, other = (fit(X, y, seed=seed, epochs=1).network.get_weights() for seed in (0, 1))
    assert not np.allclose(one[0], other[0])


# Files


def test_saved_network_predicts_the_same_from_rows_with_missing_values(fitted, tmp_path):
    size = fitted.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    X, _ = draw(seed=2)
    assert loaded.predict_proba(X).tobytes() == fitted.predict_proba(X).tobytes()
    assert not np.array_equal(loaded.predict_proba(np.nan_to_num(X)), loaded.predict_proba(X))
    assert loaded.keeps_missing and loaded.features == FEATURES
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["model.json", "model.keras"]
    assert sum(file.stat().st_size for file in files) == size
    assert json.loads(files[0].read_text())["class_codes"] == [0, 1, 3]


# SHAP values


def shap_values(model, Z, background):
    """SHAP values of all classes, from 200 draws."""
    explained = np.ones((len(Z), len(model.classes)), dtype=bool)
    return network_effects(model, Z, background, explained, 200, 0).values


def test_shap_has_one_value_a_time_point_and_adds_up_to_the_change_of_the_probabilities(fitted):
    background, Z = draw(rows=6)[0], draw(rows=1, seed=1)[0][:2]
    values = shap_values(fitted, Z, background)
    assert values.shape == (2, len(FEATURES), 4)
    assert (values[:, :, 2] == 0).all() and np.isfinite(values).all()
    change = fitted.predict_standardised(Z) - fitted.predict_standardised(background).mean(axis=0)
    assert np.abs(change).max() > 0.3
    # Points between sample and background are drawn, so the sum is right up to chance.
    assert np.abs(values.sum(axis=1) - change).mean() < 0.1


def test_shap_of_a_time_point_counts_that_it_was_not_measured(fitted):
    """Sample and background differ in nothing but what was measured."""
    background = np.zeros((1, len(FEATURES)), dtype=np.float32)
    Z = background.copy()
    Z[:, [2, 7]] = MISSING
    values = shap_values(fitted, Z, background)
    effect = np.abs(values).max(axis=(0, 2))
    assert np.flatnonzero(effect).tolist() == [2, 7]
    change = fitted.predict_standardised(Z) - fitted.predict_standardised(background)
    np.testing.assert_allclose(values.sum(axis=1), change, atol=0.1 * np.abs(change).max())
