"""Time points of a series as names of features, `<experiment>_<minutes>`: their order, checks and selection."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError

logger = logging.getLogger(__name__)

NAME = re.compile(r"(?P<experiment>.+)_(?P<minutes>\d+(\.\d+)?)")
# Experiment of a table whose columns are bare times.
ONLY_EXPERIMENT = "series"


def parse_time_points(features: Sequence[str], where: str = "") -> pd.DataFrame:
    """Experiment and minutes of each feature, in the order given; raises InputError for a name of another form."""
    rows = []
    for name in features:
        match = NAME.fullmatch(name)
        if match is None:
            raise InputError(
                f"{where}: column '{name}' is no time point; expected minutes (40) or <experiment>_<minutes> (alpha_7)"
            )
        rows.append((name, match["experiment"], float(match["minutes"])))
    return pd.DataFrame(rows, columns=["feature", "experiment", "minutes"])


def experiments_of(features: Sequence[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Experiment to its columns among `features`, and their minutes, in the order of the features."""
    table = parse_time_points(features).rename_axis("column").reset_index()
    return {
        experiment: (part["column"].to_numpy(), part["minutes"].to_numpy())
        for experiment, part in table.groupby("experiment", sort=False)
    }


def select_series(
    matrix: pd.DataFrame, samples: pd.DataFrame, settings: Mapping[str, Any], where: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the experiments and the window that a study asks for; with `peak_phases`, label each row by its peak.

    matrix : rows x time points, whose columns are `<experiment>_<minutes>` or bare minutes; settings : the study's
    `series`. Experiments come in the order of `settings["experiments"]`, else of the file. Raises InputError for
    columns that are no time points, not by rising time, or irregular unless the study allows that.
    """
    names = [f"{ONLY_EXPERIMENT}_{name}" if re.fullmatch(r"\d+(\.\d+)?", name) else name for name in matrix.columns]
    matrix = matrix.set_axis(names, axis="columns")
    points = parse_time_points(names, where)
    wanted = settings.get("experiments") or list(dict.fromkeys(points["experiment"]))
    parts = {experiment: points[points["experiment"] == experiment] for experiment in wanted}
    for experiment, part in parts.items():
        if part.empty:
            found = ", ".join(dict.fromkeys(points["experiment"]))
            raise InputError(f"{where}: series.experiments: no experiment '{experiment}'; found: {found}")
        _check_order(experiment, part["minutes"].to_numpy(), where)
    columns = []
    start, end = settings.get("start", 0), settings.get("end", np.inf)
    for experiment, part in parts.items():
        inside = part[part["minutes"].between(start, end)]
        if inside.empty:
            raise InputError(f"{where}: series: {experiment} has no time point between {start:g} and {end:g} min")
        if settings["irregular"] == "error":
            _check_steps(experiment, inside["minutes"].to_numpy(), where)
        columns += inside["feature"].tolist()
    matrix = matrix[columns]
    if settings.get("peak_phases"):
        samples = samples.assign(label=peak_phases(matrix, settings["peak_phases"], where))
    return matrix, samples


def peak_phases(matrix: pd.DataFrame, phases: Mapping[str, Sequence[float]], where: str) -> np.ndarray:
    """Phase of the highest time point of each row, the first of equals, (n_rows,) text; "" for a row without values.

    phases : name to its minutes; every time point belongs to one, else InputError.
    """
    of_minute: dict[float, str] = {}
    for phase, own in phases.items():
        for minute in map(float, own):
            if minute in of_minute:
                raise InputError(
                    f"{where}: series.peak_phases: minute {minute:g} is in {of_minute[minute]} and in {phase}"
                )
            of_minute[minute] = phase
    minutes = parse_time_points(matrix.columns, where)["minutes"]
    missing = sorted(set(minutes) - set(of_minute))
    if missing:
        raise InputError(f"{where}: series.peak_phases: no phase for minute {missing[0]:g}")
    phase_of_column = np.array([of_minute[minute] for minute in minutes], dtype=object)
    values = matrix.to_numpy(dtype=float)
    peak = np.where(np.isnan(values), -np.inf, values).argmax(axis=1)
    return np.where(np.isnan(values).all(axis=1), "", phase_of_column[peak])


def _check_order(experiment: str, minutes: np.ndarray, where: str) -> None:
    """Raise InputError unless the time points of an experiment rise from column to column."""
    back = np.flatnonzero(np.diff(minutes) <= 0)
    if len(back):
        before, after = minutes[back[0]], minutes[back[0] + 1]
        problem = "occurs twice" if before == after else f"comes after {before:g}"
        raise InputError(f"{where}: time points of {experiment} do not rise: {after:g} {problem}; sort the columns")


def _check_steps(experiment: str, minutes: np.ndarray, where: str) -> None:
    """Raise InputError unless the time points of an experiment are equally far apart."""
    steps = np.diff(minutes)
    other = np.flatnonzero(~np.isclose(steps, np.median(steps))) if len(steps) else []
    if len(other):
        first, second = minutes[other[0]], minutes[other[0] + 1]
        raise InputError(
            f"{where}: time points of {experiment} are irregular: {first:g} to {second:g} is {steps[other[0]]:g} min, "
            f"the usual step {np.median(steps):g}; set series.irregular: allow"
        )
