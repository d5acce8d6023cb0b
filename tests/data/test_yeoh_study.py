"""One repeat of `all_subtypes` on the data of Yeoh et al. with its cheapest models; docs/results.md has the whole."""

import json

import pandas as pd
import pytest
from running import ROOT

STUDY = f"""\
title: One repeat of the leukaemia subtypes
extends: {ROOT}/resources/studies/all_subtypes.yaml
evaluation: {{repeats: 1}}
select: {{k: [50, 100]}}
models: [linear_svm, nearest_shrunken_centroids, shrinkage_lda, dense]
explain: {{models: [linear_svm]}}
controls: {{model: shrinkage_lda}}
cluster: {{methods: [kmeans], random_sets: 5}}
"""


@pytest.fixture(scope="module")
def results(run_public):
    """Run from the published file to the report, data taken from the mirror."""
    return run_public("yeoh_2002", "one_repeat", STUDY)


@pytest.fixture(scope="module")
def metrics(results):
    return json.loads((results / "evaluation/metrics.json").read_text())


def test_all_patients_are_tested_under_their_published_labels(metrics):
    assert metrics["n_samples"] == 248
    assert metrics["classes"] == {
        "BCR-ABL": 15,
        "E2A-PBX1": 27,
        "Hyperdip>50": 64,
        "MLL": 20,
        "T-ALL": 43,
        "TEL-AML": 79,
    }
    assert metrics["protocol"]["test_folds_without_class"] == {}


def test_scores_are_those_of_an_honest_protocol(metrics):
    # Five per cent below the figures of docs/results.md; a leak would lift them far above the upper bounds.
    stack, dense = metrics["models"]["stack"], metrics["models"]["dense"]
    assert 0.86 <= stack["accuracy"]["value"] <= 0.96
    assert 0.80 <= stack["balanced_accuracy"]["value"] <= 0.96
    assert 0.82 <= dense["accuracy"]["value"] <= 0.95
    assert stack["roc_auc_ovr"]["value"] >= 0.96


def test_permuted_labels_score_what_guessing_scores(metrics):
    low, high = metrics["controls"]["permuted_labels"]["balanced_accuracy"]["ci95"]
    assert low <= 1 / 6 <= high


def test_no_name_of_a_sample_and_no_control_probe_is_a_feature(results):
    table = pd.read_parquet(results / "data/features.parquet")
    features = table.columns[1:]
    assert not features.str.startswith("AFFX").any()
    assert not set(features) & set(table["sample"])
    assert table[features].dtypes.eq("float32").all()
