"""Bad input on the command line: exit status not 0, one clear line, nothing half-written."""

import gzip
import hashlib
import os

import numpy as np
import pytest
import yaml
from running import SMALL_STUDY, write_small_study


def run_study(workflow, study, *arguments):
    """Run a study file of the user's."""
    return workflow.run("--config", f"studies=[{study}]", *arguments)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("models: [", "modles: [", "unknown key 'modles' (did you mean 'models'?)"),
        (
            "decision_tree]",
            "decision_treee]",
            "unknown model of task expression 'decision_treee' (did you mean 'decision_tree'?)",
        ),
        ("folds: 3,", "folds: three,", "evaluation.folds: found 'three' (text), allowed: a whole number"),
        ("samples: samples.csv", "samples: sample.csv", "samples: no such file"),
    ],
)
def test_study_typo_stops_before_any_job(fresh, old, new, message):
    study = write_small_study(fresh.folder / "own", SMALL_STUDY.replace(old, new))
    done = run_study(fresh, study, "--dry-run")
    assert done.returncode != 0
    assert message in done.stdout
    assert "own/small.yaml" in done.stdout
    assert "Traceback" not in done.stdout


def test_config_typo_names_the_key(fresh):
    done = fresh.run("--dry-run", "--config", "sead=3")
    assert done.returncode != 0
    assert "unknown key 'sead' (did you mean 'seed'?)" in done.stdout


def test_truncated_gzip_stops_with_one_line(fresh):
    study = write_small_study(fresh.folder / "own")
    path = fresh.folder / "own/expression.csv"
    path.write_bytes(gzip.compress(path.read_bytes())[:200])
    done = run_study(fresh, study)
    assert done.returncode != 0
    assert f"error: {path}: damaged or truncated gzip file" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (fresh.folder / "results/small/data/features.parquet").exists()


def test_damaged_mirror_is_refused_and_leaves_nothing(fresh, tmp_path):
    folder = tmp_path / "mirror/golub_1999"
    folder.mkdir(parents=True)
    for name in ("data_set_ALL_AML_train.csv", "data_set_ALL_AML_independent.csv", "actual.csv"):
        (folder / name).write_text("patient,cancer\n1,ALL\n")
    target = "resources/downloads/golub_1999/actual.csv"
    done = fresh.run("--config", "data=public", f"mirror={tmp_path / 'mirror'}", "--", target)
    assert done.returncode != 0
    found = hashlib.sha256((folder / "actual.csv").read_bytes()).hexdigest()
    assert "error: actual.csv: wrong checksum" in done.stdout
    assert found in done.stdout
    assert list((fresh.folder / "resources/downloads").rglob("*.csv")) == []


# sequences


def write_sequences(folder, bad, **more):
    """Write a study of two FASTA files of which the second has the content `bad`; returns it and that file."""
    folder.mkdir(parents=True)
    codons = ("GCA", "GCC", "GCG", "GCT")
    good = "".join(f">g{number}\n{'ATG' + codon * (9 + number)}\n" for number, codon in enumerate(codons))
    (folder / "good.fa").write_text(good, encoding="utf-8")
    (folder / "bad.fa").write_bytes(bad if isinstance(bad, bytes) else bad.encode())
    study = {"title": "Genes", "task": "sequence", "reader": "fasta", "fasta": {"good": "good.fa", "bad": "bad.fa"}}
    path = folder / "genes.yaml"
    path.write_text(yaml.safe_dump(study | more), encoding="utf-8")
    return path, folder / "bad.fa"


CODING = "".join(f">b{number}\nATG{'CTG' * (20 + number)}\n" for number in range(4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        (f"{CODING}>lonely\n>next\nACGT\n", "line 9: header '>lonely' has no sequence"),
        (
            f"{CODING}>prot\nMKLEFW\n",
            "line 10: the sequence of '>prot' looks like protein (it has 'L', 'E', 'F'); DNA is expected",
        ),
        (f"{CODING}>typo\nACGT\nACGZ\n", "line 11: the sequence of '>typo' has 'Z', which DNA in IUPAC code has not"),
        (gzip.compress(CODING.encode())[:-12], "damaged or truncated gzip file"),
    ],
)
def test_bad_fasta_stops_with_one_line_that_names_the_file(fresh, content, message):
    study, file = write_sequences(fresh.folder / "own", content)
    done = run_study(fresh, study, "--until", "clean_sequences")
    assert done.returncode != 0
    assert [line for line in done.stdout.splitlines() if f"error: {file}: {message}" in line]
    assert "Traceback" not in done.stdout
    assert not (fresh.folder / "results/genes/data/sequences.parquet").exists()


class Malicious:
    """What a file must not make of itself."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_malicious_archive_of_sequences_executes_nothing(fresh):
    folder = fresh.folder / "own"
    folder.mkdir()
    content = np.array({"genes": [Malicious(folder / "executed")], "resistant": [True]}, dtype=object)
    np.save(folder / "genes.npy", content, allow_pickle=True)
    study = folder / "archive.yaml"
    study.write_text("{title: Genes, task: sequence, reader: npy, sequences: genes.npy}\n", encoding="utf-8")
    done = run_study(fresh, study, "--until", "clean_sequences")
    assert done.returncode != 0
    assert f"error: {folder / 'genes.npy'}: refused: its pickle asks for '" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (folder / "executed").exists()
    # NumPy's own reader would have been taken in.
    np.load(folder / "genes.npy", allow_pickle=True)
    assert (folder / "executed").exists()


def test_mistake_in_a_study_of_sequences_stops_before_any_job(fresh):
    study, _ = write_sequences(fresh.folder / "own", CODING, models=["linear_svm"])
    done = run_study(fresh, study, "--dry-run")
    assert done.returncode != 0
    assert "own/genes.yaml: models: unknown model of task sequence 'linear_svm'" in done.stdout
    assert "Traceback" not in done.stdout
