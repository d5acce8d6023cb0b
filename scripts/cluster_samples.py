"""Cluster the samples of a study and compare gene sets with random sets."""

from pathlib import Path

import numpy as np
import pandas as pd

from genestrata.cluster_figures import NullPanel, plot_maps, plot_nulls
from genestrata.clustering import (
    cluster_sets,
    principal_components,
    standardise_genes,
    summarise,
    variable_genes,
)
from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.embedding import map_points
from genestrata.errors import InputError
from genestrata.figures import plot_explained_variance, plot_scatter
from genestrata.files import read_table, write_json, write_table
from genestrata.logs import job_log
from genestrata.parts import Part, columns_of_sets, fold_parts, read_parts, sets_of_folds
from genestrata.random_sets import Judge, Scope, same_distances
from genestrata.ranking import Rankings
from genestrata.set_names import (
    CONSENSUS,
    EXPRESSION,
    IN_SAMPLE,
    OUT_OF_SAMPLE,
    SPACES,
    UMAP,
    set_title,
    size_range,
    title_in_scope,
)
from genestrata.splitting import read_evaluated_folds
from genestrata.tables import labelled, read_samples, read_splits
from genestrata.wording import TERMS


def read_held_out(inputs, cohort, samples, select, set_size):
    """Parts of the samples to cluster out of sample and their sets, from rank_held_out where it ran, else of the folds:
    what was selected in each training part stands for the consensus."""
    if inputs.held_out_sets:
        parts = read_parts(read_table(inputs.held_out_parts, dtype=str), cohort.samples)
        table = read_table(inputs.held_out_sets, dtype={"part": str, "set": str, "feature": str})
        return parts, columns_of_sets(table, parts, cohort.features)
    if select["method"] == "none":
        return [], {}
    folds = read_evaluated_folds(read_splits(inputs.splits), samples, ["r0"])
    parts = fold_parts(folds, cohort.labels)
    rankings = Rankings(pd.read_parquet(inputs.ranking), cohort.features)
    return parts, {CONSENSUS: sets_of_folds(rankings, parts, set_size)} if parts else {}


def draw_maps(cohort, sets, folder, space, seed, note):
    """Draw a panel for each gene set, on principal components or on a UMAP; sets : title to columns."""
    maps = {}
    for title, columns in sets.items():
        Z = standardise_genes(cohort.values[:, columns])
        points = map_points(same_distances(Z), UMAP, seed) if space == UMAP else principal_components(Z, seed)[0]
        # A study may have one component only.
        maps[title] = np.column_stack([points, np.zeros((len(points), 2))])[:, :2]
    stem, axis = ("umap", SPACES[UMAP]) if space == UMAP else ("maps_pca", "PC")
    plot_maps(maps, cohort.labels, axis, folder / stem, note)


def name_nulls(nulls, terms):
    """Random sets as a legend calls them, to their scores; nulls : sizes in the parts to the titles of the sets of
    these sizes and the scores. Titles are named where different sizes have the same range."""
    ranges = [size_range(sizes) for sizes in nulls]
    named = {}
    for sizes, (titles, scores) in nulls.items():
        name = f"{len(scores)} random sets of {size_range(sizes)} {terms.features}"
        named[f"{name}, sized as {', '.join(titles)}" if ranges.count(size_range(sizes)) > 1 else name] = scores
    return named


def null_panels(comparisons, null, spaces, terms):
    """A panel for each scope and space: random sets drawn freely, of each size, and the value of each set."""
    panels = []
    for scope, values in comparisons.items():
        for space in spaces:
            nulls, lines = {}, {}
            for name, entry in values["sets"].items():
                of_set = (null["scope"] == scope) & (null["set"] == name)
                drawn = null.loc[of_set & (null["space"] == space) & (null["kind"] == "free"), "v_measure"]
                title = title_in_scope(name, scope)
                if len(drawn):
                    # Sets of the same sizes share the free draws.
                    titles, _ = nulls.setdefault(tuple(entry["sizes"].values()), ([], drawn.to_numpy(float)))
                    titles.append(title)
                lines[title] = (entry if space == EXPRESSION else entry[UMAP])["v_measure"]
            reference = values["all_genes"] if space == EXPRESSION else values["all_genes"][UMAP]
            lines[f"All {terms.features}"] = reference["v_measure"]
            where = "" if space == EXPRESSION else f", on {SPACES[UMAP]}"
            panels.append(NullPanel(f"{scope.capitalize()}{where}", name_nulls(nulls, terms), lines))
    return panels


def main(inputs, outputs, settings, select, task, data, seed):
    """Write clustering.tsv, the cluster of every sample, gene sets, null distribution, components and figures.

    select : the study's selection; only where training parts select features, a set of theirs is tried on held-out
    samples.
    """
    terms = TERMS[task]
    everything = read_samples(inputs.samples)
    cohort = Cohort.read(inputs.features, everything).labelled()
    samples = labelled(everything)
    rows = np.arange(len(cohort.samples))
    in_sample = Part("all", rows, rows)
    ranked = read_table(inputs.gene_sets, dtype={"set": str, "feature": str}).assign(part=in_sample.name)
    compared = columns_of_sets(ranked, [in_sample], cohort.features)
    if not compared:
        raise InputError(f"{inputs.gene_sets}: no gene set has two genes; found {len(ranked)} rows")
    gene_sets = {
        "all": np.arange(len(cohort.features)),
        "most_variable": variable_genes(cohort.values),
        **{name: columns[0] for name, columns in compared.items()},
    }
    note, folder = simulated_note(data), Path(outputs.clustering).parent

    clustering, assignments = cluster_sets(cohort, gene_sets, settings["methods"], seed, settings["restarts"])
    spaces = [EXPRESSION, UMAP] if settings["map"] == UMAP else [EXPRESSION]
    judge = Judge(spaces, settings["restarts"], settings["random_sets"], seed)
    parts, held_out = read_held_out(inputs, cohort, samples, select, settings["set_size"])
    tried = {IN_SAMPLE: ([in_sample], compared), OUT_OF_SAMPLE: (parts, held_out)}
    scopes = {name: (Scope(name, cohort, parts, select, judge), sets) for name, (parts, sets) in tried.items() if sets}
    comparisons, null = {}, []
    for name, (scope, sets) in scopes.items():
        comparisons[name], draws = scope.compare_sets(sets)
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
    size = len(next(iter(compared.values()))[0])
    drawn = {f"All {terms.features} ({len(cohort.features)})": gene_sets["all"]}
    drawn |= {f"{set_title(name)} ({len(columns)})": columns for name, (columns,) in compared.items()}
    drawn[f"A random set ({size})"] = scopes[IN_SAMPLE][0].free_sets([size], 0)[0]
    for space in spaces:
        draw_maps(cohort, drawn, folder, space, seed, note)
    plot_nulls(null_panels(comparisons, null, spaces, terms), folder / "v_measure", note)

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
            snakemake.params.select,
            snakemake.params.task,
            snakemake.params.data,
            snakemake.params.seed,
        )
