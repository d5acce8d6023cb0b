"""The bundle: what is in it is what was fitted on all samples."""

import hashlib
import importlib.metadata

import numpy as np
import pandas as pd
import pytest

from genestrata import bundle as bundling
from genestrata.bundle import installed_versions, write_bundle
from genestrata.calibration import apply_temperature, choose_threshold, fit_temperature
from genestrata.evaluation import evaluate
from genestrata.files import json_ready, read_json, write_json
from genestrata.models.storage import FittedModel
from genestrata.predictions import codes, probabilities

MODELS = ["logistic_regression", "decision_tree", "xgboost", "stack"]


@pytest.fixture(scope="module")
def inputs(trained_study):
    study = trained_study
    metrics, _ = evaluate(study.predictions, study.tuning, study.history, study.samples, study.protocol, "temperature")
    metrics |= {
        "n_features": 20,
        "controls": {"permuted_labels": {"balanced_accuracy": {"value": 0.337, "ci95": [0.2, 0.4]}}},
    }
    return {
        "models_dirs": {model: study.directories["r0", model] for model in MODELS},
        "predictions": study.predictions[study.predictions["repeat"] == "r0"],
        "base_models": study.base,
        "metrics": json_ready(metrics),
        "cleaning": {"settings": {"transform": "log2"}},
        "features": list(study.cohort.features),
        "study": {
            "name": "small",
            "title": "A small study",
            "data": "simulated",
            "citation": "Nobody 2020",
            "licence": "",
            "task": "expression",
            "calibration": "temperature",
        },
    }


@pytest.fixture(scope="module")
def bundle(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, **inputs)
    return folder


def test_checksums_are_those_of_all_parts(bundle):
    checksums = read_json(bundle / "bundle.json")["checksums"]
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (bundle / "parts").iterdir()}
    assert checksums == files
    assert {name.partition(".")[0] for name in files} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_parts_are_copies_under_the_name_of_their_model(model, bundle, trained_study):
    source = trained_study.directories["r0", model]
    original, copied = read_json(source / "final.json"), read_json(bundle / "parts" / f"{model}.json")
    suffix = ".skops" if model in ("logistic_regression", "decision_tree") else ".ubj"
    assert (original["file"], copied["file"]) == (f"final{suffix}", f"{model}{suffix}")
    assert copied == original | {"file": f"{model}{suffix}"}
    assert (bundle / "parts" / copied["file"]).read_bytes() == (source / original["file"]).read_bytes()


def test_network_is_copied_without_being_read(inputs, tmp_path):
    """Any bytes will do: nothing that only TensorFlow could read is opened."""
    source = tmp_path / "dense"
    source.mkdir()
    (source / "final.keras").write_bytes(b"no network")
    write_json({"file": "final.keras", "features": ["g000"], "classes": ["A", "B", "C"]}, source / "final.json")
    rows = inputs["predictions"]
    rows = pd.concat([rows, rows[rows["model"] == "xgboost"].assign(model="dense")])
    folder = tmp_path / "bundle"
    directories = inputs["models_dirs"] | {"dense": source}
    write_bundle(folder, **inputs | {"models_dirs": directories, "predictions": rows})
    assert sorted(path.name for path in (folder / "parts").glob("dense*")) == ["dense.json", "dense.keras"]
    assert (folder / "parts" / "dense.keras").read_bytes() == b"no network"
    assert read_json(folder / "parts" / "dense.json")["file"] == "dense.keras"
    assert read_json(folder / "parts" / "dense.json")["features"] == ["g000"]
    content = read_json(folder / "bundle.json")
    assert content["checksums"]["dense.keras"] == hashlib.sha256(b"no network").hexdigest()
    assert content["models"]["dense"] == content["models"]["xgboost"]
    # The model of the study is left as it was.
    assert read_json(source / "final.json")["file"] == "final.keras"


@pytest.mark.parametrize("present", [("numpy",), ("numpy", "tensorflow", "keras")])
def test_versions_are_those_of_the_packages_that_are_installed(present, monkeypatch):
    def version(package):
        if package not in present:
            raise importlib.metadata.PackageNotFoundError(package)
        return f"{package}-1"

    monkeypatch.setattr(bundling.importlib.metadata, "version", version)
    assert installed_versions() == {package: f"{package}-1" for package in present}


@pytest.mark.parametrize("model", MODELS[:3])
def test_reloaded_parts_predict_as_the_models_fitted_on_all_samples(model, bundle, trained_study):
    original = FittedModel.load(trained_study.directories["r0", model] / "final")
    reloaded = FittedModel.load(bundle / "parts" / model)
    raw = np.random.default_rng(0).normal(8, 1, (10, len(original.features)))
    np.testing.assert_allclose(reloaded.predict_proba(raw), original.predict_proba(raw), atol=1e-6)
    assert (reloaded.features, reloaded.classes) == (original.features, ["A", "B", "C"])
    # Standardised by the statistics of all samples, none left out.
    columns = [list(trained_study.cohort.features).index(feature) for feature in reloaded.features]
    np.testing.assert_allclose(reloaded.mean, trained_study.cohort.values[:, columns].mean(axis=0), rtol=1e-5)


def test_calibration_comes_from_out_of_fold_rows_of_the_final_fold(bundle, inputs):
    content = read_json(bundle / "bundle.json")
    table = inputs["predictions"]
    for model in MODELS:
        rows = table[(table["model"] == model) & (table["fold"] == "final")]
        truth = codes(rows["true"], ["A", "B", "C"])
        temperature = fit_temperature(probabilities(rows), truth)
        threshold = choose_threshold(apply_temperature(probabilities(rows), temperature), truth)
        assert content["models"][model] == {"temperature": temperature, "threshold": threshold}


def test_without_calibration_there_is_no_temperature(inputs, tmp_path):
    write_bundle(tmp_path, **inputs | {"study": inputs["study"] | {"calibration": "none"}})
    assert {entry["temperature"] for entry in read_json(tmp_path / "bundle.json")["models"].values()} == {None}


def test_bundle_lists_every_gene_kept_by_the_cleaning(bundle, trained_study):
    assert read_json(bundle / "features.json") == list(trained_study.cohort.features)


def test_bundle_says_what_it_is(bundle, inputs):
    content = read_json(bundle / "bundle.json")
    assert (content["study"], content["data"], content["n_samples"]) == ("small", "simulated", 36)
    assert content["classes"] == ["A", "B", "C"]
    assert content["selected"] == inputs["metrics"]["selected"]
    assert content["base_models"] == MODELS[:3]
    assert content["clean"] == {"transform": "log2"}
    assert {"numpy", "scikit-learn", "skops"} <= set(content["versions"])


def test_writing_again_replaces_parts_and_keeps_the_bytes(bundle, inputs, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "old_model.skops").write_text("left over")
    write_bundle(tmp_path, **inputs)
    assert {path.name for path in (tmp_path / "parts").iterdir()} == {
        path.name for path in (bundle / "parts").iterdir()
    }
    assert (tmp_path / "MODEL_CARD.md").read_bytes() == (bundle / "MODEL_CARD.md").read_bytes()


def test_model_card_takes_its_numbers_from_the_metrics(bundle, inputs):
    card = (bundle / "MODEL_CARD.md").read_text(encoding="utf-8")
    metrics = inputs["metrics"]
    entry = metrics["models"][metrics["selected"]]
    for metric in ("balanced_accuracy", "accuracy", "ece"):
        low, high = entry[metric]["ci95"]
        assert f"{entry[metric]['value']:.3f} (95 % interval {low:.3f} to {high:.3f})" in card
    assert "SIMULATED" in card
    assert "A (14), B (12), C (10)" in card
    assert "majority class 0.333, permuted labels 0.337" in card
    assert "not stated" in card


def test_card_of_real_data_does_not_say_simulated(inputs, tmp_path):
    write_bundle(tmp_path, **inputs | {"study": inputs["study"] | {"data": "public", "licence": "CC0"}})
    card = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "SIMULATED" not in card
    assert "CC0" in card
