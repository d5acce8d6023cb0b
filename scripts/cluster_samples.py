"""Cluster the samples of a study and compare ranked genes with random sets."""

from pathlib import Path

import numpy as np
import pandas as pd

from genestrata.clustering import (
    against_random_sets,
    cluster_sets,
    held_out_parts,
    principal_components,
    standardise_genes,
    summarise,
    variable_genes,
)
from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.figures import plot_explained_variance, plot_null, plot_scatter
from genestrata.files import read_table, write_json, write_table
from genestrata.logs import job_log
from genestrata.ranking import Rankings
from genestrata.splitting import read_evaluated_folds
from genestrata.tables import labelled, read_samples, read_splits
from genestrata.wording import TERMS


def main(inputs, outputs, settings, selects, task, data, seed):
    """Write clustering.tsv, the cluster of every sample, gene sets, null distribution, components and figures.

    selects : whether training parts select features; only then a set of theirs is tried on held-out samples.
    """
    terms = TERMS[task]
    everything = read_samples(inputs.samples)
    cohort = Cohort.read(inputs.features, everything).labelled()
    samples = labelled(everything)
    folds = read_evaluated_folds(read_splits(inputs.splits), samples, ["r0"])
    rankings = Rankings(pd.read_parquet(inputs.ranking), cohort.features)
    ranked = read_table(inputs.consensus, dtype={"feature": str})["feature"].head(settings["set_size"])
    position = pd.Series(np.arange(len(cohort.features)), index=cohort.features)
    gene_sets = {
        "all": np.arange(len(cohort.features)),
        "most_variable": variable_genes(cohort.values),
        "consensus": position[ranked.to_numpy(dtype=object)].to_numpy(),
    }
    note, folder = simulated_note(data), Path(outputs.clustering).parent

    clustering, assignments = cluster_sets(cohort, gene_sets, settings["methods"], seed)
    rows = np.arange(len(cohort.samples))
    scopes = {"in sample": [(gene_sets["consensus"], rows)]}
    best = {fold.name: rankings.best(fold.name, None, settings["set_size"])[0] for fold in folds}
    held_out = held_out_parts(folds, best, cohort.labels) if selects else []
    if held_out:
        scopes["out of sample"] = held_out
    comparisons, null = {}, []
    for scope, parts in scopes.items():
        comparisons[scope], draws = against_random_sets(cohort, parts, settings["random_sets"], seed, scope)
        null.append(draws)
    null = pd.concat(null, ignore_index=True)

    scores, share, kept = principal_components(standardise_genes(cohort.values), seed)
    components = pd.DataFrame(scores[:, : min(10, scores.shape[1])]).rename(columns=lambda number: f"PC{number + 1}")
    components.insert(0, "sample", cohort.samples)
    components.insert(1, "label", cohort.labels)
    axis_names = [f"PC{number + 1} ({share[number]:.0%} of variance)" for number in range(2)]
    plot_scatter(
        scores[:, :2],
        cohort.labels,
        *axis_names,
        f"{terms.samples.capitalize()}, all {terms.features}",
        folder / "pca",
        note,
    )
    plot_explained_variance(share, kept, folder / "explained_variance", note)
    scope = "out of sample" if held_out else "in sample"
    free = null[(null["scope"] == scope) & (null["kind"] == "free")]["v_measure"].to_numpy()
    chosen = f"{terms.features} selected in training" if held_out else f"ranked {terms.features}"
    lines = {chosen: comparisons[scope]["v_measure"]}
    plot_null(free, lines, f"V-measure of k-means, {scope}", folder / "v_measure", note)

    write_table(clustering, outputs.clustering)
    write_table(assignments, outputs.assignments)
    members = [
        pd.DataFrame({"set": name, "feature": cohort.features[columns]})
        for name, columns in gene_sets.items()
        if name != "all"
    ]
    write_table(pd.concat(members, ignore_index=True), outputs.gene_sets)
    write_table(null, outputs.null)
    write_table(components, outputs.components)
    summary = summarise(clustering) | {
        "components": kept,
        "explained_variance": share[:30],
        "random_sets": comparisons,
        "most_variable_genes": len(gene_sets["most_variable"]),
    }
    write_json(summary, outputs.summary)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.cluster,
            snakemake.params.selects,
            snakemake.params.task,
            snakemake.params.data,
            snakemake.params.seed,
        )
