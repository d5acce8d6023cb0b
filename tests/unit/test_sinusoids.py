"""Sinusoids fitted to irregular and incomplete series, and what they say of the periodicity of experiments."""

import numpy as np
import pandas as pd
import pytest

from genestrata.periodicity import (
    amplitude_kept,
    autocorrelation,
    join_experiments,
    null_shares,
    score_experiments,
)
from genestrata.sinusoids import FALSE_DISCOVERY_RATE, FEWEST_POINTS, find_period, fit_sinusoid

IRREGULAR = np.array([5.0, 9, 20, 22, 35, 41, 56, 63, 71, 88, 90, 104])
MISSING = float("nan")


def cosine(amplitude, peak, minutes, period):
    """Rows of cosines; amplitude and peak : one value or one a row."""
    amplitude, peak = (np.reshape(value, (-1, 1)) for value in (amplitude, peak))
    return amplitude * np.cos(2 * np.pi * (minutes - peak) / period)


def peak_time(coefficient, period):
    return np.angle(coefficient) / (2 * np.pi) % 1 * period


# One sinusoid a row


def test_amplitude_and_peak_are_recovered_exactly_from_irregular_times_with_missing_points_and_a_drift():
    amplitudes, peaks = np.array([0.5, 3.0, 1.0, 2.0]), np.array([1.0, 12.0, 30.0, 59.0])
    level, slope = np.array([[0.0], [7.0], [-3.0], [100.0]]), np.array([[0.0], [0.02], [-0.1], [1.0]])
    X = cosine(amplitudes, peaks, IRREGULAR, 60) + level + slope * IRREGULAR
    X[1, [0, 4, 5]] = X[2, 7] = X[3, 2:7] = MISSING
    coefficient, share = fit_sinusoid(X, IRREGULAR, 60)
    np.testing.assert_allclose(np.abs(coefficient), amplitudes, rtol=1e-6)
    np.testing.assert_allclose(peak_time(coefficient, 60), peaks, rtol=1e-6)
    np.testing.assert_allclose(share, 1, atol=1e-6)


def test_share_is_that_of_the_variance_around_the_line_on_the_measured_points():
    random = np.random.default_rng(0)
    X = random.normal(5.0, 1.0, (30, len(IRREGULAR))) + 0.05 * IRREGULAR
    X[random.random(X.shape) < 0.2] = MISSING
    angle = 2 * np.pi * IRREGULAR / 47
    design = np.column_stack([np.ones_like(angle), IRREGULAR, np.cos(angle), np.sin(angle)])
    coefficient, share = fit_sinusoid(X, IRREGULAR, 47)
    for row, own, explained in zip(X, coefficient, share, strict=True):
        seen = ~np.isnan(row)
        (*_, cosines, sines), residual, *_ = np.linalg.lstsq(design[seen], row[seen], rcond=None)
        total = np.linalg.lstsq(design[seen, :2], row[seen], rcond=None)[1]
        assert own == pytest.approx(cosines + 1j * sines, abs=1e-6)
        assert explained == pytest.approx(1 - residual[0] / total[0], abs=1e-6)
    assert 0 < share.min() < share.max() < 1


@pytest.mark.parametrize("row", [np.full(12, 4.0), np.full(12, MISSING), 3 + 0.5 * IRREGULAR])
def test_rows_without_values_or_anything_but_a_drift_have_no_sinusoid(row):
    coefficient, share = fit_sinusoid(np.stack([row, np.tile([0.0, 1, 0, -1], 3)]), IRREGULAR, 30)
    assert coefficient[0] == share[0] == 0
    assert abs(coefficient[1]) > 0 and share[1] > 0


def test_rows_of_few_points_have_no_sinusoid():
    X = cosine(2.0, 11.0, IRREGULAR, 60)
    X[0, FEWEST_POINTS:] = MISSING
    coefficient, share = fit_sinusoid(X, IRREGULAR, 60)
    assert (abs(coefficient[0]), share[0]) == pytest.approx((2.0, 1.0), rel=1e-4)
    X[0, FEWEST_POINTS - 1] = MISSING
    assert [part.tolist() for part in fit_sinusoid(X, IRREGULAR, 60)] == [[0], [0]]


@pytest.mark.parametrize("period", [40, 66, 110])
def test_planted_period_is_found_whatever_the_peaks(period):
    random = np.random.default_rng(0)
    minutes = np.arange(7.0, 190, 7)
    X = cosine(1.0, random.uniform(0, period, 30), minutes, period) + random.normal(0, 0.5, (30, len(minutes)))
    X[random.random(X.shape) < 0.1] = MISSING
    assert find_period(X, minutes) == pytest.approx(period, rel=0.05)


def test_period_is_looked_for_between_four_steps_and_the_span():
    minutes = np.arange(0.0, 61, 5)
    assert find_period(cosine(1.0, [0.0, 3, 6], minutes, 18), minutes) == pytest.approx(20)
    assert find_period(cosine(1.0, [0.0, 20, 40], minutes, 65), minutes) == pytest.approx(60)
    # A span of 15 is less than 4 steps.
    assert find_period(cosine(1.0, [0.0, 3, 6], minutes[:4], 12), minutes[:4]) == pytest.approx(15)


def test_one_time_point_has_some_period_and_no_sinusoid(recwarn):
    X = np.array([[1.0], [MISSING]])
    period = find_period(X, np.array([20.0]))
    assert period > 0
    assert [part.tolist() for part in fit_sinusoid(X, np.array([20.0]), period)] == [[0, 0], [0, 0]]
    assert not recwarn.list


def test_step_is_the_usual_one_where_some_are_longer():
    minutes = np.array([0.0, 5, 10, 15, 20, 30, 40, 60])
    assert find_period(cosine(1.0, [0.0, 3, 6], minutes, 22), minutes) == pytest.approx(22, rel=0.03)


# Periodicity of experiments

FEATURES = [f"alpha_{minutes}" for minutes in range(7, 133, 7)] + [f"cdc15_{minutes}" for minutes in range(10, 250, 10)]
PERIODS, N_PERIODIC = {"alpha": 66.0, "cdc15": 110.0}, 40


@pytest.fixture(scope="module")
def planted():
    """Values of 40 periodic rows, which peak at four fifths of each period, and of 160 rows of noise."""
    random = np.random.default_rng(0)
    minutes = {name: [float(f.split("_")[1]) for f in FEATURES if f.startswith(name)] for name in PERIODS}
    parts = [cosine(np.ones(200), 0.8 * PERIODS[name], np.array(minutes[name]), PERIODS[name]) for name in PERIODS]
    X = np.hstack(parts)
    X[N_PERIODIC:] = 0
    X += random.normal(0, 0.35, X.shape)
    X[random.random(X.shape) < 0.05] = MISSING
    return X


def test_periodic_rows_have_a_small_false_discovery_rate_and_noise_has_not(planted):
    genes, experiments = score_experiments(planted, FEATURES, 1)
    assert genes["experiment"].tolist() == ["alpha"] * 200 + ["cdc15"] * 200
    assert genes["row"].tolist() == [*range(200)] * 2
    found = genes["fdr"] < FALSE_DISCOVERY_RATE
    periodic = genes["row"] < N_PERIODIC
    assert found[periodic].mean() > 0.95
    assert found[~periodic].mean() < 0.05
    assert experiments["experiment"].tolist() == ["alpha", "cdc15"]
    assert experiments["time_points"].tolist() == [18, 24]
    np.testing.assert_allclose(experiments["period"], list(PERIODS.values()), rtol=0.05)
    np.testing.assert_allclose(experiments["periodic_share"], [found[:200].mean(), found[200:].mean()])


def test_false_discovery_rate_is_that_of_benjamini_and_hochberg_within_an_experiment(planted):
    genes, _ = score_experiments(planted, FEATURES, 1)
    for _, rows in genes.sort_values("p").groupby("experiment"):
        expected = np.minimum.accumulate((rows["p"] * 200 / np.arange(1, 201))[::-1])[::-1]
        np.testing.assert_allclose(rows["fdr"], expected)


def test_peak_and_amplitude_of_periodic_rows_are_those_planted(planted):
    genes, experiments = score_experiments(planted, FEATURES, 1)
    for name, period in zip(experiments["experiment"], experiments["period"], strict=True):
        rows = genes[(genes["experiment"] == name) & (genes["row"] < N_PERIODIC)]
        assert rows["peak_minutes"].between(0, period).all()
        assert rows["peak_minutes"].median() == pytest.approx(0.8 * PERIODS[name], rel=0.1)
        assert rows["amplitude"].median() == pytest.approx(1, abs=0.1)
        assert rows["share"].median() > 0.7


def test_p_values_of_noise_are_about_uniform():
    random = np.random.default_rng(3)
    X = random.normal(size=(1500, 42))
    X[random.random(X.shape) < 0.1] = MISSING
    genes, _ = score_experiments(X, FEATURES, 1)
    for _, rows in genes.groupby("experiment"):
        below = [(rows["p"] <= level).mean() for level in (0.05, 0.25, 0.5, 0.75)]
        np.testing.assert_allclose(below, [0.05, 0.25, 0.5, 0.75], atol=0.05)
        assert rows["p"].min() > 0


def test_row_that_was_not_measured_is_not_periodic(planted):
    X = planted.copy()
    X[3, :18] = MISSING
    genes, _ = score_experiments(X, FEATURES, 1)
    alpha, cdc15 = (part.set_index("row").loc[3] for _, part in genes.groupby("experiment"))
    assert alpha[["share", "p", "fdr", "amplitude"]].tolist() == [0, 1, 1, 0]
    assert cdc15["fdr"] < FALSE_DISCOVERY_RATE


def test_seed_draws_the_orders_of_the_time_points(planted):
    first, again, other = (score_experiments(planted, FEATURES, seed)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first["p"].equals(other["p"])
    pd.testing.assert_series_equal(first["share"], other["share"])


def test_random_orders_keep_the_number_of_points_of_a_row():
    random = np.random.default_rng(0)
    X = random.normal(size=(3, len(IRREGULAR)))
    X[:2, FEWEST_POINTS - 1 :] = MISSING
    shares = null_shares(X, IRREGULAR, 50, 25, random)
    # A point too few is too few in any order.
    assert len(shares) == 75 and (shares[:50] == 0).all() and (shares[50:] > 0).all()
    assert (np.diff(shares) >= 0).all() and len(np.unique(shares[50:])) > 20


# Synchrony

MINUTES = np.arange(7.0, 133, 6)


@pytest.mark.parametrize("kept", [0.6, 1.0])
def test_amplitude_kept_is_that_of_the_second_cycle_over_the_first(kept):
    second = np.where(MINUTES - MINUTES.min() >= 60, kept, 1.0)
    X = second * cosine([1.0, 2.0, 5.0], [3.0, 20.0, 44.0], MINUTES, 60)
    assert amplitude_kept(X, MINUTES, 60) == pytest.approx(kept, rel=1e-6)


def test_amplitude_kept_is_the_median_over_rows_and_ends_with_the_second_cycle():
    minutes = np.arange(0.0, 180, 6)
    cycle = (minutes // 60).astype(int)
    X = cosine(1.0, [3.0, 20.0, 44.0], minutes, 60) * np.array([[1, 0.5, 9], [1, 0.7, 9], [1, 7.0, 9]])[:, cycle]
    assert amplitude_kept(X, minutes, 60) == pytest.approx(0.7, rel=1e-6)


EVERY_TEN = np.arange(0.0, 120, 10)


@pytest.mark.parametrize(
    ("minutes", "rows"),
    [
        (MINUTES[:18], 3),  # 1.7 cycles
        (MINUTES, 0),
        (np.delete(EVERY_TEN, 2), 3),  # a point too few in the first cycle
        (np.delete(EVERY_TEN, 8), 3),  # in the second one
    ],
)
def test_amplitude_kept_is_missing_where_there_are_too_few_cycles_rows_or_points(minutes, rows, recwarn):
    assert np.isnan(amplitude_kept(cosine(np.ones(rows), 5.0, minutes, 60), minutes, 60))
    assert not recwarn.list


@pytest.mark.parametrize("minutes", [MINUTES[:19], EVERY_TEN])
def test_amplitude_kept_is_found_in_as_few_cycles_and_points_as_it_needs(minutes):
    assert amplitude_kept(cosine([1.0, 2.0], 5.0, minutes, 60), minutes, 60) == pytest.approx(1, rel=1e-4)


def test_synchrony_is_that_of_the_periodic_rows():
    minutes = np.array([float(name.split("_")[1]) for name in FEATURES[18:]])
    random = np.random.default_rng(0)
    second = np.where(minutes - minutes.min() >= 110, 0.5, 1.0)
    X = random.normal(0, 0.1, (120, len(minutes)))
    X[:30] += second * cosine(1.0, random.uniform(0, 110, 30), minutes, 110)
    _, experiments = score_experiments(X, FEATURES[18:], 0)
    assert experiments["amplitude_kept"].item() == pytest.approx(0.5, abs=0.1)


# All experiments together


def test_experiments_are_joined_by_fishers_method():
    genes = pd.DataFrame(
        {
            "row": [0, 1, 2, 0, 1, 2],
            "experiment": ["a"] * 3 + ["b"] * 3,
            "share": [0.8, 0.2, 0.1, 0.6, 0.4, 0.0],
            "p": [0.01, 0.5, 1.0, 0.04, 0.2, 1.0],
        }
    )
    table = join_experiments(genes)
    # The upper tail of chi-squared with four degrees of freedom has this form.
    p = [product * (1 - np.log(product)) for product in (0.01 * 0.04, 0.5 * 0.2, 1.0)]
    assert table["row"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(table["share"], [0.7, 0.3, 0.05])
    np.testing.assert_allclose(table["p"], p)
    np.testing.assert_allclose(table["fdr"], [3 * p[0], 1.5 * p[1], 1.0])


def test_one_experiment_alone_keeps_its_p_values():
    genes = pd.DataFrame({"row": [0, 1], "experiment": "a", "share": [0.9, 0.1], "p": [0.002, 0.7]})
    np.testing.assert_allclose(join_experiments(genes)["p"], [0.002, 0.7])


# Autocorrelation


def test_autocorrelation_of_hand_made_rows():
    X = np.array([[1.0, -1, 1, -1, 1], [1.0, 2, 3, MISSING, 5]])
    table = autocorrelation(X, 2)
    # Row 1: mean 0.2; deviations 0.8 and -1.2, variance 0.96. Row 2: mean 2.75, variance 8.75 / 4.
    np.testing.assert_allclose(table[0], [-0.96 / 0.96, (0.8 * 0.8 * 2 + 1.2 * 1.2) / 3 / 0.96])
    products = [(1.75 * 0.75 - 0.75 * 0.25) / 2, (-1.75 * 0.25 + 0.25 * 2.25) / 2]
    np.testing.assert_allclose(table[1], np.array(products) / (8.75 / 4))


@pytest.mark.parametrize("value", [2.0, MISSING])
def test_autocorrelation_of_a_constant_or_unmeasured_row_is_missing(value, recwarn):
    table = autocorrelation(np.array([[value] * 4, [0.0, 1, 2, 0]]), 2)
    assert np.isnan(table[0]).all() and not np.isnan(table[1]).any()
    assert not recwarn.list
