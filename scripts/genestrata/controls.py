"""Negative control: the whole protocol on permuted labels must score what guessing scores."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from genestrata.metrics import balanced_accuracy
from genestrata.predictions import codes
from genestrata.ranking import rank_folds
from genestrata.seeds import derive_seed
from genestrata.splitting import GROUPED_SCHEMES, Fold, read_folds, resolve_scheme, split_samples
from genestrata.training import Cohort, Rankings, candidate_settings, train_fold

logger = logging.getLogger(__name__)


def permute_labels(samples: pd.DataFrame, scheme: str, random: np.random.Generator) -> np.ndarray:
    """Permute labels over samples, within the parts of a published split.

    Where the evaluation is grouped and the label is constant in each group, whole groups change labels.
    """
    labels = samples["label"].to_numpy(dtype=object)
    if scheme == "published":
        part = samples["split"].to_numpy(dtype=str)
        permuted = labels.copy()
        for name in np.unique(part):
            permuted[part == name] = random.permutation(labels[part == name])
        return permuted
    if scheme in GROUPED_SCHEMES and (samples.groupby("group")["label"].nunique() == 1).all():
        of_group = samples.groupby("group")["label"].first()
        shuffled = pd.Series(random.permutation(of_group.to_numpy(dtype=object)), index=of_group.index)
        return shuffled[samples["group"]].to_numpy(dtype=object)
    return random.permutation(labels)


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
    scheme = resolve_scheme(evaluation, samples)
    settings = candidate_settings(model, select["k"], len(cohort.features), overrides)
    rows = []
    for number in tqdm(range(permutations), desc="permutations", leave=False, disable=None):
        permutation_seed = derive_seed(seed, "permutation", str(number))
        labels = permute_labels(samples, scheme, np.random.default_rng(permutation_seed))
        permuted, relabelled = replace(cohort, labels=labels), samples.assign(label=labels)
        splits = split_samples(relabelled, {**evaluation, "repeats": 1}, permutation_seed, where)
        folds = [fold for fold in read_folds(splits, relabelled, "r0") if len(fold.test)]
        score = _score(permuted, folds, select["method"], settings, model, permutation_seed)
        rows.append({"permutation": number, "model": model, "balanced_accuracy": score})
        logger.info("permutation %d: balanced accuracy %.3f", number, score)
    return pd.DataFrame(rows)


def _score(
    cohort: Cohort, folds: Sequence[Fold], method: str, settings: Sequence[Mapping[str, Any]], model: str, seed: int
) -> float:
    """Balanced accuracy of the pooled test predictions."""
    ranking = rank_folds(cohort.values, cohort.labels, cohort.features, folds, method)
    rankings = Rankings(ranking, cohort.features)
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
