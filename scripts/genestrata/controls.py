"""Negative control: the whole protocol on permuted labels must score what guessing scores."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from genestrata.cohort import Cohort
from genestrata.errors import InputError
from genestrata.predictions import codes
from genestrata.ranking import rank_here
from genestrata.scoring import balanced_accuracy
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold, keeps_groups, read_folds, resolve_scheme, split_samples
from genestrata.training import candidate_settings, sizes_to_try, train_fold

logger = logging.getLogger(__name__)

ATTEMPTS = 20


def permute_labels(
    samples: pd.DataFrame, scheme: str, random: np.random.Generator, replicates: str = "separate"
) -> np.ndarray:
    """Permute labels over samples, within the parts of a published split.

    Where groups stay together and the label is constant in each, whole groups change labels. Where groups are the
    replicates of every class (`replicates` shared), labels change within each, so that a class keeps its replicates.
    """
    labels = samples["label"].to_numpy(dtype=object).copy()
    part = np.zeros(len(labels), dtype=str)
    if scheme == "published":
        part = samples["split"].to_numpy(dtype=str)
    elif replicates == "shared":
        part = samples["group"].to_numpy(dtype=str)
    whole_groups = keeps_groups(scheme, samples) and (samples.groupby("group")["label"].nunique() == 1).all()
    for name in np.unique(part):
        rows = np.flatnonzero(part == name)
        if whole_groups:
            _, first, group = np.unique(
                samples["group"].to_numpy(dtype=str)[rows], return_index=True, return_inverse=True
            )
            labels[rows] = random.permutation(labels[rows][first])[group]
        else:
            labels[rows] = random.permutation(labels[rows])
    return labels


def draw_permutation(
    samples: pd.DataFrame, evaluation: Mapping[str, Any], seed: int, where: str
) -> tuple[pd.DataFrame, list[Fold]]:
    """Permuted samples and the folds of one repeat; redrawn when chance leaves a training part with one class.

    Raises InputError after ATTEMPTS draws.
    """
    scheme = resolve_scheme(evaluation, samples)
    for attempt in range(ATTEMPTS):
        attempt_seed = derive_seed(seed, str(attempt))
        random = np.random.default_rng(attempt_seed)
        labels = permute_labels(samples, scheme, random, evaluation.get("replicates", "separate"))
        permuted = samples.assign(label=labels)
        try:
            splits = split_samples(permuted, {**evaluation, "repeats": 1}, attempt_seed, where)
        except InputError as error:
            problem = error
            continue
        return permuted, [fold for fold in read_folds(splits, permuted, "r0") if len(fold.test)]
    raise InputError(f"no permutation of the labels could be divided into folds: {problem}")


def permuted_scores(
    cohort: Cohort,
    samples: pd.DataFrame,
    evaluation: Mapping[str, Any],
    select: Mapping[str, Any],
    model: str,
    overrides: Mapping[str, Any],
    permutations: int,
    seed: int,
    where: str,
) -> pd.DataFrame:
    """Balanced accuracy of each permutation, through split, selection, tuning and fit, in one repeat."""
    n_features = len(cohort.features)
    settings = candidate_settings(model, sizes_to_try(select, n_features), n_features, overrides)
    rows = []
    for number in tqdm(range(permutations), desc="permutations", leave=False, disable=None):
        permutation_seed = derive_seed(seed, "permutation", str(number))
        permuted, folds = draw_permutation(samples, evaluation, permutation_seed, where)
        relabelled = replace(cohort, labels=permuted["label"].to_numpy(dtype=object))
        score = _score(relabelled, folds, select, settings, model, permutation_seed)
        rows.append({"permutation": number, "model": model, "balanced_accuracy": score})
        logger.info("permutation %d: balanced accuracy %.3f", number, score)
    return pd.DataFrame(rows)


def _score(
    cohort: Cohort,
    folds: Sequence[Fold],
    select: Mapping[str, Any],
    settings: Sequence[Mapping[str, Any]],
    model: str,
    seed: int,
) -> float:
    """Balanced accuracy of the pooled test predictions."""
    rankings = rank_here(cohort, folds, select)
    parts = [train_fold(model, cohort, fold, rankings, settings, seed, 1).predictions for fold in folds]
    test = pd.concat(parts)
    test = test[test["inner_fold"].isna()]
    return balanced_accuracy(codes(test["true"], cohort.classes), codes(test["predicted"], cohort.classes))


def summarise(scores: pd.DataFrame) -> dict[str, Any]:
    """The `permuted_labels` entry of metrics.json: mean and 2.5 to 97.5 % range over permutations."""
    values = scores["balanced_accuracy"].to_numpy(dtype=float)
    return {
        "model": scores["model"].iloc[0],
        "permutations": len(values),
        "balanced_accuracy": {"value": float(values.mean()), "ci95": np.percentile(values, [2.5, 97.5]).tolist()},
    }
