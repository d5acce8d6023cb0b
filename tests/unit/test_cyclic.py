"""Errors on a cycle of classes, on hand-made calls."""

import numpy as np
import pytest

from genestrata.cyclic import cyclic_distance, cyclic_error
from genestrata.metrics import TestPredictions, bootstrap_weights


def calls(true, predicted, n_classes, samples=None):
    """Sure calls of one repeat."""
    samples = np.arange(len(true)) if samples is None else np.array(samples)
    return TestPredictions(np.array(true), np.eye(n_classes)[predicted], np.zeros(len(true), dtype=int), samples)


def errors(*repeats, place=None):
    n_classes = repeats[0].probabilities.shape[1]
    size = max(part.samples.max() for part in repeats) + 1
    return cyclic_error(
        repeats, np.arange(n_classes) if place is None else np.array(place), n_classes, np.ones((3, size))
    )


@pytest.mark.parametrize(
    ("n_classes", "steps"),
    [
        (4, [[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0]]),
        (5, [[0, 1, 2, 2, 1], [1, 0, 1, 2, 2], [2, 1, 0, 1, 2], [2, 2, 1, 0, 1], [1, 2, 2, 1, 0]]),
    ],
)
def test_distance_is_the_shorter_way_round_the_cycle(n_classes, steps):
    true, predicted = np.indices((n_classes, n_classes))
    assert cyclic_distance(true, predicted, n_classes).tolist() == steps


def test_errors_of_hand_made_calls():
    # Distances 0, 1, 2, 1, 2, 0.
    found = errors(calls([0, 0, 0, 4, 3, 2], [0, 4, 2, 0, 1, 2], 5))
    assert found["mean_steps"]["value"] == pytest.approx(6 / 6)
    assert found["mean_steps_of_errors"] == pytest.approx(6 / 4)
    assert found["within_one_step"] == pytest.approx(4 / 6)


def test_classes_take_their_places_on_the_cycle():
    """In the order of names A, B, C, D; on the cycle A, C, B, D."""
    found = errors(calls([0, 0], [1, 3], 4), place=[0, 2, 1, 3])
    assert found["mean_steps"]["value"] == pytest.approx((2 + 1) / 2)
    assert found["within_one_step"] == pytest.approx(1 / 2)


def test_errors_are_averaged_over_repeats():
    first = calls([0, 1, 2, 3], [0, 1, 2, 2], 4)
    second = calls([2, 3, 0, 1], [0, 1, 0, 1], 4, samples=[2, 3, 0, 1])
    found = errors(first, second)
    assert found["mean_steps"]["value"] == pytest.approx((1 / 4 + 4 / 4) / 2)
    # One wrong call by one step, two by two.
    assert found["mean_steps_of_errors"] == pytest.approx(5 / 3)
    assert found["within_one_step"] == pytest.approx((1 + 0.5) / 2)


def test_repeats_of_other_sizes_count_the_same():
    found = errors(calls([0, 1], [0, 1], 4), calls([0, 1, 2, 3], [2, 3, 0, 1], 4))
    assert found["mean_steps"]["value"] == pytest.approx(1.0)
    assert found["within_one_step"] == pytest.approx(0.5)


def test_interval_is_that_of_samples_drawn_for_all_repeats_at_once():
    """The rows of a repeat may come in another order than the samples, by whose weights they are drawn."""
    true = np.arange(20) % 4
    weights = bootstrap_weights(true, None, 3, draws=500)
    steps = np.where(np.arange(20) < 6, [1, 2] * 10, 0)
    order = np.random.default_rng(0).permutation(20)
    first = calls(true, (true + steps) % 4, 4)
    second = calls(true[order], ((true + steps) % 4)[order], 4, samples=order)
    found = cyclic_error([first, second], np.arange(4), 4, weights)["mean_steps"]
    drawn = weights @ steps / weights.sum(axis=1)
    assert found["value"] == pytest.approx(9 / 20)
    assert found["ci95"] == pytest.approx(np.percentile(drawn, [2.5, 97.5]).tolist())
    assert found["ci95"][0] < found["value"] < found["ci95"][1]


def test_without_an_error_there_is_no_distance_of_errors():
    found = errors(calls([0, 1, 2], [0, 1, 2], 3))
    assert found == {
        "mean_steps": {"value": 0.0, "ci95": [0.0, 0.0]},
        "mean_steps_of_errors": None,
        "within_one_step": 1.0,
    }


def test_a_class_of_the_cycle_that_the_data_lack_still_takes_a_step():
    repeat = TestPredictions(np.array([0, 0]), np.eye(4)[[3, 2]], np.zeros(2, dtype=int), np.arange(2))
    found = cyclic_error([repeat], np.array([0, 1, 3, 4]), 5, np.ones((2, 2)))
    # Places 0 and 4 of 5 are neighbours, 0 and 3 two steps apart.
    assert found["mean_steps"]["value"] == 1.5
