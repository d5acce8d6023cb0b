"""Draw the training of a network over its epochs."""

from pathlib import Path

from genestrata.drawing import simulated_note
from genestrata.logs import job_log
from genestrata.models.registry import model_title
from genestrata.tables import read_all
from genestrata.training_history import plot_training, summarise_epochs

if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        plot_training(
            summarise_epochs(read_all(list(snakemake.input.epochs))),
            f"{model_title(snakemake.wildcards.model)}: training",
            Path(snakemake.output.figure[0]).with_suffix(""),
            simulated_note(snakemake.params.data),
        )
