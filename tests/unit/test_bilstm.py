"""The BiLSTM: its layers, the published preset, and that padding has no influence."""

import numpy as np
import pytest

from genestrata.models import bilstm, load_module, parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.sequence_networks import SEQUENCE_TRAINING
from genestrata.models.tokens import n_tokens, pad

TINY = {"reads": "protein", "embedding": 3, "filters": [4], "kernel": [5], "pool": [3], "units": [3]}
# Shorter than kernel and pool, a whole number of windows, one more.
LENGTHS = [1, 2, 6, 7]


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


def settings_of(**overrides):
    own = {} if "preset" in overrides else TINY
    return parameter_grid("bilstm", own | overrides)[0]


def build(**overrides):
    """A network of three classes, all of whose weights are drawn, the biases too."""
    settings = settings_of(**overrides)
    network = bilstm.build(n_tokens(settings["reads"]), 3, settings)
    random = np.random.default_rng(1)
    network.set_weights([random.normal(0, 0.6, weight.shape) for weight in network.get_weights()])
    return network


def draw_rows(seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(1, n_tokens("protein"), length, dtype=np.uint8) for length in LENGTHS]


# Layers


def describe(layer):
    """What a published description says of a layer."""
    kind = type(layer).__name__
    if kind == "Embedding":
        return kind, layer.input_dim, layer.output_dim
    if kind == "Bidirectional":
        return kind, layer.forward_layer.units, layer.backward_layer.units, layer.return_sequences
    if kind == "Dense":
        return kind, layer.units, layer.activation.__name__
    return (kind, layer.rate) if kind == "Dropout" else (kind,)


def test_preset_builds_the_published_layers():
    import keras

    network = bilstm.build(n_tokens("dna"), 2, settings_of(preset="published"))
    shown = [layer for layer in network.layers if isinstance(layer, keras.layers.Layer)]
    described = [describe(layer) for layer in shown if type(layer).__module__.startswith("keras.src.layers")]
    assert described == [
        ("InputLayer",),
        # Four letters, padding and the unknown letter.
        ("Embedding", 6, 50),
        ("Bidirectional", 62, 62, True),
        ("Dropout", 0.18),
        ("Bidirectional", 62, 62, False),
        ("Dropout", 0.18),
        ("Dense", 2, "softmax"),
    ]


def test_preset_trains_as_published():
    settings = settings_of(preset="published")
    expected = {
        "reads": "dna",
        "longest": 900,
        "strands": "one",
        "batch_size": 400,
        "epochs": 10,
        "learning_rate": 1e-3,
        "class_weights": "balanced",
        "substitutions": 0.0,
        "unknown": 0.0,
        "members_per_group": None,
    }
    assert {key: settings[key] for key in expected} == expected


def test_own_parameters_change_the_preset_and_the_preset_changes_no_default():
    module, defaults = load_module("bilstm"), dict(load_module("bilstm").SETTINGS)
    assert settings_of(preset="published", epochs=7) == defaults | module.PRESETS["published"] | {"epochs": 7}
    assert parameter_grid("bilstm", {}) == [defaults] and set(SEQUENCE_TRAINING) <= set(defaults)
    assert module.READS == "sequences"


# Padding


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"summary": "average_and_max"},
        {"summary": "last"},
        {"filters": [], "kernel": [], "pool": [], "units": [3, 2], "summary": "last"},
        {"filters": [4, 3, 2], "kernel": [3, 2, 4], "pool": [2, 1, 3], "summary": "average"},
    ],
)
def test_a_sequence_is_classified_alike_alone_and_beside_longer_ones(overrides):
    network, rows = build(**overrides), draw_rows()
    alone = np.concatenate([network(pad([row])).numpy() for row in rows])
    # The sequences do differ for the network.
    assert np.abs(alone - alone.mean(axis=0)).max() > 0.01
    for length in (7, 11):
        np.testing.assert_allclose(network(pad(rows, length)).numpy(), alone, atol=1e-6)


@pytest.mark.parametrize("summary", ["max", "average", "average_and_max"])
def test_padding_takes_no_part_in_the_summary(summary):
    random = np.random.default_rng(0)
    # An LSTM puts out values between -1 and 1; all of the first row are negative.
    steps = random.uniform(-1, 1, (3, 6, 4)).astype(np.float32)
    steps[0] = -np.abs(steps[0])
    lengths = [2, 6, 1]
    present = (np.arange(6) < np.array(lengths)[:, None]).astype(np.float32)[..., None]
    parts = {"average": np.mean, "max": np.max}
    expected = [
        np.concatenate([parts[part](row[:length], axis=0) for part in summary.split("_and_")])
        for row, length in zip(steps, lengths, strict=True)
    ]
    np.testing.assert_allclose(bilstm.summarise(steps, present, summary), expected, atol=1e-6)


def test_no_gradient_reaches_the_embedding_of_padding():
    import tensorflow as tf

    network = build()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(pad(draw_rows())) ** 2)
    gradient = tf.convert_to_tensor(tape.gradient(loss, network.trainable_variables[0])).numpy()
    assert (gradient[0] == 0).all() and np.abs(gradient[1:]).max() > 0


def test_dropout_is_for_training_only():
    network = build(dropout=0.5)
    tokens = pad(draw_rows())
    np.testing.assert_array_equal(network(tokens), network(tokens))
    assert not np.allclose(network(tokens, training=True), network(tokens))
