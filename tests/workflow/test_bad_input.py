"""Bad input on the command line: exit status not 0, one clear line, nothing half-written."""

import gzip
import hashlib

import pytest
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
