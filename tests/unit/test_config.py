"""config.yaml and study files: what is accepted, how variants merge, and the message for every kind of mistake."""

import copy
from pathlib import Path

import pytest
import yaml

from genestrata.config import Catalogue, merge, read_yaml
from genestrata.errors import InputError
from genestrata.models import load_module, parameter_grid
from genestrata.models.registry import REGISTRY

CONFIG = {"studies": ["aml_all"], "data": "simulated", "mirror": "", "seed": 1}
OWN = {
    "title": "A",
    "task": "expression",
    "reader": "table",
    "expression": "e.csv",
    "orientation": "genes_by_samples",
    "samples": "s.csv",
}
SIMULATED = {
    "title": "S",
    "task": "expression",
    "sources": {"simulated": {"simulator": "expression_cohort", "classes": {"A": 9, "B": 9}}},
}
SERIES = {
    "title": "T",
    "task": "time_series",
    "sources": {"simulated": {"simulator": "periodic_genes", "classes": {"G1": 9, "S": 9}}},
}
TRANSFER = {"model": "cnn_bilstm", "source": "cdc15", "targets": ["alpha"], "sizes": [25, 50]}
PUBLIC_FILE = {"url": "https://example.org/a.csv", "sha256": "0" * 64}


@pytest.fixture(scope="module")
def catalogue(repository):
    return Catalogue(repository)


@pytest.fixture
def write(tmp_path):
    """Write a study file beside two (unread) data files and return its path."""
    (tmp_path / "e.csv").touch()
    (tmp_path / "s.csv").touch()

    def write_study(content, name="own.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path

    return write_study


def changed(study, key, value):
    """A copy of a study with the setting at a dotted key replaced."""
    study = copy.deepcopy(study)
    *parents, last = key.split(".")
    place = study
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return study


# merge


@pytest.mark.parametrize(
    ("base", "override", "expected"),
    [
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 9}}}, {"a": {"b": {"c": 9, "d": 2}}}),
        ({"k": [1, 2, 3]}, {"k": [9]}, {"k": [9]}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": None}}, {"a": {"y": 2}}),
        ({}, {"a": None, "b": 1}, {"b": 1}),
        ({"a": 1}, {"a": {"x": 1}}, {"a": {"x": 1}}),
    ],
)
def test_merge_goes_deep_replaces_lists_and_removes_nulls(base, override, expected):
    before = copy.deepcopy((base, override))
    assert merge(base, override) == expected
    assert (base, override) == before


# the files as YAML


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found nothing, expected a mapping"),
        (b"- a\n- b\n", "found ['a', 'b'] (a list), expected a mapping"),
        (b"a: [1\n", "not valid YAML"),
        (b"\xff\xfe\x00", "cannot be read as text"),
    ],
)
def test_unreadable_yaml_is_named(tmp_path, content, message):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_yaml_with_byte_order_mark_and_windows_line_ends(tmp_path):
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: A\r\ntask: expression\r\n")
    assert read_yaml(path) == {"title": "A", "task": "expression"}


# config.yaml


def test_shipped_configuration_resolves(catalogue, repository, tmp_path):
    config = read_yaml(repository / "config.yaml")
    studies = catalogue.load_studies(config, tmp_path)
    assert list(studies) == config["studies"]
    assert {study["data"] for study in studies.values()} == {config["data"]}


def test_every_shipped_study_resolves_with_every_source(catalogue):
    for path in sorted((catalogue.resources / "studies").glob("*.yaml")):
        for data in ("simulated", "public"):
            study = catalogue.load_study(path, data)
            assert (study["name"], study["data"]) == (path.stem, data)


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (
            {"sede": 3},
            ["config: sede: unknown key 'sede' (did you mean 'seed'?); allowed: data, mirror, seed, studies"],
        ),
        ({"seed": "1"}, ["config: seed: found '1' (text), allowed: a whole number"]),
        ({"seed": True}, ["config: seed: found True (true/false), allowed: a whole number"]),
        ({"seed": -1}, ["config: seed: found -1 (a number), allowed: at least 0"]),
        ({"studies": "aml_all"}, ["config: studies: found 'aml_all' (text), allowed: a list"]),
        ({"studies": []}, ["config: studies: found [] (a list), allowed: a list of at least 1"]),
        ({"studies": [7]}, ["config: studies.0: found 7 (a number), allowed: text"]),
        ({"studies": ["aml_all", "aml_all"]}, ["config: studies:", "allowed: no item twice"]),
        (
            {"studies": ["aml_al"]},
            ["config: studies: unknown study 'aml_al' (did you mean 'aml_all'?)", "your own .yaml"],
        ),
        ({"studies": ["mine/x.yaml"]}, ["config: studies: no study file at", "mine/x.yaml"]),
        ({"data": "real"}, ["config: data: found 'real' (text), allowed: one of simulated, public"]),
        ({"mirror": None}, ["config: mirror: found nothing, allowed: text"]),
        ({"seed": "x", "data": "y"}, ["config: seed: found 'x'", "config: data: found 'y'"]),
    ],
)
def test_mistake_in_configuration_is_explained(catalogue, tmp_path, change, messages):
    with pytest.raises(InputError) as caught:
        catalogue.load_studies(CONFIG | change, tmp_path)
    assert [part for part in messages if part not in str(caught.value)] == []


def test_missing_configuration_keys_are_listed(catalogue, tmp_path):
    with pytest.raises(InputError, match=r"^config: required keys missing: mirror, seed$"):
        catalogue.load_studies({"studies": ["aml_all"], "data": "public"}, tmp_path)


def test_two_studies_of_one_name_are_an_error(catalogue, write, tmp_path):
    first, second = write(OWN, "one/My-Study.yaml"), write(OWN | {"name": "my study"}, "two.yaml")
    for place in ("e.csv", "s.csv"):
        (first.parent / place).touch()
    with pytest.raises(InputError) as caught:
        catalogue.load_studies(CONFIG | {"studies": ["./one/My-Study.yaml", "two.yaml"]}, tmp_path)
    assert str(caught.value) == f"config: studies: {first} and {second} both give a study named 'my_study'"


# a study file


@pytest.mark.parametrize(
    ("name", "expected"), [("My Study.yaml", "my_study"), ("a.b-C.yml", "a_b_c"), ("Zelle_ä.yaml", "zelle__")]
)
def test_name_comes_from_the_file(catalogue, write, name, expected):
    assert catalogue.load_study(write(OWN, name), "simulated")["name"] == expected


def test_own_name_wins_over_the_file(catalogue, write):
    assert catalogue.load_study(write(OWN | {"name": "Blood 2"}), "simulated")["name"] == "blood_2"


@pytest.mark.parametrize("data", ["simulated", "public"])
def test_own_files_are_used_whatever_the_source_asked_for(catalogue, write, data):
    study = catalogue.load_study(write(OWN), data)
    assert (study["data"], study["source"]) == ("user", {})


def test_paths_are_relative_to_the_study_file(catalogue, write, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parent)
    path = write(OWN | {"expression": "../e.csv"}, "deep/own.yaml")
    (path.parent / "s.csv").touch()
    study = catalogue.load_study(path, "public")
    assert study["expression"] == str(tmp_path / "e.csv")
    assert study["samples"] == str(path.parent / "s.csv")


def test_defaults_of_the_task_fill_what_a_study_leaves_out(catalogue, write):
    study = catalogue.load_study(write(changed(OWN, "evaluation.folds", 7)), "simulated")
    assert study["evaluation"] == {
        "scheme": "auto",
        "folds": 7,
        "repeats": 1,
        "inner_folds": 5,
        "group": None,
        "replicates": "separate",
    }
    assert study["clean"]["transform"] == "none"
    assert study["unlabelled"] == "error"
    assert study["stack"] == {"meta_learner": "gradient_boosting"}


@pytest.mark.parametrize(
    ("key", "close"),
    [
        ("titel", "title"),
        ("sources.publik", "public"),
        ("sources.public.foldr", "folder"),
        ("sources.public.files.a.sha265", "sha256"),
        ("sources.simulated.simulater", "simulator"),
        ("sources.simulated.clean.flor", "floor"),
        ("columns.lable", "label"),
        ("clean.transfrom", "transform"),
        ("select.methods", "method"),
        ("evaluation.fold", "folds"),
        ("stack.bases", "base"),
        ("controls.permutation", "permutations"),
        ("explain.model", "models"),
        ("cluster.random_set", "random_sets"),
        ("cycel", "cycle"),
        ("mapp", "map"),
        ("unlabeled", "unlabelled"),
        ("serie", "series"),
        ("series.experiment", "experiments"),
        ("series.iregular", "irregular"),
        ("series.peak_phase", "peak_phases"),
        ("transfer.target", "targets"),
        ("transfer.epoch", "epochs"),
        ("sources.simulated.transfers", "transfer"),
        ("sources.simulated.series.ends", "end"),
        ("sources.simulated.experiments.alpha.steps", "step"),
        ("sources.public.serie", "series"),
    ],
)
def test_unknown_key_is_named_at_every_level_with_the_closest_one(catalogue, write, key, close):
    path = write(changed(OWN, key, 1))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    typo = key.rpartition(".")[2]
    assert f"{path}: {key}: unknown key '{typo}' (did you mean '{close}'?); allowed: " in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("title", 5, "title: found 5 (a number), allowed: text"),
        ("title", "", "title: found '' (text), allowed: a text that is not empty"),
        ("task", "images", "task: found 'images' (text), allowed: one of expression, time_series"),
        ("orientation", "genes", "allowed: one of genes_by_samples, samples_by_genes"),
        ("separator", ";;", "separator: found ';;' (text), allowed: at most 1 characters"),
        ("columns.label", 1.5, "columns.label: found 1.5 (a number), allowed: text or a whole number"),
        ("clean.max_missing", 1.2, "clean.max_missing: found 1.2 (a number), allowed: at most 1"),
        ("clean.floor", "20", "clean.floor: found '20' (text), allowed: a number or null"),
        ("clean.drop_features", "AFFX*", "clean.drop_features: found 'AFFX*' (text), allowed: a list"),
        ("select.k", [0], "select.k.0: found 0 (a number), allowed: at least 1"),
        ("select.k", [], "select.k: found [] (a list), allowed: a list of at least 1"),
        ("evaluation.folds", 1, "evaluation.folds: found 1 (a number), allowed: at least 2"),
        ("evaluation.scheme", "loo", "evaluation.scheme: found 'loo' (text), allowed: one of auto, published, cv"),
        ("models", "xgboost", "models: found 'xgboost' (text), allowed: a list"),
        ("model_params.xgboost", 3, "model_params.xgboost: found 3 (a number), allowed: a mapping"),
        ("controls.permutations", 5, "controls.permutations: found 5 (a number), allowed: at least 20"),
        ("explain.draws", 0, "explain.draws: found 0 (a number), allowed: at least 1"),
        ("explain.classes", "true", "explain.classes: found 'true' (text), allowed: one of all, own"),
        ("cluster.methods", ["kmean"], "cluster.methods.0: found 'kmean' (text), allowed: one of kmeans"),
        ("select.method", "anova", "select.method: found 'anova' (text), allowed: one of anova_f, moderated_f, none"),
        ("unlabelled", "keep", "unlabelled: found 'keep' (text), allowed: one of error, drop, predict"),
        ("cycle", "G1", "cycle: found 'G1' (text), allowed: a list"),
        ("cycle", ["G1", "S", "G1"], "cycle: found ['G1', 'S', 'G1'] (a list), allowed: no item twice"),
        ("cycle", ["G1", 2], "cycle.1: found 2 (a number), allowed: text"),
        ("map", "pca", "map: found 'pca' (text), allowed: one of umap, tsne"),
        ("series.experiments", [], "series.experiments: found [] (a list), allowed: a list of at least 1"),
        ("series.experiments", ["a", "a"], "series.experiments: found ['a', 'a'] (a list), allowed: no item twice"),
        ("series.start", -1, "series.start: found -1 (a number), allowed: at least 0"),
        ("series.end", "late", "series.end: found 'late' (text), allowed: a number"),
        ("series.irregular", "drop", "series.irregular: found 'drop' (text), allowed: one of error, allow"),
        ("series.peak_phases", {"G1": [0]}, "series.peak_phases: found {'G1': [0]} (a mapping), allowed: at least 2"),
        ("series.peak_phases", {"G1": [], "S": [7]}, "series.peak_phases.G1: found [] (a list), allowed: a list of at"),
        ("series.peak_phases", {"G1": ["0"], "S": [7]}, "series.peak_phases.G1.0: found '0' (text), allowed: a number"),
        ("transfer.targets", "alpha", "transfer.targets: found 'alpha' (text), allowed: a list"),
        ("transfer.sizes", [5], "transfer.sizes.0: found 5 (a number), allowed: at least 10"),
        ("transfer.folds", 0, "transfer.folds: found 0 (a number), allowed: at least 1"),
    ],
)
def test_wrong_type_or_value_is_explained(catalogue, write, key, value, message):
    path = write(changed(OWN, key, value))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("models", ["xgbost"], "models: unknown model of task expression 'xgbost' (did you mean 'xgboost'?)"),
        (
            "model_params",
            {"random_forst": {}},
            "model_params: unknown model of task expression 'random_forst' (did you mean 'random_forest'?)",
        ),
        (
            "controls.model",
            "linear_svn",
            "controls.model: unknown model of task expression 'linear_svn' (did you mean 'linear_svm'?)",
        ),
        ("stack.base", ["majority"], "stack.base: unknown model of this study 'majority'"),
        ("explain.models", ["majority"], "explain.models: unknown model of this study 'majority'"),
        (
            "explain.models",
            ["nearest_shrunken_centroids"],
            "unknown model with an explanation 'nearest_shrunken_centroids'",
        ),
        ("reader", "tabel", "reader: unknown reader of your own files 'tabel' (did you mean 'table'?)"),
    ],
)
def test_unknown_name_is_named_with_the_closest_one(catalogue, write, key, value, message):
    with pytest.raises(InputError) as caught:
        catalogue.load_study(write(changed(OWN, key, value)), "simulated")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        (
            {"gene_sets": ["consensus", "moderated"]},
            "cluster.gene_sets: unknown explained model or ranking 'moderated' (did you mean 'moderated_f'?); allowed",
        ),
        ({"gene_sets": ["majority"]}, "cluster.gene_sets: unknown explained model or ranking 'majority'"),
        ({"gene_sets": ["lightgbm"]}, "cluster.gene_sets: unknown explained model or ranking 'lightgbm'"),
        ({"gene_sets": []}, "cluster.gene_sets: found [] (a list), allowed: a list of at least 1"),
        ({"set_rule": "half"}, "cluster.set_rule: found 'half' (text), allowed: one of size, half_repeats"),
        ({"restarts": 0}, "cluster.restarts: found 0 (a number), allowed: at least 1"),
        ({"map": "tsne"}, "cluster.map: found 'tsne' (text), allowed: one of none, umap"),
        ({"held_out_classes": -1}, "cluster.held_out_classes: found -1 (a number), allowed: at least 0"),
        ({"held_out_classes": 1}, "cluster.held_out_classes: found 1, allowed: 0, or at least 2"),
        (
            {"set_rule": "half_repeats"},
            "cluster.set_rule: half_repeats needs another set than consensus first in cluster.gene_sets",
        ),
    ],
)
def test_compared_gene_sets_must_be_ranked_by_something(catalogue, write, cluster, message):
    with pytest.raises(InputError) as caught:
        catalogue.load_study(write(OWN | {"cluster": cluster}), "simulated")
    assert message in str(caught.value)


def test_only_an_explained_model_gives_a_gene_set(catalogue, write):
    content = OWN | {"models": ["linear_svm", "xgboost"], "explain": {"models": ["xgboost"]}}
    sets = ["xgboost", "anova_f", "moderated_f", "consensus"]
    cluster = {"gene_sets": sets, "set_rule": "half_repeats"}
    assert catalogue.load_study(write(content | {"cluster": cluster}), "simulated")["cluster"]["gene_sets"] == sets
    with pytest.raises(InputError, match="explained model or ranking 'linear_svm'"):
        catalogue.load_study(write(content | {"cluster": {"gene_sets": ["linear_svm"]}}), "simulated")


def test_gene_sets_of_models_that_a_source_replaces_are_forgotten(catalogue, write):
    content = SIMULATED | {"models": ["linear_svm", "xgboost"], "cluster": {"gene_sets": ["linear_svm", "anova_f"]}}
    content["sources"] = {"simulated": SIMULATED["sources"]["simulated"] | {"models": ["xgboost"]}}
    assert catalogue.load_study(write(content), "simulated")["cluster"]["gene_sets"] == ["anova_f"]
    content["cluster"] = {"gene_sets": ["linear_svm"]}
    assert catalogue.load_study(write(content), "simulated")["cluster"]["gene_sets"] == ["consensus"]


def test_size_of_gene_sets_is_a_demand_only_where_a_study_states_it(catalogue, write):
    assert not catalogue.load_study(write(OWN), "simulated")["asks_set_size"]
    assert catalogue.load_study(write(OWN | {"cluster": {"set_size": 50}}), "simulated")["asks_set_size"]


def test_unknown_simulator_and_reader_of_a_source(catalogue, write):
    path = write(changed(SIMULATED, "sources.simulated.simulator", "expression_cohorts"))
    with pytest.raises(InputError, match=r"simulator: unknown simulator .*did you mean 'expression_cohort'"):
        catalogue.load_study(path, "simulated")
    public = {"folder": "f", "reader": "golob", "files": {"a.csv": PUBLIC_FILE}}
    with pytest.raises(InputError, match=r"reader: unknown reader 'golob' \(did you mean 'golub'\?\)"):
        catalogue.load_study(write(changed(SIMULATED, "sources.public", public)), "public")


def test_missing_source_is_named_with_those_there_are(catalogue, write):
    path = write(SIMULATED)
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "public")
    assert str(caught.value) == f"{path}: sources: no source 'public'; this study has: simulated"


def test_source_overrides_the_study_and_keeps_its_own_keys_apart(catalogue, write):
    content = changed(SIMULATED, "clean", {"floor": 20, "transform": "log2"})
    content["sources"]["simulated"] |= {"effect": 2.0, "clean": {"floor": None}, "stack": None}
    study = catalogue.load_study(write(content), "simulated")
    assert study["source"] == {"simulator": "expression_cohort", "classes": {"A": 9, "B": 9}, "effect": 2.0}
    assert "floor" not in study["clean"]
    assert study["clean"]["transform"] == "log2"
    assert "stack" not in study
    assert "sources" not in study


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (["title"], "required key missing: title"),
        (["task"], "required key missing: task"),
        (["expression", "orientation"], "a study without `sources` also needs: expression, orientation"),
        (["reader", "samples"], "a study without `sources` also needs: reader, samples"),
    ],
)
def test_missing_keys_are_listed(catalogue, write, missing, message):
    path = write({key: value for key, value in OWN.items() if key not in missing})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: {message}"


def test_null_for_a_file_counts_as_missing(catalogue, write):
    with pytest.raises(InputError, match=r"also needs: expression$"):
        catalogue.load_study(write(OWN | {"expression": None}), "simulated")


def test_absent_data_file_is_named(catalogue, write, tmp_path):
    path = write(OWN | {"samples": "nope.csv"})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: samples: no such file: {tmp_path / 'nope.csv'}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label_column": "x", "samples": None}, "label_column: needs orientation samples_by_genes"),
        ({"label_column": "x", "orientation": "samples_by_genes"}, "not from both"),
        (SIMULATED, "expression, samples: a study has either `sources` or files of its own"),
        (
            {
                "label_column": "x",
                "orientation": "samples_by_genes",
                "samples": None,
                "evaluation": {"group": "patient"},
            },
            "evaluation.group: groups stand in a `samples` table",
        ),
    ],
)
def test_contradiction_is_explained(catalogue, write, change, message):
    with pytest.raises(InputError) as caught:
        catalogue.load_study(write(OWN | change), "simulated")
    assert message in str(caught.value)


def test_group_of_the_evaluation_is_read_from_the_sample_table(catalogue, write):
    content = changed(OWN, "evaluation.group", "patient") | {"columns": {"label": "subtype"}}
    assert catalogue.load_study(write(content), "simulated")["columns"] == {"label": "subtype", "group": "patient"}


@pytest.mark.parametrize("scheme", ["published", "leave_one_group_out"])
def test_repeats_of_a_single_split_are_refused(catalogue, write, scheme):
    path = write(OWN | {"evaluation": {"scheme": scheme, "repeats": 3}})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert f"evaluation.repeats: found 3, allowed: 1 with scheme {scheme}" in str(caught.value)


def test_repeats_of_cross_validation_are_accepted(catalogue, write):
    study = catalogue.load_study(write(OWN | {"evaluation": {"scheme": "cv", "repeats": 3}}), "simulated")
    assert study["evaluation"]["repeats"] == 3


@pytest.mark.parametrize(
    "key", ["models", "evaluation", "evaluation.folds", "clean.transform", "select.k", "calibration", "controls.model"]
)
def test_null_cannot_remove_what_every_study_needs(catalogue, write, key):
    path = write(changed(OWN, key, None))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value).startswith(f"{path}: {key}: found nothing, but a value is needed; the default is ")


def test_fewer_models_need_no_other_setting(catalogue, write):
    """The default explains whatever models of the study can be explained."""
    study = catalogue.load_study(write(OWN | {"models": ["xgboost", "linear_svm"]}), "simulated")
    assert study["explain"] == {"background": 100, "draws": 200, "classes": "all"}
    study = catalogue.load_study(write(OWN | {"models": ["linear_svm"]}), "simulated")
    assert study["explain"] == {"background": 100, "draws": 200, "classes": "all"}


# time series


def test_defaults_are_those_of_the_task(catalogue, write):
    expression, series = (catalogue.load_study(write(study), "simulated") for study in (SIMULATED, SERIES))
    assert (expression["cycle"], expression["unlabelled"], expression["select"]["method"]) == ([], "error", "anova_f")
    assert (series["cycle"], series["unlabelled"], series["select"]) == ([], "predict", {"method": "none"})
    assert (series["series"], series["map"]) == ({"irregular": "error"}, "umap")
    assert series["clean"]["scale_samples"] == "standardise"
    assert "fourier_phase" in series["models"]
    assert {"series", "map", "transfer"} & set(expression) == set()
    assert "transfer" not in series


@pytest.mark.parametrize("key", ["series", "series.irregular", "select.method", "map", "cycle", "unlabelled"])
def test_null_cannot_remove_what_every_time_series_needs(catalogue, write, key):
    path = write(changed(SERIES, key, None))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value).startswith(f"{path}: {key}: found nothing, but a value is needed; the default is ")


def test_settings_of_a_time_series_override_each_other_by_source(catalogue, write):
    content = SERIES | {"series": {"experiments": ["alpha"], "end": 60}, "map": "umap", "models": ["cnn_bilstm"]}
    content = changed(content, "transfer", TRANSFER)
    content["sources"]["simulated"] |= {
        "series": {"experiments": None, "irregular": "allow"},
        "map": "tsne",
        "transfer": {"source": "elu", "folds": 1},
        "decay": 0.1,
    }
    study = catalogue.load_study(write(content), "simulated")
    assert study["series"] == {"irregular": "allow", "end": 60}
    assert study["map"] == "tsne"
    assert study["transfer"] == TRANSFER | {"source": "elu", "folds": 1}
    assert set(study["source"]) == {"simulator", "classes", "decay"}


def test_own_files_of_a_time_series(catalogue, write):
    study = catalogue.load_study(write(OWN | {"task": "time_series", "cycle": ["G1", "S", "M"]}), "simulated")
    assert (study["data"], study["unlabelled"], study["cycle"]) == ("user", "predict", ["G1", "S", "M"])


@pytest.mark.parametrize("model", ["fourier_phase", "peak_time", "cnn_bilstm"])
@pytest.mark.parametrize(
    ("key", "value"), [("models", lambda model: ["xgboost", model]), ("model_params", lambda model: {model: {}})]
)
def test_model_of_time_series_is_refused_in_a_study_of_expression(catalogue, write, model, key, value):
    path = write(changed(SIMULATED, key, value(model)))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    start, _, allowed = str(caught.value).partition("; allowed: ")
    assert start.startswith(f"{path}: {key}: unknown model of task expression '{model}'")
    assert {"xgboost", "cnn", "rbf_svm"} <= set(allowed.split(", "))
    assert not {"fourier_phase", "peak_time", "cnn_bilstm"} & set(allowed.split(", "))
    study = catalogue.load_study(write(changed(SERIES, key, value(model))), "simulated")
    assert model in study[key]


def test_control_of_the_other_task_is_refused(catalogue, write):
    with pytest.raises(InputError, match=r"controls\.model: unknown model of task expression 'fourier_phase'"):
        catalogue.load_study(write(changed(SIMULATED, "controls.model", "fourier_phase")), "simulated")
    study = catalogue.load_study(write(changed(SERIES, "controls.model", "fourier_phase")), "simulated")
    assert study["controls"]["model"] == "fourier_phase"


def test_unknown_model_of_a_time_series_is_named_with_the_closest_one(catalogue, write):
    with pytest.raises(InputError) as caught:
        catalogue.load_study(write(SERIES | {"models": ["fourier_phases"]}), "simulated")
    assert "models: unknown model of task time_series 'fourier_phases' (did you mean 'fourier_phase'?)" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (["source"], "transfer: required keys missing: source"),
        (["targets", "model"], "transfer: required keys missing: model, targets"),
        (["model", "source", "targets", "sizes"], "transfer: required keys missing: model, source, targets, sizes"),
    ],
)
def test_transfer_without_what_it_needs_is_an_error(catalogue, write, missing, message):
    transfer = {key: value for key, value in TRANSFER.items() if key not in missing} | {"epochs": 5}
    path = write(SERIES | {"models": ["cnn_bilstm"], "transfer": transfer})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("models", "model", "message"),
    [
        (["logistic_regression"], "cnn_bilstm", "unknown network of this study 'cnn_bilstm'; allowed: "),
        (["cnn_bilstm"], "cnn_bilst", "unknown network of this study 'cnn_bilst' (did you mean 'cnn_bilstm'?); allow"),
        (["cnn_bilstm", "cnn"], "cnn", "unknown network of this study 'cnn'; allowed: cnn_bilstm"),
        (
            ["cnn_bilstm", "logistic_regression", "fourier_phase"],
            "fourier_phase",
            "unknown network of this study 'fourier_phase'; allowed: cnn_bilstm",
        ),
    ],
)
def test_transfer_needs_a_network_of_the_study_that_reads_time_points(catalogue, write, models, model, message):
    path = write(SERIES | {"models": models, "transfer": TRANSFER | {"model": model}})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value).startswith(f"{path}: transfer.model: {message}")


def test_transfer_is_kept_as_it_is_and_a_variant_removes_it(catalogue, write):
    base = SERIES | {"models": ["cnn_bilstm"], "transfer": TRANSFER}
    assert catalogue.load_study(write(base, "base.yaml"), "simulated")["transfer"] == TRANSFER
    variant = {"extends": "base.yaml", "models": ["logistic_regression"], "transfer": None}
    assert "transfer" not in catalogue.load_study(write(variant), "simulated")


# variants


def test_variant_merges_deeply_over_what_it_extends(catalogue, write):
    write(
        changed(OWN, "clean", {"floor": 20, "transform": "log2"}) | {"models": ["xgboost", "linear_svm"]}, "base.yaml"
    )
    variant = {
        "extends": "base.yaml",
        "title": "V",
        "clean": {"floor": None, "max_missing": 0.1},
        "models": ["xgboost"],
    }
    study = catalogue.load_study(write(variant, "variant.yaml"), "simulated")
    assert (study["name"], study["title"]) == ("variant", "V")
    assert study["models"] == ["xgboost"]
    assert "floor" not in study["clean"]
    assert (study["clean"]["transform"], study["clean"]["max_missing"]) == ("log2", 0.1)
    assert "extends" not in study


@pytest.mark.parametrize("levels", [1, 2])
def test_null_of_a_variant_removes_what_only_the_defaults_say(catalogue, write, levels):
    write(OWN, "base.yaml")
    write({"extends": "base.yaml", "stack": None}, "level1.yaml")
    write({"extends": "level1.yaml"}, "level2.yaml")
    assert "stack" in catalogue.load_study(write(OWN), "simulated")
    assert "stack" not in catalogue.load_study(write({"extends": f"level{levels}.yaml"}), "simulated")


def test_variant_does_not_inherit_the_name(catalogue, write):
    write(OWN | {"name": "parent"}, "base.yaml")
    assert catalogue.load_study(write({"extends": "base.yaml"}, "child.yaml"), "simulated")["name"] == "child"


def test_inherited_paths_stay_relative_to_the_file_that_names_them(catalogue, write, tmp_path):
    write(OWN, "base.yaml")
    study = catalogue.load_study(write({"extends": "../base.yaml"}, "deep/variant.yaml"), "simulated")
    assert study["expression"] == str(tmp_path / "e.csv")


def test_own_files_under_a_shipped_study_need_its_sources_removed(catalogue, write):
    content = OWN | {"extends": "aml_all"}
    with pytest.raises(InputError, match="`sources: null` removes the inherited ones"):
        catalogue.load_study(write(content), "simulated")
    study = catalogue.load_study(write(content | {"sources": None}), "simulated")
    assert (study["data"], study["clean"]["floor"]) == ("user", 100)


@pytest.mark.parametrize(
    "links", [{"a": "a.yaml"}, {"a": "b.yaml", "b": "a.yaml"}, {"a": "b.yaml", "b": "c.yaml", "c": "./a.yaml"}]
)
def test_circle_of_variants_is_an_error(catalogue, write, links):
    for name, parent in links.items():
        path = write({"extends": parent}, f"{name}.yaml")
    with pytest.raises(InputError, match=r"extends: .*a.yaml extends this study in turn"):
        catalogue.load_study(path.with_name("a.yaml"), "simulated")


def test_unknown_parent_is_named_with_the_closest_one(catalogue, write):
    path = write({"extends": "aml_al"})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert f"{path}: extends: unknown study 'aml_al' (did you mean 'aml_all'?)" in str(caught.value)


def test_mistake_in_a_parent_names_the_parent(catalogue, write, tmp_path):
    write(OWN | {"titel": "x"}, "base.yaml")
    with pytest.raises(InputError, match="titel: unknown key 'titel'") as caught:
        catalogue.load_study(write({"extends": "base.yaml"}, "child.yaml"), "simulated")
    assert str(caught.value).startswith(str(tmp_path / "base.yaml"))


def test_variant_overrides_what_its_parent_says_for_one_source(catalogue, write):
    write({"extends": "aml_all", "evaluation": {"scheme": "cv", "folds": 4}}, "child.yaml")
    study = catalogue.load_study(write({"extends": "./child.yaml"}, "grandchild.yaml"), "simulated")
    # folds: 3 of the parent's simulated source gives way; its inner_folds, which the variant leaves alone, stay.
    assert (study["evaluation"]["folds"], study["evaluation"]["inner_folds"]) == (4, 3)


def test_variant_with_other_models_forgets_which_to_explain(catalogue, write):
    study = catalogue.load_study(write({"extends": "aml_all", "models": ["xgboost"]}), "simulated")
    assert "models" not in study["explain"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_dept": 3}, "unknown parameter 'max_dept' (did you mean 'max_depth'?)"),
        ({"max_depth": []}, "model_params.xgboost.max_depth: found an empty list"),
        ({"max_depth": "deep"}, "model_params.xgboost.max_depth: found 'deep' (text), allowed: a number"),
    ],
)
def test_model_parameters_are_checked_before_any_job(catalogue, write, parameters, message):
    with pytest.raises(InputError) as caught:
        catalogue.load_study(write(OWN | {"model_params": {"xgboost": parameters}}), "simulated")
    assert message in str(caught.value)


def test_source_without_what_it_needs_is_an_error(catalogue, write):
    content = {"title": "t", "task": "expression", "sources": {"simulated": {"simulator": "expression_cohort"}}}
    with pytest.raises(InputError, match=r"sources\.simulated: required key missing: classes"):
        catalogue.load_study(write(content), "simulated")


# networks

NETWORKS = ("dense", "cnn", "lstm", "cnn_bilstm")


@pytest.mark.parametrize(
    ("model", "parameter", "close"),
    [
        ("dense", "epoch", "epochs"),
        ("dense", "input_dropot", "input_dropout"),
        ("cnn", "filter", "filters"),
        ("cnn", "gene_ordr", "gene_order"),
        ("lstm", "bidirektional", "bidirectional"),
        ("cnn_bilstm", "mask_mising", "mask_missing"),
    ],
)
def test_unknown_parameter_of_a_network_is_named_with_the_closest_one(catalogue, write, model, parameter, close):
    path = write(OWN | {"model_params": {model: {parameter: 1}}})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    start = f"{path}: model_params.{model}.{parameter}: unknown key '{parameter}' (did you mean '{close}'?); allowed: "
    assert str(caught.value).startswith(start)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize("model", NETWORKS)
def test_every_setting_of_a_network_may_stand_in_a_study_and_nothing_else(catalogue, write, model):
    settings = load_module(model).SETTINGS
    task = REGISTRY[model].task or "expression"
    content = OWN | {"task": task, "models": [model], "model_params": {model: settings}}
    assert catalogue.load_study(write(content), "simulated")["model_params"][model] == settings
    with pytest.raises(InputError) as caught:
        catalogue.load_study(write(OWN | {"model_params": {model: {"unheard_of": 1}}}), "simulated")
    allowed = str(caught.value).partition("allowed: ")[2].split(", ")
    assert set(allowed) == {*settings, "preset"}


@pytest.mark.parametrize(
    ("model", "parameter", "value", "message"),
    [
        ("dense", "epochs", 0, "found 0 (a number), allowed: at least 1"),
        ("dense", "epochs", True, "found True (true/false), allowed: a whole number"),
        ("dense", "epochs", 2.5, "found 2.5 (a number), allowed: a whole number"),
        ("dense", "batch_size", 1, "found 1 (a number), allowed: at least 2"),
        ("dense", "units", "many", "found 'many' (text), allowed: a list"),
        ("dense", "units", 128, "found 128 (a number), allowed: a list"),
        ("dense", "learning_rate", 0, "found 0 (a number), allowed: more than 0"),
        (
            "dense",
            "learning_rate",
            "1e-4",
            "found '1e-4' (text), allowed: a number; YAML reads it as text, write it with a decimal point (1.0e-4)",
        ),
        ("dense", "input_dropout", 1, "found 1 (a number), allowed: less than 1"),
        ("dense", "noise", -0.1, "found -0.1 (a number), allowed: at least 0"),
        ("dense", "watched_share", 0.6, "found 0.6 (a number), allowed: at most 0.5"),
        ("dense", "batch_normalisation", "yes", "found 'yes' (text), allowed: true or false"),
        ("dense", "monitor", "f1", "found 'f1' (text), allowed: one of loss, accuracy"),
        ("dense", "preset", "paper", "found 'paper' (text), allowed: one of published"),
        ("cnn", "gene_order", "random", "found 'random' (text), allowed: one of clustered, file, shuffled, position"),
        ("cnn", "summary", "last", "found 'last' (text), allowed: one of flatten, average"),
        ("lstm", "steps", 0, "found 0 (a number), allowed: at least 1"),
        ("lstm", "summary", "sum", "found 'sum' (text), allowed: one of flatten, average, last"),
        ("cnn_bilstm", "summary", "average", "found 'average' (text), allowed: one of flatten, last"),
        ("cnn_bilstm", "input_scale", 0, "found 0 (a number), allowed: more than 0"),
        ("cnn_bilstm", "mask_missing", 1, "found 1 (a number), allowed: true or false"),
    ],
)
def test_wrong_setting_of_a_network_is_one_line_with_file_and_key(catalogue, write, model, parameter, value, message):
    path = write(OWN | {"model_params": {model: {parameter: value}}})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: model_params.{model}.{parameter}: {message}"


@pytest.mark.parametrize(
    ("model", "parameter", "value", "message"),
    [
        ("dense", "dropout", [1.5], "0: found 1.5 (a number), allowed: less than 1"),
        ("dense", "units", [0], "0: found 0 (a number), allowed: at least 1"),
        ("lstm", "dropout", [0.1, "low"], "1: found 'low' (text), allowed: a number"),
        ("cnn", "kernel", [8, 2.5], "1: found 2.5 (a number), allowed: a whole number"),
    ],
)
def test_wrong_value_of_one_layer_is_named_with_its_place(catalogue, write, model, parameter, value, message):
    path = write(OWN | {"model_params": {model: {parameter: value}}})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: model_params.{model}.{parameter}.{message}"


def test_wrong_setting_for_one_source_is_named_with_the_source(catalogue, write):
    path = write(changed(SIMULATED, "sources.simulated.model_params", {"cnn": {"epochs": 0}}))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    key = "sources.simulated.model_params.cnn.epochs"
    assert str(caught.value) == f"{path}: {key}: found 0 (a number), allowed: at least 1"


@pytest.mark.parametrize(
    ("model", "parameters", "found"),
    [
        ("dense", {"units": [64, 32]}, "units 2, dropout 1"),
        ("dense", {"preset": "published", "units": [64]}, "units 1, dropout 2"),
        ("cnn", {"kernel": [5]}, "filters 2, kernel 1, strides 2, pool 2, dropout 2"),
        ("lstm", {"dropout": [0.1, 0.2]}, "units 1, dropout 2"),
    ],
)
def test_layers_of_different_numbers_are_an_error(catalogue, write, model, parameters, found):
    path = write(OWN | {"model_params": {model: parameters}})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: model_params.{model}: found {found} values, expected one a layer"


def test_layers_of_a_network_of_time_series_are_counted_too(catalogue, write):
    path = write(SERIES | {"models": ["cnn_bilstm"], "model_params": {"cnn_bilstm": {"filters": [8, 8]}}})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    found = "filters 2, kernel 1, pool 1 values, expected one a layer"
    assert str(caught.value) == f"{path}: model_params.cnn_bilstm: found {found}"


def test_layers_of_equal_numbers_are_accepted(catalogue, write):
    parameters = {"units": [64, 32, 16], "dropout": [0.1, 0.2, 0.3]}
    study = catalogue.load_study(write(OWN | {"models": ["dense"], "model_params": {"dense": parameters}}), "simulated")
    assert study["model_params"]["dense"] == parameters


@pytest.mark.parametrize("model", NETWORKS)
def test_preset_replaces_the_defaults_and_own_settings_win_over_it(model):
    module = load_module(model)
    published = module.PRESETS["published"]
    (defaults,), (preset,) = parameter_grid(model, {}), parameter_grid(model, {"preset": "published"})
    assert defaults == module.SETTINGS
    assert preset == module.SETTINGS | published
    assert preset != defaults
    (own,) = parameter_grid(model, {"preset": "published", "epochs": 7, "dropout": [0.1, 0.1]})
    assert own == preset | {"epochs": 7, "dropout": [0.1, 0.1]}
    # What a preset does not say stays as it was, and the preset is no setting itself.
    assert preset["watched_share"] == defaults["watched_share"]
    assert "preset" not in own
    assert set(published) <= set(defaults)


@pytest.mark.parametrize("model", NETWORKS)
def test_a_list_is_one_setting_of_a_network_and_no_search(model):
    assert len(parameter_grid(model, {"units": [8, 4], "dropout": [0.1, 0.2]})) == 1
    with pytest.raises(ValueError, match=f"{model} has no parameter depth; it has: .*preset"):
        parameter_grid(model, {"depth": 3})


@pytest.mark.parametrize("model", ["cnn", "lstm"])
def test_order_by_position_needs_positions(catalogue, write, tmp_path, model):
    content = OWN | {"models": [model], "model_params": {model: {"gene_order": "position"}}}
    path = write(content)
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == (
        f"{path}: model_params.{model}.gene_order: position needs `gene_positions`, a table of feature, chromosome and "
        "start"
    )
    (tmp_path / "positions.tsv").touch()
    study = catalogue.load_study(write(content | {"gene_positions": "positions.tsv"}), "simulated")
    assert study["gene_positions"] == str(tmp_path / "positions.tsv")


def test_absent_table_of_positions_is_named(catalogue, write, tmp_path):
    path = write(OWN | {"gene_positions": "nope.tsv"})
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: gene_positions: no such file: {tmp_path / 'nope.tsv'}"


def test_positions_may_stand_beside_sources_and_are_relative_to_the_study_file(catalogue, write, tmp_path):
    write(SIMULATED | {"gene_positions": "positions.tsv"}, "deep/base.yaml")
    (tmp_path / "deep" / "positions.tsv").touch()
    study = catalogue.load_study(write({"extends": "deep/base.yaml"}, "variant.yaml"), "simulated")
    assert study["gene_positions"] == str(tmp_path / "deep" / "positions.tsv")
    assert study["data"] == "simulated"


@pytest.mark.parametrize("orders", [[], ["shuffled"], ["file", "clustered", "shuffled"]])
def test_gene_orders_of_the_control_replace_the_default(catalogue, write, orders):
    assert catalogue.load_study(write(OWN), "simulated")["controls"]["gene_orders"] == ["file", "shuffled"]
    study = catalogue.load_study(write(changed(OWN, "controls.gene_orders", orders)), "simulated")
    assert study["controls"]["gene_orders"] == orders
    assert study["controls"]["permutations"] == 20


@pytest.mark.parametrize(
    ("orders", "message"),
    [
        ("file", "gene_orders: found 'file' (text), allowed: a list"),
        (["random"], "gene_orders.0: found 'random' (text), allowed: one of clustered, grid, file, shuffled, position"),
        (["file", "file"], "gene_orders: found ['file', 'file'] (a list), allowed: no item twice"),
    ],
)
def test_wrong_gene_orders_of_the_control_are_explained(catalogue, write, orders, message):
    path = write(changed(OWN, "controls.gene_orders", orders))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "simulated")
    assert str(caught.value) == f"{path}: controls.{message}"


def test_class_labels_of_a_simulated_study_stay_as_they_are(catalogue, write):
    classes = {"Hyperdip>50": 9, "T-ALL": 10, "<5 %": 11, "NA": 12, "a & b": 13}
    study = catalogue.load_study(write(changed(SIMULATED, "sources.simulated.classes", classes)), "simulated")
    assert study["source"]["classes"] == classes
    assert list(study["source"]["classes"]) == list(classes)


# tables that are built, replicates, offset

BUILT = {
    "title": "M",
    "task": "expression",
    "sources": {
        "public": {
            "folder": "atlas",
            "reader": "fpkm",
            "built_from": "files.tsv",
            "files": {"fpkm.tsv.gz": {"sha256": "0" * 64, "role": "expression"}},
        }
    },
}
LISTED = f"file\tsha256\turl\ngenes.a\t{'1' * 64}\thttps://example.org/a\n"


def test_files_without_an_address_are_built_from_a_table_beside_the_study(catalogue, write, tmp_path):
    (tmp_path / "files.tsv").write_text(LISTED)
    write(BUILT, "main.yaml")
    variant = write({"title": "V", "extends": "../main.yaml"}, "deep/variant.yaml")
    for path in (tmp_path / "main.yaml", variant):
        source = catalogue.load_study(path, "public")["source"]
        assert source["built_from"] == {"genes.a": {"sha256": "1" * 64, "url": "https://example.org/a"}}
        assert source["files"]["fpkm.tsv.gz"]["role"] == "expression"


def test_study_whose_files_have_addresses_is_built_from_nothing(catalogue, write):
    public = {"folder": "f", "reader": "golub", "files": {"a.csv": PUBLIC_FILE}}
    study = catalogue.load_study(write({"title": "P", "task": "expression", "sources": {"public": public}}), "public")
    assert study["source"]["built_from"] == {}


@pytest.mark.parametrize(
    ("key", "value", "listed", "message"),
    [
        ("built_from", None, LISTED, "sources.public.files.fpkm.tsv.gz: required key missing: url, or"),
        ("built_from", "gone.tsv", LISTED, "sources.public.built_from: "),
        ("files", {"fkpm.tsv.gz": {"sha256": "0" * 64}}, LISTED, "(did you mean 'fpkm.tsv.gz'?)"),
        ("reader", "fpkm", "", "files.tsv: found columns nothing; expected file, sha256, url"),
        ("reader", "fpkm", LISTED.replace("url", "URL"), "found columns file, sha256, URL; expected"),
        ("reader", "fpkm", LISTED.replace("1" * 64, "12"), "files.tsv: line 2: expected a file name, its sha256"),
        ("reader", "fpkm", LISTED.replace("https", "ftp"), "files.tsv: line 2: expected a file name, its sha256"),
        ("reader", "fpkm", LISTED + LISTED.split("\n")[1], "files.tsv: line 3: file 'genes.a' is listed twice"),
    ],
)
def test_mistake_in_what_tables_are_built_from_is_explained(catalogue, write, tmp_path, key, value, listed, message):
    (tmp_path / "files.tsv").write_text(listed)
    path = write(changed(BUILT, f"sources.public.{key}", value))
    with pytest.raises(InputError) as caught:
        catalogue.load_study(path, "public")
    assert message in str(caught.value)


def test_group_of_a_published_table_is_a_column_of_it(catalogue, write, tmp_path):
    (tmp_path / "files.tsv").write_text(LISTED)
    study = BUILT | {"columns": {"label": "tissue"}, "evaluation": {"group": "replicate"}}
    assert catalogue.load_study(write(study), "public")["columns"] == {"label": "tissue", "group": "replicate"}


def test_own_fpkm_needs_no_orientation_and_may_name_what_was_not_finished(catalogue, write, tmp_path):
    content = {key: value for key, value in OWN.items() if key != "orientation"} | {"reader": "fpkm"}
    assert "unfinished" not in catalogue.load_study(write(content), "public")
    (tmp_path / "u.tsv").touch()
    study = catalogue.load_study(write(content | {"unfinished": "u.tsv"}), "public")
    assert study["unfinished"] == str(tmp_path / "u.tsv")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("unfinished", "s.csv", "unfinished: only with reader fpkm, this study's is table"),
        ("clean.offset", 1, "clean.offset: found 1 with transform none; only log2 takes one"),
        ("clean.offset", -1, "clean.offset: found -1 (a number), allowed: at least 0"),
        ("evaluation.replicates", "both", "allowed: one of separate, shared"),
        ("evaluation.replicates", "shared", "found shared with scheme auto; only leave_one_group_out"),
        ("select.expressed", {"level": 1}, "select.expressed: required key missing: samples"),
        ("select.expressed", {"level": 1, "samples": 0}, "select.expressed.samples: found 0 (a number)"),
        ("select.min_sd", -1, "select.min_sd: found -1 (a number), allowed: at least 0"),
    ],
)
def test_settings_that_do_not_fit_are_explained(catalogue, write, key, value, message):
    with pytest.raises(InputError) as caught:
        catalogue.load_study(write(changed(OWN, key, value)), "simulated")
    assert message in str(caught.value)
