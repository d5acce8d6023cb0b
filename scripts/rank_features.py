"""Rank all features on every training part of a repeat."""

from genestrata.cohort import Cohort
from genestrata.files import write_table
from genestrata.logs import job_log
from genestrata.ranking import rank_folds
from genestrata.splitting import read_folds
from genestrata.tables import read_samples, read_splits


def main(features_path, samples_path, splits_path, repeat, select, ranking_path):
    """Write ranking.parquet."""
    samples = read_samples(samples_path)
    cohort = Cohort.read(features_path, samples)
    folds = read_folds(read_splits(splits_path), samples, repeat)
    write_table(rank_folds(cohort.values, cohort.labels, cohort.features, folds, select), ranking_path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.features,
            snakemake.input.samples,
            snakemake.input.splits,
            snakemake.wildcards.repeat,
            snakemake.params.select,
            snakemake.output.ranking,
        )
