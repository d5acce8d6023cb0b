"""Tau of Yanai et al.: 1 for a gene of one class, 0 for one that is the same everywhere."""

import numpy as np
import pytest

from genestrata.specificity import lowest_level, tau


def test_known_cases():
    # Columns: one class only, the same everywhere, steps of a half, the same in two of three.
    means = np.array([[4.0, 5.0, 1.0, 3.0], [0.0, 5.0, 2.0, 3.0], [0.0, 5.0, 0.0, 0.0]])
    np.testing.assert_allclose(tau(means, 0.0), [1.0, 0.0, (0.5 + 0 + 1) / 2, 0.5])


def test_negative_means_count_as_no_expression():
    np.testing.assert_allclose(tau(np.array([[2.0], [-3.0], [1.0]]), 0.0), [(1 + 0.5) / 2])


def test_intensities_begin_at_their_floor():
    np.testing.assert_allclose(tau(np.array([[6.0], [4.0]]), 4.0), [1.0])


@pytest.mark.parametrize(("values", "level"), [([[4.3, 9.0]], 4.3), ([[0.0, 9.0]], 0.0), ([[-2.0, np.nan]], 0.0)])
def test_lowest_level_is_the_smallest_value_above_zero(values, level):
    assert lowest_level(np.array(values)) == level


def test_gene_that_no_class_expresses_has_no_tau():
    result = tau(np.array([[0.0, 1.0], [-1.0, 0.0]]), 0.0)
    assert np.isnan(result[0]) and result[1] == 1


def test_class_without_a_value_is_left_out():
    np.testing.assert_allclose(tau(np.array([[4.0], [np.nan], [0.0]]), 0.0), [1.0])
