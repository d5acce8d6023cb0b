"""Gene sets ranked without the samples that are later clustered on them, so that the comparison is out of sample."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genestrata.cohort import Cohort
from genestrata.explaining import Extent, explain_model
from genestrata.gene_sets import class_scores, correct_calls, score_data, take_sets
from genestrata.models.storage import FittedModel
from genestrata.parts import Part
from genestrata.ranking import Rankings, Unranked, rank_here
from genestrata.seeds import derive_seed
from genestrata.set_names import CONSENSUS, DATA_RANKINGS
from genestrata.splitting import Fold, folds_within
from genestrata.training import candidate_settings, fold_predictions, refit, sizes_to_try, train_fold

# Columns of held_out_sets.tsv.
SET_COLUMNS = ["part", "set", "rank", "feature", "class"]


def rank_sets(
    cohort: Cohort, samples: pd.DataFrame, part: Part, study: Mapping[str, Any], seed: int, threads: int
) -> pd.DataFrame:
    """The compared sets of a study, chosen by the fitted rows of a part alone: set, rank, feature, class.

    cohort, samples : those with a label, in the same order; study : its select, evaluation, model_params, explain and
    cluster. A model is fitted and explained in folds of those rows; the consensus of models has the best features of
    the study's selection in its stead, and is left out where nothing is selected. `seed` draws folds and fits models.
    """
    seed = derive_seed(seed, "held out sets", part.name)
    cluster, rows = study["cluster"], part.fitted
    names = [name for name in cluster["gene_sets"] if name != CONSENSUS or study["select"]["method"] != "none"]
    if not names:
        return pd.DataFrame(columns=SET_COLUMNS[1:])
    limits, selected = study["select"].get("expressed"), pd.DataFrame(columns=["feature", "class"])
    scores = score_data(names, cohort.values[rows], cohort.labels[rows], cohort.features, limits)
    models = [name for name in names if name not in (CONSENSUS, *DATA_RANKINGS)]
    if CONSENSUS in names:
        whole = Fold("r0", part.name, rows, rows[:0], [])
        # All that can be selected: the rule gives the size.
        columns = rank_here(cohort, [whole], study["select"]).best(part.name, None, len(cohort.features))[0]
        selected = pd.DataFrame({"feature": cohort.features[columns], "class": ""})
    if models:
        folds = folds_within(samples, study["evaluation"], rows, seed, f"held-out sets, part {part.name}")
        rankings = rank_here(cohort, folds, study["select"])
        for name in models:
            scores[name] = score_model(name, cohort, folds, rankings, study, seed, threads)
    return take_sets(names, scores, selected, cluster["set_rule"], cluster["set_size"])


def score_model(
    name: str,
    cohort: Cohort,
    folds: Sequence[Fold],
    rankings: Rankings | Unranked,
    study: Mapping[str, Any],
    seed: int,
    threads: int,
) -> pd.DataFrame:
    """`class_scores` of a model that is fitted on the training part of each fold and explained on its test part."""
    extent = Extent(study["explain"]["background"], study["explain"]["draws"], "own")
    position = pd.Series(np.arange(len(cohort.features)), index=cohort.features)
    calls = []
    with tempfile.TemporaryDirectory() as folder:
        for fold in folds:
            model = fit_best(name, cohort, fold, rankings, study, derive_seed(seed, fold.name, name), threads)
            model.save(Path(folder) / fold.name)
            values = cohort.values[np.ix_(fold.test, position[model.features].to_numpy())]
            none = [None] * len(fold.test)
            calls.append(fold_predictions(name, cohort, fold, none, fold.test, model.predict_proba(values)))
        explained = explain_model(name, cohort, folds, {"r0": Path(folder)}, extent, seed)
    return class_scores(explained.values, correct_calls(pd.concat(calls, ignore_index=True)))


def fit_best(
    name: str,
    cohort: Cohort,
    fold: Fold,
    rankings: Rankings | Unranked,
    study: Mapping[str, Any],
    seed: int,
    threads: int,
) -> FittedModel:
    """A model with the largest number of features that the study tries, so that a set of that size can be filled, and
    with the parameters that score best in the inner folds where there is a choice."""
    largest = max(sizes_to_try(study["select"], len(cohort.features)))
    overrides = study.get("model_params", {}).get(name, {})
    settings = candidate_settings(name, [largest], len(cohort.features), overrides)
    if len(settings) == 1:
        return refit(name, cohort, fold, rankings, settings[0], seed, threads)[0]
    return train_fold(name, cohort, fold, rankings, settings, seed, threads).model
