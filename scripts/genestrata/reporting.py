"""The report page: the result files of every study as sections of one MultiQC page.

Each section is one custom-content file of MultiQC (Ewels et al. 2016, Bioinformatics 32:3047), which draws the
interactive plots and tables; figures of results that MultiQC cannot draw are embedded as they are.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from genestrata.additivity import describe_additivity
from genestrata.cluster_report import sample_cluster_sections
from genestrata.distrust import reasons_to_distrust, tested_samples
from genestrata.errors import InputError
from genestrata.files import atomic_path, json_ready, read_json, read_table
from genestrata.marker_report import marker_sections
from genestrata.models.registry import REGISTRY, model_title
from genestrata.naming import readable
from genestrata.report_parts import (
    html_section,
    image_section,
    number,
    row_name,
    table_section,
    with_interval,
)
from genestrata.sequence_report import (
    best_possible_row,
    best_possible_text,
    cleaning_sections,
    cluster_sections,
    explanation_text,
    sequence_sections,
)
from genestrata.series_report import exploration_sections, series_sections
from genestrata.wording import TERMS, Terms

logger = logging.getLogger(__name__)

SCHEMES = {
    "published": "the published split into training and test samples",
    "cv": "stratified cross-validation",
    "grouped_cv": "stratified cross-validation that keeps groups together",
    "leave_one_group_out": "leaving one group out at a time",
}
DATA_NAMES = {"simulated": "SIMULATED", "public": "public", "user": "own files"}


def study_sections(study: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, str, str, dict]]:
    """Sections of a study in reading order: id, title, description, plot part."""
    metrics = read_json(folder / "evaluation/metrics.json")
    cleaning = read_json(folder / "data/cleaning.json")
    stability = read_json(folder / "explain/stability.json")
    clusters = read_json(folder / "cluster/summary.json")
    markers = read_table(folder / "explain/known_markers.tsv", dtype={"feature": str, "name": str})
    terms = TERMS[study["task"]]
    reasons = reasons_to_distrust(metrics, cleaning, stability, clusters, terms)

    yield "summary", "In short", "", html_section(_summary(study, metrics, reasons, terms))
    yield (
        "data",
        "What the data are",
        f"{terms.samples.capitalize()} and {terms.columns} before and after cleaning, and why each went.",
        _cleaning(cleaning, terms),
    )
    yield from cleaning_sections(cleaning)
    if study["task"] == "time_series":
        yield from exploration_sections(folder)
    yield from _evaluation_sections(metrics, folder, terms)
    yield from _network_sections(study, metrics, folder)
    yield from sequence_sections(study, metrics, folder)
    yield from series_sections(study, metrics, folder)
    yield from _feature_sections(study, stability, markers, folder, terms)
    yield from marker_sections(study, stability, folder, terms)
    if "kmers" in clusters:
        yield from cluster_sections(clusters, folder)
    else:
        yield from sample_cluster_sections(clusters, folder, terms)
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    yield (
        "distrust",
        "What to distrust",
        "Computed from this run; the first are the most serious.",
        html_section(f"<ul>{listed}</ul>"),
    )


def _summary(study: Mapping[str, Any], metrics: Mapping[str, Any], reasons: Sequence[str], terms: Terms) -> str:
    """The headline in sentences."""
    protocol, selected = metrics["protocol"], metrics["selected"]
    entry = metrics["models"][selected]
    classes = ", ".join(f"{escape(label)} ({size})" for label, size in metrics["classes"].items())
    control = metrics["controls"]["permuted_labels"]
    repeats = f", repeated {protocol['repeats']} times" if protocol["repeats"] > 1 else ""
    folds = f" in {protocol['folds']} folds" if protocol["scheme"] in ("cv", "grouped_cv") else ""
    recognition = (
        f" Other replicates of the same kinds of {terms.sample} were in training: the question is to recognise a kind "
        "that was seen."
        if protocol["replicates"] == "shared"
        else ""
    )
    simulated = (
        '<p class="genestrata-simulated"><strong>SIMULATED data.</strong> Drawn by this workflow with known markers; '
        f"nothing here is a finding about real {terms.samples}.</p>"
        if study["data"] == "simulated"
        else ""
    )
    paragraphs = [
        f"<strong>Data:</strong> {metrics['n_samples']} {terms.samples} with a label, {metrics['n_features']} "
        f"{terms.columns} after cleaning; classes "
        f"{classes}. {escape(study['citation']) if study['data'] != 'simulated' else ''}",
        f"<strong>Question put to the models:</strong> the class of {terms.samples} never seen before, by "
        f"{SCHEMES[protocol['scheme']]}{folds}{repeats}.{recognition} Scaling, selection, tuning and calibration used "
        f"training {terms.samples} only.",
        f"<strong>Answer:</strong> {escape(model_title(selected))}, chosen by its score inside the training part, "
        f"reaches a balanced accuracy of <strong>{with_interval(entry['balanced_accuracy'])}</strong> on held-out "
        f"{terms.samples} (errors: {entry['errors']:.3g} of {tested_samples(entry)}). Guessing the largest class gives "
        f"{number(metrics['models']['majority']['balanced_accuracy']['value'])}, the same protocol on permuted "
        f"labels {with_interval(control['balanced_accuracy'])}.",
        f"<strong>Before you use it:</strong> {len(reasons)} points to distrust are listed at the end of this study.",
    ]
    return simulated + "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs if paragraph)


def _cleaning(cleaning: Mapping[str, Any], terms: Terms) -> dict:
    """Table of the steps of cleaning."""
    rows = {"read": {**cleaning["before"], "why": ""}}
    for step in cleaning["steps"]:
        dropped = {step["of"]: -step["dropped"] or None}
        details = {key: value for key, value in step.items() if key not in ("step", "dropped", "of", "examples")}
        why = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in details.items())
        examples = f"e.g. {', '.join(step['examples'][:3])}" if step["examples"] else ""
        rows[step["step"]] = {**dropped, "why": "; ".join(text for text in (why, examples) if text)}
    rows["kept"] = {**cleaning["after"], "why": ""}
    rows = {name: {"order": place, **row} for place, (name, row) in enumerate(rows.items(), start=1)}
    headers = {
        "order": {"title": "Step", "format": "{:,.0f}"},
        "samples": {"title": terms.samples.capitalize(), "format": "{:,.0f}"},
        "features": {"title": terms.columns.capitalize(), "format": "{:,.0f}"},
        "why": {"title": "Detail"},
    }
    return table_section(rows, headers, "What was done", sort_by="Step")


def _evaluation_sections(
    metrics: Mapping[str, Any], folder: Path, terms: Terms
) -> Iterator[tuple[str, str, str, dict]]:
    """How good: models, classes, errors, curves, calibration, tuning."""
    selected, models = metrics["selected"], metrics["models"]
    curves = read_json(folder / "evaluation/curves.json")
    ordered = sorted(models, key=lambda model: -models[model]["balanced_accuracy"]["value"])
    rows = {}
    for model in ordered:
        entry = models[model]
        notes = [
            note
            for note, applies in (
                ("selected", model == selected),
                ("best on the test part (exploratory)", model == metrics["exploratory_best"]),
                ("baseline", model == "majority"),
            )
            if applies
        ]
        rows[model_title(model)] = {
            "note": ", ".join(notes),
            **{
                name: with_interval(entry[name])
                for name in ("balanced_accuracy", "accuracy", "macro_f1", "roc_auc_ovr")
            },
            "errors": entry["errors"],
            "mcc": entry["mcc"]["value"],
            "inner": entry["inner_score"]["balanced_accuracy"],
            "seconds": entry["train_seconds"],
        }
    rows |= best_possible_row(metrics)
    headers = {
        "note": {"title": "Note"},
        "balanced_accuracy": {"title": "Balanced accuracy (95 %)"},
        "accuracy": {"title": "Accuracy (95 %)"},
        "macro_f1": {"title": "Macro-F1 (95 %)"},
        "roc_auc_ovr": {"title": "ROC-AUC (95 %)"},
        "errors": {"title": "Errors", "description": "mean over repeats", "format": "{:,.1f}"},
        "mcc": {"title": "MCC", "description": "Matthews correlation", "format": "{:,.3f}"},
        "inner": {
            "title": "Inner score",
            "description": "balanced accuracy inside the training part, by which the headline is selected",
            "format": "{:,.3f}",
        },
        "seconds": {"title": "Training (s)", "format": "{:,.1f}"},
    }
    yield (
        "models",
        "How good the models are",
        f"On held-out {terms.samples}, with 95 % intervals. The headline model is the one with the best score inside "
        "the training part; the best one on the test part is named for comparison only." + best_possible_text(metrics),
        table_section(rows, headers, "Model", "Balanced accuracy (95 %)", descending=True),
    )
    yield (
        "scores",
        "Balanced accuracy with intervals",
        "",
        image_section([(folder / "evaluation/scores.png", "Balanced accuracy of every model with its 95 % interval")]),
    )
    per_class = {
        "precision": {"title": "Precision", "format": "{:,.3f}"},
        "recall": {"title": "Recall", "format": "{:,.3f}"},
        "f1": {"title": "F1", "format": "{:,.3f}"},
        "roc_auc": {"title": "ROC-AUC", "format": "{:,.3f}"},
        "support": {"title": terms.samples.capitalize(), "format": "{:,.0f}"},
    }
    title = model_title(selected)
    yield (
        "classes",
        "Each class",
        f"{title}, one class against the rest.",
        table_section(models[selected]["per_class"], per_class, "Class", terms.samples.capitalize(), descending=True),
    )
    confusion = read_table(folder / "evaluation/confusion_matrix.tsv", dtype={0: str})
    confusion = confusion.set_index(confusion.columns[0])
    yield (
        "confusion",
        "Which classes are confused",
        f"{title}: rows are true classes, columns predicted ones; {terms.samples}, mean over repeats.",
        {
            "plot_type": "heatmap",
            "pconfig": {
                "xlab": "Predicted",
                "ylab": "True",
                "square": True,
                "display_values": True,
                "tt_decimals": 1,
                "min": 0,
                "colstops": [[0, "#ffffff"], [1, "#0072B2"]],
            },
            "xcats": [escape(label) for label in confusion.columns],
            "ycats": [escape(label) for label in confusion.index],
            "data": confusion.to_numpy().tolist(),
        },
    )
    yield "roc", "ROC curves", curves["roc"]["description"], _line_plot(curves["roc"])
    yield (
        "calibration",
        "Calibration",
        curves["calibration"]["description"] + _calibration_text(models[selected]),
        _line_plot(curves["calibration"], markers=True),
    )
    tuning = curves["tuning"]
    if any(len(points) > 1 for points in tuning["lines"].values()):
        yield "tuning", "Tuning", tuning["description"], _line_plot(tuning, markers=True)


def _network_sections(
    study: Mapping[str, Any], metrics: Mapping[str, Any], folder: Path
) -> Iterator[tuple[str, str, str, dict]]:
    """How the networks were trained, and whether the order of the genes matters to them."""
    if study["networks"]:
        yield (
            "training",
            "Training of the networks",
            "Rows that are fitted, and rows of the training part that are only watched: they stop the training and "
            "reduce the learning rate. Line: median over all fits; band: the middle 80 % of them.",
            image_section(
                [
                    (folder / f"evaluation/training_history_{model}.png", f"Loss and accuracy of {model_title(model)}")
                    for model in study["networks"]
                ]
            ),
        )
    rows = {}
    for model, orders in metrics["controls"]["gene_order"].items():
        for order, entry in orders.items():
            gain = entry.get("balanced_accuracy_gain")
            rows[f"{model_title(model)}, {order}"] = {
                "balanced_accuracy": with_interval(entry["balanced_accuracy"]),
                "accuracy": with_interval(entry["accuracy"]),
                "gain": with_interval(gain) if gain else "used by the model",
            }
    if rows:
        headers = {
            "balanced_accuracy": {"title": "Balanced accuracy (95 %)"},
            "accuracy": {"title": "Accuracy (95 %)"},
            "gain": {"title": "Gain of the order used (95 %)"},
        }
        yield (
            "gene_order",
            "Does the order of the genes matter?",
            "The same networks, seeds and folds with the genes in other orders; the gain is paired by sample. An "
            "interval that contains 0 means that the order made no difference that these samples could show.",
            table_section(rows, headers, "Network, order", "Network, order"),
        )


def _calibration_text(entry: Mapping[str, Any]) -> str:
    before, unclassified = entry["uncalibrated"], entry["unclassified"]
    return (
        f" Brier score {number(before['brier'])} before and {number(entry['brier']['value'])} after, expected "
        f"calibration error {number(before['ece'])} and {number(entry['ece']['value'])}. Calling only samples at or "
        f"above the confidence chosen on out-of-fold predictions ({number(unclassified['threshold'])}) leaves "
        f"{unclassified['coverage']:.0%} called, {number(unclassified['accuracy'])} of them right."
    )


def _line_plot(curve: Mapping[str, Any], markers: bool = False) -> dict:
    """Plot part of a section of lines; curve : title, xlab, ylab, lines (label to [[x, y], …])."""
    return {
        "plot_type": "linegraph",
        "pconfig": {
            "title": escape(curve["title"]),
            "xlab": curve["xlab"],
            "ylab": curve["ylab"],
            "style": "lines+markers" if markers else "lines",
            "tt_decimals": 3,
            "showlegend": True,
            "hide_empty": False,
        },
        "data": {row_name(label): points for label, points in curve["lines"].items()},
    }


def _feature_sections(
    study: Mapping[str, Any], stability: Mapping[str, Any], markers: pd.DataFrame, folder: Path, terms: Terms
) -> Iterator[tuple[str, str, str, dict]]:
    """Which genes or time points: consensus, known or planted markers, each model's own view."""
    simulated = study["data"] == "simulated"
    names = {} if simulated else dict(zip(markers["feature"], markers["name"], strict=True))
    consensus = read_table(folder / "explain/consensus.tsv", dtype={"feature": str, "class": str})
    ranks = [column for column in consensus if column.startswith("rank_")]
    rows = {
        readable(row["feature"], names): {key: row[key] for key in ("class", "rank", "score", "models", *ranks)}
        for _, row in consensus.head(50).iterrows()
    }
    headers = {
        "class": {"title": "High in", "description": "class that a high value supports"},
        "rank": {"title": "Rank", "format": "{:,.0f}"},
        "score": {"title": "Score", "format": "{:,.4f}"},
        "models": {"title": "Models", "description": f"models that use the {terms.feature}", "format": "{:,.0f}"},
        **{
            column: {"title": f"Rank, {model_title(column.removeprefix('rank_'))}", "format": "{:,.0f}"}
            for column in ranks
        },
    }
    inner = stability["selection_inner"]
    text = (
        "The 50 best of one ranking over models and folds (reciprocal rank fusion of mean |SHAP| on held-out "
        f"{terms.samples})."
    )
    # Where nothing is selected, the selection is the same everywhere.
    if inner["index"] is not None:
        text += (
            f" Stability of the {stability['size']} best-selected {terms.features} between inner training parts "
            f"(Nogueira index, 1 is identical, 0 is chance): {number(inner['index'])}."
        )
    title = f"Which {terms.features} matter"
    yield "genes", title, text, table_section(rows, headers, terms.feature.capitalize(), "Rank")
    if len(markers):
        yield _marker_section(simulated, stability, markers)
    for model in study["explained"]:
        figures = sorted((folder / "explain" / model / "figures").glob("*.png"))
        images = [(path, f"{model_title(model)}: {path.stem.replace('_', ' ')}") for path in figures]
        scale = "margins (log-odds)" if REGISTRY[model].explainer == "linear" else "the model's output"
        text = (
            f"SHAP values of held-out {terms.samples}, on the scale of {scale}; coefficients and trees are of the "
            f"model fitted on all {terms.samples}."
        )
        additivity = folder / "explain" / model / "additivity.tsv"
        if additivity.is_file():
            text += f" Expected gradients: {describe_additivity(read_table(additivity))}"
        title = f"{model_title(model)}: what drives its calls"
        yield f"explain_{model}", title, explanation_text(model) or text, image_section(images)


def _marker_section(simulated: bool, stability: Mapping[str, Any], markers: pd.DataFrame) -> tuple[str, str, str, dict]:
    """Where known or planted markers rank."""
    if simulated:
        recovery = stability["marker_recovery"]
        found, planted = recovery["recovered_at_planted"], recovery["planted"]
        description = (
            f"{planted} markers were planted; {found} of them are among the first {planted} genes of the consensus "
            "ranking. Precision at "
            + ", ".join(f"{size}: {share:.2f}" for size, share in recovery["precision_at"].items())
            + "."
        )
        title = "Recovery of the planted markers"
    else:
        title, description = (
            "Known markers",
            "Genes named in the literature and where they stand; empty: no model uses them.",
        )
    rows = {
        row["feature"]: {"name": row["name"], "rank": row["rank"], "class": row["class"], "models": row["models"]}
        for _, row in markers.iterrows()
    }
    headers = {
        "name": {"title": "Name"},
        "rank": {"title": "Consensus rank", "format": "{:,.0f}"},
        "class": {"title": "High in"},
        "models": {"title": "Models", "format": "{:,.0f}"},
    }
    return "markers", title, description, table_section(rows, headers, "Gene", "Consensus rank")


def overview_section(studies: Mapping[str, Mapping[str, Any]], results: Path) -> dict:
    """One row per study."""
    rows = {}
    for name, study in studies.items():
        metrics = read_json(results / name / "evaluation/metrics.json")
        models, selected = metrics["models"], metrics["selected"]
        control = metrics["controls"]["permuted_labels"]["balanced_accuracy"]
        rows[name] = {
            "title": study["title"],
            "data": DATA_NAMES[study["data"]],
            "samples": f"{metrics['n_samples']:,} {TERMS[study['task']].samples}",
            "classes": len(metrics["classes"]),
            "best": model_title(selected),
            "score": with_interval(models[selected]["balanced_accuracy"]),
            "baseline": models["majority"]["balanced_accuracy"]["value"],
            "control": with_interval(control),
        }
    headers = {
        "title": {"title": "Question"},
        "data": {"title": "Data"},
        "samples": {"title": "With a label"},
        "classes": {"title": "Classes", "format": "{:,.0f}"},
        "best": {"title": "Selected model"},
        "score": {"title": "Balanced accuracy (95 %)"},
        "baseline": {"title": "Majority", "format": "{:,.3f}"},
        "control": {"title": "Permuted labels (range)"},
    }
    return table_section(rows, headers, "Study", "Question")


def descriptions(studies: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What stands below the title of each study."""
    return {
        name: escape(study["description"]) or f"Data: {DATA_NAMES[study['data']]}." for name, study in studies.items()
    }


def write_report(
    studies: Mapping[str, Mapping[str, Any]], results: Path, template: Path, css: Path, output: Path
) -> None:
    """Write the page; studies : name to title, description, citation, data. Raises InputError if MultiQC fails."""
    simulated = any(study["data"] == "simulated" for study in studies.values())
    with tempfile.TemporaryDirectory() as temporary:
        content = Path(temporary) / "content"
        content.mkdir()
        order = []

        parents = {"studies": "Every question of this run in one row.", **descriptions(studies)}

        def add(identifier: str, parent: str, parent_title: str, title: str, description: str, plot: dict) -> None:
            section = {
                "id": identifier,
                "parent_id": parent,
                "parent_name": escape(parent_title),
                "parent_description": parents[parent],
                "section_name": title,
                "description": description,
                **plot,
            }
            if "pconfig" in section:
                section["pconfig"] = {"id": f"{identifier}_plot", "title": title, **section["pconfig"]}
            (content / f"{identifier}_mqc.json").write_text(json.dumps(json_ready(section)), encoding="utf-8")
            order.extend([identifier] if parent in order else [parent, identifier])

        add("overview", "studies", "Overview", "All studies", "", overview_section(studies, results))
        for name, study in studies.items():
            mark = " (SIMULATED)" if study["data"] == "simulated" else ""
            for identifier, title, description, plot in study_sections(study, results / name):
                add(f"{name}_{identifier}", name, f"{study['title']}{mark}", title, description, plot)

        config = {
            "title": "Genestrata report" + (" – SIMULATED DATA" if simulated else ""),
            "custom_css_files": [str(css)],
            # MultiQC puts the largest number of a module first, and the smallest of a section.
            "report_section_order": {
                identifier: {"order": -place if identifier in parents else place}
                for place, identifier in enumerate(order)
            },
            "output_fn_name": "report.html",
        }
        (Path(temporary) / "run.json").write_text(json.dumps(config), encoding="utf-8")
        _run_multiqc(content, [template, Path(temporary) / "run.json"], Path(temporary))
        with atomic_path(output) as page:
            page.write_bytes((Path(temporary) / "report.html").read_bytes())


def _run_multiqc(content: Path, configs: Sequence[Path], folder: Path) -> None:
    """Run MultiQC on the sections; its own log goes to the job's log."""
    command = [sys.executable, "-m", "multiqc", str(content), "--outdir", str(folder), "--no-ansi", "--force"]
    for config in configs:
        command += ["--config", str(config)]
    # A user's own MultiQC settings must not change the page.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MULTIQC_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment | {"HOME": str(folder)}, check=False)
    logger.info("%s", done.stdout + done.stderr)
    if done.returncode or not (folder / "report.html").is_file():
        raise InputError(f"MultiQC could not write the report: {(done.stderr or done.stdout).strip()[-2000:]}")
