"""From the files of a study of sequences to clean sequences, their samples and homology groups; and from there to how
near every test sequence is to its training part."""

import gzip
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from clean_sequences import main
from measure_identity import main as measure_identity

from genestrata.cohort import Cohort
from genestrata.errors import InputError
from genestrata.files import read_json, read_table, write_table
from genestrata.splitting import split_samples
from genestrata.tables import read_samples

CLEAN = {
    "min_length": 1,
    "max_length": None,
    "too_long": "error",
    "largest_classes": None,
    "one_against_rest": None,
    "conflicting": "drop",
}


def relatives(seed, number, length=300, mutations=6):
    """A gene and variants of it with a few letters replaced: about 98 % identity."""
    random = np.random.default_rng(seed)
    gene = random.choice(list("ACGT"), length)
    found = []
    for _ in range(number):
        variant = gene.copy()
        variant[random.choice(length, mutations, replace=False)] = random.choice(list("ACGT"), mutations)
        found.append("".join(variant))
    return found


@pytest.fixture
def run(tmp_path):
    """Clean files with a reader; returns the sequences, the samples and the report as the next job reads them."""

    def clean(files, reader, homology=None, unlabelled="error", **settings):
        study = {"clean": CLEAN | settings, "unlabelled": unlabelled, "homology": homology}
        outputs = [str(tmp_path / name) for name in ("sequences.parquet", "samples.tsv", "cleaning.json")]
        main({name: str(path) for name, path in files.items()}, reader, study, *outputs)
        return pd.read_parquet(outputs[0]), read_samples(outputs[1]), read_json(outputs[2])

    return clean


@pytest.fixture
def genes(tmp_path):
    """Two classes of two families of three genes each, a FASTA file per class."""
    files = {}
    for number, label in enumerate(("resistant", "susceptible")):
        sequences = [*relatives(2 * number, 3), *relatives(2 * number + 1, 3)]
        text = "".join(f">{label[0]}{place} note\n{sequence}\n" for place, sequence in enumerate(sequences))
        files[label] = tmp_path / f"{label}.fa"
        files[label].write_text(text)
    return files


def test_relatives_share_a_group_and_others_do_not(run, genes):
    sequences, samples, report = run(genes, {"reader": "fasta"}, homology={"identity": 0.8})
    assert sequences.columns.tolist() == ["sample", "sequence", "label", "group"]
    assert samples.columns.tolist() == ["sample", "label", "group", "split"]
    assert sequences["sample"].tolist() == samples["sample"].tolist() == sorted(samples["sample"])
    assert sequences[["label", "group"]].to_dict("list") == samples[["label", "group"]].to_dict("list")
    groups = samples.set_index("sample")["group"]
    for label in "rs":
        for first in (0, 3):
            assert len({groups[f"{label}{first + place}"] for place in range(3)}) == 1
    assert groups.nunique() == 4
    assert report["homology"] == {"identity": 0.8, "groups": 4, "largest": 3}
    assert report["classes"] == {"resistant": 6, "susceptible": 6}
    assert report["to_predict"] == 0


@pytest.mark.parametrize(("homology", "groups"), [(None, [""]), ({"identity": 1.0}, 12)])
def test_without_homology_there_is_no_group_and_at_full_identity_every_gene_is_one(run, genes, homology, groups):
    _, samples, report = run(genes, {"reader": "fasta"}, homology=homology)
    if homology is None:
        assert samples["group"].unique().tolist() == groups
        assert report["homology"] is None
    else:
        assert samples["group"].nunique() == report["homology"]["groups"] == groups


def test_groups_of_the_user_are_not_replaced(run, tmp_path):
    rows = [
        (f"s{number}", label, sequence) for label in "ab" for number, sequence in enumerate(relatives(ord(label), 4))
    ]
    table = pd.DataFrame(rows, columns=["sample", "label", "sequence"])
    table["sample"] += table["label"]
    table["group"] = [f"organism {number % 3}" for number in range(8)]
    table.to_csv(tmp_path / "t.csv", index=False)
    _, samples, report = run({"sequences": tmp_path / "t.csv"}, {"reader": "sequence_table"}, {"identity": 0.8})
    expected = table.set_index("sample")["group"].to_dict()
    assert samples.set_index("sample")["group"].to_dict() == expected
    assert report["homology"] is None


def test_sequences_to_be_predicted_have_a_group_but_no_class(run, tmp_path):
    known = [*relatives(1, 3), *relatives(2, 3)]
    unknown = relatives(1, 4)[3]
    lines = [f">{'pn'[number // 3]}{number}|{'pn'[number // 3]}\n{gene}\n" for number, gene in enumerate(known)]
    (tmp_path / "x.fa.gz").write_bytes(gzip.compress("".join([*lines, f">new\n{unknown}"]).encode()))
    reader = {"reader": "fasta", "label_pattern": r"\|(\w)$"}
    _, samples, report = run({"fasta_file": tmp_path / "x.fa.gz"}, reader, {"identity": 0.8}, unlabelled="predict")
    groups = samples.set_index("sample")["group"]
    assert groups["new"] == groups["p0|p"] != groups["n3|n"]
    assert report["classes"] == {"n": 3, "p": 3}
    assert report["to_predict"] == 1
    assert samples.loc[samples["sample"] == "new", "label"].item() == ""


def test_letters_conflicts_and_copies_are_counted_in_the_report(run, tmp_path):
    first, second = relatives(1, 4), relatives(2, 4)
    (tmp_path / "a.fa").write_text(
        "".join(f">a{number}\n{gene.lower()}\n" for number, gene in enumerate(first))
        + f">both\n{second[0]}\n>copy\n{first[0].replace('T', 'U')}\n"
    )
    (tmp_path / "b.fa").write_text("".join(f">b{number}\n{gene}\n" for number, gene in enumerate(second)))
    _, samples, report = run({"a": tmp_path / "a.fa", "b": tmp_path / "b.fa"}, {"reader": "fasta"})
    assert samples["sample"].tolist() == ["a0", "a1", "a2", "a3", "b1", "b2", "b3"]
    assert report["conflicts"] == [{"samples": ["b0", "both"], "labels": ["b", "a"]}]
    assert report["letters"]["lower_case"] == 4 * 300
    assert report["letters"]["uracil"] == first[0].count("T")
    assert report["before"] == {"samples": 10, "features": 300}
    assert report["after"] == {"samples": 7, "features": 300}


def test_one_class_against_the_rest(run, tmp_path):
    files = {}
    for number, label in enumerate(("beta-lactam", "colistin", "quinolone")):
        files[f"{label}.fsa"] = tmp_path / f"{label}.fsa"
        files[f"{label}.fsa"].write_text(
            "\n".join(f">{label}{place}\n{gene}" for place, gene in enumerate(relatives(number, 3)))
        )
    _, samples, report = run(files, {"reader": "fasta"}, one_against_rest="beta-lactam")
    assert report["classes"] == {"beta-lactam": 3, "rest": 6}
    assert set(samples.loc[samples["label"] == "rest", "sample"].str[:8]) == {"colistin", "quinolon"}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (">a0\nACGT\n>a1\nACCT\n>a2\nACTT\n", "classes with fewer than 3 sequences: 'b' (1); add sequences"),
        (">a0\nACGT\n", "'a' (1), 'b' (1)"),
    ],
)
def test_class_of_one_member_is_named(run, tmp_path, records, message):
    (tmp_path / "a.fa").write_text(records)
    (tmp_path / "b.fa").write_text(">b0\nGGGG\n")
    with pytest.raises(InputError) as caught:
        run({"a": tmp_path / "a.fa", "b": tmp_path / "b.fa"}, {"reader": "fasta"})
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
    assert not (tmp_path / "sequences.parquet").exists()


def test_limit_of_the_length_is_said_before_anything_is_written(run, genes, tmp_path):
    with pytest.raises(InputError, match=r"'r0' has 300 letters, clean\.max_length is 299 \(12 such sequences\)"):
        run(genes, {"reader": "fasta"}, max_length=299)
    assert list(tmp_path.glob("*.parquet")) == []
    sequences, _, report = run(genes, {"reader": "fasta"}, max_length=299, too_long="truncate")
    assert set(sequences["sequence"].str.len()) == {299}
    assert report["after"]["features"] == 299


def test_sequences_are_read_as_one_column_of_text(run, genes, tmp_path):
    sequences, samples, _ = run(genes, {"reader": "fasta"}, homology={"identity": 0.8})
    cohort = Cohort.read(tmp_path / "sequences.parquet", samples)
    assert cohort.holds_sequences
    assert cohort.features.tolist() == ["sequence"]
    assert cohort.values.dtype == object
    assert cohort.values[:, 0].tolist() == sequences["sequence"].tolist()
    assert cohort.groups.tolist() == samples["group"].tolist()
    assert cohort.classes == ["resistant", "susceptible"]
    assert cohort.labelled().holds_sequences


# identity to the training part


def test_every_test_sequence_is_measured_once_a_repeat(run, genes, tmp_path):
    _, samples, _ = run(genes, {"reader": "fasta"}, homology={"identity": 0.8})
    evaluation = {"folds": 2, "repeats": 2, "inner_folds": 2}
    inputs = SimpleNamespace(
        samples=str(tmp_path / "samples.tsv"),
        sequences=str(tmp_path / "sequences.parquet"),
        splits=str(tmp_path / "splits.tsv"),
    )
    nearest = {}
    for scheme in ("cv", "grouped_cv"):
        write_table(split_samples(samples, {**evaluation, "scheme": scheme}, 1, "x"), inputs.splits)
        measure_identity(inputs, str(tmp_path / "identity.tsv"), ["r0", "r1"])
        table = read_table(tmp_path / "identity.tsv", dtype={"fold": str})
        assert table.columns.tolist() == ["repeat", "fold", "sample", "identity"]
        assert set(table["fold"]) == {"0", "1"}
        assert sorted(zip(table["repeat"], table["sample"], strict=True)) == [
            (repeat, name) for repeat in ("r0", "r1") for name in samples["sample"]
        ]
        nearest[scheme] = table["identity"]
    # In groups no relative is in the training part; at random almost every gene has one there.
    assert nearest["grouped_cv"].max() < 0.8
    assert nearest["cv"].median() > 0.9
