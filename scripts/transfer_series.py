"""Fine-tune a network trained on one experiment on others, against training from scratch."""

from pathlib import Path

from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.files import write_table
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.logs import job_log
from genestrata.splitting import read_evaluated_folds
from genestrata.tables import labelled, read_samples, read_splits
from genestrata.transfer import learning_curve, plot_learning_curve, predict_transfers


def main(inputs, outputs, settings, model_params, data, seed, threads):
    """Write the predictions, the learning curve and its figure."""
    samples = read_samples(inputs.samples)
    cohort = Cohort.read(inputs.features, samples).labelled()
    folds = read_evaluated_folds(read_splits(inputs.splits), labelled(samples), ["r0"])
    folds = folds[: settings.get("folds", len(folds))]
    predictions = predict_transfers(cohort, folds, settings, model_params, seed, threads)
    curve = learning_curve(predictions, cohort.codes, len(cohort.classes), seed)
    write_table(curve, outputs.curve)
    note = simulated_note(data)
    plot_learning_curve(curve, settings["source"], Path(outputs.figure[0]).with_suffix(""), note)


if __name__ == "__main__":
    hide_gpus_unless_granted(snakemake.resources.get("gpu", 0))
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.transfer,
            snakemake.params.model_params,
            snakemake.params.data,
            snakemake.params.seed,
            snakemake.threads,
        )
