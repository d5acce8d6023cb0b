"""A simulated expression cohort: planted markers, modules, batch shifts, missing values, class imbalance."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genestrata.errors import InputError

DEFAULTS = {
    "features": 1000,
    "markers_per_class": 20,
    "effect": 1.5,
    "modules": 10,
    "batches": 3,
    "batch_sd": 0.3,
    "noise_sd": 0.8,
    "missing": 0.01,
    "replicates": None,
}


def simulate(settings: Mapping[str, Any], seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Draw a cohort on the log2 scale.

    settings : `classes` (label to number of samples) and any of DEFAULTS; effect and standard deviations in log2 units.
    Returns values (samples x genes, float64, about 4 to 14, NaN where missing; first column `sample`), samples (sample,
    label, batch), truth (class, feature). Each marker is raised in one class by an effect drawn around `effect`; each
    other gene belongs to one module, whose activity differs between samples but not between classes; a batch shifts
    every gene. Batches are drawn independently of the classes. With `replicates` the samples of each class are numbered
    1 to that number, again and again, in a further column `group`. Raises InputError for more markers than genes.
    """
    settings = DEFAULTS | dict(settings)
    random = np.random.default_rng(seed)
    classes, n_features = settings["classes"], settings["features"]
    labels = np.repeat(list(classes), list(classes.values()))
    n_samples, n_markers = len(labels), settings["markers_per_class"] * len(classes)
    if n_markers > n_features:
        raise InputError(
            f"sources.simulated: markers_per_class {settings['markers_per_class']} in {len(classes)} classes need "
            f"{n_markers} genes, features is {n_features}"
        )
    genes = np.array([f"gene_{number:05d}" for number in range(1, n_features + 1)])

    values = random.normal(8.0, 1.5, n_features) + random.normal(0.0, settings["noise_sd"], (n_samples, n_features))
    places = random.permutation(n_features)
    markers = places[:n_markers].reshape(len(classes), -1)
    for label, columns in zip(classes, markers, strict=True):
        effects = random.normal(settings["effect"], 0.2 * settings["effect"], len(columns))
        values[np.ix_(labels == label, columns)] += effects
    if settings["modules"]:
        for columns in np.array_split(places[n_markers:], settings["modules"]):
            values[:, columns] += random.normal(0.0, 0.5, (n_samples, 1)) * random.normal(0.0, 1.0, len(columns))
    batch = random.integers(settings["batches"], size=n_samples)
    values += random.normal(0.0, settings["batch_sd"], (settings["batches"], n_features))[batch]
    values[random.random(values.shape) < settings["missing"]] = np.nan

    # Neither the order nor the names of samples tell the class.
    order = random.permutation(n_samples)
    names = [f"sample_{number:04d}" for number in range(1, n_samples + 1)]
    matrix = pd.DataFrame(values[order], columns=genes).round(4)
    matrix.insert(0, "sample", names)
    samples = pd.DataFrame({"sample": names, "label": labels[order], "batch": [f"batch_{b + 1}" for b in batch[order]]})
    if settings["replicates"] is not None:
        samples["group"] = samples.groupby("label").cumcount() % settings["replicates"] + 1
    truth = pd.DataFrame(
        [(label, genes[column]) for label, columns in zip(classes, markers, strict=True) for column in sorted(columns)],
        columns=["class", "feature"],
    )
    return matrix, samples, truth
