"""List the top genes of every class in each ranking, with their specificity and their mean inside and outside."""

from genestrata.cohort import Cohort
from genestrata.files import read_table, write_table
from genestrata.gene_sets import data_scores
from genestrata.logs import job_log
from genestrata.markers import marker_table
from genestrata.naming import marker_names
from genestrata.tables import read_samples


def main(inputs, outputs, models, limits, markers):
    """Write marker_table.tsv.

    models : explained ones; limits : what makes a gene expressed, None if every gene counts; markers : readable names
    of known markers
    """
    cohort = Cohort.read(inputs.features, read_samples(inputs.samples)).labelled()
    shap = read_table(inputs.scores, dtype={"model": str, "class": str, "feature": str})
    columns = ["class", "feature", "median_shap", "rank"]
    scores = {model: shap.loc[shap["model"] == model, columns] for model in models}
    scores["moderated_f"] = data_scores(cohort.values, cohort.labels, cohort.features, "moderated_f", limits)
    write_table(marker_table(cohort, scores, marker_names(markers, inputs.truth)), outputs.markers)


if __name__ == "__main__":
    with job_log(snakemake.log[0]):
        main(
            snakemake.input,
            snakemake.output,
            snakemake.params.models,
            snakemake.params.limits,
            snakemake.params.markers,
        )
