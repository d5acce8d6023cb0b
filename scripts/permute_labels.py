"""Run the protocol on permuted labels."""

from genestrata.cohort import Cohort
from genestrata.controls import permuted_scores
from genestrata.files import write_table
from genestrata.logs import job_log
from genestrata.tables import labelled, read_samples


def main(features_path, samples_path, controls, evaluation, select, model_params, seed, scores_path):
    """Write the score of every permutation."""
    samples = read_samples(samples_path)
    scores = permuted_scores(
        Cohort.read(features_path, samples).labelled(),
        labelled(samples),
        evaluation,
        select,
        controls["model"],
        model_params,
        controls["permutations"],
        seed,
        samples_path,
    )
    write_table(scores, scores_path)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input.features,
            snakemake.input.samples,
            snakemake.params.controls,
            snakemake.params.evaluation,
            snakemake.params.select,
            snakemake.params.model_params,
            snakemake.params.seed,
            snakemake.output.scores,
        )
