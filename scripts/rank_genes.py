"""Rank genes per model and class and over all models and folds."""

from pathlib import Path

import pandas as pd

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
from genestrata.files import read_table, write_json, write_table
from genestrata.logs import job_log
from genestrata.naming import readable
from genestrata.tables import read_all

NO_RANKING = pd.DataFrame(columns=["repeat", "fold", "inner_fold", "feature", "score", "rank"])


def known_markers(ranked, markers, features):
    """Where each known marker stands: its rank in the consensus, empty if no model uses it."""
    table = pd.DataFrame({"feature": list(markers), "name": list(markers.values())})
    table["measured"] = table["feature"].isin(features)
    return table.merge(ranked, on="feature", how="left").sort_values(["rank", "feature"], ignore_index=True)


def main(inputs, outputs, models, repeats, set_size, markers, data):
    """Write the rankings, the gene sets, the known markers and the stability."""
    values = {model: pd.read_parquet(path) for model, path in zip(models, inputs.values, strict=True)}
    ranking = read_all(list(inputs.ranking), repeat=repeats) if inputs.ranking else NO_RANKING
    # Words of sequences are chosen by each model, so that no ranking lists them.
    features = sorted({str(name) for table in (ranking, *values.values()) for name in table["feature"].unique()})
    importance = {model: fold_importance(table) for model, table in values.items()}
    ranked = consensus(importance, raised_class(list(values.values())))
    ranks = pd.concat([rank_features(table, model) for model, table in values.items()], ignore_index=True)

    write_table(ranks, outputs.ranks)
    write_table(ranked, outputs.consensus)
    write_table(ranked.head(set_size)[["class", "feature", "rank", "score", "models"]], outputs.genes)
    if inputs.truth:
        truth = read_table(inputs.truth, dtype=str)
        markers = {
            feature: f"planted in {label}" for label, feature in truth[["class", "feature"]].itertuples(index=False)
        }
    write_table(known_markers(ranked, markers, features), outputs.markers)
    report = stability(importance, ranking, features, set_size)
    if inputs.truth:
        report["marker_recovery"] = marker_recovery(list(ranked["feature"]), list(markers))
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
            snakemake.params.set_size,
            snakemake.params.markers,
            snakemake.params.data,
        )
