"""Small cohorts, folds and a trained study that tests share."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from genestrata.cohort import Cohort
from genestrata.ranking import rank_folds
from genestrata.splitting import read_folds, split_samples
from genestrata.stacking import train_stack
from genestrata.training import train_model

REPOSITORY = Path(__file__).parents[1]
EVALUATION = {"scheme": "cv", "folds": 3, "repeats": 1, "inner_folds": 3, "replicates": "separate"}


def build_cohort(sizes=(15, 15), n_features=20, effect=2.0, seed=0):
    """A cohort of classes A, B, … with mixed rows; gene `c` is raised in class `c`, the other genes are noise."""
    random = np.random.default_rng(seed)
    codes = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    values = random.normal(8.0, 1.0, (len(codes), n_features))
    values[np.arange(len(codes)), codes] += effect
    labels = np.array([chr(ord("A") + code) for code in codes], dtype=object)
    return Cohort(
        values=values.astype(np.float32),
        features=np.array([f"g{number:03d}" for number in range(n_features)], dtype=object),
        samples=np.array([f"s{number:03d}" for number in range(len(codes))], dtype=object),
        labels=labels,
        classes=sorted(set(labels)),
    )


def build_samples(labels, group="", split=""):
    """The table of samples.tsv; group and split are one value or one per sample."""
    names = [f"s{number:03d}" for number in range(len(labels))]
    return pd.DataFrame({"sample": names, "label": labels, "group": group, "split": split}, dtype=object)


def build_folds(samples, repeat="r0", seed=1, **evaluation):
    """Folds of one repeat as a job reads them."""
    splits = split_samples(samples, EVALUATION | evaluation, seed, "study.yaml")
    return list(read_folds(splits, samples, repeat))


@pytest.fixture(scope="session")
def repository():
    """Root of the workflow."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_folder():
    """Folder of the real data sets; tests that need it are skipped where it is absent."""
    folder = REPOSITORY / os.environ.get("GENESTRATA_DATA", "../shared/data")
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set GENESTRATA_DATA to their folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Numerical libraries use one thread, as in the workflow's jobs; more only get in each other's way."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def make_cohort():
    """`build_cohort` as a fixture."""
    return build_cohort


@pytest.fixture
def planted():
    """A cohort of three classes told apart by genes 0 to 8 of 60."""
    cohort = build_cohort(sizes=(12, 12, 12), n_features=60, effect=0)
    values = cohort.values.copy()
    for gene in range(9):
        values[cohort.codes == gene % 3, gene] += 4
    return replace(cohort, values=values)


@pytest.fixture
def make_samples():
    """`build_samples` as a fixture."""
    return build_samples


@pytest.fixture
def make_folds():
    """`build_folds` as a fixture."""
    return build_folds


@pytest.fixture(scope="session")
def trained_study(tmp_path_factory):
    """Three classes through 3 folds x 2 repeats with four models and their stack: everything that evaluation,
    explanation and bundle read."""
    cohort = build_cohort(sizes=(14, 12, 10), effect=1.5)
    samples = build_samples(cohort.labels)
    folder = tmp_path_factory.mktemp("cv")
    models = ["majority", "logistic_regression", "decision_tree", "xgboost"]
    overrides = {"logistic_regression": {"C": 0.1}, "decision_tree": {}, "xgboost": {"n_estimators": 5}}
    folds, tables, directories = [], [], {}
    for repeat in ("r0", "r1"):
        repeat_folds = build_folds(samples, repeat, repeats=2)
        ranking = rank_folds(cohort.values, cohort.labels, cohort.features, repeat_folds, {"method": "anova_f"})
        sizes = {fold.name: [3, 10] for fold in repeat_folds}
        base = []
        for model in models:
            directories[repeat, model] = folder / repeat / model
            results = train_model(
                model, cohort, repeat_folds, ranking, sizes, overrides.get(model, {}), 1, 1, folder / repeat / model
            )
            base.append(results.predictions)
            tables.append([table.assign(repeat=repeat, model=model) for table in results[:3]])
        directories[repeat, "stack"] = folder / repeat / "stack"
        results = train_stack(pd.concat(base), models[1:], repeat, 1, folder / repeat / "stack")
        tables.append([table.assign(repeat=repeat, model="stack") for table in results[:3]])
        folds += repeat_folds
    predictions, tuning, history = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    return SimpleNamespace(
        cohort=cohort,
        samples=samples,
        folds=folds,
        base=models[1:],
        predictions=predictions,
        tuning=tuning,
        history=history,
        directories=directories,
        protocol=EVALUATION | {"repeats": 2, "group": None, "seed": 1},
    )
