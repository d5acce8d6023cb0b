"""Studies of DNA sequences: the shipped ones, the forms of a user's own, and the message for every mistake in them."""

import pytest
import yaml

from genestrata.config import Catalogue
from genestrata.errors import InputError
from genestrata.models import load_module, parameter_grid, reads
from genestrata.models.registry import REGISTRY
from genestrata.readers import READERS

SEQUENCE_MODELS = [name for name, entry in REGISTRY.items() if entry.task == "sequence"]
TABLE = {
    "title": "D",
    "task": "sequence",
    "reader": "table",
    "sequences": "splice.data",
    "separator": ",",
    "header": False,
    "columns": {"label": 0, "sample": 1, "sequence": 2},
}
PER_CLASS = {
    "title": "E",
    "task": "sequence",
    "reader": "fasta",
    "fasta": {"promoter": "p.fa", "non_promoter": "n.fa"},
}
ONE_FILE = {
    "title": "F",
    "task": "sequence",
    "reader": "fasta",
    "fasta_file": "x.fa.gz",
    "label_pattern": r"class=(\w+)",
}
ARCHIVE = {"title": "N", "task": "sequence", "reader": "npy", "sequences": "genes.npy"}
FORMS = {"table": TABLE, "a file per class": PER_CLASS, "one file": ONE_FILE, "npy": ARCHIVE}
MATRIX = {
    "title": "A",
    "task": "expression",
    "reader": "table",
    "expression": "p.fa",
    "orientation": "genes_by_samples",
    "samples": "n.fa",
}


@pytest.fixture(scope="module")
def catalogue(repository):
    return Catalogue(repository)


@pytest.fixture
def shipped(catalogue):
    """A shipped study by name, resolved for one kind of data."""
    return lambda name, data: catalogue.load_study(catalogue.resources / "studies" / f"{name}.yaml", data)


@pytest.fixture
def load(catalogue, tmp_path):
    """Write a study file beside (unread) data files and resolve it."""
    for name in ("splice.data", "p.fa", "n.fa", "x.fa.gz", "genes.npy"):
        (tmp_path / name).touch()

    def resolve(content, name="own.yaml", data="simulated"):
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return catalogue.load_study(path, data)

    return resolve


@pytest.fixture
def complaint(load, tmp_path):
    """The one line that a study file is refused with, less its path."""

    def refuse(content):
        with pytest.raises(InputError) as caught:
            load(content)
        message = str(caught.value)
        assert message.count("\n") == 0
        assert message.startswith(f"{tmp_path / 'own.yaml'}: ")
        return message.removeprefix(f"{tmp_path / 'own.yaml'}: ")

    return refuse


# shipped studies


def test_real_genes_are_asked_of_every_kind_of_model_with_relatives_kept_together(shipped):
    study = shipped("drug_resistance", "public")
    assert set(study["models"]) == set(SEQUENCE_MODELS)
    assert study["evaluation"] == {
        "scheme": "grouped_cv",
        "folds": 5,
        "repeats": 1,
        "inner_folds": 3,
        "group": None,
        "replicates": "separate",
    }
    assert study["homology"] == {"identity": 0.8}
    assert study["clean"]["largest_classes"] == 9
    assert study["clean"]["conflicting"] == "drop"
    assert study["select"] == {"method": "none"}
    assert "stack" in study
    assert len(study["source"]["files"]) == 15
    assert study["source"]["reader"] in READERS
    # The random split shows what each of them gains by relatives.
    assert len(study["controls"]["random_split"]) >= 2
    assert set(study["controls"]["random_split"]) <= set(study["models"])


def test_search_of_the_network_is_over_epochs_and_units_and_costs_a_fit_for_each_units(shipped):
    study = shipped("drug_resistance", "public")
    grid = parameter_grid("bilstm", study["model_params"]["bilstm"])
    assert {tuple(setting["units"]) for setting in grid} == {(32,), (62,)}
    assert len(grid) == 2 * len({setting["epochs"] for setting in grid}) > 2
    assert load_module("bilstm").STAGED == "epochs"
    assert all(setting["patience"] is None for setting in grid)


def test_baseline_reads_dna_and_the_others_the_protein(shipped):
    parameters = shipped("drug_resistance", "public")["model_params"]
    grids = {name: parameter_grid(name, parameters.get(name, {})) for name in SEQUENCE_MODELS if name != "bilstm"}
    assert {setting["alphabet"] for setting in grids["kmer_logistic_regression"]} == {"dna"}
    assert {setting["longest"] for setting in grids["kmer_logistic_regression"]} == {6}
    others = {setting["alphabet"] for name in ("kmer_svm", "kmer_xgboost") for setting in grids[name]}
    assert "dna" not in others


def test_simulated_genes_are_few_with_a_network_that_is_quick(shipped):
    study = shipped("drug_resistance", "simulated")
    assert study["source"]["simulator"] == "resistance_genes"
    assert set(study["source"]["classes"]) == {"resistant", "susceptible"}
    assert sum(study["source"]["classes"].values()) <= 500
    assert "bilstm" in study["models"]
    assert study["evaluation"]["scheme"] == "grouped_cv"
    assert study["evaluation"]["folds"] == 2
    assert study["controls"]["random_split"] == ["kmer_nearest"]
    assert max(setting["epochs"] for setting in parameter_grid("bilstm", study["model_params"]["bilstm"])) <= 20
    assert study["clean"].get("largest_classes") is None


@pytest.mark.parametrize("data", ["public", "simulated"])
def test_random_variant_differs_in_the_split_and_leaves_the_network_out(shipped, data):
    grouped, random = (shipped(name, data) for name in ("drug_resistance", "drug_resistance_random"))
    different = {key for key in grouped if grouped[key] != random.get(key)}
    assert different - {"explain"} == {"name", "title", "description", "homology", "evaluation", "controls", "models"}
    assert "homology" not in random
    assert "bilstm" not in random["models"]
    assert random["evaluation"] == grouped["evaluation"] | {"scheme": "cv"}
    assert random["controls"] == grouped["controls"] | {"random_split": []}


def test_one_class_against_the_rest_takes_all_classes(shipped):
    whole, variant = (shipped(name, "public") for name in ("drug_resistance", "drug_resistance_beta_lactam"))
    assert variant["clean"].get("largest_classes") is None
    assert variant["clean"]["one_against_rest"] == "beta-lactam"
    assert "beta-lactam.fsa" in variant["source"]["files"]
    different = {key for key in whole if whole[key] != variant.get(key)}
    assert different <= {"name", "title", "description", "clean", "model_params"}
    # Variants reuse a choice that was made before.
    assert len(parameter_grid("bilstm", variant["model_params"]["bilstm"])) == 1


def test_simulated_genes_have_no_class_to_be_set_against_the_rest(shipped):
    study = shipped("drug_resistance_beta_lactam", "simulated")
    assert study["clean"].get("one_against_rest") is None
    assert study["source"] == shipped("drug_resistance", "simulated")["source"]


# forms of a user's own study


@pytest.mark.parametrize("form", FORMS)
def test_own_files_resolve_with_the_defaults_of_sequences(load, tmp_path, form):
    study = load(FORMS[form], data="public")
    assert (study["data"], study["source"]) == ("user", {})
    assert study["homology"] == {"identity": 0.8}
    assert study["select"] == {"method": "none"}
    assert study["evaluation"] == {
        "scheme": "auto",
        "folds": 5,
        "repeats": 1,
        "inner_folds": 5,
        "group": None,
        "replicates": "separate",
    }
    assert study["clean"]["conflicting"] == "drop"
    assert study["clean"]["too_long"] == "error"
    assert study["unlabelled"] == "error"
    # Only models that need no network library, one of them evaluated on a random split too.
    assert not any(REGISTRY[model].deep for model in study["models"])
    assert all(reads(model) == "sequences" for model in study["models"])
    assert set(study["controls"]["random_split"]) <= set(study["models"])
    assert study["controls"]["random_split"]
    assert "stack" in study


def test_paths_are_relative_to_the_study_file(load, tmp_path):
    assert load(TABLE)["sequences"] == str(tmp_path / "splice.data")
    assert load(PER_CLASS)["fasta"] == {"promoter": str(tmp_path / "p.fa"), "non_promoter": str(tmp_path / "n.fa")}
    assert load(ONE_FILE)["fasta_file"] == str(tmp_path / "x.fa.gz")
    (tmp_path / "deep").mkdir()
    inherited = load({"extends": "../own.yaml"}, "deep/variant.yaml")
    assert inherited["fasta_file"] == str(tmp_path / "x.fa.gz")


def test_labels_of_files_are_text(load, tmp_path):
    study = load(PER_CLASS | {"fasta": {0: "n.fa", 1: "p.fa"}})
    assert study["fasta"] == {"0": str(tmp_path / "n.fa"), "1": str(tmp_path / "p.fa")}


def test_variant_may_remove_one_of_the_files(load, tmp_path):
    load(PER_CLASS | {"fasta": {"a": "p.fa", "b": "n.fa", "c": "x.fa.gz"}}, "base.yaml")
    study = load({"extends": "base.yaml", "fasta": {"a": "n.fa", "b": "p.fa", "c": None}})
    assert study["fasta"] == {"a": str(tmp_path / "n.fa"), "b": str(tmp_path / "p.fa")}


def test_homology_may_be_removed_and_nothing_else_that_sequences_need(load, complaint):
    assert "homology" not in load(TABLE | {"homology": None})
    assert load(TABLE | {"homology": {"identity": 0.95}})["homology"] == {"identity": 0.95}
    for key in ("select", "clean", "controls", "unlabelled"):
        assert complaint(TABLE | {key: None}).startswith(f"{key}: found nothing, but a value is needed")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**TABLE, "reader": None}, "a study without `sources` also needs: reader"),
        (
            {**TABLE, "reader": "fata"},
            "reader: unknown reader of your own sequences 'fata' (did you mean 'fasta'?); allowed: fasta, npy, table",
        ),
        ({**TABLE, "sequences": None}, "reader table: needs sequences and no other file, found nothing"),
        ({**ARCHIVE, "sequences": None}, "reader npy: needs sequences and no other file, found nothing"),
        ({**PER_CLASS, "fasta": None}, "reader fasta: needs fasta or fasta_file and no other file, found nothing"),
        (
            {**PER_CLASS, **ONE_FILE},
            "reader fasta: needs fasta or fasta_file and no other file, found fasta, fasta_file",
        ),
        ({**PER_CLASS, "reader": "table"}, "reader table: needs sequences and no other file, found fasta"),
        (
            {**TABLE, "samples": "p.fa"},
            "reader table: needs sequences and no other file, found samples, sequences",
        ),
        (
            {**ONE_FILE, "label_column": "class"},
            "reader fasta: needs fasta or fasta_file and no other file, found fasta_file, label_column",
        ),
        (
            {**ONE_FILE, "label_pattern": None},
            "fasta_file: labels come from the headers; give label_pattern",
        ),
        (
            {**PER_CLASS, "label_pattern": "(x)"},
            "label_pattern: only with fasta_file; with fasta each file has its label",
        ),
        (
            {**ONE_FILE, "label_pattern": "class=(.*"},
            "label_pattern: 'class=(.*' is not a regular expression (missing ), unterminated subpattern at position 6)",
        ),
        (
            {**ONE_FILE, "label_pattern": "class=.*"},
            "label_pattern: 'class=.*' has 0 groups, expected one, around the label; write other parentheses as (?:…)",
        ),
        ({**PER_CLASS, "fasta": {"a": "p.fa"}}, "fasta: found {'a': 'p.fa'} (a mapping), allowed: at least 2 keys"),
        ({**PER_CLASS, "fasta": {"a": 1, "b": "n.fa"}}, "fasta.a: found 1 (a number), allowed: text"),
        ({**TABLE, "header": "no"}, "header: found 'no' (text), allowed: true or false"),
        ({**TABLE, "columns": {"sequenc": 1}}, "columns.sequenc: unknown key 'sequenc' (did you mean 'sequence'?)"),
        ({**TABLE, "homology": {}}, "homology: required key missing: identity"),
        ({**TABLE, "homology": {"identity": 80}}, "homology.identity: found 80 (a number), allowed: at most 1"),
        ({**TABLE, "homology": {"identity": 0.5}}, "homology.identity: found 0.5 (a number), allowed: at least 0.75"),
        ({**TABLE, "clean": {"max_length": 0}}, "clean.max_length: found 0 (a number), allowed: at least 1"),
        ({**TABLE, "clean": {"too_long": "cut"}}, "clean.too_long: found 'cut' (text), allowed: one of error"),
        ({**TABLE, "clean": {"largest_classes": 1}}, "clean.largest_classes: found 1 (a number), allowed: at least 2"),
        ({**TABLE, "clean": {"conflicting": "keep"}}, "clean.conflicting: found 'keep' (text), allowed: one of error"),
        (
            {**TABLE, "select": {"method": "anova_f", "k": [5]}},
            "select.method: only none for task sequence; k-mers are counted in the models",
        ),
        ({**TABLE, "series": {"irregular": "allow"}}, "series: only for task time_series, this study's is sequence"),
        (
            {**TABLE, "controls": {"model": "kmer_nearst"}},
            "controls.model: unknown model of task sequence 'kmer_nearst' (did you mean 'kmer_nearest'?)",
        ),
        (
            {**TABLE, "models": ["fourier_phase"]},
            "models: unknown model of task sequence 'fourier_phase'",
        ),
        (
            {**TABLE, "models": ["kmer_svm"], "controls": {"random_split": ["kmer_nearest"]}},
            "controls.random_split: unknown model of this study 'kmer_nearest'",
        ),
        (
            {**TABLE, "controls": {"random_split": "kmer_svm"}},
            "controls.random_split: found 'kmer_svm' (text), allowed: a list",
        ),
        (
            {**TABLE, "models": ["kmer_svm"], "controls": {"random_split": None}},
            "controls.random_split: found nothing, but a value is needed; the default is ['kmer_nearest']",
        ),
        (
            {**TABLE, "models": ["kmer_svm"], "model_params": {"kmer_svm": {"longst": 3}}},
            "model_params.kmer_svm: unknown parameter 'longst' (did you mean 'longest'?)",
        ),
        ({**TABLE, "models": ["kmer_nearest"]}, "models: none of them can be explained; add one of "),
        ({**MATRIX, "sequences": "splice.data"}, "sequences: only for task sequence, this study's is expression"),
        ({**MATRIX, "homology": {"identity": 0.8}}, "homology: only for task sequence, this study's is expression"),
        ({**MATRIX, "models": ["kmer_svm"]}, "models: unknown model of task expression 'kmer_svm'"),
    ],
)
def test_mistake_is_one_line(complaint, content, message):
    assert complaint(content).startswith(message)


@pytest.mark.parametrize(
    ("content", "key", "file"),
    [
        ({**TABLE, "sequences": "nope.csv"}, "sequences", "nope.csv"),
        ({**ONE_FILE, "fasta_file": "nope.fa"}, "fasta_file", "nope.fa"),
        ({**PER_CLASS, "fasta": {"a": "p.fa", "b": "nope.fa"}}, "fasta.b", "nope.fa"),
    ],
)
def test_absent_file_is_named(complaint, tmp_path, content, key, file):
    assert complaint(content) == f"{key}: no such file: {tmp_path / file}"


@pytest.mark.parametrize("model", ["linear_svm", "dense", "xgboost"])
def test_matrix_model_is_not_one_of_sequences(complaint, model):
    assert complaint({**TABLE, "models": [model]}).startswith(f"models: unknown model of task sequence '{model}'")


# models that a variant replaces


def test_random_split_of_the_defaults_is_of_the_models_that_there_are(load):
    assert load(TABLE)["controls"]["random_split"] == ["kmer_nearest"]
    assert load(TABLE | {"models": ["kmer_svm", "kmer_nearest"]})["controls"]["random_split"] == ["kmer_nearest"]
    assert load(TABLE | {"models": ["kmer_svm"]})["controls"]["random_split"] == []


def test_random_split_of_a_parent_loses_the_models_that_a_variant_replaced(load):
    controls = {"random_split": ["kmer_svm", "kmer_nearest"]}
    load(TABLE | {"models": ["kmer_svm", "kmer_nearest", "kmer_xgboost"], "controls": controls}, "base.yaml")
    fewer = load({"extends": "base.yaml", "models": ["kmer_xgboost", "kmer_svm"]})
    assert fewer["controls"]["random_split"] == ["kmer_svm"]
    none = load({"extends": "base.yaml", "controls": {"random_split": []}})
    assert none["controls"]["random_split"] == []


def test_random_split_that_names_what_the_same_file_replaced_is_a_mistake(complaint, load):
    load(TABLE | {"models": ["kmer_svm", "kmer_nearest"]}, "base.yaml")
    content = {"extends": "base.yaml", "models": ["kmer_svm"], "controls": {"random_split": ["kmer_nearest"]}}
    assert complaint(content).startswith("controls.random_split: unknown model of this study 'kmer_nearest'")


def test_stack_that_a_variant_removes_with_its_models_is_gone(load):
    load(TABLE | {"models": ["kmer_svm", "kmer_xgboost"], "stack": {"base": ["kmer_svm", "kmer_xgboost"]}}, "base.yaml")
    assert "stack" not in load({"extends": "base.yaml", "models": ["kmer_svm"], "stack": None})


# the network


@pytest.fixture
def network(load):
    """Settings of bilstm as a study resolves them."""

    def grid(**parameters):
        study = load(TABLE | {"models": ["bilstm"], "model_params": {"bilstm": parameters}})
        return parameter_grid("bilstm", study["model_params"].get("bilstm", {}))

    return grid


def test_every_setting_of_the_network_may_stand_in_a_study_and_nothing_else(load, complaint):
    settings = load_module("bilstm").SETTINGS
    given = {key: value for key, value in settings.items() if value is not None}
    content = TABLE | {"models": ["bilstm"], "model_params": {"bilstm": given}}
    assert load(content)["model_params"]["bilstm"] == given
    message = complaint(TABLE | {"model_params": {"bilstm": {"unheard_of": 1}}})
    assert set(message.partition("allowed: ")[2].split(", ")) == {*settings, "preset", "search"}


def test_values_of_the_published_system_may_stand_in_a_study(network):
    (preset,) = network(preset="published")
    (written,) = network(**{k: v for k, v in load_module("bilstm").PRESETS["published"].items() if v is not None})
    assert {key for key in preset if preset[key] != written[key]} <= {"members_per_group"}
    assert (preset["units"], preset["embedding"], preset["longest"]) == ([62, 62], 50, 900)


def test_search_is_every_combination_and_replaces_the_setting(network):
    settings = load_module("bilstm").SETTINGS
    grid = network(search={"epochs": [3, 9], "units": [[8], [4, 4]]}, dropout=0.1)
    assert [(setting["epochs"], setting["units"]) for setting in grid] == [
        (3, [8]),
        (3, [4, 4]),
        (9, [8]),
        (9, [4, 4]),
    ]
    for setting in grid:
        assert setting == settings | {"epochs": setting["epochs"], "units": setting["units"], "dropout": 0.1}
    assert network() == [settings]


def test_search_joins_the_preset(network):
    grid = network(preset="published", search={"units": [[60, 60], [62, 62]]})
    assert [setting["units"] for setting in grid] == [[60, 60], [62, 62]]
    assert {setting["batch_size"] for setting in grid} == {400}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"strands": "both"}, "strands: both needs reads dna; only one strand holds the reading frame of "),
        (
            {"strands": "both", "reads": "protein"},
            "strands: both needs reads dna; only one strand holds the reading frame of protein",
        ),
        (
            {"strands": "both", "reads": "dna", "search": {"reads": ["dna", "codon"]}},
            "strands: both needs reads dna; only one strand holds the reading frame of codon",
        ),
        ({"reads": "rna"}, "reads: found 'rna' (text), allowed: one of dna, codon, protein, reduced_protein"),
        ({"strands": "two"}, "strands: found 'two' (text), allowed: one of one, both"),
        ({"longest": 0}, "longest: found 0 (a number), allowed: at least 1"),
        ({"units": []}, "units: found [] (a list), allowed: a list of at least 1"),
        ({"crop": 1}, "crop: found 1 (a number), allowed: less than 1"),
        ({"summary": "flatten"}, "summary: found 'flatten' (text), allowed: one of last, max, average"),
        ({"search": {}}, "search: found {} (a mapping), allowed: at least 1 keys"),
        ({"search": {"epoch": [3]}}, "search.epoch: unknown key 'epoch' (did you mean 'epochs'?)"),
        ({"search": {"epochs": 3}}, "search.epochs: found 3 (a number), allowed: a list"),
        ({"search": {"epochs": [3, 3]}}, "search.epochs: found [3, 3] (a list), allowed: no item twice"),
        ({"search": {"units": [32]}}, "search.units.0: found 32 (a number), allowed: a list"),
        (
            {"patience": 5, "search": {"epochs": [4, 20]}},
            "search.epochs: found 20, which a fit with patience 5 may not reach; raise patience to 20",
        ),
    ],
)
def test_mistake_in_the_network_is_one_line(complaint, parameters, message):
    content = TABLE | {"models": ["bilstm"], "model_params": {"bilstm": parameters}}
    assert complaint(content).startswith(f"model_params.bilstm.{message}")


def test_layers_in_front_are_counted(complaint):
    content = TABLE | {"models": ["bilstm"], "model_params": {"bilstm": {"filters": [8, 8]}}}
    message = "model_params.bilstm: found filters 2, kernel 1, pool 1 values, expected one a layer"
    assert complaint(content) == message


def test_both_strands_of_dna_are_accepted(network):
    (setting,) = network(strands="both", reads="dna")
    assert setting["strands"] == "both"
    assert len(network(patience=9, search={"epochs": [4, 9]})) == 2
