"""LSTMs whose steps are fused: the same outputs and gradients as Keras' own loop."""

import numpy as np
import pytest

from genestrata.models import bilstm, parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.tokens import pad

# The first rows are shorter than the kernel and the pool.
LENGTHS = [1, 2, 8, 5]
TINY = {"embedding": 3, "filters": [4], "kernel": [5], "pool": [3], "units": [3]}
NO_CONVOLUTION = {"filters": [], "kernel": [], "pool": []}
N_TOKENS = 9


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


@pytest.fixture
def fused_calls(monkeypatch):
    """Results of the fused operation, so that a fall-back to Keras' loop is seen."""
    from genestrata.models import recurrence

    results, own = [], recurrence.run_lstm
    monkeypatch.setattr(recurrence, "run_lstm", lambda *arguments: results.append(own(*arguments)) or results[-1])
    return results


def draw_rows(lengths=LENGTHS, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(1, N_TOKENS, length) for length in lengths]


def pair_of_networks(**overrides):
    """A plain network, all of whose weights are drawn, the biases too, and the fused one with the same weights."""
    from genestrata.models.recurrence import fuse

    plain = bilstm.build(N_TOKENS, 3, parameter_grid("bilstm", TINY | {"dropout": 0.0} | overrides)[0])
    random = np.random.default_rng(1)
    plain.set_weights([random.normal(0, 0.6, weight.shape) for weight in plain.get_weights()])
    fused = fuse(plain)
    fused.set_weights(plain.get_weights())
    return plain, fused


def outputs_and_gradients(network, tokens):
    """Probabilities of the rows and the gradients of all weights of the loss of labels 0, 1, 2, 0, …"""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        probabilities = network(tokens, training=True)
        loss = -tf.reduce_mean(tf.math.log(tf.gather(probabilities, np.arange(len(tokens)) % 3, batch_dims=1)))
    gradients = tape.gradient(loss, network.trainable_variables)
    return probabilities.numpy(), [tf.convert_to_tensor(gradient).numpy() for gradient in gradients]


@pytest.mark.parametrize("summary", ["max", "average_and_max", "last"])
@pytest.mark.parametrize(
    "layers",
    [{}, NO_CONVOLUTION, {"units": [3, 2]}],
    ids=["convolution", "no convolution", "two recurrences"],
)
def test_fused_network_has_the_outputs_and_gradients_of_keras(layers, summary, fused_calls):
    plain, fused = pair_of_networks(summary=summary, **layers)
    fused_calls.clear()
    tokens = pad(draw_rows(), max(LENGTHS) + 2)
    expected, gradients = outputs_and_gradients(plain, tokens)
    assert not fused_calls
    found, own_gradients = outputs_and_gradients(fused, tokens)
    assert len(fused_calls) == 2 * len((TINY | layers)["units"]) and None not in fused_calls
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [variable.shape for variable in fused.variables] == [variable.shape for variable in plain.variables]
    for variable, gradient, own in zip(plain.trainable_variables, gradients, own_gradients, strict=True):
        assert np.abs(gradient).max() > 1e-5, variable.path
        np.testing.assert_allclose(own, gradient, atol=1e-6, err_msg=variable.path)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_a_layer_has_the_outputs_of_keras_at_every_step_that_is_present(masked, backwards, fused_calls):
    import keras

    from genestrata.models.recurrence import FusedLSTM

    random = np.random.default_rng(0)
    x = random.normal(size=(len(LENGTHS), max(LENGTHS) + 3, 4)).astype(np.float32)
    mask = np.arange(x.shape[1]) < np.array(LENGTHS)[:, None] if masked else None
    shown = slice(None) if mask is None else (mask[:, ::-1] if backwards else mask)
    for returns_steps in (True, False):
        layers = [
            kind(3, return_sequences=returns_steps, go_backwards=backwards) for kind in (keras.layers.LSTM, FusedLSTM)
        ]
        for layer in layers:
            layer.build(x.shape)
        weights = [random.normal(size=weight.shape) for weight in layers[0].get_weights()]
        for layer in layers:
            layer.set_weights(weights)
        expected, found = (keras.ops.convert_to_numpy(layer(x, mask=mask)) for layer in layers)
        assert found.shape == expected.shape and fused_calls[-1] is not None
        if returns_steps:
            expected, found = expected[shown], found[shown]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_fusing_leaves_the_network_as_it_was():
    import keras

    plain, fused = pair_of_networks()
    kinds = [
        [
            type(layer.forward_layer).__name__
            for layer in network.layers
            if isinstance(layer, keras.layers.Bidirectional)
        ]
        for network in (plain, fused)
    ]
    assert kinds == [["LSTM"], ["FusedLSTM"]]
    weights = plain.get_weights()
    fused.set_weights([weight + 1 for weight in weights])
    for before, after in zip(weights, plain.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)
