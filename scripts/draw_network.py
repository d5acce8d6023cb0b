"""Draw the layers of a fitted network and write its architecture as JSON."""

from pathlib import Path

from genestrata.architecture import layer_rows, plot_layers, read_architecture
from genestrata.drawing import simulated_note
from genestrata.files import write_json
from genestrata.logs import job_log
from genestrata.models.registry import model_title
from genestrata.splitting import FINAL


def main(model, models_dir, outputs, data):
    """Write the figure and the JSON from which Keras builds the network anew."""
    config, n_weights = read_architecture(Path(models_dir) / f"{FINAL}.keras")
    title = f"{model_title(model)}: {n_weights:,} weights"
    plot_layers(layer_rows(config), title, Path(outputs.figure[0]).with_suffix(""), simulated_note(data))
    write_json(config, outputs.json)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(snakemake.wildcards.model, snakemake.input.models, snakemake.output, snakemake.params.data)
