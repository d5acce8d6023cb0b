"""Nogueira's stability index."""

import numpy as np
import pytest

from genestrata.stability import nogueira, nogueira_of_sets


def test_identical_sets_are_perfectly_stable():
    result = nogueira_of_sets([["a", "c"]] * 4, list("abcde"))
    assert result == {"index": 1.0, "ci95": [1.0, 1.0], "sets": 4, "mean_size": 2.0}


def test_hand_computed_value():
    # Frequencies 1, 1/2, 1/2, 0; unbiased variances 0, 1/2, 1/2, 0; mean size 2 of 4: 1 - (1/4) / (1/4) = 0.
    assert nogueira_of_sets([["a", "b"], ["a", "c"]], list("abcd"))["index"] == pytest.approx(0)
    # Frequencies 1, 2/3, 1/3, 0, 0; variances 0, 1/3, 1/3, 0, 0; size 2 of 5: 1 - (2/15) / (6/25) = 4/9.
    assert nogueira_of_sets([["a", "b"], ["a", "b"], ["a", "c"]], list("abcde"))["index"] == pytest.approx(4 / 9)


def test_sets_of_different_sizes():
    # Sizes 1 and 3, mean 2 of 4; variances 0, 1/2, 1/2, 0.
    result = nogueira_of_sets([["a"], ["a", "b", "c"]], list("abcd"))
    assert (result["index"], result["mean_size"]) == (pytest.approx(0), 2.0)


@pytest.mark.parametrize("size", [5, 50])
def test_random_sets_score_about_zero_within_the_interval(size):
    random = np.random.default_rng(0)
    selected = np.zeros((50, 100), dtype=bool)
    for row in selected:
        row[random.choice(100, size, replace=False)] = True
    result = nogueira(selected)
    low, high = result["ci95"]
    assert result["index"] == pytest.approx(0, abs=0.02)
    assert low < 0 < high


def test_interval_is_that_of_the_paper():
    """The variance of theorem 9, summed term by term."""
    Z = np.random.default_rng(1).random((6, 8)) < 0.4
    M, d = Z.shape
    p, k = Z.mean(axis=0), Z.sum(axis=1)
    mean = k.mean()
    denominator = mean / d * (1 - mean / d)
    index = 1 - sum(M / (M - 1) * p[f] * (1 - p[f]) for f in range(d)) / d / denominator
    phi = [
        (
            sum(Z[i, f] * p[f] for f in range(d)) / d
            - k[i] * mean / d**2
            + index / 2 * (2 * k[i] * mean / d**2 - k[i] / d - mean / d + 1)
        )
        / denominator
        for i in range(M)
    ]
    error = np.sqrt(4 / M**2 * sum((value - np.mean(phi)) ** 2 for value in phi))
    result = nogueira(Z)
    assert result["index"] == pytest.approx(index)
    assert result["ci95"] == pytest.approx([index - 1.96 * error, index + 1.96 * error])


@pytest.mark.parametrize("sets", [[["a"]], [["a", "b"], ["a", "b"]], [[], []]])
def test_undefined_index_is_none(sets):
    result = nogueira_of_sets(sets, ["a", "b"])
    assert (result["index"], result["ci95"]) == (None, [None, None])
