"""One repeat of `cell_cycle` and `cell_cycle_peak` on the data of Spellman et al. without networks; docs/results.md has
the whole."""

import json

import pandas as pd
import pytest
from running import ROOT

PHASES = f"""\
title: One repeat of the published phases
extends: {ROOT}/resources/studies/cell_cycle.yaml
evaluation: {{repeats: 1, folds: 5, inner_folds: 2}}
models: [logistic_regression, rbf_svm, fourier_phase]
explain: {{models: [logistic_regression]}}
cluster: {{random_sets: 2}}
transfer: null
map: tsne
"""
PEAKS = f"""\
title: One repeat of the peak phases
extends: {ROOT}/resources/studies/cell_cycle_peak.yaml
evaluation: {{repeats: 1, folds: 2, inner_folds: 2}}
models: [logistic_regression, peak_time]
explain: {{models: [logistic_regression]}}
cluster: {{random_sets: 2}}
model_params: null
map: tsne
"""


@pytest.fixture(scope="module")
def phases(run_public):
    """Run from the published files to the report, data taken from the mirror."""
    return run_public("spellman_1998", "phases", PHASES)


@pytest.fixture(scope="module")
def metrics(phases):
    return json.loads((phases / "evaluation/metrics.json").read_text())


def test_scores_are_those_of_an_honest_protocol(metrics):
    # Somewhat below the figures of docs/results.md; a leak would lift them far above the upper bounds.
    assert metrics["n_samples"] == 800
    svm, fourier = metrics["models"]["rbf_svm"], metrics["models"]["fourier_phase"]
    assert 0.87 <= svm["accuracy"]["value"] <= 0.93
    assert 0.84 <= svm["macro_f1"]["value"] <= 0.92
    assert 0.76 <= fourier["accuracy"]["value"] <= 0.85


def test_permuted_labels_score_what_guessing_scores(metrics):
    low, high = metrics["controls"]["permuted_labels"]["balanced_accuracy"]["ci95"]
    assert low <= 0.2 <= high


def test_errors_lie_beside_the_truth_on_the_cycle(metrics):
    errors = metrics["extra"]["cyclic_error"]
    assert errors["rbf_svm"]["within_one_step"] >= 0.97
    assert errors["rbf_svm"]["mean_steps"]["value"] < 0.2 < errors["majority"]["mean_steps"]["value"]


def test_every_unlabelled_gene_is_called_and_none_is_scored(phases):
    samples = pd.read_csv(phases / "data/samples.tsv", sep="\t", keep_default_na=False)
    calls = pd.read_csv(phases / "predict/unlabelled.tsv", sep="\t")
    tested = pd.read_parquet(phases / "evaluation/predictions.parquet")
    unlabelled = set(samples.loc[samples["label"] == "", "sample"])
    assert set(calls["sample"]) == unlabelled
    assert len(unlabelled) > 5000
    assert not unlabelled & set(tested["sample"])


def test_the_periods_are_those_of_the_literature(phases):
    synchrony = pd.read_csv(phases / "explore/synchrony.tsv", sep="\t", index_col="experiment")
    assert synchrony["period"].between([55, 100, 75, 350], [75, 125, 100, 400]).all()
    genes = pd.read_csv(phases / "explore/periodicity.tsv", sep="\t")
    samples = pd.read_csv(phases / "data/samples.tsv", sep="\t", keep_default_na=False, index_col="sample")
    joint = genes[genes["experiment"] == "all"].set_index("sample")
    published = samples.loc[joint.index, "label"] != ""
    assert joint.loc[published, "share"].median() > 2 * joint.loc[~published, "share"].median()


def test_peak_phase_is_a_rule(run_public):
    results = run_public("spellman_1998", "peaks", PEAKS)
    metrics = json.loads((results / "evaluation/metrics.json").read_text())
    assert metrics["n_samples"] == 4381
    assert metrics["models"]["peak_time"]["accuracy"]["value"] > 0.999
    assert metrics["models"]["logistic_regression"]["accuracy"]["value"] < 0.95
