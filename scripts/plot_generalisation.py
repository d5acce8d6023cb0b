"""Draw how scores carry over from inner to outer folds and from near to far relatives."""

from pathlib import Path

from genestrata.drawing import simulated_note
from genestrata.files import read_json
from genestrata.generalisation_figures import plot_accuracy_by_identity, plot_cv_against_test
from genestrata.logs import job_log


def main(metrics_path, outputs):
    """Draw both figures from metrics.json."""
    metrics = read_json(metrics_path)
    extra, note = metrics["extra"], simulated_note(metrics["data"])
    plot_cv_against_test(extra["cv_against_test"], Path(outputs.cv_against_test[0]).with_suffix(""), note)
    plot_accuracy_by_identity(extra["accuracy_by_identity"], Path(outputs.by_identity[0]).with_suffix(""), note)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.input.metrics, snakemake.output)
