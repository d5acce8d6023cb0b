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
from genestrata.models.registry import REGISTRY, SIZE_GUIDES
from genestrata.readers import READERS
from genestrata.set_names import CONSENSUS, DATA_RANKINGS

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
MATRIX_NETWORKS = [name for name in DEEP_MODELS if name not in SEQUENCE_NETWORKS]
SERIES_NETWORKS = [name for name in DEEP_MODELS if REGISTRY[name].task == "time_series"]


SEQUENCE_STUDIES = [study for study in STUDIES if is_sequences(study)]
MATRIX_STUDIES = [study for study in STUDIES if not is_sequences(study)]
EXPRESSION_STUDIES = [study for study in MATRIX_STUDIES if not is_series(study)]


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


def get_set_rules(wildcards):
    """What the compared gene sets of the job's study are, see scripts/rank_genes.py."""
    study = STUDIES[wildcards.study]
    cluster = study["cluster"]
    return {
        "names": cluster["gene_sets"],
        "rule": cluster["set_rule"],
        "size": cluster["set_size"],
        "asked": study["asks_set_size"] and cluster["set_rule"] == "size" and study["task"] == "expression",
        "expressed": study["select"].get("expressed"),
    }


def get_data_of_sets(wildcards):
    """The matrix of a study whose gene sets need it: to rank it without a model, or to count what is expressed."""
    rules = get_set_rules(wildcards)
    return get_data(wildcards) if rules["expressed"] or set(rules["names"]) & set(DATA_RANKINGS) else []


def get_compared_models(study):
    """Models of a study whose gene sets are compared."""
    return [name for name in STUDIES[study]["cluster"]["gene_sets"] if name in REGISTRY]


def ranks_held_out(study):
    """Are gene sets ranked anew without the samples that are clustered? The folds have only what is selected."""
    cluster = STUDIES[study]["cluster"]
    return not is_sequences(study) and (cluster["held_out_classes"] > 0 or cluster["gene_sets"] != [CONSENSUS])


def needs_network(study):
    """Is a network among the models whose gene sets are ranked anew?"""
    return any(model in DEEP_MODELS for model in get_compared_models(study))


def get_held_out(file):
    """An input function: a table of the sets that were ranked without the clustered samples, nothing where none are."""

    def get_path(wildcards):
        return f"<results>/{wildcards.study}/cluster/{file}" if ranks_held_out(wildcards.study) else []

    return get_path


def get_held_out_settings(wildcards):
    """Settings of a study by which gene sets are ranked anew."""
    study = STUDIES[wildcards.study]
    models = get_compared_models(wildcards.study)
    sets = {key: study["cluster"][key] for key in ("gene_sets", "set_rule", "set_size", "held_out_classes")}
    settings = {key: study[key] for key in ("select", "evaluation", "explain")} | {"cluster": sets}
    return settings | {"model_params": {model: get_model_params(wildcards.study, model) for model in models}}


def draws_umap(study):
    """Are the gene sets of a study mapped by UMAP too?"""
    return not is_sequences(study) and STUDIES[study]["cluster"]["map"] == "umap"


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
        keys = ("expression", "samples", "unfinished", "sequences", "fasta_file")
        own = {key: study[key] for key in keys if key in study}
        return own | study.get("fasta", {})
    if study["data"] == "simulated":
        return {
            key: f"<results>/{wildcards.study}/simulated/{key}.csv"
            for key in (["sequences"] if is_sequences(wildcards.study) else ["expression", "samples"])
        }
    folder = f"resources/downloads/{study['source']['folder']}"
    return {entry.get("role", name): f"{folder}/{name}" for name, entry in study["source"]["files"].items()}


def get_reader(wildcards):
    """Reader and its settings: what the study says, or the form that simulators write."""
    study = STUDIES[wildcards.study]
    table = "sequence_table" if is_sequences(wildcards.study) else "table"
    if study["data"] == "simulated":
        return {"reader": table, "orientation": "samples_by_genes", "unlabelled": study["unlabelled"]}
    if study["data"] == "public":
        settings = {key: study[key] for key in ("columns", "unlabelled") if key in study}
        return settings | {"reader": study["source"]["reader"]}
    keys = ("orientation", "columns", "label_column", "separator", "header", "label_pattern", "unlabelled")
    reader = {"reader": table if study["reader"] == "table" else study["reader"]}
    return reader | {key: study[key] for key in keys if key in study}


def get_published_file(wildcards):
    """URL and checksum of a published file, from whichever study of this run lists it."""
    for study in STUDIES.values():
        if study["source"].get("folder") == wildcards.folder:
            files = study["source"]["files"] | study["source"]["built_from"]
            if wildcards.file in files:
                return files[wildcards.file]
    raise WorkflowError(f"no study of this run lists {wildcards.folder}/{wildcards.file}")


def get_built_folders():
    """Folders of this run whose tables are built from published files, as no mirror is there to hold them."""
    sources = [] if config["mirror"] else [study["source"] for study in STUDIES.values()]
    return sorted({source["folder"] for source in sources if source.get("built_from")})


def get_tracking_files(wildcards):
    """What the tables of a folder are built from: the list of samples, and a table of each of them."""
    built = next(study["source"] for study in STUDIES.values() if study["source"].get("folder") == wildcards.folder)
    return [f"resources/downloads/{wildcards.folder}/{file}" for file in built["built_from"]]


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


def get_guiding_model(study):
    """The model whose inner score chooses the number of genes that networks take."""
    listed = [model for model in SIZE_GUIDES if model in STUDIES[study]["models"]]
    return (listed or SIZE_GUIDES)[0]


def get_size_guide(wildcards):
    """Tuning of the model whose inner score chose the number of genes that networks take, nothing if all are taken."""
    if STUDIES[wildcards.study]["select"]["method"] == "none":
        return []
    return f"<results>/{wildcards.study}/cv/{wildcards.repeat}/{get_guiding_model(wildcards.study)}/tuning.tsv"


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
    if study in EXPRESSION_STUDIES:
        files.append("explain/marker_table.tsv")
        if len(STUDIES[study]["cluster"]["gene_sets"]) > 1:
            files.append("explain/overlap.png")
    if not is_sequences(study):
        files += ["cluster/v_measure.png", "cluster/maps_pca.png"]
        files += ["cluster/umap.png"] if draws_umap(study) else []
    else:
        files += ["evaluation/cv_against_test.png", "evaluation/accuracy_by_identity.png"]
        files += ["evaluation/precision_recall.png", "evaluation/tuning.tsv"]
        files += [f"evaluation/architecture_{model}.png" for model in get_networks(study)]
    if "transfer" in STUDIES[study]:
        files.append("transfer/learning_curve.png")
    if predicts_unlabelled(study):
        files.append("predict/summary.json")
    return files


def get_cluster_outputs():
    """Outputs of cluster_samples, by name, made anew for each rule: Snakemake marks the paths that it is given."""
    return {
        "clustering": "<results>/{study}/cluster/clustering.tsv",
        "assignments": "<results>/{study}/cluster/assignments.tsv",
        "gene_sets": "<results>/{study}/cluster/gene_sets.tsv",
        "null": "<results>/{study}/cluster/null.tsv",
        "summary": "<results>/{study}/cluster/summary.json",
        "components": "<results>/{study}/cluster/pca.tsv",
        "pca": report(
            multiext("<results>/{study}/cluster/pca", ".svg", ".png"),
            caption="../resources/report/pca.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "principal components"},
        ),
        "variance": report(
            multiext("<results>/{study}/cluster/explained_variance", ".svg", ".png"),
            caption="../resources/report/explained_variance.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "explained variance"},
        ),
        "v_measure": report(
            multiext("<results>/{study}/cluster/v_measure", ".svg", ".png"),
            caption="../resources/report/v_measure.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "against random sets"},
        ),
        "maps_pca": report(
            multiext("<results>/{study}/cluster/maps_pca", ".svg", ".png"),
            caption="../resources/report/maps_pca.rst",
            category="{study}",
            subcategory="Clusters",
            labels={"figure": "principal components of gene sets"},
        ),
    }


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
