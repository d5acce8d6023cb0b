"""Score every model of a study and draw the figures of the evaluation."""

from pathlib import Path

import numpy as np
import pandas as pd

from genestrata.controls import summarise
from genestrata.cyclic import cyclic_error
from genestrata.drawing import simulated_note
from genestrata.evaluation import (
    as_repeats,
    confusion_table,
    evaluate,
    metrics_table,
    test_rows,
    weights_of_tested,
)
from genestrata.figures import (
    add_epochs,
    plot_calibration,
    plot_confusion,
    plot_precision_recall,
    plot_roc,
    plot_scores,
    plot_tuning,
    precision_recall_points,
    reliability,
    roc_points,
    tuning_curves,
)
from genestrata.files import read_json, read_table, write_json, write_table
from genestrata.generalisation import accuracy_by_identity, best_possible, compare_splits, cv_against_test
from genestrata.logs import job_log
from genestrata.models.registry import model_title
from genestrata.order_control import compare_orders
from genestrata.predictions import class_names
from genestrata.splitting import FINAL, resolve_scheme
from genestrata.tables import labelled, read_all, read_samples
from genestrata.wording import TERMS


def path_parts(paths):
    """Repeat and model of each `…/{repeat}/{model}/file`."""
    return {"repeat": [Path(path).parts[-3] for path in paths], "model": [Path(path).parts[-2] for path in paths]}


def draw(test, raw, metrics, samples, tuning, cycle, terms, folder, data):
    """Draw all figures of the evaluation into `folder`, classes in the order of their cycle if they have one; returns
    the curves for the report page."""
    names, classes, selected = list(samples["sample"]), class_names(test), metrics["selected"]
    note, title = simulated_note(data), model_title(selected)

    def repeats_of(table, model):
        return as_repeats(table[table["model"] == model], names, classes)

    confusion = confusion_table(test[test["model"] == selected], names, classes)
    if cycle:
        order = [label for label in cycle if label in classes]
        confusion = confusion.loc[order, order]
    write_table(confusion.reset_index(names=r"true \ predicted"), folder / "confusion_matrix.tsv")
    plot_confusion(confusion, f"{title}: test predictions", folder / "confusion_matrix", note)
    # Two classes mirror each other, so all models fit into one picture; with more, the classes of the headline model.
    if len(classes) == 2:
        roc_title = f"{classes[1]} against {classes[0]}"
        areas = {model: entry["roc_auc_ovr"]["value"] for model, entry in metrics["models"].items()}
        roc = {
            f"{model_title(model)} ({area:.3f})": roc_points(repeats_of(test, model), 1)
            for model, area in areas.items()
        }
    else:
        roc_title = f"{title}: each class against the rest"
        areas = {label: entry["roc_auc"] for label, entry in metrics["models"][selected]["per_class"].items()}
        roc = {
            f"{label} ({'–' if np.isnan(area) else format(area, '.3f')})": roc_points(repeats_of(test, selected), code)
            for code, (label, area) in enumerate(areas.items())
        }
    plot_roc(roc, roc_title, folder / "roc_curve", note)
    precision_recall = {
        f"{label} ({average:.3f})": points
        for label in classes
        for *points, average in [precision_recall_points(repeats_of(test, selected), classes.index(label))]
    }
    plot_precision_recall(precision_recall, f"{title}: each class", folder / "precision_recall", note)
    calibration = {
        label: reliability(repeats_of(table, selected))
        for label, table in (("before", raw), ("after calibration", test))
    }
    plot_calibration(calibration, f"{title}: calibration", folder / "calibration", note)
    outer = add_epochs(tuning[(tuning["fold"] != FINAL) & (tuning["model"] != "stack")])
    sizes, kept = tuning_curves(outer), f"{terms.features.capitalize()} kept"
    # Where nothing is selected, networks may still have searched their epochs.
    if outer["k"].nunique() == 1 and outer["epochs"].nunique() > 1:
        sizes, kept = tuning_curves(outer, "epochs"), "Epochs"
    plot_tuning(sizes, kept, folder / "tuning_curves", note)
    plot_scores(metrics, "balanced_accuracy", "Balanced accuracy", folder / "scores", note)
    return {
        "roc": _curve(
            roc_title,
            "False positive rate",
            "True positive rate",
            "Held-out samples of all folds together; in brackets the area, averaged over folds.",
            roc,
        ),
        "calibration": _curve(
            f"{title}: calibration",
            "Confidence of the call",
            "Accuracy",
            "Accuracy of the calls against their confidence, in ten bins of equal size; on the diagonal the model "
            "is as often right as it says.",
            calibration,
        ),
        "tuning": _curve(
            f"{kept} and inner score",
            kept,
            "Inner balanced accuracy",
            f"Balanced accuracy inside the training part against {kept.lower()}, with the best other settings.",
            {model_title(model): curve for model, curve in sizes.items()},
        ),
    }


def _curve(title, xlab, ylab, description, lines):
    """Lines as the report page takes them: label to [[x, y], …]."""
    points = {label: [[float(x), float(y)] for x, y in zip(*line[:2], strict=True)] for label, line in lines.items()}
    return {"title": title, "xlab": xlab, "ylab": ylab, "description": description, "lines": points}


def compare(path, own_orders, test, names, weights):
    """Scores of each network with its genes in its own order and in others; see `compare_orders`."""
    classes, comparison = class_names(test), {}
    others = pd.read_parquet(path) if path else pd.DataFrame({"model": []})
    for model, rows in others.groupby("model", sort=False):
        tables = {own_orders[model]: test[test["model"] == model], **dict(tuple(rows.groupby("order", sort=False)))}
        repeats = {order: as_repeats(table, names, classes) for order, table in tables.items()}
        comparison[model] = compare_orders(repeats, own_orders[model], weights)
    return comparison


def split_gaps(path, test, names, weights):
    """Scores of models in the study's own split and in a random one, of the samples tested in both; see
    `compare_splits`."""
    if not path:
        return {}
    classes, random = class_names(test), pd.read_parquet(path)
    return {
        model: compare_splits(
            as_repeats(test[test["model"] == model], names, classes), as_repeats(rows, names, classes), weights
        )
        for model, rows in random[random["sample"].isin(names)].groupby("model", sort=False)
    }


def cyclic_errors(test, cycle, names, weights):
    """Errors along the cycle of every model."""
    classes = class_names(test)
    place = np.array([cycle.index(label) for label in classes])
    return {
        model: cyclic_error(as_repeats(rows, names, classes), place, len(cycle), weights)
        for model, rows in test.groupby("model", sort=False)
    }


def main(inputs, outputs, study, data, evaluation, calibration, orders, cycle, task, seed):
    """Write metrics.json, its tables and figures."""
    samples = labelled(read_samples(inputs.samples))
    predictions = read_all(list(inputs.predictions))
    tuning = read_all(list(inputs.tuning), **path_parts(inputs.tuning))
    history = read_all(list(inputs.history), **path_parts(inputs.history))
    protocol = dict(evaluation) | {"scheme": resolve_scheme(evaluation, samples), "seed": seed}
    metrics, test = evaluate(predictions, tuning, history, samples, protocol, calibration)
    cleaning = read_json(inputs.cleaning)
    raw, tested = test_rows(predictions), weights_of_tested(test, samples, protocol)
    metrics |= {
        "study": study,
        "data": data,
        "n_features": cleaning["after"]["features"],
        "controls": {
            "permuted_labels": summarise(read_table(inputs.controls)),
            "gene_order": compare(inputs.orders, orders, raw, *tested),
        },
    }
    # What only this kind of study has, from the jobs that ran beside the evaluation.
    metrics["extra"] = {"v_measure": read_json(inputs.clusters)["random_sets"]}
    stability = read_json(inputs.stability)
    if "marker_recovery" in stability:
        metrics["extra"]["marker_recovery"] = stability["marker_recovery"]
    if cycle:
        metrics["extra"]["cyclic_error"] = cyclic_errors(test, cycle, *tested)
    metrics["extra"]["cv_against_test"] = cv_against_test(tuning, test)
    gaps = split_gaps(inputs.random_split, raw, *tested)
    if gaps:
        metrics["extra"]["random_split"] = gaps
    if inputs.identity:
        identity = read_table(inputs.identity, dtype={"repeat": str, "fold": str, "sample": str})
        metrics["extra"]["accuracy_by_identity"] = accuracy_by_identity(test, identity)
    if inputs.truth:
        truth, labels = read_table(inputs.truth, dtype=str), samples.set_index("sample")["label"]
        metrics["extra"]["best_possible"] = {"accuracy": best_possible(truth, list(labels.index), labels)}
    curves = draw(test, raw, metrics, samples, tuning, cycle, TERMS[task], Path(outputs.metrics).parent, data)
    write_json(curves, outputs.curves)
    write_json(metrics, outputs.metrics)
    write_table(metrics_table(metrics), outputs.table)
    write_table(test, outputs.predictions)
    write_table(tuning, outputs.tuning)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.wildcards.study,
            snakemake.params.data,
            snakemake.params.evaluation,
            snakemake.params.calibration,
            snakemake.params.orders,
            snakemake.params.cycle,
            snakemake.params.task,
            snakemake.params.seed,
        )
