"""Integrated gradients of networks that read sequences, and the words made of them."""

import numpy as np
import pytest
from planted import WORDS, plant_sequences

from genestrata import attribution
from genestrata.attribution import (
    Attribution,
    IntegratedGradients,
    attribute,
    split_into_words,
    token_table,
    word_effects,
)
from genestrata.dna import translate
from genestrata.models.backend import compile_gradient
from genestrata.models.bilstm import SETTINGS, fit

SMALL = {"filters": [8], "kernel": [5], "units": [4], "embedding": 8, "dropout": 0.0, "reads": "protein"}
FAST = {"epochs": 12, "learning_rate": 0.02, "substitutions": 0.0, "unknown": 0.05, "batch_size": 8}


def trained(n_classes, **settings):
    X, y = plant_sequences([24] * n_classes)
    return fit(X, y, SETTINGS | SMALL | FAST | settings, 0, 1)


@pytest.fixture(scope="module")
def network():
    """A small network of three classes, and sequences that it has not seen."""
    return trained(3), *plant_sequences((4, 4, 4), seed=1)


def change(estimator, sequence, code):
    """Probability of a class for a sequence, less that at the mean of the embedded amino acids."""
    integrate = IntegratedGradients(estimator)
    embedding = next(layer for layer in estimator.network.layers if "embedding" in layer.name).get_weights()[0]
    neutral = np.tile(embedding[1:22].mean(axis=0), (1, len(sequence) // 3, 1))
    probability, _ = integrate.gradient(np.ones(neutral.shape[:2], dtype=np.int32), neutral, code)
    return estimator.predict_proba(np.array([[sequence]], dtype=object))[0, code] - probability[0]


def test_attributions_add_up_to_the_change_of_the_probability(network):
    estimator, X, y = network
    changes = []
    for sequence, result in zip(X[:3, 0], attribute(estimator, X[:3], y[:3] + 1), strict=True):
        for code, values in result.by_class.items():
            changes.append(abs(change(estimator, sequence, code)))
            assert values.sum() == pytest.approx(change(estimator, sequence, code), abs=0.02)
    assert max(changes) > 0.3


def test_tokens_of_the_planted_word_count_most(network):
    estimator, X, y = network
    ratios = []
    for sequence, code, result in zip(X[:, 0], y, attribute(estimator, X, y), strict=True):
        assert "".join(result.tokens) == translate(sequence)
        inside = np.zeros(40, dtype=bool)
        inside[translate(sequence).index(WORDS[code]) :][: len(WORDS[code])] = True
        strength = np.abs(result.by_class[code])
        ratios.append(strength[inside].mean() / strength[~inside].mean())
    assert np.median(ratios) > 3


def test_called_and_true_class_are_explained(network):
    estimator, X, _ = network
    called = estimator.predict_proba(X).argmax(axis=1)
    other = (called + 1) % 3
    for truth, expected in (
        (called, [{code} for code in called]),
        (other, [{*pair} for pair in zip(called, other, strict=True)]),
        (np.full(len(X), -1), [{code} for code in called]),
    ):
        assert [set(result.by_class) for result in attribute(estimator, X, truth)] == expected


def test_what_one_of_two_classes_gains_the_other_loses():
    estimator = trained(2, epochs=4)
    X, y = plant_sequences((2, 2), seed=2)
    for row, result in enumerate(attribute(estimator, X, y)):
        np.testing.assert_array_equal(result.by_class[0], -result.by_class[1])
        assert result.by_class[0].sum() == pytest.approx(change(estimator, X[row, 0], 0), abs=0.02)


def test_length_of_a_sequence_is_its_own(network):
    """A longer sequence beside it, which other batches would pad to, changes nothing."""
    estimator, X, y = network
    longer = np.array([[X[1, 0] * 5], [X[0, 0]]], dtype=object)
    alone = attribute(estimator, X[:1], y[:1])[0].by_class[y[0]]
    np.testing.assert_allclose(attribute(estimator, longer, y[[1, 0]])[1].by_class[y[0]], alone, atol=1e-6)


def stub(slope_at, value_at):
    """Integrated gradients of a function of one number from 0 to 1, where token 1 is."""
    integrate = object.__new__(IntegratedGradients)
    integrate.embedding, integrate.baseline = np.array([[9.0], [1.0]], dtype=np.float32), np.zeros(1, dtype=np.float32)
    integrate.calls = []

    def gradient(tokens, embedded, code):
        integrate.calls.append(len(embedded))
        return value_at(embedded[:, 0, 0]), slope_at(embedded)

    integrate.gradient = gradient
    return integrate


def test_more_points_are_taken_where_few_miss_the_change(monkeypatch):
    monkeypatch.setattr(attribution, "POINTS", (2, 64))
    steep = 60.0

    def sigmoid(x):
        return 1 / (1 + np.exp(-steep * (x - 0.3)))

    rough = stub(lambda x: steep * sigmoid(x) * (1 - sigmoid(x)), sigmoid)
    assert rough(np.array([1]), [0]).sum() == pytest.approx(1.0, abs=0.02)
    assert len(rough.calls) == 3
    smooth = stub(np.ones_like, lambda x: x)
    assert smooth(np.array([1]), [0]).tolist() == [[pytest.approx(1.0)]]
    assert smooth.calls == [4]


def test_other_backends_are_refused_in_words(monkeypatch):
    import keras

    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="need TensorFlow, KERAS_BACKEND is jax"):
        compile_gradient(None)


# Words


def test_words_share_the_attribution_of_their_tokens():
    hand_made = Attribution(list("ABCD"), {2: np.array([1.0, 2.0, 3.0, 4.0])})
    assert list(split_into_words(hand_made, 3)) == [("ABC", {2: 1 + 1 + 1.5}), ("BCD", {2: 1 + 1.5 + 4})]


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 11])
def test_sum_over_the_words_is_that_over_the_tokens(length):
    values = np.random.default_rng(length).normal(size=length)
    words = list(split_into_words(Attribution(["A"] * length, {0: values, 1: -values}), 3))
    assert len(words) == max(1, length - 2)
    assert sum(effects[0] for _, effects in words) == pytest.approx(values.sum())
    assert sum(effects[1] for _, effects in words) == pytest.approx(-values.sum())


def test_effects_of_words_are_summed_over_their_places():
    repeated = Attribution(list("AAAA"), {0: np.array([1.0, 1.0, 1.0, 1.0])})
    mixed = Attribution(list("AAAB"), {0: np.array([0.0, 0.0, 0.0, -1.0]), 1: np.array([0.0, 0.0, 0.0, 0.5])})
    names, counts, effects = word_effects([repeated, mixed], "protein", 3, 10)
    assert names == ["AAA", "AAB"]
    np.testing.assert_array_equal(counts, [[2, 0], [1, 1]])
    np.testing.assert_allclose(effects[:, :, 0], [[4, 0], [0, -1]])
    np.testing.assert_allclose(effects[:, :, 1], [[0, 0], [0, 0.5]])
    assert (effects[:, :, 2] == 0).all()
    names, counts, effects = word_effects([mixed], "protein", 3, 1)
    assert names == ["AAB"] and counts.shape == (1, 1) and effects.shape == (1, 1, 3)


def test_table_of_tokens_counts_positions_from_one():
    hand_made = Attribution(["M", "K"], {1: np.array([0.5, -0.5], dtype=np.float32)})
    assert token_table([hand_made], ["s1"], ["A", "B"]).values.tolist() == [
        ["s1", "B", 1, "M", 0.5],
        ["s1", "B", 2, "K", -0.5],
    ]
