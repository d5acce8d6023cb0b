"""Whether SHAP values of a sample add up to what they must: the change of the model's output from its mean over the
background."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

# A sum within this many standard errors of what it must be is taken for right, and what float32 rounds away.
STANDARD_ERRORS = 2
ROUNDING = 1e-5


def additivity_table(
    sums: np.ndarray,
    standard_error: np.ndarray,
    expected: np.ndarray,
    asked: np.ndarray,
    samples: Sequence[str],
    classes: Sequence[str],
) -> pd.DataFrame:
    """One row per sample and class that was asked for: sample, class, sum, expected, standard_error (of the sum).

    sums, standard_error, expected : (n, n_classes) float; asked : (n, n_classes) bool; samples : n names; classes :
    label of each column
    """
    rows, codes = np.nonzero(asked)
    return pd.DataFrame(
        {
            "sample": np.asarray(samples, dtype=object)[rows],
            "class": np.asarray(classes, dtype=object)[codes],
            "sum": sums[rows, codes],
            "expected": expected[rows, codes],
            "standard_error": standard_error[rows, codes],
        }
    )


def describe_additivity(table: pd.DataFrame) -> str:
    """How well expected gradients add up, as a sentence; table : rows of `additivity_table`.

    The standard error is missing for a single draw, and then no gap is allowed for.
    """
    gap = (table["sum"] - table["expected"]).abs()
    within = int((gap <= STANDARD_ERRORS * table["standard_error"].fillna(0) + ROUNDING).sum())
    return (
        f"{within:,} of {len(table):,} sums lie within {STANDARD_ERRORS} standard errors of the change of the "
        f"probability that they must add up to; the median gap is {gap.median():.2g}. (The draws are spread evenly, so "
        "that the standard error, of independent draws, is an upper bound.)"
    )
