"""Show time series before any model: periodicity, synchrony and a page of figures."""

from pathlib import Path

import pandas as pd

from genestrata import series_figures as figures
from genestrata.clustering import principal_components, standardise_genes
from genestrata.cohort import Cohort
from genestrata.drawing import simulated_note
from genestrata.embedding import MAPS, map_points
from genestrata.files import write_table
from genestrata.logs import job_log
from genestrata.models.fourier_phase import FourierPhaseClassifier
from genestrata.periodicity import autocorrelation, join_experiments, score_experiments
from genestrata.tables import read_samples
from genestrata.time_points import experiments_of


def main(inputs, outputs, cycle, scaled, method, data, seed):
    """Write periodicity.tsv, synchrony.tsv and the figures."""
    cohort = Cohort.read(inputs.features, read_samples(inputs.samples))
    known = cohort.labelled()
    classes = [label for label in cycle if label in cohort.classes] or cohort.classes
    series = experiments_of(cohort.features)
    genes, experiments = score_experiments(cohort.values, cohort.features, seed)
    table = pd.concat([join_experiments(genes).assign(experiment="all"), genes], ignore_index=True)
    table.insert(0, "sample", cohort.samples[table.pop("row")])
    table.insert(1, "experiment", table.pop("experiment"))
    write_table(table, outputs.periodicity)
    write_table(experiments, outputs.synchrony)

    folder, note = Path(outputs.figures), simulated_note(data)
    unit = "gene SD" if scaled else "log2 ratio"
    figures.plot_profiles(known.values, known.labels, classes, series, folder / "profiles", unit, note)
    angles = FourierPhaseClassifier().fit(known.values, known.codes, list(known.features)).angles(known.values)
    figures.plot_heat_map(known.values, known.labels, angles, classes, series, folder / "heat_map", note)
    figures.plot_extremes(cohort.values, series, folder / "extremes", note)
    figures.plot_range(cohort.values, cohort.labels, series, folder / "range", unit, note)
    figures.plot_periodicity(genes, cohort.labels, experiments, folder / "periodicity", note)
    figures.plot_synchrony(experiments, folder / "synchrony", note)
    lags = {
        name: autocorrelation(cohort.values[:, columns], min(figures.LAGS, len(columns) - 2))
        for name, (columns, _) in series.items()
    }
    figures.plot_autocorrelation(lags, cohort.labels, classes, folder / "autocorrelation", note)
    Z = standardise_genes(known.values)
    maps = {"PCA": principal_components(Z, seed)[0][:, :2], MAPS[method]: map_points(Z, method, seed)}
    figures.plot_maps(maps, known.labels, classes, folder / "maps", note)
    rows = figures.strongest(genes)
    figures.plot_multiples(
        cohort.values[rows], cohort.samples[rows], cohort.labels[rows], classes, series, folder / "multiples", note
    )


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.cycle,
            snakemake.params.scaled,
            snakemake.params.map,
            snakemake.params.data,
            snakemake.params.seed,
        )
