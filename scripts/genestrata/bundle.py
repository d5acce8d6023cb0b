"""The bundle: one folder with every fitted part of a study's models, fitted on all samples, and a model card.

bundle.json     study, classes, headline model, temperature and threshold of each model, checksums of all parts
parts/          <model>.skops, .ubj or .keras with <model>.json (features in order, training mean and standard
                deviation)
MODEL_CARD.md   what the model is for, how good it is and what it must not be used for
"""

import importlib.metadata
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pooch

from genestrata.calibration import Calibration
from genestrata.files import atomic_path, write_json
from genestrata.models.registry import model_title
from genestrata.models.storage import copy_model
from genestrata.predictions import class_names, codes, probabilities
from genestrata.splitting import FINAL
from genestrata.wording import TERMS

# Packages whose version decides whether a saved model can be read.
PACKAGES = ("numpy", "scikit-learn", "skops", "xgboost", "xgboost-cpu", "tensorflow", "keras")


def installed_versions() -> dict[str, str]:
    """Versions of the packages that saved models depend on, those installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def write_bundle(
    folder: Path,
    models_dirs: Mapping[str, Path],
    predictions: pd.DataFrame,
    base_models: Sequence[str],
    metrics: Mapping[str, Any],
    cleaning: Mapping[str, Any],
    features: Sequence[str],
    study: Mapping[str, Any],
) -> None:
    """Copy the final fold's models into `folder` with the calibration that their out-of-fold predictions give.

    models_dirs : model to the folder of its fitted models; predictions : rows of all models in repeat r0; features :
    every gene kept by the cleaning, which scaling a new sample by its own genes needs.
    """
    parts = folder / "parts"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    classes = class_names(predictions)
    models = {}
    for model, directory in models_dirs.items():
        copy_model(directory / FINAL, parts / model)
        of_model = (predictions["model"] == model) & (predictions["fold"] == FINAL)
        # The final fold's other rows are samples without a label.
        rows = predictions[of_model & predictions["inner_fold"].notna()]
        fitted = Calibration.fit(probabilities(rows), codes(rows["true"], classes), study["calibration"])
        models[model] = asdict(fitted)
    bundle = {
        "study": study["name"],
        "title": study["title"],
        "data": study["data"],
        "classes": classes,
        "selected": metrics["selected"],
        "base_models": list(base_models),
        "models": models,
        "clean": cleaning["settings"],
        "n_samples": metrics["n_samples"],
        "versions": installed_versions(),
        "checksums": {path.name: pooch.file_hash(str(path), alg="sha256") for path in sorted(parts.iterdir())},
    }
    write_json(list(features), folder / "features.json")
    write_json(bundle, folder / "bundle.json")
    with atomic_path(folder / "MODEL_CARD.md") as temporary:
        temporary.write_text(model_card(bundle, metrics, study), encoding="utf-8")


def model_card(bundle: Mapping[str, Any], metrics: Mapping[str, Any], study: Mapping[str, Any]) -> str:
    """The model card (Mitchell et al. 2019) as Markdown, every number from metrics.json."""
    selected = metrics["selected"]
    entry, protocol = metrics["models"][selected], metrics["protocol"]
    control = metrics["controls"]["permuted_labels"]["balanced_accuracy"]
    terms = TERMS[study["task"]]

    def interval(name: str) -> str:
        low, high = entry[name]["ci95"]
        return f"{entry[name]['value']:.3f} (95 % interval {low:.3f} to {high:.3f})"

    classes = ", ".join(f"{label} ({size})" for label, size in metrics["classes"].items())
    majority = metrics["models"]["majority"]["balanced_accuracy"]["value"]
    lines = [f"# {study['title']}: {model_title(selected)}", ""]
    if study["data"] == "simulated":
        lines += ["> **SIMULATED data**: this model knows nothing about real samples.", ""]
    lines += [
        f"- **Data**: {study['data']}, {metrics['n_samples']} {terms.samples}, {metrics['n_features']} "
        f"{terms.columns}. {study['citation']}",
        f"- **Licence of the data**: {study['licence'] or 'not stated'}",
        f"- **Classes**: {classes}",
        f"- **Cleaning expected of new samples**: {bundle['clean']}",
        f"- **Evaluation**: {protocol['scheme']}, {protocol['folds']} folds, {protocol['repeats']} repeats, "
        f"{protocol['inner_folds']} inner folds, seed {protocol['seed']}",
        f"- **Balanced accuracy**: {interval('balanced_accuracy')}; majority class {majority:.3f}, "
        f"permuted labels {control['value']:.3f}",
        f"- **Accuracy**: {interval('accuracy')}",
        f"- **Expected calibration error**: {interval('ece')}",
        f"- **Confidence below which no call is made**: {bundle['models'][selected]['threshold']:.3f}",
        "",
        "The score belongs to the protocol and was measured on held-out samples; the parts in this folder were "
        "refitted",
        "on all samples, with hyper-parameters chosen by one more inner cross-validation. Research use: not a medical",
        "device, not validated on other platforms, laboratories or populations than the data above.",
        "",
    ]
    return "\n".join(lines)
