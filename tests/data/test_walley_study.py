"""`maize_tissues` on the data of Walley et al. with its cheapest models; docs/results.md has the whole."""

import json

import pandas as pd
import pytest
from running import ROOT

STUDY = f"""\
title: Maize tissues by linear models
extends: {ROOT}/resources/studies/maize_tissues.yaml
select: {{k: [1000]}}
models: [linear_svm, nearest_shrunken_centroids]
model_params: {{linear_svm: {{C: 0.01}}}}
stack: null
explain: {{models: [linear_svm]}}
cluster: {{gene_sets: [linear_svm, moderated_f], random_sets: 20, restarts: 10, map: none}}
"""


@pytest.fixture(scope="module")
def results(run_public):
    return run_public("walley_2016_maize", "maize", STUDY)


@pytest.fixture(scope="module")
def metrics(results):
    return json.loads((results / "evaluation/metrics.json").read_text())


def test_unfinished_and_silent_genes_are_dropped_and_counted(results):
    cleaning = json.loads((results / "data/cleaning.json").read_text())
    dropped = {step["step"]: step["dropped"] for step in cleaning["steps"]}
    assert dropped == {"unfinished loci": 110, "zero everywhere": 5140, "constant or empty": 14}
    assert cleaning["after"] == {"samples": 68, "features": 40477}


def test_one_replicate_of_every_tissue_is_held_out(results):
    splits = pd.read_csv(results / "splits.tsv", sep="\t", dtype=str)
    samples = pd.read_csv(results / "data/samples.tsv", sep="\t", dtype=str)
    test = splits[splits["role"] == "test"].merge(samples, on="sample")
    assert test.groupby("fold")["group"].nunique().tolist() == [1, 1, 1]
    # The vegetative meristem has two replicates.
    assert sorted(test.groupby("fold")["label"].nunique()) == [22, 23, 23]


def test_tissues_are_recognised_and_permuted_ones_are_not(metrics):
    assert metrics["models"]["linear_svm"]["macro_f1"]["value"] > 0.93
    low, high = metrics["controls"]["permuted_labels"]["balanced_accuracy"]["ci95"]
    assert low <= 1 / 23 <= high
    assert metrics["protocol"]["replicates_shared"] == ["outer", "inner"]


def test_gene_sets_cluster_their_own_samples_better_than_random_sets(metrics):
    inside = metrics["extra"]["v_measure"]["in sample"]
    for name in ("linear_svm", "moderated_f"):
        entry = inside["sets"][name]
        assert entry["v_measure"] > max(entry["free"]["percentile_95"], inside["all_genes"]["v_measure"])
        assert entry["free"]["p"] == pytest.approx(1 / 21)


def test_sets_are_judged_on_tissues_that_did_not_choose_them(results, metrics):
    parts = pd.read_csv(results / "cluster/held_out_parts.tsv", sep="\t", dtype=str)
    labels = pd.read_csv(results / "data/samples.tsv", sep="\t", dtype=str).set_index("sample")["label"]
    for _, part in parts.groupby("part"):
        seen, clustered = (set(labels[part.loc[part["role"] == role, "sample"]]) for role in ("train", "test"))
        assert len(seen | clustered) == 23 and not seen & clustered
    assert set(metrics["extra"]["v_measure"]["out of sample"]["sets"]) == {"linear_svm", "moderated_f"}
