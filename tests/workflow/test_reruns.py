"""What runs again after a change: exactly what depends on it."""

import contextlib
import os
import time

import pytest

# Everything after the folds and rankings of a model that changed.
AFTER_A_MODEL = {"stack_models", "evaluate_study", "bundle_model", "write_report", "all"}
AFTER_AN_EXPLAINED_MODEL = AFTER_A_MODEL | {"explain_model", "rank_genes", "list_markers", "cluster_samples"}


@contextlib.contextmanager
def edited(path, old, new):
    """Replace text in a file for the length of a test; the file keeps its time afterwards."""
    original, times = path.read_text(encoding="utf-8"), path.stat()
    assert old in original
    time.sleep(0.01)
    path.write_text(original.replace(old, new, 1), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(original, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_finished_run_has_nothing_to_do(finished):
    assert finished.planned() == {}


@pytest.mark.parametrize("name", ["own/expression.csv", "own/samples.csv", "scripts/genestrata/training.py"])
def test_touched_file_reruns_nothing(finished, name):
    path = finished.folder / name
    times = path.stat()
    path.touch()
    try:
        assert finished.planned() == {}
    finally:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_changed_value_reruns_everything_that_depends_on_the_matrix(finished):
    path = finished.folder / "own/expression.csv"
    first_value = path.read_text().splitlines()[1].split(",")[1]
    with edited(path, first_value, "9.8765"):
        planned = finished.planned()
    assert set(planned) == AFTER_AN_EXPLAINED_MODEL | {
        "clean_data",
        "split_samples",
        "rank_features",
        "train_classical",
        "permute_labels",
    }
    assert planned["train_classical"] == 3


def test_changed_parameter_reruns_its_model_only(finished):
    with edited(finished.folder / "own/small.yaml", "max_depth: 2", "max_depth: 1"):
        planned = finished.planned()
    assert set(planned) == AFTER_AN_EXPLAINED_MODEL | {"train_classical"}
    assert planned["train_classical"] == 1
    assert planned["explain_model"] == 1


def test_changed_model_code_reruns_its_model_only(finished):
    with edited(finished.folder / "scripts/genestrata/models/decision_tree.py", "random_state=seed", "random_state=7"):
        planned = finished.planned()
    assert planned["train_classical"] == 1
    assert set(planned) == AFTER_AN_EXPLAINED_MODEL | {"train_classical"}


def test_new_registry_entry_retrains_nothing(finished):
    registry = finished.folder / "scripts/genestrata/models/registry.py"
    with edited(registry, 'ModelEntry("XGBoost"', 'ModelEntry("Boosted trees"'):
        assert "train_classical" not in finished.planned()


def test_changed_report_code_rewrites_the_report_only(finished):
    with edited(finished.folder / "scripts/genestrata/reporting.py", "In short", "Summary"):
        assert set(finished.planned()) == {"write_report", "all"}


def test_changed_calibration_reruns_evaluation_and_bundle(finished):
    with edited(finished.folder / "own/small.yaml", "title:", "calibration: none\ntitle:"):
        planned = finished.planned()
    assert set(planned) == {"evaluate_study", "bundle_model", "write_report", "all"}


def test_changed_seed_keeps_the_cleaned_matrix(finished):
    planned = finished.planned("--config", "seed=2")
    assert "clean_data" not in planned
    assert planned["train_classical"] == 3


def test_changed_pin_reruns_what_uses_it(finished):
    with edited(finished.folder / "envs/report.yaml", "multiqc==", "multiqc=="[:-2] + ">="):
        assert set(finished.planned()) == {"write_report", "all"}


def test_unused_source_file_reruns_nothing(finished):
    with edited(finished.folder / "scripts/genestrata/models/xgboost.py", "max_depth", "max_depth"):
        assert finished.planned() == {}
