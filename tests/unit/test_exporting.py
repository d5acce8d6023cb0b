"""A CNN-BiLSTM as an ONNX file gives the calls of the network that it was made of."""

import functools

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper

from genestrata.calibration import apply_temperature
from genestrata.exporting import IR_VERSION, OPSET, to_onnx
from genestrata.models import cnn_bilstm, parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.networks import NetworkClassifier, network_input
from genestrata.models.storage import FittedModel

SMALL = {"filters": [5], "kernel": [5], "units": [4]}
# Settings and the lengths of the experiments; 11 and 8 leave a rest in every pool.
NETWORKS = {
    "one experiment": ({}, [11]),
    "several experiments": ({}, [8, 11, 5]),
    "last states": ({"summary": "last"}, [11]),
    "last states of several": ({"summary": "last"}, [8, 11, 5]),
    "stacked units": ({"units": [4, 3]}, [8, 11]),
    "stacked units, last states": ({"units": [4, 3], "summary": "last"}, [11]),
    "dense layers": ({"dense_units": [6, 5]}, [8, 11]),
    "no normalisation": ({"batch_normalisation": False, "input_scale": 0.3}, [8, 11]),
    "scaled and normalised": ({"input_scale": 0.3}, [11]),
    "pool of 1": ({"pool": [1]}, [8, 11]),
    "pool of 3": ({"pool": [3]}, [11]),
    "two convolutions": ({"filters": [5, 4], "kernel": [4, 3], "pool": [3, 2]}, [8, 11]),
    "no mask": ({"mask_missing": False}, [8, 11]),
    "no mask, one experiment": ({"mask_missing": False, "pool": [3], "summary": "last"}, [11]),
    "published": ({"preset": "published"}, [9]),
}


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


def make(overrides, lengths, classes="ABCD", codes=(0, 1, 3)):
    """A model of a network with drawn weights, such as training leaves, normalisation and biases included."""
    parameters = parameter_grid("cnn_bilstm", ({} if "preset" in overrides else SMALL) | overrides)[0]
    network = cnn_bilstm.build(sum(lengths), len(codes), parameters | {"series": lengths})
    random = np.random.default_rng(0)
    for layer in network.layers:
        weights = layer.get_weights()
        if type(layer).__name__ == "BatchNormalization":
            gamma, beta, mean, variance = (weight.shape for weight in weights)
            drawn = [random.uniform(0.5, 2, gamma), *(random.normal(0, 0.5, shape) for shape in (beta, mean))]
            layer.set_weights([*drawn, random.uniform(0.2, 2, variance)])
        elif weights:
            scales = [0.3 if weight.ndim == 1 else 2.5 / np.sqrt(np.prod(weight.shape[:-1])) for weight in weights]
            drawn = zip(scales, weights, strict=True)
            layer.set_weights([random.normal(0, scale, weight.shape) for scale, weight in drawn])
    k = sum(lengths)
    features = [f"e{number}_{5 * point}" for number, length in enumerate(lengths) for point in range(length)]
    settings = {"k": k, "parameters": parameters}
    estimator = NetworkClassifier(network)
    return FittedModel(estimator, features, np.zeros(k), np.ones(k), list(classes), list(codes), settings, True)


@functools.cache
def made(name):
    return make(*NETWORKS[name])


def draw(k, rows=400, missing=0.15, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(0, 1.5, (rows, k))
    X[random.random(X.shape) < missing] = np.nan
    return X.astype(np.float32)


def run(exported, X):
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["probabilities", "embedding"], {"values": X})


@pytest.mark.parametrize("name", NETWORKS)
def test_file_gives_the_calibrated_probabilities_of_the_model(name):
    model = made(name)
    X = draw(len(model.features))
    found, _ = run(to_onnx(model, 1.7), X)
    expected = apply_temperature(model.predict_proba(X), 1.7)[:, model.class_codes]
    expected /= expected.sum(axis=1, keepdims=True)
    assert found.shape == expected.shape and found.dtype == np.float32
    # Weights are stored with half precision.
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.98
    assert np.ptp(expected, axis=0).min() > 0.1
    # One row is not read as a part of another.
    np.testing.assert_allclose(run(to_onnx(model, 1.7), X[5:6])[0], found[5:6], atol=1e-6)


def test_filters_that_never_varied_in_training_are_normalised_as_in_the_network():
    model = make({}, [11])
    convolution, normalisation = (model.estimator.network.layers[number] for number in (1, 2))
    kernel, bias = convolution.get_weights()
    convolution.set_weights([0.03 * kernel, 0.03 * bias])
    gamma, beta, mean, _ = normalisation.get_weights()
    normalisation.set_weights([gamma, beta, 0.03 * mean, 0 * mean])
    X = draw(11)
    expected = model.predict_proba(X)[:, model.class_codes]
    np.testing.assert_allclose(run(to_onnx(model, 1.0), X)[0], expected, atol=5e-3)
    assert np.ptp(expected, axis=0).min() > 0.1


@pytest.mark.parametrize("name", ["one experiment", "several experiments", "last states of several", "dense layers"])
def test_embedding_is_what_the_last_layer_gets(name):
    import keras

    model = made(name)
    network = model.estimator.network
    X = draw(len(model.features), rows=50)
    hidden = keras.Model(network.inputs[0], network.layers[-1].input)(network_input(network, X), training=False)
    expected = keras.ops.convert_to_numpy(hidden)
    _, found = run(to_onnx(model, 1.0), X)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-2 * max(1, np.abs(expected).max()))
    assert np.ptp(expected, axis=0).max() > 0.2


def test_missing_value_is_told_from_a_zero_as_the_settings_say():
    told, untold = made("several experiments"), made("no mask")
    for model, same in ((told, False), (untold, True)):
        X = draw(len(model.features), rows=20)
        missing, zero = (run(to_onnx(model, 1.0), values)[0] for values in (X, np.nan_to_num(X)))
        assert np.allclose(missing, zero, atol=1e-3) == same


@pytest.mark.parametrize("temperature", [0.5, 4.0])
def test_temperature_softens_the_probabilities(temperature):
    model = made("one experiment")
    X = draw(len(model.features), rows=50)
    plain, scaled = (run(to_onnx(model, value), X)[0] for value in (1.0, temperature))
    np.testing.assert_allclose(scaled, apply_temperature(plain, temperature), atol=1e-4)
    assert (scaled.max(axis=1).mean() > plain.max(axis=1).mean()) == (temperature < 1)


def test_metadata_name_features_and_the_classes_of_the_columns():
    model = made("several experiments")
    exported = to_onnx(model, 1.0)
    properties = {entry.key: entry.value for entry in exported.metadata_props}
    assert properties == {"features": "\t".join(model.features), "classes": "A\tB\tD"}
    assert exported.ir_version == IR_VERSION
    assert [(entry.domain, entry.version) for entry in exported.opset_import] == [("", OPSET)]
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    assert [(entry.name, entry.shape) for entry in session.get_inputs()] == [("values", ["n", 24])]
    assert [entry.name for entry in session.get_outputs()] == ["probabilities", "embedding"]
    assert session.get_outputs()[0].shape == ["n", 3]


def test_weights_are_stored_with_half_precision():
    exported = to_onnx(made("dense layers"), 1.0)
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in exported.graph.initializer}
    floats = [array for array in arrays.values() if array.dtype.kind == "f" and array.size > 1]
    assert floats and {array.dtype for array in floats} == {np.dtype(np.float16)}
    casts = [node for node in exported.graph.node if node.op_type == "Cast" and node.input[0] in arrays]
    assert len(casts) == len(floats)
    assert {onnx.helper.get_attribute_value(node.attribute[0]) for node in casts} == {TensorProto.FLOAT}


def test_default_network_of_four_experiments_is_a_file_of_less_than_50_kb():
    lengths = [24, 18, 17, 14]
    defaults = {key: cnn_bilstm.SETTINGS[key] for key in SMALL}
    model = make(defaults, lengths, "ABCDE", range(5))
    assert model.settings["parameters"] == cnn_bilstm.SETTINGS and len(model.features) == 73
    content = to_onnx(model, 1.3).SerializeToString()
    assert len(content) < 50_000
    # Two bytes a weight, and a file that holds all of them.
    assert len(content) > 2 * model.estimator.network.count_params() - 2 * 4 * 24


def test_same_model_is_the_same_file():
    first, again = (to_onnx(made("stacked units"), 1.3).SerializeToString() for _ in range(2))
    assert first == again
    assert first != to_onnx(made("stacked units"), 1.4).SerializeToString()


def test_model_read_from_its_file_is_exported_the_same(tmp_path):
    model = made("several experiments")
    model.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    assert to_onnx(loaded, 1.3).SerializeToString() == to_onnx(model, 1.3).SerializeToString()
