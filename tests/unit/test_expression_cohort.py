"""The simulated cohort has the shape, the truth and the faults that its settings ask for, and repeats by seed."""

import numpy as np
import pandas as pd
import pytest

from genestrata.errors import InputError
from genestrata.simulators.expression_cohort import simulate

SETTINGS = {"classes": {"ALL": 30, "AML": 12, "T>1": 9}, "features": 200, "markers_per_class": 10, "effect": 2.0}


@pytest.fixture(scope="module")
def cohort():
    return simulate(SETTINGS, 1)


def test_shape_and_class_sizes(cohort):
    matrix, samples, truth = cohort
    assert matrix.shape == (51, 201)
    assert matrix.columns[0] == "sample"
    assert matrix["sample"].tolist() == samples["sample"].tolist()
    assert samples["sample"].is_unique
    assert samples["label"].value_counts().to_dict() == SETTINGS["classes"]
    assert truth["class"].value_counts().to_dict() == {"ALL": 10, "AML": 10, "T>1": 10}
    assert truth["feature"].is_unique
    assert set(truth["feature"]) <= set(matrix.columns)


def test_markers_are_raised_in_their_class_and_other_genes_are_not(cohort):
    matrix, samples, truth = cohort
    values = matrix.set_index("sample")
    for label, markers in truth.groupby("class")["feature"]:
        own = (samples["label"] == label).to_numpy()
        rise = values[own].mean() - values[~own].mean()
        assert rise[markers].mean() == pytest.approx(2.0, abs=0.4)
        assert abs(rise.drop(truth["feature"]).mean()) < 0.4


def test_missing_values_follow_their_share():
    for share in (0.0, 0.2):
        matrix, _, _ = simulate(SETTINGS | {"missing": share}, 1)
        assert matrix.isna().to_numpy()[:, 1:].mean() == pytest.approx(share, abs=0.02)


def test_neither_order_nor_name_tells_the_class(cohort):
    labels = cohort[1]["label"].tolist()
    assert labels != sorted(labels)
    assert cohort[1]["sample"].tolist() == sorted(cohort[1]["sample"])


def test_batches_shift_every_gene():
    settings = {"classes": {"A": 40, "B": 40}, "features": 100, "markers_per_class": 1, "modules": 0, "missing": 0}
    spread = {}
    for batch_sd in (0.0, 2.0):
        matrix, samples, _ = simulate(settings | {"batch_sd": batch_sd}, 1)
        values = matrix.drop(columns="sample")
        spread[batch_sd] = values.groupby(samples["batch"].to_numpy()).mean().std().mean()
    assert spread[0.0] < 0.3
    assert spread[2.0] > 1.0


def test_the_same_seed_repeats_and_another_does_not(cohort):
    for first, second in zip(cohort, simulate(SETTINGS, 1), strict=True):
        pd.testing.assert_frame_equal(first, second)
    other = simulate(SETTINGS, 2)
    assert not np.allclose(cohort[0].iloc[:, 1:], other[0].iloc[:, 1:], equal_nan=True)
    assert cohort[2]["feature"].tolist() != other[2]["feature"].tolist()


def test_more_markers_than_genes_are_refused():
    with pytest.raises(InputError, match="markers_per_class 10 in 3 classes need 30 genes, features is 20"):
        simulate(SETTINGS | {"features": 20}, 1)


def test_replicates_number_the_samples_of_each_class_and_change_nothing_else(cohort):
    matrix, samples, truth = simulate(SETTINGS | {"replicates": 4}, 1)
    pd.testing.assert_frame_equal(matrix, cohort[0])
    pd.testing.assert_frame_equal(samples.drop(columns="group"), cohort[1])
    pd.testing.assert_frame_equal(truth, cohort[2])
    assert "group" not in cohort[1]
    sizes = samples.groupby(["label", "group"]).size().unstack()
    assert sizes.loc["T>1"].to_dict() == {1: 3, 2: 2, 3: 2, 4: 2}
    assert set(sizes.loc["AML"]) == {3}
