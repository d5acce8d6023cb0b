"""Look at the sequences of a study without their labels and compare what is found with the labels."""

from pathlib import Path

import pandas as pd

from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.figures import plot_scatter
from genestrata.files import write_json, write_table
from genestrata.logs import job_log
from genestrata.sequence_clusters import KIND, cluster_sequences, kmer_components, sample_rows, summarise
from genestrata.tables import read_samples


def main(inputs, outputs, data, seed):
    """Write clustering.tsv, the cluster of every sequence, the components, the summary and the figure."""
    cohort = Cohort.read(inputs.features, read_samples(inputs.samples)).labelled()
    rows = sample_rows(len(cohort.samples), seed)
    labels = cohort.labels[rows].astype(str)
    scores, share, n_kmers = kmer_components(cohort.values[rows], seed)
    groups = None if cohort.groups is None else cohort.groups[rows]
    clustering, clusters = cluster_sequences(scores, labels, groups, n_kmers, seed)

    components = pd.DataFrame(scores[:, :10]).rename(columns=lambda number: f"PC{number + 1}")
    components.insert(0, "sample", cohort.samples[rows])
    components.insert(1, "label", labels)
    axis_names = [f"PC{number + 1} ({share[number]:.0%} of variance)" for number in range(2)]
    title = f"Sequences, {n_kmers:,} protein words of {KIND.shortest} to {KIND.longest} letters"
    stem = Path(outputs.pca[0]).with_suffix("")
    plot_scatter(scores[:, :2], labels, *axis_names, title, stem, simulated_note(data))

    clusters.insert(0, "sample", cohort.samples[rows])
    write_table(clustering, outputs.clustering)
    write_table(clusters, outputs.assignments)
    write_table(components, outputs.components)
    write_json(summarise(clustering, share, n_kmers, len(rows), len(cohort.samples)), outputs.summary)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.data,
            snakemake.params.seed,
        )
