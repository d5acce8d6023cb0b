"""The published files of the maize atlas (Walley et al. 2016): built tables, reader, cleaning and folds."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from genestrata.cleaning import check_labels, clean, keep_largest_classes
from genestrata.config import Catalogue
from genestrata.cufflinks import ACCESSIONS, merge_tracking, read_accessions
from genestrata.readers.fpkm import read
from genestrata.splitting import FINAL, read_folds, split_samples

EXAMPLES = ["SRR957415", "SRR957416", "SRR957469"]


@pytest.fixture(scope="module")
def folder(data_folder):
    folder = data_folder / "walley_2016_maize"
    if not folder.is_dir():
        pytest.skip(f"no data set at {folder}")
    return folder


@pytest.fixture(scope="module")
def load(repository):
    """A study of these data by name, resolved for the published files."""
    return lambda name: Catalogue(repository).load_study(
        repository / "resources" / "studies" / f"{name}.yaml", "public"
    )


@pytest.fixture(scope="module")
def study(load):
    return load("maize_tissues")


@pytest.fixture(scope="module")
def files(folder, study):
    return {entry["role"]: str(folder / name) for name, entry in study["source"]["files"].items()}


@pytest.fixture(scope="module")
def cohort(files, study):
    return read(files, {"columns": study["columns"]})


@pytest.fixture(scope="module")
def cleaned(cohort, study):
    return clean(*cohort, study["clean"], "fpkm")


@pytest.fixture(scope="module")
def built(folder, tmp_path_factory):
    """The tables built from the three published files at hand."""
    examples = folder / "tracking_examples"
    if not examples.is_dir():
        pytest.skip(f"no examples at {examples}")
    lines = (folder / ACCESSIONS).read_text(encoding="utf-8").splitlines()
    accessions = tmp_path_factory.mktemp("walley") / ACCESSIONS
    chosen = [line for line in lines[1:] if line.split("\t")[0] in EXAMPLES]
    accessions.write_text("\n".join([lines[0], *chosen]) + "\n", encoding="utf-8")
    return merge_tracking([accessions, *(examples / f"genes.fpkm_tracking.{name}" for name in EXAMPLES)])


def test_checksums_of_the_study_are_those_of_the_files(folder, study):
    source = study["source"]
    assert len(source["files"]) == 3
    known = source["files"] | {ACCESSIONS: source["built_from"][ACCESSIONS]}
    for name, entry in known.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"], name
    listed = pd.read_csv(folder / "source_files.tsv", sep="\t").set_index("file")
    assert set(source["built_from"]) == {*listed.index, ACCESSIONS}
    for name, row in listed.iterrows():
        assert source["built_from"][name] == {"sha256": row["sha256"], "url": row["url"]}


def test_table_of_samples_is_built_from_the_published_one(folder):
    pd.testing.assert_frame_equal(
        read_accessions(folder / ACCESSIONS), pd.read_csv(folder / "samples.tsv", sep="\t", dtype=object)
    )


def test_values_built_from_three_files_are_those_of_the_table(built, folder):
    values, _, _ = built
    table = pd.read_csv(folder / "fpkm.tsv.gz", sep="\t", index_col="gene_id")
    assert values.columns.tolist() == EXAMPLES
    assert values.index.tolist() == table.index.tolist()
    rounded = [[float(f"{value:.4g}") for value in values[name]] for name in EXAMPLES]
    np.testing.assert_array_equal(np.transpose(rounded), table[EXAMPLES])


def test_loci_not_finished_in_three_files_are_those_of_the_table(built, folder):
    table = pd.read_csv(folder / "fpkm_status_not_ok.tsv", sep="\t")
    expected = table[table["sample_id"].isin(EXAMPLES)].reset_index(drop=True)
    assert len(expected) > 20
    pd.testing.assert_frame_equal(built[2], expected, check_dtype=False)


def test_tissues_replicates_and_counts(cohort, cleaned):
    matrix, samples = cohort
    sizes = samples["label"].value_counts()
    assert (len(samples), len(sizes)) == (68, 23)
    assert sizes[sizes != 3].to_dict() == {"Vegetative Meristem 16-19 Day": 2}
    assert samples["group"].value_counts().to_dict() == {"1": 23, "2": 23, "3": 22}
    check_labels(samples, "fpkm", scheme="leave_one_group_out")
    values, _, report = cleaned
    assert report["before"] == {"samples": 68, "features": 45741}
    drops = {entry["step"]: entry["dropped"] for entry in report["steps"]}
    assert len(matrix.attrs["unfinished"]) == drops["unfinished loci"] == 110
    # 40,491 genes are finished and found somewhere; of some the logarithm does not tell the value from zero.
    assert 45741 - 110 - drops["zero everywhere"] == 40491
    assert report["after"]["features"] == 40491 - drops["constant or empty"] == values.shape[1]
    assert drops["constant or empty"] < 20


def test_cleaned_value_by_hand(files, cleaned):
    table = pd.read_csv(files["expression"], sep="\t", index_col="gene_id")
    gene, sample = "Zm00001d027230", "SRR957415"
    np.testing.assert_allclose(cleaned[0].loc[sample, gene], np.log2(table.loc[gene, sample] + 1), rtol=1e-6)


def test_each_replicate_is_tested_on_the_others_and_inner_folds_are_by_replicate(cleaned, study):
    samples = cleaned[1]
    group = samples["group"].to_numpy()
    folds = list(read_folds(split_samples(samples, study["evaluation"], 1, "fpkm"), samples, "r0"))
    assert [set(group[fold.test]) for fold in folds if fold.name != FINAL] == [{"1"}, {"2"}, {"3"}]
    for fold in folds:
        for train, held_out in fold.inner:
            assert not set(group[train]) & set(group[held_out])


def test_groups_of_two_or_more_tissues_are_tested_on_tissues_never_seen(load, files):
    study = load("maize_groups")
    matrix, samples = read(files, {"columns": study["columns"]})
    _, samples = keep_largest_classes(matrix, samples, study["clean"]["largest_classes"])
    sizes = samples.groupby("label")["group"].nunique().to_dict()
    assert sizes == {"ear_primordium": 2, "embryo": 2, "endosperm": 2, "internode": 2, "leaf": 4, "root": 5}
    samples = samples.sort_values("sample", ignore_index=True)
    folds = list(read_folds(split_samples(samples, study["evaluation"], 1, "fpkm"), samples, "r0"))
    assert len(folds) == 3
    for fold in folds[:2]:
        assert set(samples["label"][fold.test]) == set(samples["label"][fold.train]) == set(sizes)
        assert not set(samples["group"][fold.test]) & set(samples["group"][fold.train])
