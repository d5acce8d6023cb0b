"""The study `aml_all` on the real data of Golub et al.: the figures that docs/results.md states."""

import json

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def results(run_public):
    """Run the published split from raw CSV to report, data taken from the mirror."""
    return run_public("golub_1999", "aml_all")


@pytest.fixture(scope="module")
def metrics(results):
    return json.loads((results / "evaluation/metrics.json").read_text())


def test_published_split_of_38_and_34(metrics):
    assert metrics["data"] == "public"
    assert metrics["n_samples"] == 72
    assert metrics["protocol"]["scheme"] == "published"
    support = {label: entry["support"] for label, entry in metrics["models"]["stack"]["per_class"].items()}
    assert support == {"ALL": 20, "AML": 14}


def test_errors_among_34_independent_samples(metrics):
    models = metrics["models"]
    assert models[metrics["selected"]]["errors"] <= 2
    assert models["stack"]["errors"] <= 2
    assert min(models["logistic_regression"]["errors"], models["decision_tree"]["errors"]) <= 1


def test_permuted_labels_score_what_guessing_scores(metrics):
    control = metrics["controls"]["permuted_labels"]
    low, high = control["balanced_accuracy"]["ci95"]
    assert control["permutations"] >= 20
    assert low <= 0.5 <= high


def test_no_affymetrix_control_probe_is_ranked(results):
    consensus = pd.read_csv(results / "explain/consensus.tsv", sep="\t")
    assert not consensus["feature"].str.startswith("AFFX").any()


def test_known_markers_rank_high(results):
    markers = pd.read_csv(results / "explain/known_markers.tsv", sep="\t").set_index("name")
    assert markers.loc["zyxin", "rank"] <= 25
    assert markers.loc["CD33", "rank"] <= 50


def test_no_job_took_more_than_1500_mb(results):
    benchmarks = list((results.parents[1] / "benchmarks").rglob("*.jsonl"))
    peaks = {path: json.loads(path.read_text().splitlines()[0])["max_rss"] for path in benchmarks}
    assert len(peaks) > 15
    assert max(float(peak) for peak in peaks.values()) < 1500
