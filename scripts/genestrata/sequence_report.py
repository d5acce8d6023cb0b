"""Sections of the report page that only studies of sequences have, each where its results are there."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from genestrata.files import read_table
from genestrata.models.registry import REGISTRY, model_title
from genestrata.report_parts import (
    image_section,
    number,
    scatter_section,
    table_section,
    with_interval,
)
from genestrata.splitting import FINAL
from genestrata.tables import read_tuning

Section = tuple[str, str, str, dict]
# What reading changes in the letters of sequences, in the words of the page.
LETTERS = {
    "lower_case": "Lower case, made upper case",
    "uracil": "U, read as T",
    "gap": "Gaps, removed",
    "ambiguous": "IUPAC ambiguity codes, kept",
}
# How the calls of a model are explained, on some held-out sequences: by k-mers, or by what a network reads.
KMERS_EXPLAINED = (
    "SHAP values of some held-out sequences of each class, of as many homology groups as there are, for the k-mers "
    "that matter most; weights are of the model fitted on all sequences."
)
TOKENS_EXPLAINED = (
    "Integrated gradients of some held-out sequences of each class, of as many homology groups as there are: what each "
    "letter adds to the probability of the class that is called and of the true one, against a sequence of average "
    "letters; a word has its share of its letters. Logos show the part that adds most of the best-called sequences; "
    "letters that hang below the line speak against the class."
)
METRICS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro-F1"}
# Conflicts listed on the page; cleaning.json holds all of them.
LISTED = 50


def cleaning_sections(cleaning: Mapping[str, Any]) -> Iterator[Section]:
    """What was done to letters, which sequences have several labels, and which ones are related."""
    if "letters" in cleaning:
        sentences = []
        if cleaning["left_out_classes"]:
            left_out = ", ".join(f"{escape(label)} ({size})" for label, size in cleaning["left_out_classes"].items())
            sentences.append(f"Classes left out: {left_out}.")
        homology = cleaning["homology"]
        if homology:
            sentences.append(
                f"Sequences of at least {homology['identity']:.0%} estimated identity, and whatever such steps join, "
                f"are one homology group: {homology['groups']:,} groups, the largest of {homology['largest']:,} "
                "sequences."
            )
        rows = {text: {"letters": cleaning["letters"].get(name, 0)} for name, text in LETTERS.items()}
        headers = {"letters": {"title": "Letters", "format": "{:,.0f}"}}
        yield (
            "letters",
            "What was done to the letters",
            " ".join(sentences),
            table_section(rows, headers, "Change", "Letters", descending=True),
        )
    conflicts = cleaning.get("conflicts", [])
    if conflicts:
        rows = {
            ", ".join(conflict["samples"]): {"labels": ", ".join(sorted(set(conflict["labels"])))}
            for conflict in conflicts[:LISTED]
        }
        yield (
            "conflicts",
            "One sequence, several labels",
            f"Sequences under more than one label, which belong to no class: {len(conflicts)}, of which {len(rows)} "
            "are listed; all are in <code>data/cleaning.json</code>.",
            table_section(rows, {"labels": {"title": "Labels"}}, "Sequences", "Sequences"),
        )


def sequence_sections(study: Mapping[str, Any], metrics: Mapping[str, Any], folder: Path) -> Iterator[Section]:
    """Search, architecture and how far the scores carry over.

    study["extra"] lists the files of the study that the page may use, below `folder`.
    """
    extra, files = metrics["extra"], study["extra"]
    if "evaluation/precision_recall.png" in files:
        yield (
            "precision_recall",
            "Precision and recall",
            "Held-out sequences of all folds together; in brackets the average precision.",
            image_section([(folder / "evaluation/precision_recall.png", "Precision against recall of each class")]),
        )
    if "random_split" in extra:
        yield _split_section(extra["random_split"])
    if "accuracy_by_identity" in extra:
        yield _identity_section(extra["accuracy_by_identity"])
    if "evaluation/accuracy_by_identity.png" in files:
        text = "Accuracy of every model by identity to the nearest training sequence"
        yield "identity_curves", text, "", image_section([(folder / "evaluation/accuracy_by_identity.png", text)])
    if "evaluation/tuning.tsv" in files:
        yield from _search_sections(read_tuning(folder / "evaluation/tuning.tsv"))
    if "evaluation/cv_against_test.png" in files:
        yield _generalisation_section(extra["cv_against_test"])
        yield (
            "cv_against_test_folds",
            "Inner against test score of every fold",
            "Points far below the diagonal are folds whose search flattered the setting that it chose.",
            image_section(
                [(folder / "evaluation/cv_against_test.png", "Inner against test balanced accuracy by fold")]
            ),
        )
    drawn = [
        (folder / f"evaluation/architecture_{model}.png", f"Layers of {model_title(model)}")
        for model in study["networks"]
        if f"evaluation/architecture_{model}.png" in files
    ]
    if drawn:
        yield (
            "architecture",
            "Layers of the networks",
            "Of the network fitted on all sequences; also as JSON in <code>evaluation/</code>.",
            image_section(drawn),
        )


def _split_section(splits: Mapping[str, Any]) -> Section:
    rows = {
        f"{model_title(model)}, {name}": {part: with_interval(entry[part][metric]) for part in entry}
        for model, entry in splits.items()
        for metric, name in METRICS.items()
    }
    headers = {
        "grouped": {"title": "Relatives kept together (95 %)", "description": "the split of this study"},
        "random": {"title": "Random split (95 %)"},
        "gap": {"title": "What a random split adds (95 %)", "description": "paired by sequence"},
    }
    return (
        "random_split",
        "How much a random split flatters",
        "The same models tuned, fitted and tested on a random split, in which relatives of a test sequence may be "
        "known from training. The gap is what recognising relatives is worth; figures from random splits compare with "
        "the middle column only.",
        table_section(rows, headers, "Model, score", "Model, score"),
    )


def _identity_section(accuracy: Mapping[str, Any]) -> Section:
    sizes = {(entry["from"], entry["to"]): entry["n"] for entries in accuracy.values() for entry in entries}
    headers = {f"{low}": {"title": f"{low:.0%} to {high:.0%} ({sizes[low, high]:,})"} for low, high in sorted(sizes)}
    rows = {
        model_title(model): {
            f"{entry['from']}": with_interval({"value": entry["accuracy"], "ci95": entry["ci95"]}) for entry in entries
        }
        for model, entries in accuracy.items()
    }
    return (
        "accuracy_by_identity",
        "Accuracy by identity to the nearest training sequence",
        "Identity is estimated from shared 12-mers, by which unrelated genes read as 60 to 70 %. In brackets: held-out "
        "sequences of all repeats; 95 % Wilson intervals.",
        table_section(rows, headers, "Model", "Model"),
    )


def _search_sections(tuning: pd.DataFrame) -> Iterator[Section]:
    """Settings by fold of every model that had a choice."""
    tuning = tuning.assign(fold_of=tuning["repeat"] + "/" + tuning["fold"].replace(FINAL, "all data"))
    rows: dict[str, dict[str, str]] = {}
    folds = {fold: f"fold_{number}" for number, fold in enumerate(tuning["fold_of"].unique())}
    for model, candidates in tuning.groupby("model", sort=False):
        names = setting_names(candidates["parameters"])
        for setting, group in candidates.groupby(names, sort=False):
            if len(set(names)) > 1:
                cells = {
                    folds[fold]: f"{number(score)}{' ✓' if chosen else ''}"
                    for fold, score, chosen in zip(
                        group["fold_of"], group["inner_balanced_accuracy"], group["chosen"], strict=True
                    )
                }
                rows[f"{model_title(model)}: {setting}"] = cells | {"chosen": int(group["chosen"].sum())}
    if rows:
        headers: dict[str, dict[str, str]] = {key: {"title": fold} for fold, key in folds.items()}
        headers["chosen"] = {"title": "Times chosen", "format": "{:,.0f}"}
        yield (
            "search",
            "Search of the settings",
            "Balanced accuracy inside the training part of each fold (repeat/fold); the best setting is chosen (✓).",
            table_section(rows, headers, "Model: setting", "Model: setting"),
        )


def setting_names(parameters: pd.Series) -> pd.Series:
    """What tells each setting from the others of its model, as text; parameters : JSON objects."""
    parsed = {text: json.loads(text) for text in parameters.unique()}
    keys = sorted({key for setting in parsed.values() for key in setting})
    varied = [key for key in keys if len({json.dumps(setting.get(key)) for setting in parsed.values()}) > 1]
    names = {
        text: ", ".join(f"{key} {json.dumps(setting.get(key)).strip('[]')}" for key in varied).replace('"', "")
        for text, setting in parsed.items()
    }
    return parameters.map(names)


def _generalisation_section(scores: Mapping[str, Any]) -> Section:
    rows = {
        model_title(model): {
            "inner": entry["inner"],
            "test": entry["test"],
            "difference": entry["inner"] - entry["test"],
            "folds": len(entry["folds"]),
        }
        for model, entry in scores.items()
    }
    decimals = {"format": "{:,.3f}"}
    headers = {
        "inner": {"title": "Inner score", **decimals},
        "test": {"title": "Test score", **decimals},
        "difference": {"title": "Inner less test", **decimals},
        "folds": {"title": "Folds", "format": "{:,.0f}"},
    }
    return (
        "cv_against_test",
        "Inner scores against test scores",
        "Balanced accuracy of the chosen setting inside the training part and on the held-out part, means over folds.",
        table_section(rows, headers, "Model", "Test score", descending=True),
    )


def explanation_text(model: str) -> str:
    """How the calls of a model that reads sequences are explained, "" for any other model."""
    if REGISTRY[model].task != "sequence":
        return ""
    return TOKENS_EXPLAINED if REGISTRY[model].deep else KMERS_EXPLAINED


def cluster_sections(clusters: Mapping[str, Any], folder: Path) -> Iterator[Section]:
    """What the sequences look like without labels."""
    points = read_table(folder / "cluster/pca.tsv", dtype={"sample": str, "label": str})
    share = clusters["explained_variance"]
    sampled = (
        f" {clusters['sequences']:,} of {clusters['of_sequences']:,} sequences, drawn at random."
        if clusters["sequences"] < clusters["of_sequences"]
        else ""
    )
    labels = escape(", ".join(sorted(set(points["label"]))))
    yield (
        "pca",
        "Sequences without labels",
        f"Principal components of {clusters['kmers']:,} protein words; the first two hold {share[0]:.0%} and "
        f"{share[1]:.0%} of the variance. Colours are the labels ({labels}), which took no part.{sampled}",
        scatter_section(points),
    )
    table = read_table(folder / "cluster/clustering.tsv").set_index("method")
    scores = ("purity", "homogeneity", "completeness", "v_measure", "adjusted_rand", "silhouette")
    headers = {"n_clusters": {"title": "Clusters", "format": "{:,.0f}"}}
    headers |= {key: {"title": key.replace("_", " ").capitalize(), "format": "{:,.3f}"} for key in scores}
    homology = clusters["homology"]
    text = f"k-means and agglomerative clusters of the first {clusters['components']} components, as many as classes. "
    if homology:
        text = (
            f"Homology groups are made from the sequences alone: {homology['purity']:.1%} of the sequences have the "
            f"commonest label of their group, and a class is spread over many groups (completeness "
            f"{number(homology['completeness'])}). {text}"
        )
    yield (
        "clusters",
        "Groups and clusters and how they agree with the labels",
        text,
        table_section(table[list(headers)].to_dict("index"), headers, "Method", "V measure", descending=True),
    )


def best_possible_text(metrics: Mapping[str, Any]) -> str:
    """Why no model can be always right, where that is known."""
    if "best_possible" not in metrics["extra"]:
        return ""
    return " Some labels are wrong on purpose, so that the best possible accuracy is known."


def best_possible_row(metrics: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The row of the best possible model beside the others, where it is known."""
    if "best_possible" not in metrics["extra"]:
        return {}
    accuracy = metrics["extra"]["best_possible"]["accuracy"]
    return {"Best possible": {"note": "knows the rule behind the labels", "accuracy": number(accuracy)}}
