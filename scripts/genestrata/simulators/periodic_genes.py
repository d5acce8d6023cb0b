"""Simulated time series of genes: periodic ones, whose phase is their label, and others without a label."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

DEFAULTS = {
    "experiments": {
        "alpha": {"period": 66, "step": 7, "points": 18},
        "cdc15": {"period": 110, "step": 10, "points": 26},
    },
    "unlabelled": 200,
    "periodic_share": 0.2,
    "amplitude": 1.0,
    "phase_spread": 0.2,
    "noise_sd": 0.4,
    "decay": 0.2,
    "missing": 0.03,
}


def simulate(settings: Mapping[str, Any], seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Draw genes x time points of log2 ratios.

    settings : `classes` (phase, in the order of the cycle, to its number of labelled genes) and any of DEFAULTS. The
    phases divide the cycle into equal arcs; a gene peaks at the middle of its phase, give or take `phase_spread` of the
    arc. Its amplitude is log-normal around `amplitude` (log2 units) and loses `decay` of itself in every cycle, as
    cells fall out of step; noise is N(0, noise_sd). Of the unlabelled genes, `periodic_share` are periodic too, the
    others noise. Returns values (first column `sample`), samples (sample, label, "" where unlabelled) and truth
    (sample, class, "" for a gene that is not periodic, and amplitude).
    """
    settings = DEFAULTS | dict(settings)
    random = np.random.default_rng(seed)
    phases = list(settings["classes"])
    phase = np.repeat(np.arange(len(phases)), list(settings["classes"].values()))
    n_labelled, n_hidden = len(phase), round(settings["unlabelled"] * settings["periodic_share"])
    phase = np.concatenate([phase, random.integers(len(phases), size=n_hidden)])
    n_genes = n_labelled + settings["unlabelled"]
    periodic = np.arange(n_genes) < len(phase)
    phase = np.concatenate([phase, np.full(n_genes - len(phase), -1)])

    peak = (phase + 0.5 + random.normal(0.0, settings["phase_spread"], n_genes)) / len(phases)
    amplitude = np.where(periodic, settings["amplitude"] * random.lognormal(0.0, 0.3, n_genes), 0.0)
    columns = {}
    for name, experiment in settings["experiments"].items():
        for point in range(1, experiment["points"] + 1):
            minutes = point * experiment["step"]
            cycles = minutes / experiment["period"]
            course = amplitude * (1 - settings["decay"]) ** cycles * np.cos(2 * np.pi * (cycles - peak))
            columns[f"{name}_{minutes}"] = course + random.normal(0.0, settings["noise_sd"], n_genes)
    values = pd.DataFrame(columns).round(4)
    values = values.mask(random.random(values.shape) < settings["missing"])

    # Neither the order nor the names of genes tell the phase.
    order = random.permutation(n_genes)
    names = [f"gene_{number:05d}" for number in range(1, n_genes + 1)]
    label = np.array([*phases, ""], dtype=object)[phase[order]]
    values = values.iloc[order].reset_index(drop=True)
    values.insert(0, "sample", names)
    samples = pd.DataFrame({"sample": names, "label": np.where(order < n_labelled, label, "")})
    truth = pd.DataFrame({"sample": names, "class": label, "amplitude": amplitude[order].round(4)})
    return values, samples, truth
