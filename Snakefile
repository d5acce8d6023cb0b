"""Genestrata: validated classifiers and ranked marker genes from expression matrices, time series and DNA sequences."""

from snakemake.utils import min_version

min_version("9.19")


configfile: f"{workflow.basedir}/config.yaml"


report: "resources/report/workflow.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/split.smk"
include: "rules/features.smk"
include: "rules/train.smk"
include: "rules/stack.smk"
include: "rules/evaluate.smk"
include: "rules/explain.smk"
include: "rules/cluster.smk"
include: "rules/explore.smk"
include: "rules/predict.smk"
include: "rules/report.smk"


localrules:
    all,


rule all:
    """The report and everything that later work needs."""
    input:
        get_final_output(),
