"""Score every model of a study and draw the figures of the evaluation."""

from pathlib import Path

import pandas as pd

from genestrata.controls import summarise
from genestrata.evaluation import as_repeats, confusion_table, evaluate, metrics_table
from genestrata.figures import (
    plot_calibration,
    plot_confusion,
    plot_roc,
    plot_scores,
    plot_tuning,
    roc_points,
    simulated_note,
)
from genestrata.files import read_json, write_json, write_table
from genestrata.logs import job_log
from genestrata.models.registry import model_title
from genestrata.predictions import class_names
from genestrata.splitting import FINAL, resolve_scheme
from genestrata.tables import read_all, read_samples


def path_parts(paths):
    """Repeat and model of each `…/{repeat}/{model}/file`."""
    return {"repeat": [Path(path).parts[-3] for path in paths], "model": [Path(path).parts[-2] for path in paths]}


def draw(test, raw, metrics, samples, tuning, folder, data):
    """Draw all figures of the evaluation into `folder`."""
    names, classes, selected = list(samples["sample"]), class_names(test), metrics["selected"]
    note, title = simulated_note(data), model_title(selected)

    def repeats_of(table, model):
        return as_repeats(table[table["model"] == model], names, classes)

    confusion = confusion_table(test[test["model"] == selected], names, classes)
    write_table(confusion.reset_index(), folder / "confusion_matrix.tsv")
    plot_confusion(confusion, f"{title}: test predictions", folder / "confusion_matrix", note)
    # Two classes mirror each other, so all models fit into one picture; with more, the classes of the headline model.
    if len(classes) == 2:
        curves = {
            f"{model_title(model)} ({metrics['models'][model]['roc_auc_ovr']['value']:.3f})": roc_points(
                repeats_of(test, model), 1
            )
            for model in metrics["models"]
        }
        plot_roc(curves, f"{classes[1]} against {classes[0]}", folder / "roc_curve", note)
    else:
        areas = metrics["models"][selected]["per_class"]
        curves = {
            f"{label} ({areas[label]['roc_auc']:.3f})": roc_points(repeats_of(test, selected), code)
            for code, label in enumerate(classes)
        }
        plot_roc(curves, f"{title}: each class against the rest", folder / "roc_curve", note)
    series = {"before": repeats_of(raw, selected), "after temperature scaling": repeats_of(test, selected)}
    plot_calibration(series, f"{title}: calibration", folder / "calibration", note)
    plot_tuning(tuning[tuning["fold"] != FINAL], folder / "tuning_curves", note)
    plot_scores(metrics, "balanced_accuracy", "Balanced accuracy", folder / "scores", note)


def main(inputs, outputs, study, data, evaluation, calibration, seed):
    """Write metrics.json, its tables and figures."""
    samples = read_samples(inputs.samples)
    predictions = read_all(list(inputs.predictions))
    tuning = read_all(list(inputs.tuning), **path_parts(inputs.tuning))
    history = read_all(list(inputs.history), **path_parts(inputs.history))
    protocol = dict(evaluation) | {"scheme": resolve_scheme(evaluation, samples), "seed": seed}
    metrics, test = evaluate(predictions, tuning, history, samples, protocol, calibration)
    cleaning = read_json(inputs.cleaning)
    metrics |= {
        "study": study,
        "data": data,
        "n_features": cleaning["after"]["features"],
        "controls": {"permuted_labels": summarise(pd.read_csv(inputs.controls, sep="\t"))},
    }
    raw = predictions[predictions["inner_fold"].isna() & (predictions["fold"] != FINAL)]
    draw(test, raw, metrics, samples, tuning, Path(outputs.metrics).parent, data)
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
            snakemake.params.seed,
        )
