"""The shipped studies: each resolves with each of its sources, and asks for the models and folds that it should."""

import pytest

from genestrata.config import Catalogue, read_yaml
from genestrata.models.registry import REGISTRY
from genestrata.readers import READERS

NETWORKS = ["dense", "cnn", "lstm"]
CLASSICAL = [
    "logistic_regression",
    "linear_svm",
    "nearest_shrunken_centroids",
    "shrinkage_lda",
    "random_forest",
    "xgboost",
]
SUBTYPES = ["BCR-ABL", "E2A-PBX1", "Hyperdip>50", "MLL", "T-ALL", "TEL-AML"]


@pytest.fixture(scope="module")
def catalogue(repository):
    return Catalogue(repository)


@pytest.fixture
def load(catalogue):
    """A shipped study by name, resolved for one kind of data."""
    return lambda name, data: catalogue.load_study(catalogue.resources / "studies" / f"{name}.yaml", data)


def test_every_shipped_study_can_run_beside_the_others(catalogue, tmp_path):
    names = sorted(path.stem for path in (catalogue.resources / "studies").glob("*.yaml"))
    assert {"aml_all", "aml_all_pooled", "all_subtypes", "all_subtypes_nets"} <= set(names)
    for data in ("simulated", "public"):
        studies = catalogue.load_studies({"studies": names, "data": data, "mirror": "", "seed": 1}, tmp_path)
        assert list(studies) == names
        for study in studies.values():
            assert study["title"]
            assert study["citation"]
            assert set(study["models"]) <= set(REGISTRY)
            assert set(study["explain"].get("models", [])) <= set(study["models"])


@pytest.mark.parametrize(
    ("name", "data", "models", "explained"),
    [
        (
            "all_subtypes",
            "public",
            [*CLASSICAL, *NETWORKS],
            ["linear_svm", "random_forest", "xgboost", "dense"],
        ),
        (
            "all_subtypes",
            "simulated",
            ["linear_svm", "shrinkage_lda", *NETWORKS],
            ["linear_svm"],
        ),
        ("all_subtypes_nets", "public", NETWORKS, ["dense"]),
        ("all_subtypes_nets", "simulated", NETWORKS, ["dense"]),
    ],
)
def test_subtypes_are_asked_of_these_models(load, name, data, models, explained):
    study = load(name, data)
    assert study["models"] == models
    assert study["explain"]["models"] == explained
    # All of them learn independently and the stack joins them all.
    assert study["stack"] == {"meta_learner": "gradient_boosting"}


@pytest.mark.parametrize("name", ["all_subtypes", "all_subtypes_nets"])
def test_real_subtypes_are_tested_in_five_folds_three_times(load, name):
    study = load(name, "public")
    assert study["evaluation"] == {
        "scheme": "cv",
        "folds": 5,
        "repeats": 3,
        "inner_folds": 3,
        "group": None,
        "replicates": "separate",
    }
    assert study["select"]["k"] == [50, 100, 200, 500]
    assert (study["clean"]["floor"], study["clean"]["ceiling"], study["clean"]["transform"]) == (100, 16000, "log2")
    assert study["source"]["reader"] in READERS


@pytest.mark.parametrize("name", ["all_subtypes", "all_subtypes_nets"])
def test_simulated_subtypes_are_few_quick_fits_of_all_classes(load, name):
    study = load(name, "simulated")
    assert (study["evaluation"]["folds"], study["evaluation"]["repeats"]) == (3, 1)
    assert study["evaluation"]["inner_folds"] <= 3
    assert list(study["source"]["classes"]) == SUBTYPES
    assert min(study["source"]["classes"].values()) >= 3 * study["evaluation"]["folds"]
    assert all(study["model_params"][model]["epochs"] <= 50 for model in NETWORKS)
    # Drawn values are on a logarithmic scale already.
    assert "floor" not in study["clean"]
    assert study["clean"]["transform"] == "none"


@pytest.mark.parametrize("name", ["all_subtypes", "all_subtypes_nets"])
def test_gene_order_of_the_networks_is_compared_with_others(load, name):
    assert load(name, "public")["controls"]["gene_orders"] == ["file", "shuffled"]
    assert load(name, "simulated")["controls"]["gene_orders"] == ["shuffled"]


def test_networks_alone_differ_from_the_whole_study_in_models_and_name_only(load):
    whole, alone = load("all_subtypes", "public"), load("all_subtypes_nets", "public")
    different = {key for key in whole if whole[key] != alone.get(key)}
    assert different == {"name", "title", "models", "explain"}
    assert set(whole) == set(alone)


def test_every_public_file_has_an_address_and_a_checksum(catalogue):
    for path in sorted((catalogue.resources / "studies").glob("*.yaml")):
        public = read_yaml(path).get("sources", {}).get("public", {})
        # A null takes a file of the study that is extended away.
        for file in filter(None, public.get("files", {}).values()):
            # What a mirror lacks and has no address is built from files that do.
            assert file.get("url", "https://" if "built_from" in public else "").startswith("https://")
            assert len(set(file["sha256"])) > 8


def test_tissues_of_maize_are_recognised_by_replicate_and_groups_by_tissues_never_seen(load):
    tissues, groups = (load(name, "public") for name in ("maize_tissues", "maize_groups"))
    assert tissues["columns"] == {"sample": "sample_id", "label": "tissue", "group": "replicate"}
    assert groups["columns"] == {"sample": "sample_id", "label": "tissue_group", "group": "tissue"}
    asked = {"scheme": "leave_one_group_out", "group": "replicate", "inner_folds": 2, "replicates": "shared"}
    assert tissues["evaluation"] == {"folds": 5, "repeats": 1} | asked
    assert groups["evaluation"] == asked | {
        "scheme": "grouped_cv",
        "group": "tissue",
        "folds": 2,
        "repeats": 1,
        "replicates": "separate",
    }
    assert (tissues["clean"].get("largest_classes"), groups["clean"]["largest_classes"]) == (None, 6)
    for study in (tissues, groups):
        assert (study["clean"]["transform"], study["clean"]["offset"]) == ("log2", 1)
        assert study["select"]["expressed"] == {"level": 1, "samples": 2}
        assert len(study["source"]["built_from"]) == 69
