"""Time points as names of columns: their order, what a study selects of them, and labels by the highest of them."""

import numpy as np
import pandas as pd
import pytest

from genestrata.errors import InputError
from genestrata.readers.tables import sample_frame
from genestrata.time_points import experiments_of, parse_time_points, peak_phases, select_series

ALPHA, CDC15 = ["alpha_0", "alpha_7", "alpha_14"], ["cdc15_10", "cdc15_20", "cdc15_30"]
# The columns of two experiments in turns.
MIXED = [name for pair in zip(CDC15, ALPHA, strict=True) for name in pair]
PHASES = {"early": [0, 10], "late": [20, 30.0]}


def build(columns, rows=2):
    """Two genes, whose values are the numbers of the columns and those plus 100."""
    values = np.arange(len(columns)) + 100 * np.arange(rows)[:, None]
    return pd.DataFrame(values.astype(float), index=[f"g{row}" for row in range(rows)], columns=columns)


def select(columns, **settings):
    """The series of `build` that a study keeps."""
    matrix = build(columns)
    samples = sample_frame(list(matrix.index), ["G1", ""])
    return select_series(matrix, samples, {"irregular": "error"} | settings, "e.csv")


# names


def test_names_are_experiment_and_minutes_in_the_order_given():
    table = parse_time_points(["cdc15_10", "alpha_7", "my_elu_2_0.5"])
    assert table["feature"].tolist() == ["cdc15_10", "alpha_7", "my_elu_2_0.5"]
    assert table["experiment"].tolist() == ["cdc15", "alpha", "my_elu_2"]
    assert table["minutes"].tolist() == [10.0, 7.0, 0.5]


@pytest.mark.parametrize("name", ["40", "alpha", "alpha7", "alpha_x", "alpha_-7", "alpha_7 ", "_7", "alpha_1e3"])
def test_another_name_is_no_time_point(name):
    with pytest.raises(InputError) as caught:
        parse_time_points(["alpha_0", name], "e.csv")
    assert str(caught.value) == (
        f"e.csv: column '{name}' is no time point; expected minutes (40) or <experiment>_<minutes> (alpha_7)"
    )


def test_experiments_and_their_columns_are_in_the_order_of_the_features():
    experiments = experiments_of(["cdc15_30", "alpha_7", "cdc15_10", "alpha_14", "cdc15_50"])
    assert list(experiments) == ["cdc15", "alpha"]
    assert [columns.tolist() for columns, _ in experiments.values()] == [[0, 2, 4], [1, 3]]
    assert [minutes.tolist() for _, minutes in experiments.values()] == [[30, 10, 50], [7, 14]]


# selection


def test_bare_minutes_are_one_experiment():
    matrix, _ = select(["40", "40.5", "41"])
    assert matrix.columns.tolist() == ["series_40", "series_40.5", "series_41"]
    matrix, _ = select(["40", "alpha_7", "50", "alpha_14"], experiments=["series"])
    assert matrix.columns.tolist() == ["series_40", "series_50"]
    assert matrix.to_numpy().tolist() == [[0, 2], [100, 102]]


@pytest.mark.parametrize(
    ("experiments", "columns"),
    [
        ({}, [*CDC15, *ALPHA]),
        ({"experiments": ["alpha", "cdc15"]}, [*ALPHA, *CDC15]),
        ({"experiments": ["alpha"]}, ALPHA),
    ],
)
def test_experiments_are_chosen_and_ordered_with_their_values(experiments, columns):
    matrix, samples = select(MIXED, **experiments)
    assert matrix.columns.tolist() == columns
    places = [MIXED.index(name) for name in columns]
    assert matrix.to_numpy().tolist() == [places, [place + 100 for place in places]]
    assert matrix.index.tolist() == samples["sample"].tolist() == ["g0", "g1"]
    assert samples["label"].tolist() == ["G1", ""]


@pytest.mark.parametrize(
    ("window", "columns"),
    [
        ({"start": 10}, ["cdc15_10", "cdc15_20", "cdc15_30", "alpha_14"]),
        ({"end": 14}, ["cdc15_10", *ALPHA]),
        ({"start": 7, "end": 20}, ["cdc15_10", "cdc15_20", "alpha_7", "alpha_14"]),
        ({"start": 20, "end": 20, "experiments": ["cdc15"]}, ["cdc15_20"]),
        ({"start": 0, "end": 30}, [*CDC15, *ALPHA]),
    ],
)
def test_window_holds_its_first_and_last_minute(window, columns):
    assert select(MIXED, **window)[0].columns.tolist() == columns


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["alpha_0", "alpha_14", "alpha_7"], "time points of alpha do not rise: 7 comes after 14; sort the columns"),
        (["alpha_0", "alpha_7", "alpha_7"], "time points of alpha do not rise: 7 occurs twice; sort the columns"),
        (["0", "7", "7.0"], "time points of series do not rise: 7 occurs twice"),
        (["40", "60", "series_60"], "time points of series do not rise: 60 occurs twice"),
        ([*CDC15, "alpha_7", "alpha_0"], "time points of alpha do not rise: 0 comes after 7"),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"irregular": "allow"}, {"end": 7}])
def test_time_points_must_rise_even_outside_the_window(columns, settings, message):
    with pytest.raises(InputError, match=f"^e.csv: {message}"):
        select(columns, **settings)


def test_order_of_an_experiment_that_is_not_read_does_not_matter():
    assert select([*CDC15, "alpha_7", "alpha_0"], experiments=["cdc15"])[0].columns.tolist() == CDC15


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["a_10", "a_30", "a_40", "a_50"], r"10 to 30 is 20 min, the usual step 10"),
        (["a_0", "a_10", "a_20", "a_35"], r"20 to 35 is 15 min, the usual step 10"),
        ([*ALPHA, "a_0", "a_1", "a_2", "a_2.5"], r"2 to 2\.5 is 0\.5 min, the usual step 1"),
    ],
)
def test_irregular_steps_are_an_error_unless_allowed(columns, message):
    with pytest.raises(InputError, match=f"^e.csv: time points of a are irregular: {message}; set series.irregular: a"):
        select(columns)
    assert select(columns, irregular="allow")[0].columns.tolist() == columns


@pytest.mark.parametrize(
    ("columns", "settings"),
    [
        (MIXED, {}),
        (["a_0", "a_0.1", "a_0.2", "a_0.3", "a_0.4"], {}),
        (["a_10", "b_0", "b_100"], {}),
        (["a_10", "a_30", "a_40", "a_50", "a_90"], {"start": 30, "end": 50}),
        (["a_10", "a_30", "a_40", "b_0", "b_1"], {"experiments": ["b"]}),
    ],
)
def test_steps_are_those_of_each_experiment_within_the_window(columns, settings):
    matrix, _ = select(columns, **settings)
    pd.testing.assert_frame_equal(matrix, select(columns, **settings, irregular="allow")[0])


def test_column_that_is_no_time_point_is_named():
    with pytest.raises(InputError, match=r"^e.csv: column 'orf' is no time point"):
        select([*ALPHA, "orf"])


def test_unknown_experiment_is_named_with_those_there_are():
    with pytest.raises(InputError) as caught:
        select(MIXED, experiments=["alpha", "elu"])
    assert str(caught.value) == "e.csv: series.experiments: no experiment 'elu'; found: cdc15, alpha"


@pytest.mark.parametrize("window", [{"start": 31, "end": 40}, {"start": 20, "end": 10}])
def test_empty_window_is_an_error(window):
    with pytest.raises(InputError, match=f"cdc15 has no time point between {window['start']} and {window['end']}"):
        select(MIXED, **window)


def test_window_that_one_experiment_lies_outside_of_is_an_error():
    with pytest.raises(InputError, match="series: alpha has no time point between 20 and inf min"):
        select(MIXED, start=20)


def test_minute_in_two_phases_is_an_error():
    with pytest.raises(InputError, match="minute 20 is in early and in late"):
        select(CDC15, peak_phases={"early": [10, 20], "late": [20, 30]})


def test_attributes_stay_and_the_input_is_left_alone():
    matrix = build(["40", "50", "60"])
    matrix.attrs["unlabelled"] = ["g9"]
    samples = sample_frame(["g0", "g1"], ["G1", ""])
    before = matrix.copy(), samples.copy()
    settings = {"irregular": "error", "end": 50, "peak_phases": {"first": [40], "second": [50]}}
    selected, labelled = select_series(matrix, samples, settings, "e.csv")
    assert selected.attrs == {"unlabelled": ["g9"]}
    assert labelled["label"].tolist() == ["second", "second"]
    pd.testing.assert_frame_equal(matrix, before[0])
    pd.testing.assert_frame_equal(samples, before[1])


# peak phases


@pytest.mark.parametrize(
    ("row", "phase"),
    [
        ([3, 2, 1, 0], "early"),
        ([0, 1, 3, 2], "late"),
        ([-4, -1, -3, -2], "early"),
        ([1, 1, 1, 1], "early"),
        ([0, 5, 5, 5], "early"),
        ([0, 1, 5, 5], "late"),
        ([np.nan, 1, 2, np.nan], "late"),
        ([np.nan, -1, -2, np.nan], "early"),
        ([np.nan, np.nan, np.nan, -5], "late"),
        ([np.nan] * 4, ""),
    ],
)
def test_label_is_the_phase_of_the_first_of_the_highest(row, phase):
    matrix = pd.DataFrame([row, [0, 0, 0, 1.0]], columns=["a_0", "a_10", "a_20", "a_30"])
    labels = peak_phases(matrix, PHASES, "e.csv")
    assert labels.tolist() == [phase, "late"]
    assert labels.dtype == object


def test_peak_is_sought_in_the_selected_time_points_and_replaces_the_label():
    matrix = pd.DataFrame([[9.0, 1, 2, 8], [0, 2, 1, 3]], columns=["a_0", "b_10", "b_20", "c_30"])
    samples = sample_frame(["g0", "g1"], ["G1", ""])
    settings = {"irregular": "error", "peak_phases": PHASES}
    labels = {
        chosen: select_series(matrix, samples, settings | {"experiments": list(chosen)}, "e.csv")[1]["label"].tolist()
        for chosen in ("b", "ab", "ca")
    }
    assert labels == {"b": ["late", "early"], "ab": ["early", "early"], "ca": ["early", "late"]}


def test_time_point_without_a_phase_is_an_error():
    with pytest.raises(InputError, match=r"^e.csv: series.peak_phases: no phase for minute 7$"):
        select(ALPHA, peak_phases=PHASES)
    with pytest.raises(InputError, match=r"no phase for minute 2\.5$"):
        select(["a_30", "b_2.5"], peak_phases=PHASES)
    assert select(ALPHA, peak_phases=PHASES, end=0)[1]["label"].tolist() == ["early", "early"]
