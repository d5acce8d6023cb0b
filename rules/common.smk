# Helpers of all rules: the studies of this run, what each job depends on and what it may use.

import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from genestrata.config import Catalogue
from genestrata.dependencies import input_path, script_files
from genestrata.errors import InputError
from genestrata.models import parameter_grid
from genestrata.models.registry import SIZE_GUIDE, REGISTRY
from genestrata.readers import READERS

try:
    STUDIES = Catalogue(workflow.basedir).load_studies(config, Path.cwd())
except InputError as error:
    raise WorkflowError(str(error)) from None

with open(Path(workflow.basedir) / "resources" / "jobs.yaml") as handle:
    JOBS = yaml.safe_load(handle)


def is_series(study):
    """Is the study one of time series?"""
    return STUDIES[study]["task"] == "time_series"


def is_sequences(study):
    """Is the study one of DNA sequences?"""
    return STUDIES[study]["task"] == "sequence"


def any_of(names):
    """A wildcard pattern that matches these names and nothing else, nothing at all for none."""
    return "|".join(names) or r"(?!)"


CLASSICAL_MODELS = [name for name, entry in REGISTRY.items() if not entry.deep]
DEEP_MODELS = [name for name, entry in REGISTRY.items() if entry.deep]
SEQUENCE_NETWORKS = [name for name in DEEP_MODELS if REGISTRY[name].task == "sequence"]
SERIES_NETWORKS = [name for name in DEEP_MODELS if REGISTRY[name].task == "time_series"]


SEQUENCE_STUDIES = [study for study in STUDIES if is_sequences(study)]
MATRIX_STUDIES = [study for study in STUDIES if not is_sequences(study)]


wildcard_constraints:
    study=any_of(STUDIES),
    repeat=r"r\d+",
    model=any_of(REGISTRY),


def workflow_file(path):
    """A file of the workflow as an input."""
    return input_path(Path(workflow.basedir) / path)


def lib(script, *modules):
    """Files of the package that a script imports, and the modules it loads by name, as inputs: an edit re-runs it."""
    return script_files(script, *modules)


def env(name):
    """A rule's conda environment as an input: a changed version re-runs what uses it."""
    return workflow_file(f"envs/{name}.yaml")


def study_value(*keys):
    """An input or params function that looks up one setting of the job's study; its defaults are merged in already."""

    def lookup_value(wildcards):
        value = STUDIES[wildcards.study]
        for key in keys:
            value = value[key]
        return value

    return lookup_value


def get_model_params(study, model):
    """What a study sets of a model's parameters."""
    return STUDIES[study].get("model_params", {}).get(model, {})


def job(rule, key):
    """A function of wildcards that gives a rule's threads, mem_mb or runtime from resources/jobs.yaml."""

    def lookup_job(wildcards):
        entry = JOBS[rule]
        if "default" in entry:
            entry = entry["default"] | entry.get(wildcards.model, {})
        return entry[key]

    return lookup_job


def get_models(study):
    """Models of a study: the baseline `majority` and those that it lists."""
    return [
        "majority",
        *(model for model in STUDIES[study]["models"] if model != "majority"),
    ]


def get_base_models(study):
    """Models whose out-of-fold predictions the stack learns from."""
    base = STUDIES[study].get("stack", {}).get("base")
    return base or [model for model in STUDIES[study]["models"] if model != "majority"]


def get_networks(study):
    """Networks among the models of a study."""
    return [model for model in STUDIES[study]["models"] if model in DEEP_MODELS]


def get_gene_order(study, model):
    """Order in which a network reads its genes, None where it does not look at neighbours."""
    return parameter_grid(model, get_model_params(study, model))[0].get("gene_order")


def get_other_orders(study, model):
    """Gene orders that a network's own one is compared with."""
    own = get_gene_order(study, model)
    return [order for order in STUDIES[study]["controls"]["gene_orders"] if own and order != own]


def get_ordered_networks(study):
    """Networks of a study whose gene order is compared with others as a control."""
    return [model for model in get_networks(study) if get_other_orders(study, model)]


def has_stack(study):
    """Does the study ask for a stack?"""
    return "stack" in STUDIES[study]


def get_explained_models(study):
    """Models whose genes are ranked: those that the study names, else all that have an explanation."""
    return STUDIES[study]["explain"].get("models") or [
        model for model in STUDIES[study]["models"] if REGISTRY[model].explainer
    ]


def get_repeats(study):
    """Names of the repeats of a study's outer folds."""
    return [f"r{number}" for number in range(STUDIES[study]["evaluation"]["repeats"])]


def get_predictors(study):
    """Everything that predicts in a study: its models and, if there is one, the stack."""
    return get_models(study) + (["stack"] if has_stack(study) else [])


def get_results(file):
    """An input function: one file of every predictor and repeat of a study, model after model."""

    def get_paths(wildcards):
        study = wildcards.study
        return expand(
            f"<results>/{study}/cv/{{repeat}}/{{model}}/{file}",
            model=get_predictors(study),
            repeat=get_repeats(study),
        )

    return get_paths


def of_repeats(pattern, **more):
    """An input function: one file of every repeat of the job's study; `more` and the job's wildcards fill the rest."""

    def get_paths(wildcards):
        return expand(pattern, repeat=get_repeats(wildcards.study), **{**dict(wildcards.items()), **more})

    return get_paths


def get_source_files(wildcards):
    """Files that the study's reader reads, by the names that the reader knows them by."""
    study = STUDIES[wildcards.study]
    if study["data"] == "user":
        own = {key: study[key] for key in ("expression", "samples", "sequences", "fasta_file") if key in study}
        return own | study.get("fasta", {})
    if study["data"] == "simulated":
        return {
            key: f"<results>/{wildcards.study}/simulated/{key}.csv"
            for key in (["sequences"] if is_sequences(wildcards.study) else ["expression", "samples"])
        }
    folder = f"resources/downloads/{study['source']['folder']}"
    return {name: f"{folder}/{name}" for name in study["source"]["files"]}


def get_reader(wildcards):
    """Reader and its settings: what the study says, or the form that simulators write."""
    study = STUDIES[wildcards.study]
    table = "sequence_table" if is_sequences(wildcards.study) else "table"
    if study["data"] == "simulated":
        return {"reader": table, "orientation": "samples_by_genes", "unlabelled": study["unlabelled"]}
    if study["data"] == "public":
        return {"reader": study["source"]["reader"]}
    keys = ("orientation", "columns", "label_column", "separator", "header", "label_pattern", "unlabelled")
    reader = {"reader": table if study["reader"] == "table" else study["reader"]}
    return reader | {key: study[key] for key in keys if key in study}


def get_published_file(wildcards):
    """URL and checksum of a published file, from whichever study of this run lists it."""
    for study in STUDIES.values():
        if study["source"].get("folder") == wildcards.folder and wildcards.file in study["source"]["files"]:
            return study["source"]["files"][wildcards.file]
    raise WorkflowError(f"no study of this run lists {wildcards.folder}/{wildcards.file}")


def get_data(wildcards):
    """The cleaned data of a study: a matrix, or sequences."""
    return f"<results>/{wildcards.study}/data/{'sequences' if is_sequences(wildcards.study) else 'features'}.parquet"


def get_ranking(wildcards):
    """Ranking of the features on every training part of a repeat; sequences have none."""
    if is_sequences(wildcards.study):
        return []
    return f"<results>/{wildcards.study}/features/{wildcards.repeat}/ranking.parquet"


def get_rankings(wildcards):
    """Rankings of all repeats; sequences have none."""
    if is_sequences(wildcards.study):
        return []
    return of_repeats("<results>/{study}/features/{repeat}/ranking.parquet")(wildcards)


def get_size_guide(wildcards):
    """Tuning of the model whose inner score chose the number of genes that networks take, nothing if all are taken."""
    if STUDIES[wildcards.study]["select"]["method"] == "none":
        return []
    return f"<results>/{wildcards.study}/cv/{wildcards.repeat}/{SIZE_GUIDE}/tuning.tsv"


def get_positions(wildcards):
    """Table of the positions of genes on the chromosomes, nothing where the study gives none."""
    return STUDIES[wildcards.study].get("gene_positions", [])


def get_truth(wildcards):
    """The planted truth of a simulated study, nothing for real data."""
    return f"<results>/{wildcards.study}/data/truth.tsv" if STUDIES[wildcards.study]["data"] == "simulated" else []


def get_truth_of_features(wildcards):
    """The planted markers of a simulated study of expression; in a time series the truth is about the genes, its
    rows."""
    return get_truth(wildcards) if STUDIES[wildcards.study]["task"] == "expression" else []


def get_series_networks(study):
    """Networks of a study that read time points; they are exported."""
    return [model for model in get_networks(study) if model in SERIES_NETWORKS]


def get_periodicity(wildcards):
    """Periodicity of the genes of a time series, nothing for another task."""
    return f"<results>/{wildcards.study}/explore/periodicity.tsv" if is_series(wildcards.study) else []


def get_truth_of_sequences(wildcards):
    """The true classes of simulated sequences, whose labels have noise."""
    return get_truth(wildcards) if is_sequences(wildcards.study) else []


def get_identity(wildcards):
    """Identity of test sequences to their training part; only sequences have one."""
    return f"<results>/{wildcards.study}/evaluation/identity.tsv" if is_sequences(wildcards.study) else []


def get_random_split(wildcards):
    """Predictions of models on a random split, nothing where the study asks for none."""
    asked = STUDIES[wildcards.study]["controls"]["random_split"]
    return f"<results>/{wildcards.study}/controls/random_split.parquet" if asked else []


def get_truth_of_samples(wildcards):
    """The planted classes of the rows of a simulated time series."""
    return get_truth(wildcards) if is_series(wildcards.study) else []


def predicts_unlabelled(study):
    """Does the study predict samples without a label? Else nothing is listed."""
    return STUDIES[study]["unlabelled"] == "predict"


def get_extra_results(study):
    """Results of a study that not every study has, below its folder: what it explores, exports, transfers, predicts."""
    files = []
    if is_series(study):
        files += ["explore/figures", "explore/synchrony.tsv"]
        files += [f"model/export/{model}.json" for model in get_series_networks(study)]
        files += [f"explain/{model}/embeddings.png" for model in get_series_networks(study)]
    if not is_sequences(study):
        files.append("cluster/v_measure.png")
    else:
        files += ["evaluation/cv_against_test.png", "evaluation/accuracy_by_identity.png"]
        files += ["evaluation/precision_recall.png", "evaluation/tuning.tsv"]
        files += [f"evaluation/architecture_{model}.png" for model in get_networks(study)]
    if "transfer" in STUDIES[study]:
        files.append("transfer/learning_curve.png")
    if predicts_unlabelled(study):
        files.append("predict/summary.json")
    return files


def get_final_output():
    """All targets of a run."""
    return ["<results>/report.html"] + expand(
        "<results>/{study}/{file}",
        study=STUDIES,
        file=[
            "evaluation/metrics.json",
            "explain/consensus.tsv",
            "cluster/clustering.tsv",
            "model/bundle.json",
        ],
    )
