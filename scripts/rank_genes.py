"""Rank genes per model and class and over all models and folds."""

from pathlib import Path

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.explaining import (
    consensus,
    fold_importance,
    marker_recovery,
    raised_class,
    rank_features,
    stability,
)
from genestrata.figures import plot_bars
from genestrata.files import write_json, write_table
from genestrata.gene_sets import check_size, class_scores, correct_calls, score_data, take_sets
from genestrata.logs import job_log
from genestrata.naming import marker_names, readable
from genestrata.ranking import expressed
from genestrata.tables import read_all, read_samples

NO_RANKING = pd.DataFrame(columns=["repeat", "fold", "inner_fold", "feature", "score", "rank"])


def known_markers(ranked, markers, features):
    """Where each known marker stands: its rank in the consensus, empty if no model uses it."""
    table = pd.DataFrame({"feature": list(markers), "name": list(markers.values())})
    table["measured"] = table["feature"].isin(features)
    return table.merge(ranked, on="feature", how="left").sort_values(["rank", "feature"], ignore_index=True)


def score_models(values, paths):
    """Model to its scores per class, from its SHAP values and, in `paths`, the predictions of all models."""
    predictions = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    return {
        model: class_scores(table, correct_calls(predictions[predictions["model"] == model]))
        for model, table in values.items()
    }


def recovery_of_sets(gene_sets, truth):
    """Set to `marker_recovery`, with the precision at no more genes than the set has."""
    recovery = {}
    for name, table in gene_sets.groupby("set", sort=False):
        entry = marker_recovery(list(table["feature"]), truth)
        reached = {size: share for size, share in entry["precision_at"].items() if int(size) <= len(table)}
        recovery[name] = entry | {"precision_at": reached}
    return recovery


def main(inputs, outputs, models, repeats, sets, markers, data):
    """Write the rankings, the scores per class, the gene sets, the known markers and the stability.

    sets : names of the compared sets, rule, size, asked (is the size the study's own?) and expressed (what makes a gene
    expressed, None if every gene counts)
    """
    values = {model: pd.read_parquet(path) for model, path in zip(models, inputs.values, strict=True)}
    ranking = read_all(list(inputs.ranking), repeat=repeats) if inputs.ranking else NO_RANKING
    # Words of sequences are chosen by each model, so that no ranking lists them.
    features = sorted({str(name) for table in (ranking, *values.values()) for name in table["feature"].unique()})
    importance = {model: fold_importance(table) for model, table in values.items()}
    ranked = consensus(importance, raised_class(list(values.values())))
    ranks = pd.concat([rank_features(table, model) for model, table in values.items()], ignore_index=True)

    scores = score_models(values, inputs.predictions)
    available = len(features)
    if inputs.features:
        cohort = Cohort.read(inputs.features, read_samples(inputs.samples)).labelled()
        scores |= score_data(sets["names"], cohort.values, cohort.labels, cohort.features, sets["expressed"])
        if sets["expressed"]:
            available = int(expressed(cohort.values, **sets["expressed"]).sum())
    if sets["asked"]:
        check_size(sets["size"], available, "gene sets")
    gene_sets = take_sets(sets["names"], scores, ranked, sets["rule"], sets["size"])

    write_table(ranks, outputs.ranks)
    write_table(ranked, outputs.consensus)
    write_table(ranked.head(sets["size"])[["class", "feature", "rank", "score", "models"]], outputs.genes)
    shap_scores = [table.assign(model=model) for model, table in scores.items() if model in values]
    columns = ["model", "class", "feature", "median_shap", "rank"]
    write_table(pd.concat(shap_scores, ignore_index=True)[columns], outputs.scores)
    write_table(gene_sets, outputs.gene_sets)
    markers = marker_names(markers, inputs.truth)
    write_table(known_markers(ranked, markers, features), outputs.markers)
    report = stability(importance, ranking, features, sets["size"])
    report["gene_sets"] = {
        "names": sets["names"],
        "rule": sets["rule"],
        "size": sets["size"],
        "genes": {name: int((gene_sets["set"] == name).sum()) for name in sets["names"]},
    }
    if inputs.truth:
        report["marker_recovery"] = marker_recovery(list(ranked["feature"]), list(markers))
        report["marker_recovery_of_sets"] = recovery_of_sets(gene_sets, list(markers))
    write_json(report, outputs.stability)

    top = ranked.head(25)
    names = [
        f"{readable(feature, markers)} ({label})" for feature, label in zip(top["feature"], top["class"], strict=True)
    ]
    plot_bars(
        pd.Series(top["score"].to_numpy(), index=names),
        "Mean of 1 / (60 + rank) over models and folds",
        "Consensus of all models (class that a high value supports)",
        Path(outputs.figure[0]).with_suffix(""),
        note=simulated_note(data),
    )


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.models,
            snakemake.params.repeats,
            snakemake.params.sets,
            snakemake.params.markers,
            snakemake.params.data,
        )
