"""Explain one model on held-out samples and draw its summary plots."""

from pathlib import Path

from genestrata.appearance import MOST_COLOURS
from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.explaining import Extent, explain_model, model_weights, rank_features
from genestrata.figures import plot_class_map, plot_shap_bar, plot_shap_beeswarm, plot_tree, plot_weights
from genestrata.files import write_table
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.logs import job_log
from genestrata.models.registry import REGISTRY, model_title
from genestrata.models.storage import FittedModel
from genestrata.sequence_figures import draw_attributions
from genestrata.splitting import FINAL, read_evaluated_folds
from genestrata.tables import read_samples, read_splits


def draw(model, values, weights, final, markers, folder, note):
    """Draw the summary plots of held-out SHAP values, and the inside of a readable model fitted on all samples."""
    folder.mkdir(parents=True, exist_ok=True)
    ranks = rank_features(values, model)
    title = model_title(model)
    # The mirror image of the second class adds nothing for two classes; a class may be explained for no sample.
    explained = set(ranks["class"])
    classes = [label for label in final.classes[len(final.classes) == 2 :] if label in explained]
    plot_shap_bar(ranks, classes, markers, f"{title}: held-out SHAP", folder / "bar", note)
    if len(classes) > MOST_COLOURS:
        heading, label = f"{title}: held-out SHAP of each class", "Median SHAP of held-out samples"
        plot_class_map(ranks, "median_shap", classes, markers, label, heading, folder / "classes", note)
        classes = []
    for label in classes:
        plot_shap_beeswarm(values, ranks, label, markers, f"{title}: towards {label}", folder, note)
    plot_weights(weights, markers, title, folder, REGISTRY[model].explainer == "linear", note)
    if model == "decision_tree":
        plot_tree(final, markers, folder / "tree", note)


def main(inputs, outputs, model, repeats, extent, markers, data, seed):
    """Write shap_values.parquet, weights.tsv and the figures; of a network of sequences also attributions.parquet, of
    any other network additivity.tsv."""
    samples = read_samples(inputs.samples)
    splits = read_splits(inputs.splits)
    models_dirs = dict(zip(repeats, map(Path, inputs.models), strict=True))
    folds = read_evaluated_folds(splits, samples, repeats)
    explanation = explain_model(model, Cohort.read(inputs.features, samples), folds, models_dirs, extent, seed)
    final = FittedModel.load(models_dirs["r0"] / FINAL)
    weights = model_weights(final)
    folder, note = Path(outputs.figures), simulated_note(data)
    draw(model, explanation.values, weights, final, markers, folder, note)
    if explanation.attributions is not None:
        reads = final.estimator.settings["reads"]
        draw_attributions(explanation.attributions, samples, reads, model_title(model), folder, note)
    explanation.write(outputs)
    write_table(weights, outputs.weights)


if __name__ == "__main__":
    hide_gpus_unless_granted(snakemake.resources.get("gpu", 0))
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.wildcards.model,
            snakemake.params.repeats,
            Extent(snakemake.params.background, snakemake.params.draws, snakemake.params.classes),
            snakemake.params.markers,
            snakemake.params.data,
            snakemake.params.seed,
        )
