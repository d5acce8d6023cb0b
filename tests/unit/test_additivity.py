"""Whether SHAP values add up to what they must."""

import numpy as np
import pandas as pd

from genestrata.additivity import additivity_table, describe_additivity


def test_additivity_is_listed_for_the_classes_that_were_asked_for():
    sums = np.array([[2.0, 4.0], [10.0, 12.0]])
    asked, errors = np.array([[True, False], [True, True]]), np.array([[0.1, np.nan], [0.2, 0.3]])
    expected = np.array([[2.5, 0.0], [10.0, 12.2]])
    table = additivity_table(sums, errors, expected, asked, ["s1", "s2"], ["A", "B"])
    assert table.to_dict("list") == {
        "sample": ["s1", "s2", "s2"],
        "class": ["A", "A", "B"],
        "sum": [2.0, 10.0, 12.0],
        "expected": [2.5, 10.0, 12.2],
        "standard_error": [0.1, 0.2, 0.3],
    }
    assert describe_additivity(table) == (
        "2 of 3 sums lie within 2 standard errors of the change of the probability that they must add up to; the "
        "median gap is 0.2. (The draws are spread evenly, so that the standard error, of independent draws, is an "
        "upper bound.)"
    )


def test_rounding_and_a_single_draw_are_no_reason_to_distrust_a_sum():
    table = pd.DataFrame({"sum": [0.1, 0.1], "expected": [0.1 + 1e-6, 0.3], "standard_error": [0.0, np.nan]})
    assert describe_additivity(table).startswith("1 of 2 sums lie")
