"""The simulated series have the shape, the phases and the faults that their settings ask for, and repeat by seed."""

import numpy as np
import pandas as pd
import pytest

from genestrata.simulators.periodic_genes import DEFAULTS, simulate
from genestrata.time_points import experiments_of

SETTINGS = {"classes": {"M/G1": 20, "G1": 30, "S": 10, "G2": 15}, "unlabelled": 40, "periodic_share": 0.25}
PHASES = list(SETTINGS["classes"])
# Every minute of two cycles, in two experiments of different speed.
FINE = {"slow": {"period": 80, "step": 1, "points": 160}, "fast": {"period": 40, "step": 1, "points": 80}}
CLEAR = SETTINGS | {"experiments": FINE, "phase_spread": 0.0, "noise_sd": 1e-6, "decay": 0.0, "missing": 0.0}


@pytest.fixture(scope="module")
def series():
    return simulate(SETTINGS, 1)


@pytest.fixture(scope="module")
def clear():
    """Values by gene without noise, spread, decay or missing values, the samples and the truth."""
    values, samples, truth = simulate(CLEAR, 1)
    return values.set_index("sample"), samples, truth


def peak_share(values, experiment):
    """Where in the first cycle each gene is highest, as a share of the cycle."""
    columns, minutes = experiments_of(values.columns)[experiment]
    period = FINE[experiment]["period"]
    first = minutes <= period
    return minutes[first][values.to_numpy()[:, columns[first]].argmax(axis=1)] / period


def test_shape_names_and_label_sizes(series):
    values, samples, truth = series
    assert values.shape == (115, 1 + sum(experiment["points"] for experiment in DEFAULTS["experiments"].values()))
    assert values.columns[:3].tolist() == ["sample", "alpha_7", "alpha_14"]
    assert values["sample"].tolist() == samples["sample"].tolist() == truth["sample"].tolist()
    assert samples["sample"].is_unique
    assert list(samples.columns) == ["sample", "label"]
    assert samples["label"].value_counts().to_dict() == SETTINGS["classes"] | {"": 40}


def test_time_points_of_own_experiments_are_names_with_minutes():
    experiments = {"elu": {"period": 390, "step": 30, "points": 4}, "a_2": {"period": 10, "step": 1, "points": 5}}
    values, _, _ = simulate(SETTINGS | {"experiments": experiments}, 1)
    assert values.columns[1:].tolist() == [
        *("elu_30", "elu_60", "elu_90", "elu_120"),
        *("a_2_1", "a_2_2", "a_2_3", "a_2_4", "a_2_5"),
    ]


def test_truth_holds_the_phase_of_every_periodic_gene(series):
    _, samples, truth = series
    labelled = samples["label"] != ""
    assert truth.loc[labelled, "class"].tolist() == samples.loc[labelled, "label"].tolist()
    hidden = truth.loc[~labelled, "class"]
    assert (hidden != "").sum() == 10
    assert set(hidden) <= {*PHASES, ""}
    assert ((truth["amplitude"] > 0) == (truth["class"] != "")).all()


@pytest.mark.parametrize(("share", "planted"), [(0.0, 0), (1.0, 40)])
def test_share_of_unlabelled_genes_that_are_periodic(share, planted):
    _, samples, truth = simulate(SETTINGS | {"periodic_share": share}, 1)
    assert (truth.loc[samples["label"] == "", "class"] != "").sum() == planted
    assert (samples["label"] == "").sum() == 40


def test_no_unlabelled_gene_where_none_is_asked_for():
    values, samples, truth = simulate(SETTINGS | {"unlabelled": 0}, 1)
    assert len(values) == len(samples) == len(truth) == 75
    assert not (samples["label"] == "").any()


def test_missing_values_follow_their_share():
    for share in (0.0, 0.2):
        values, _, _ = simulate(SETTINGS | {"missing": share}, 1)
        assert values.drop(columns="sample").isna().to_numpy().mean() == pytest.approx(share, abs=0.02)


def test_neither_order_nor_name_tells_the_phase(series):
    samples = series[1]
    labels = samples["label"].tolist()
    assert samples["sample"].tolist() == sorted(samples["sample"])
    assert labels != sorted(labels)
    assert len({*labels[:15]}) > 2
    assert "" in labels[:40]


def test_the_same_seed_repeats_and_another_does_not(series):
    for first, second in zip(series, simulate(SETTINGS, 1), strict=True):
        pd.testing.assert_frame_equal(first, second)
    other = simulate(SETTINGS, 2)
    assert not np.allclose(series[0].iloc[:, 1:], other[0].iloc[:, 1:], equal_nan=True)
    assert series[1]["label"].tolist() != other[1]["label"].tolist()


@pytest.mark.parametrize("experiment", list(FINE))
def test_genes_peak_in_the_middle_of_their_phase_in_every_experiment(clear, experiment):
    values, _, truth = clear
    periodic = (truth["class"] != "").to_numpy()
    expected = [(PHASES.index(phase) + 0.5) / 4 for phase in truth.loc[periodic, "class"]]
    np.testing.assert_allclose(peak_share(values[periodic], experiment), expected, atol=1e-9)


def test_spread_moves_the_peak_within_the_cycle_alike_in_every_experiment():
    values, _, truth = simulate(CLEAR | {"phase_spread": 0.2}, 1)
    periodic = (truth["class"] != "").to_numpy()
    values = values.set_index("sample")[periodic]
    middle = np.array([(PHASES.index(phase) + 0.5) / 4 for phase in truth.loc[periodic, "class"]])
    slow, fast = ((peak_share(values, name) - middle + 0.5) % 1 - 0.5 for name in ("slow", "fast"))
    assert slow.std() == pytest.approx(0.2 / 4, rel=0.3)
    np.testing.assert_allclose(fast, slow, atol=0.025)


def test_genes_without_a_phase_are_noise(clear):
    values, _, truth = clear
    assert np.abs(values[(truth["class"] == "").to_numpy()]).max(axis=None) < 1e-4
    values, _, truth = simulate(CLEAR | {"noise_sd": 0.5}, 1)
    noise = values.drop(columns="sample")[truth["class"] == ""].to_numpy()
    assert noise.std() == pytest.approx(0.5, rel=0.05)
    assert noise.mean() == pytest.approx(0.0, abs=0.05)


def test_amplitude_is_that_of_the_truth_and_scales_with_its_setting(clear):
    values, _, truth = clear
    periodic = (truth["class"] != "").to_numpy()
    amplitude = truth.loc[periodic, "amplitude"].to_numpy()
    np.testing.assert_allclose(values[periodic].max(axis=1), amplitude, atol=1e-3)
    assert np.median(amplitude) == pytest.approx(DEFAULTS["amplitude"], rel=0.15)
    assert amplitude.std() > 0.1
    tripled = simulate(CLEAR | {"amplitude": 3.0}, 1)[2].loc[periodic, "amplitude"]
    np.testing.assert_allclose(tripled, 3 * amplitude, atol=1e-3)


def test_decay_lowers_the_amplitude_in_a_later_cycle(clear):
    values, _, truth = simulate(CLEAR | {"decay": 0.3}, 1)
    periodic = (truth["class"] != "").to_numpy()
    values = values.set_index("sample")
    for table, share in ((values, 0.7), (clear[0], 1.0)):
        columns, minutes = experiments_of(table.columns)["slow"]
        cycles = [table.to_numpy()[periodic][:, columns[part]].max(axis=1) for part in (minutes <= 80, minutes > 80)]
        np.testing.assert_allclose(cycles[1] / cycles[0], share, atol=2e-3)
