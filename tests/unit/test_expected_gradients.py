"""Expected gradients of networks: the draws, agreement with the reference on the same draws, and what adds up."""

import warnings

import numpy as np
import pytest

from genestrata import expected_gradients as module
from genestrata.expected_gradients import (
    Paths,
    draw_paths,
    expected_gradients,
)
from genestrata.models import load_module, parameter_grid
from genestrata.models.backend import compile_class_gradient, start_backend
from genestrata.models.networks import network_input

FEATURES, CLASSES, DRAWS = 12, 3, 30


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


def build(name):
    """An untrained network, of time points with a second channel that says what was measured."""
    import keras

    keras.utils.set_random_seed(1)
    small = {
        "dense": {"units": [16]},
        "cnn": {"filters": [4, 6]},
        "cnn_bilstm": {"filters": [4], "kernel": [3], "units": [3]},
    }[name]
    settings = parameter_grid(name, small)[0] | {"series": [FEATURES]}
    return load_module(name).build(FEATURES, CLASSES, settings)


def draw(rows, seed=0, missing=0.0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, FEATURES)).astype(np.float32)
    X[random.random(X.shape) < missing] = np.nan
    return X


def every(rows):
    """All classes of some rows."""
    return np.ones((rows, CLASSES), dtype=bool)


def linear_network():
    """Scores that are linear in the features, and their weights (features, classes)."""
    import keras

    network = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(CLASSES)])
    return network, keras.ops.convert_to_numpy(network.layers[0].kernel)


# The reference


def draws_of_the_reference(n_samples, n_background, seed):
    """What `shap.GradientExplainer` draws for every class anew: a row and a place for each draw of each sample."""
    random = np.random.RandomState(seed)
    drawn = [(random.choice(n_background), random.uniform()) for _ in range(n_samples * DRAWS)]
    rows, places = np.array(drawn).T.reshape(2, n_samples, DRAWS)
    return Paths(rows.astype(int), places.astype(np.float32))


@pytest.mark.parametrize("name", ["dense", "cnn", "cnn_bilstm"])
def test_values_are_those_of_shap_on_the_same_draws(name):
    import shap

    network, missing = build(name), 0.2 if name == "cnn_bilstm" else 0.0
    X, background = draw(4, missing=missing), draw(7, seed=1, missing=missing)
    inputs = network_input(network, X)
    explainer = shap.GradientExplainer(network, network_input(network, background))
    with warnings.catch_warnings():
        # SHAP hands Keras its one input as a list.
        warnings.filterwarnings("ignore", message="The structure of `inputs`")
        reference, variances = explainer.shap_values(inputs, nsamples=DRAWS, rseed=3, return_variances=True)
    reference, variances = np.asarray(reference), np.asarray(variances)
    assert inputs.ndim == (3 if name == "cnn_bilstm" else 2) and variances.size == reference.size
    reference = reference.reshape(4, FEATURES, -1, CLASSES).sum(axis=2)
    paths = draws_of_the_reference(4, 7, 3)
    values = expected_gradients(network, X, background, paths, every(4)).values
    assert values.shape == (4, FEATURES, CLASSES) and values.dtype == np.float32
    np.testing.assert_allclose(values, reference, atol=1e-4 * np.abs(reference).max())
    other = expected_gradients(network, X, background, draws_of_the_reference(4, 7, 4), every(4)).values
    assert np.abs(other - reference).max() > 0.01 * np.abs(reference).max()


# Draws


def test_every_background_row_is_drawn_as_often_and_every_part_of_the_path_once():
    rows, places = draw_paths(50, 6, 15, 0)
    assert rows.shape == places.shape == (50, 15) and places.dtype == np.float32
    counts = np.stack([np.bincount(row, minlength=6) for row in rows])
    assert set(counts.ravel()) == {2, 3}
    np.testing.assert_array_equal(np.sort(np.floor(places * 15), axis=1), np.tile(np.arange(15), (50, 1)))
    # Each row is in every sixth of the path or so; which are drawn once more, and where, is left to chance.
    assert all(len(set(part)) == 6 for row in rows for part in (row[:6], row[6:12]))
    assert len({tuple(count) for count in counts}) > 5
    assert all(len(set(rows[:, place])) == 6 for place in range(15))


def test_every_row_and_place_is_as_likely_as_any_other():
    rows, places = draw_paths(20_000, 4, 3, 1)
    np.testing.assert_allclose(np.bincount(rows.ravel()) / rows.size, 1 / 4, atol=0.01)
    assert places.mean() == pytest.approx(1 / 2, abs=0.005) and places.var() == pytest.approx(1 / 12, abs=0.002)
    # Fewer draws than rows: none twice.
    assert all(len(set(row)) == 3 for row in rows[:50])


def test_seed_draws_the_paths():
    first, again, other = (draw_paths(5, 8, 20, seed) for seed in (1, 1, 2))
    for one, same, different in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, different)


# Batches


@pytest.mark.parametrize("chunk", [1, 7 * FEATURES, 41 * FEATURES])
def test_size_of_a_chunk_changes_nothing_but_rounding(chunk):
    network, X, background = build("dense"), draw(5), draw(7, seed=1)
    paths, asked = draw_paths(5, 7, 9, 0), every(5)
    asked[[0, 3], [1, 2]] = False
    complete = expected_gradients(network, X, background, paths, asked)
    chunked = expected_gradients(network, X, background, paths, asked, chunk)
    np.testing.assert_allclose(chunked.values, complete.values, atol=1e-7)
    np.testing.assert_allclose(chunked.standard_error, complete.standard_error, atol=1e-7)


def test_no_more_numbers_than_a_chunk_holds_go_through_the_network_at_once(monkeypatch):
    sizes = []

    def compiled(network):
        gradient = compile_class_gradient(network)

        def counted(points, codes):
            sizes.append((points.size, len(set(codes.tolist()))))
            return gradient(points, codes)

        return counted

    monkeypatch.setattr(module, "compile_class_gradient", compiled)
    network, asked = build("cnn_bilstm"), every(4)
    asked[1] = False
    expected_gradients(network, draw(4), draw(3), draw_paths(4, 3, 5, 0), asked, chunk=20 * 2 * FEATURES)
    # Three samples, three classes, five draws; two channels; a batch holds more than one class.
    assert [size for size, _ in sizes] == [480, 480, 120]
    assert sizes[0][1] == 3


def test_only_what_is_asked_for_is_explained():
    network, X, background = build("dense"), draw(4), draw(7, seed=1)
    paths, asked = draw_paths(4, 7, DRAWS, 0), np.zeros((4, CLASSES), dtype=bool)
    asked[[0, 0, 2], [0, 2, 1]] = True
    complete = expected_gradients(network, X, background, paths, every(4))
    part = expected_gradients(network, X, background, paths, asked)
    np.testing.assert_allclose(
        part.values.transpose(0, 2, 1)[asked], complete.values.transpose(0, 2, 1)[asked], atol=1e-7
    )
    assert (part.values.transpose(0, 2, 1)[~asked] == 0).all() and np.abs(part.values).max() > 0
    assert (np.isnan(part.standard_error) == ~asked).all()
    none = expected_gradients(network, X, background, paths, np.zeros_like(asked))
    assert (none.values == 0).all() and np.isnan(none.standard_error).all()


def test_gradients_need_tensorflow(monkeypatch):
    import keras

    network = build("dense")
    monkeypatch.setattr(keras.config, "backend", lambda: "numpy")
    with pytest.raises(RuntimeError, match="gradients of a network need TensorFlow, KERAS_BACKEND is numpy"):
        compile_class_gradient(network)


# What adds up


def test_linear_network_is_explained_exactly():
    network, weights = linear_network()
    X, background = draw(4), draw(6, seed=1)
    values, errors = expected_gradients(network, X, background, draw_paths(4, 6, 12, 0), every(4))
    np.testing.assert_allclose(values, (X - background.mean(axis=0))[:, :, None] * weights, atol=1e-5)
    # What a draw adds differs by its background row only, each of which is there twice.
    sums = (X[:, None] - background) @ weights
    np.testing.assert_allclose(errors, sums.std(axis=1) * np.sqrt(12 / 11) / np.sqrt(12), rtol=1e-4)


def random_paths(n_samples, n_background, draws, seed):
    """Draws that are independent of each other."""
    random = np.random.default_rng(seed)
    rows = random.integers(n_background, size=(n_samples, draws))
    return Paths(rows, random.random((n_samples, draws)).astype(np.float32))


def gaps(network, paths_of, seed):
    """Sum less what it must be, in standard errors and as it is, over samples and classes."""
    X, background = 3 * draw(40), 3 * draw(10, seed=1)
    probabilities, mean = network.predict(X, verbose=0), network.predict(background, verbose=0).mean(axis=0)
    values, errors = expected_gradients(network, X, background, paths_of(40, 10, 300, seed), every(40))
    gap = values.sum(axis=1) - (probabilities - mean)
    return gap / errors, gap


def test_sums_miss_the_change_of_the_probability_by_their_standard_error():
    scaled, gap = gaps(build("dense"), random_paths, 0)
    assert 0.8 < np.sqrt((scaled**2).mean()) < 1.2
    # Draws that are spread evenly miss it by less than that.
    evenly_scaled, even_gap = gaps(build("dense"), draw_paths, 0)
    assert np.abs(even_gap).mean() < 0.3 * np.abs(gap).mean()
    assert np.sqrt((evenly_scaled**2).mean()) < 0.4


def test_single_draw_has_no_standard_error():
    network, X = build("dense"), draw(2)
    values, errors = expected_gradients(network, X, draw(3, seed=1), draw_paths(2, 3, 1, 0), every(2))
    assert np.isfinite(values).all() and np.isnan(errors).all()
