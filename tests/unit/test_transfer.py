"""Transfer of a network between experiments: who is fitted on what, from which weights, and the learning curve."""

import functools
import itertools

import numpy as np
import pandas as pd
import pytest

from genestrata.cohort import Cohort
from genestrata.metrics import bootstrap_weights
from genestrata.models import cnn_bilstm, parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.networks import NetworkClassifier
from genestrata.seeds import derive_seed
from genestrata.splitting import Fold
from genestrata.time_points import experiments_of
from genestrata.transfer import STRATEGIES, choose_labelled, learning_curve, plot_learning_curve, predict_transfers

# Which rows are labelled


@pytest.mark.parametrize("size", [3, 10, 25, 40])
def test_labelled_rows_are_a_share_of_every_class_of_the_rows_given(size):
    codes = np.repeat([0, 1, 2], [40, 20, 40])
    rows = np.concatenate([np.arange(0, 30), np.arange(40, 50), np.arange(90, 100)])
    chosen = choose_labelled(codes, rows, size, np.random.default_rng(0))
    assert set(chosen) <= set(rows) and (np.diff(chosen) > 0).all()
    expected = [max(1, round(size * number / 50)) for number in (30, 10, 10)]
    assert np.bincount(codes[chosen]).tolist() == expected


def test_every_class_is_labelled_at_least_once_and_no_row_twice():
    codes = np.repeat([0, 1, 2], [97, 1, 2])
    chosen = choose_labelled(codes, np.arange(100), 5, np.random.default_rng(0))
    assert np.bincount(codes[chosen]).tolist() == [5, 1, 1]
    assert choose_labelled(codes, np.arange(100), 1000, np.random.default_rng(0)).tolist() == list(range(100))


def test_generator_draws_the_labelled_rows():
    codes = np.tile([0, 1], 50)
    first, again, other = (choose_labelled(codes, np.arange(100), 20, np.random.default_rng(s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


# Who is fitted on what

SOURCE, TARGETS, SIZES = "elu", ["alpha", "cdc28"], [6, 9]
SETTINGS = {"model": "cnn_bilstm", "source": SOURCE, "targets": TARGETS, "sizes": SIZES, "epochs": 2}
TINY = {"filters": [2], "kernel": [3], "units": [2], "batch_size": 8, "summary": "flatten", "epochs": 7}


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


def make(values, labels, features, groups=None):
    """A cohort of two classes."""
    samples = np.array([f"s{number}" for number in range(len(labels))], dtype=object)
    names, labels = (np.array(part, dtype=object) for part in (features, labels))
    return Cohort(values.astype(np.float32), names, samples, labels, ["A", "B"], groups)


@pytest.fixture(scope="module")
def study():
    """A cohort of three experiments of two lengths, its two evaluated folds, every fit and the table of predictions.

    Fits draw weights instead of training: the network that stands for them is built once for each length.
    """
    random = np.random.default_rng(0)
    features = [f"{name}_{5 * n}" for name, length in (("alpha", 6), (SOURCE, 8), ("cdc28", 6)) for n in range(length)]
    values = random.normal(size=(18, 20))
    values[np.arange(18) % 4 < 2, ::3] = np.nan
    groups = np.array([f"group{number}" for number in range(18)], dtype=object)
    cohort = make(values, random.permutation(list("AAAAAAAAAABBBBBBBB")), features, groups)
    even, odd = np.arange(0, 18, 2), np.arange(1, 18, 2)
    folds = [Fold("r0", "0", odd, even, []), Fold("r0", "1", even, odd, [])]
    calls = []

    @functools.cache
    def network_of(length):
        settings = parameter_grid("cnn_bilstm", TINY | {"summary": "last"})[0]
        return cnn_bilstm.build(length, 2, settings | {"series": [length]})

    def fit(X, y, settings, seed, threads, context, start=None):
        network = network_of(X.shape[1])
        network.set_weights([random.normal(size=weight.shape) ** 2 for weight in network.get_weights()])
        call = {"X": X.copy(), "y": y, "settings": settings, "seed": seed, "context": context, "start": start}
        calls.append(call | {"weights": network.get_weights()})
        return NetworkClassifier(network)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cnn_bilstm, "fit", fit)
        table = predict_transfers(cohort, folds, SETTINGS, TINY, 3, 1)
    return cohort, folds, calls, table


def calls_of(study):
    """(fold, experiment, strategy, size, call) of every fit, in order."""
    _, folds, calls, _ = study
    plan = [
        (fold, *fit)
        for fold in folds
        for fit in [
            (SOURCE, "source", None),
            *((target, strategy, size) for target in TARGETS for size in SIZES for strategy in STRATEGIES[1:]),
        ]
    ]
    return [(*fit, call) for fit, call in zip(plan, calls, strict=True)]


def rows_of(cohort, experiment, X):
    """Rows of the cohort whose series of an experiment these are."""
    series = cohort.values[:, experiments_of(cohort.features)[experiment][0]]
    assert X.shape[1] == series.shape[1]
    found = [np.flatnonzero((np.isclose(series, row, equal_nan=True)).all(axis=1)) for row in X]
    assert {len(rows) for rows in found} == {1}
    return np.concatenate(found)


def test_every_test_gene_is_predicted_once_by_each_strategy_and_size(study):
    _, folds, _, table = study
    assert list(table) == ["target", "strategy", "size", "fold", "row", "predicted"]
    assert not table.duplicated(["target", "strategy", "size", "row"]).any()
    sizes = table.groupby(["target", "strategy", "size"], sort=False).size().to_dict()
    tuned = [(strategy, size) for size in SIZES for strategy in STRATEGIES[1:]]
    assert sizes == {(target, *key): 18 for target in TARGETS for key in [(STRATEGIES[0], 0), *tuned]}
    for fold in folds:
        part = table[table["fold"] == fold.name]
        assert set(part["row"]) == set(fold.test)
    assert set(table["predicted"]) <= {0, 1}


def test_networks_are_fitted_on_training_genes_only_and_on_one_experiment(study):
    cohort, *_ = study
    for fold, experiment, strategy, size, call in calls_of(study):
        rows = rows_of(cohort, experiment, call["X"])
        assert not set(rows) & set(fold.test)
        assert np.isnan(call["X"]).any()
        np.testing.assert_array_equal(call["y"], cohort.codes[rows])
        np.testing.assert_array_equal(call["context"].groups, cohort.groups[rows])
        columns = experiments_of(cohort.features)[experiment][0]
        assert call["context"].features == cohort.features[columns].tolist()
        if strategy == "source":
            np.testing.assert_array_equal(rows, fold.train)
        else:
            shares = np.bincount(cohort.codes[fold.train]) / len(fold.train)
            assert np.bincount(call["y"]).tolist() == [round(size * share) for share in shares]


def test_both_strategies_of_a_size_are_fitted_on_the_same_genes_with_the_same_seed(study):
    fits = calls_of(study)
    pairs = [(one, other) for one, other in itertools.pairwise(fits) if one[2] == STRATEGIES[1]]
    assert len(pairs) == 8
    for one, other in pairs:
        assert (one[:2], one[3], other[2]) == (other[:2], other[3], STRATEGIES[2])
        np.testing.assert_array_equal(one[-1]["X"], other[-1]["X"])
        seeds = [derive_seed(3, "r0", one[0].name, "transfer")] * 2
        assert [one[-1]["seed"], other[-1]["seed"]] == seeds


def test_fine_tuning_starts_from_the_weights_of_the_source_and_scratch_from_none(study):
    source = None
    for _, _, strategy, _, call in calls_of(study):
        if strategy == "fine-tuned":
            for given, expected in zip(call["start"], source, strict=True):
                np.testing.assert_array_equal(given, expected)
        else:
            assert call["start"] is None
        source = call["weights"] if strategy == "source" else source


def test_settings_of_the_transfer_stand_above_those_of_the_study(study):
    for *_, call in calls_of(study):
        expected = {"summary": "last", "epochs": 2, "units": [2], "filters": [2], "noise": 0.6}
        assert {key: call["settings"][key] for key in expected} == expected


def test_without_fine_tuning_the_weights_of_the_source_predict_the_target(study):
    cohort, _, _, table = study
    for fold, _, strategy, _, call in calls_of(study):
        if strategy != "source":
            continue
        for target in TARGETS:
            columns = experiments_of(cohort.features)[target][0]
            network = cnn_bilstm.build(len(columns), 2, call["settings"] | {"series": [len(columns)]})
            network.set_weights(call["weights"])
            expected = NetworkClassifier(network).predict_proba(cohort.values[np.ix_(fold.test, columns)])
            rows = table[(table["target"] == target) & (table["size"] == 0) & (table["fold"] == fold.name)]
            assert rows["row"].tolist() == fold.test.tolist()
            np.testing.assert_array_equal(rows["predicted"], expected.argmax(axis=1))


def test_network_that_was_trained_on_one_experiment_knows_the_same_courses_in_another():
    random = np.random.default_rng(0)
    labels = np.array(["A", "B"] * 20, dtype=object)
    course = np.tile(np.cos(np.pi * np.arange(6) / 3), 2)
    values = np.where(labels == "A", 1, -1)[:, None] * course + random.normal(0, 0.1, (40, 12))
    names = [f"{experiment}_{minute}" for experiment in (SOURCE, "alpha") for minute in range(6)]
    cohort, fold = make(values, labels, names), Fold("r0", "0", np.arange(20), np.arange(20, 40), [])
    settings = SETTINGS | {"targets": ["alpha"], "sizes": [8], "epochs": 25}
    table = predict_transfers(cohort, [fold], settings, TINY | {"learning_rate": 0.03, "noise": 0.1}, 1, 1)
    right = table["predicted"] == cohort.codes[table["row"]]
    accuracy = right.groupby(table["strategy"]).mean()
    assert accuracy["not fine-tuned"] > 0.8 and accuracy["fine-tuned"] > 0.8


# Learning curve

CODES = np.repeat([0, 1], [6, 4])
# Calls of ten genes: accuracy 0.9 and 0.6, recalls 5/6 and 4/4, 4/6 and 2/4.
GOOD, POOR = "0000011111", "0000111100"


def predictions(**calls):
    """Predictions of one target; calls : <strategy number>_<size> to one digit a gene, in two folds."""
    tables = []
    for key, text in calls.items():
        number, size = key.removeprefix("s").split("_")
        rows = np.random.default_rng(int(size)).permutation(10)
        tables.append(
            pd.DataFrame(
                {"target": "alpha", "strategy": STRATEGIES[int(number)], "size": int(size), "row": rows}
            ).assign(fold=["0"] * 5 + ["1"] * 5, predicted=np.array([int(code) for code in text])[rows])
        )
    return pd.concat(tables, ignore_index=True)


def test_learning_curve_has_the_scores_of_every_strategy_and_size():
    curve = learning_curve(predictions(s0_0=POOR, s1_20=GOOD, s2_20=POOR), CODES, 2, 1)
    assert curve[["target", "strategy", "size", "genes"]].values.tolist() == [
        ["alpha", "not fine-tuned", 0, 10],
        ["alpha", "fine-tuned", 20, 10],
        ["alpha", "from scratch", 20, 10],
    ]
    np.testing.assert_allclose(curve["accuracy"], [0.6, 0.9, 0.6])
    good, poor = (5 / 6 + 1) / 2, (4 / 6 + 2 / 4) / 2
    np.testing.assert_allclose(curve["balanced_accuracy"], [poor, good, poor])
    for name in ("accuracy", "balanced_accuracy"):
        assert (curve[f"{name}_low"] < curve[name]).all() and (curve[name] < curve[f"{name}_high"]).all()


def test_intervals_are_a_bootstrap_of_the_genes_within_their_classes():
    table = predictions(s1_20=GOOD)
    curve = learning_curve(table, CODES, 2, 1).iloc[0]
    true = CODES[table["row"]]
    weights = bootstrap_weights(true, None, 1)
    drawn = weights @ (table["predicted"].to_numpy() == true) / 10
    assert curve[["accuracy_low", "accuracy_high"]].tolist() == np.percentile(drawn, [2.5, 97.5]).tolist()
    # All genes of the second class are right in every draw.
    assert curve["balanced_accuracy_low"] >= 0.5 and curve["balanced_accuracy_high"] == 1


def test_calls_without_an_error_have_no_interval():
    curve = learning_curve(predictions(s1_20="0000001111"), CODES, 2, 1).iloc[0]
    names = [f"{name}{end}" for name in ("accuracy", "balanced_accuracy") for end in ("", "_low", "_high")]
    assert curve[names].tolist() == [1.0] * 6


def test_learning_curve_is_the_same_for_a_seed():
    table = predictions(s1_20=GOOD, s2_20=POOR)
    first, again = (learning_curve(table, CODES, 2, 4) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("targets", [["alpha"], ["alpha", "cdc15"]])
def test_learning_curve_is_drawn_for_every_target_with_the_same_bytes_twice(targets, tmp_path):
    table = predictions(s0_0=POOR, s1_20=POOR, s2_20=POOR, s1_80=GOOD, s2_80=GOOD)
    curve = pd.concat(
        [learning_curve(table, CODES, 2, 4).assign(target=target) for target in targets], ignore_index=True
    )
    for folder in ("one", "two"):
        plot_learning_curve(curve, "elu", tmp_path / folder / "curve", "SIMULATED data")
    files = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in files] == ["curve.png", "curve.svg"]
    assert [file.read_bytes() for file in files] == [(tmp_path / "two" / file.name).read_bytes() for file in files]
    text = files[1].read_text(encoding="utf-8")
    shown = ["SIMULATED data", "not fine-tuned (elu only)", "fine-tuned", "from scratch", ">20<", ">80<"]
    assert [part for part in [*shown, *(f"elu to {target}" for target in targets)] if part not in text] == []
