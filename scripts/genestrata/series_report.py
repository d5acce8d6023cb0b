"""Sections of the report page that only time series have."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from genestrata.files import read_json, read_table
from genestrata.models.registry import model_title
from genestrata.report_parts import html_section, image_section, number, table_section, with_interval
from genestrata.sinusoids import FALSE_DISCOVERY_RATE

Section = tuple[str, str, str, dict]
# Figures of the exploration in reading order, each with the text that stands for it.
FIGURES = {
    "profiles": "Mean course of each class with the middle half of its genes, by experiment",
    "heat_map": "Heat map of the labelled genes in the order of the cycle",
    "extremes": "Distribution of the times of the highest and the lowest value",
    "range": "Dynamic range of genes against their noise",
    "periodicity": "Share of variance that one sinusoid explains, and where the false discovery rate is reached",
    "synchrony": "Share of periodic genes and amplitude left in the second cycle, by experiment",
    "autocorrelation": "Mean autocorrelation of each class, by experiment",
    "maps": "Two maps of the labelled genes with contours of their density",
    "multiples": "Courses of the strongest periodic genes",
}
# Rows of a list on the page; the files hold all of them.
LISTED = 50


def exploration_sections(folder: Path) -> Iterator[Section]:
    """What the series show before any model."""
    synchrony = read_table(folder / "explore/synchrony.tsv").set_index("experiment")
    headers = {
        "time_points": {"title": "Time points", "format": "{:,.0f}"},
        "period": {"title": "Period (min)", "description": "that explains most variance", "format": "{:,.0f}"},
        "periodic_share": {"title": "Periodic genes", "description": "share of genes", "format": "{:,.3f}"},
        "amplitude_kept": {
            "title": "Amplitude kept",
            "description": "second cycle over first, median of periodic genes",
            "format": "{:,.2f}",
        },
    }
    yield (
        "synchrony",
        "How well the cells stay in step",
        f"Share of genes that one sinusoid of the experiment's period explains better than random orders of their time "
        f"points (false discovery rate {FALSE_DISCOVERY_RATE:.0%}), and how much of their amplitude the second cycle "
        "keeps. Random orders are no model of a drift, so that a slow trend passes too.",
        table_section(synchrony.to_dict("index"), headers, "Experiment", "Experiment"),
    )
    images = [(folder / f"explore/figures/{name}.png", text) for name, text in FIGURES.items()]
    yield "exploration", "The series before any model", "", image_section(images)


def series_sections(study: Mapping[str, Any], metrics: Mapping[str, Any], folder: Path) -> Iterator[Section]:
    """Errors on the cycle, exported networks, transfer and hypotheses, each where the study has it."""
    extra = metrics["extra"]
    if "cyclic_error" in extra:
        yield _cyclic_section(extra["cyclic_error"])
    if study["exported"]:
        yield from _export_sections(study, folder)
    if "transfer/learning_curve.png" in study["extra"]:
        yield (
            "transfer",
            "Transfer between experiments",
            "A network trained on all training genes of one experiment, then fine-tuned on the stated number of genes "
            "of another, against an equal network trained on these alone; balanced accuracy on genes that neither has "
            "seen, with 95 % intervals (bootstrap over genes).",
            image_section([(folder / "transfer/learning_curve.png", "Balanced accuracy by number of labelled genes")]),
        )
    if "predict/summary.json" in study["extra"]:
        yield from _hypothesis_sections(folder)


def _cyclic_section(errors: Mapping[str, Any]) -> Section:
    rows = {
        model_title(model): {
            "mean_steps": with_interval(entry["mean_steps"]),
            "of_errors": entry["mean_steps_of_errors"],
            "within": entry["within_one_step"],
        }
        for model, entry in sorted(errors.items(), key=lambda item: item[1]["mean_steps"]["value"])
    }
    headers = {
        "mean_steps": {"title": "Mean distance (95 %)"},
        "of_errors": {"title": "Mean distance of errors", "format": "{:,.2f}"},
        "within": {"title": "Share within one step", "format": "{:,.3f}"},
    }
    return (
        "cyclic",
        "How far off the wrong calls are",
        "Classes form a cycle whose last one borders on the first; distance in steps along it, the shorter way.",
        table_section(rows, headers, "Model", "Mean distance (95 %)"),
    )


def _export_sections(study: Mapping[str, Any], folder: Path) -> Iterator[Section]:
    """Size of the exported networks and what their last hidden layer makes of every gene."""
    rows, images = {}, []
    for model in study["exported"]:
        report = read_json(folder / f"model/export/{model}.json")
        rows[model_title(model)] = {
            "kilobytes": report["bytes"] / 1000,
            "weights": report["weights"],
            "same_call": report["same_call"],
            "difference": report["largest_difference"],
            "rows": report["rows"],
        }
        images.append((folder / f"explain/{model}/embeddings.png", f"Last hidden layer of {model_title(model)}"))
    headers = {
        "kilobytes": {"title": "Size (kB)", "format": "{:,.1f}"},
        "weights": {"title": "Weights", "format": "{:,.0f}"},
        "same_call": {"title": "Same call as the full model", "format": "{:,.4f}"},
        "difference": {"title": "Largest difference of a probability", "format": "{:,.4f}"},
        "rows": {"title": "Genes compared", "format": "{:,.0f}"},
    }
    yield (
        "export",
        "Networks for use elsewhere",
        "ONNX files in <code>model/export/</code>: cleaned values in (NaN where missing), calibrated probabilities "
        "out.",
        table_section(rows, headers, "Network", "Network"),
    )
    yield (
        "embeddings",
        "What the network makes of every gene",
        "Map of the last hidden layer. Descriptive: the network saw the labels of the labelled genes.",
        image_section(images),
    )


def _hypothesis_sections(folder: Path) -> Iterator[Section]:
    """Calls of unlabelled genes and labelled genes that are called otherwise."""
    summary = read_json(folder / "predict/summary.json")
    fdr = {"title": "Periodicity FDR", "format": "{:.2e}"}
    if summary["to_predict"]:
        calls = read_table(folder / "predict/unlabelled.tsv", dtype={"sample": str})
        first = calls.groupby("predicted", sort=False).head(max(1, LISTED // calls["predicted"].nunique()))
        headers = {
            "predicted": {"title": "Predicted"},
            "probability": {"title": "Probability", "format": "{:,.3f}"},
            "runner_up": {"title": "Runner-up"},
            "periodic_fdr": fdr,
        }
        headers = {key: header for key, header in headers.items() if key in calls}
        planted = summary.get("truth")
        text = f" Of {planted['planted']} planted periodic ones {planted['right']} got their class." if planted else ""
        yield (
            "hypotheses",
            "Hypotheses: genes without a label",
            f"{summary['to_predict']:,} genes called by {model_title(summary['model'])}, the headline model; the first "
            "of each class by periodicity, then probability (all in <code>predict/unlabelled.tsv</code>). Every gene "
            f"gets a call, also one that is not periodic; {summary.get('periodic', 0):,} are (FDR "
            f"{FALSE_DISCOVERY_RATE:.0%}).{text}",
            table_section(first.set_index("sample")[list(headers)].to_dict("index"), headers, "Gene", "Predicted"),
        )
    odd = read_table(folder / "predict/disagreements.tsv", dtype={"sample": str})
    if odd.empty:
        yield "disagreements", "Labelled genes called otherwise", "", html_section("<p>None.</p>")
        return
    headers = {
        "label": {"title": "Label"},
        "predicted": {"title": "Predicted"},
        "probability": {"title": "Probability", "format": "{:,.3f}"},
        "p_label": {"title": "Probability of the label", "format": "{:,.3f}"},
        "calls_against": {"title": "Repeats against", "format": "{:.0%}"},
        "periodic_fdr": fdr,
    }
    headers = {key: header for key, header in headers.items() if key in odd}
    first = odd.sort_values("p_label", kind="stable").head(LISTED).set_index("sample")
    yield (
        "disagreements",
        "Labelled genes called otherwise",
        f"{len(odd)} genes whose label the model, never having seen them, does not share on average over repeats; the "
        f"{min(LISTED, len(odd))} least likely labels (all in <code>predict/disagreements.tsv</code>). The mean "
        f"probability of these labels is {number(float(odd['p_label'].mean()))}.",
        table_section(first[list(headers)].to_dict("index"), headers, "Gene", "Probability of the label"),
    )
