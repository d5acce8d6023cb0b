"""Temperature scaling and the confidence threshold."""

import numpy as np
import pytest

from genestrata.calibration import apply_temperature, choose_threshold, fit_temperature


def draw(temperature, n=20000, n_classes=3, seed=0):
    """Labels drawn from probabilities, and the same probabilities distorted so that `temperature` repairs them."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1.5, (n, n_classes))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    codes = (random.random(n)[:, None] > np.cumsum(true, axis=1)).sum(axis=1).clip(max=n_classes - 1)
    distorted = np.exp(logits * temperature)
    return true, distorted / distorted.sum(axis=1, keepdims=True), codes


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_known_temperature_is_recovered(temperature, n_classes):
    true, distorted, codes = draw(temperature, n_classes=n_classes)
    found = fit_temperature(distorted, codes)
    assert found == pytest.approx(temperature, rel=0.06)
    # Not closer, because probabilities below 1e-6 are taken for 1e-6.
    np.testing.assert_allclose(apply_temperature(distorted, temperature), true, atol=0.03)


def test_temperature_keeps_the_call_and_sums_to_one():
    probabilities = draw(1.0, n=500)[1]
    for temperature in (0.05, 0.7, 20.0):
        scaled = apply_temperature(probabilities, temperature)
        np.testing.assert_array_equal(scaled.argmax(axis=1), probabilities.argmax(axis=1))
        np.testing.assert_allclose(scaled.sum(axis=1), 1)
    assert apply_temperature(np.array([[0.8, 0.2]]), 0.5)[0, 0] == pytest.approx(0.64 / 0.68)
    assert apply_temperature(np.array([[0.8, 0.2]]), 1.0)[0, 0] == pytest.approx(0.8)


def test_certain_errors_stay_finite():
    certain = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    temperature = fit_temperature(certain, np.array([0, 1, 1, 0]))
    assert temperature == pytest.approx(20, rel=0.01)
    assert apply_temperature(certain, temperature).min() > 0


def test_few_samples_without_an_error_do_not_become_certain():
    # Smoothed targets of five samples a class are 6/7: no sharper than that, although every call is right.
    probabilities = np.array([[0.7, 0.3]] * 5 + [[0.3, 0.7]] * 5)
    temperature = fit_temperature(probabilities, np.repeat([0, 1], 5))
    assert apply_temperature(probabilities, temperature).max() == pytest.approx(6 / 7, abs=1e-3)


def case(confidence, correct):
    """Two-class probabilities of class 0 with the given confidences; wrong ones are of class 1."""
    confidence = np.array(confidence)
    return np.column_stack([confidence, 1 - confidence]), np.where(correct, 0, 1)


@pytest.mark.parametrize(
    ("correct", "expected"),
    [
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0.0),  # all right: everything is called
        ([1, 1, 1, 1, 1, 1, 1, 0, 0, 0], 0.69),  # right down to the seventh
        ([1, 1, 1, 1, 1, 1, 1, 1, 0, 1], 0.67),  # one error at the end costs the last two
        ([1, 1, 1, 1, 0, 1, 1, 1, 1, 1], 0.79),  # never 95 % from half of the samples on: half are called
        ([0, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0.79),
    ],
)
def test_threshold_of_a_hand_made_case(correct, expected):
    confidence = [0.99, 0.95, 0.9, 0.85, 0.79, 0.75, 0.69, 0.67, 0.65, 0.55]
    order = np.random.default_rng(0).permutation(10)
    probabilities, codes = case(confidence, correct)
    assert choose_threshold(probabilities[order], codes[order]) == expected


def test_one_error_in_twenty_is_allowed():
    probabilities, codes = case(np.linspace(0.99, 0.6, 20), [1] * 19 + [0])
    assert choose_threshold(probabilities, codes) == 0.0
    probabilities, codes = case(np.linspace(0.99, 0.6, 19), [1] * 18 + [0])
    assert choose_threshold(probabilities, codes) == probabilities[17, 0]


@pytest.mark.parametrize("turned", [False, True])
def test_equal_confidences_are_called_together(turned):
    # Four calls at 0.9, two of them wrong: a threshold of 0.9 would call them all, so it stands at 0.95.
    confidence, correct = [0.95] * 4 + [0.9] * 4, [1] * 4 + [1, 1, 0, 0]
    probabilities, codes = case(confidence, correct)
    order = slice(None, None, -1 if turned else 1)
    assert choose_threshold(probabilities[order], codes[order]) == 0.95
