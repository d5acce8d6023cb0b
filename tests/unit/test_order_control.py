"""Control of the gene order: what is refitted, with which seeds, sizes and folds, and how orders are compared."""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from genestrata import evaluation
from genestrata.metrics import bootstrap_weights
from genestrata.models.storage import FittedModel
from genestrata.order_control import compare_orders, predict_in_orders
from genestrata.predictions import prediction_table
from genestrata.ranking import Rankings, rank_folds
from genestrata.seeds import derive_seed
from genestrata.splitting import FINAL
from genestrata.training import train_model

# What is refitted: a network that cares about places, without a library behind it


class PlaceReader:
    """Nearest class mean, in which the first columns count more: its predictions change with the order."""

    def __init__(self, X, y):
        self.weights = 1 / np.arange(1, X.shape[1] + 1)
        self.classes_ = np.unique(y)
        self.means = np.stack([X[y == code].mean(axis=0) for code in self.classes_])

    def predict_proba(self, X):
        distance = (((X[:, None, :] - self.means[None]) ** 2) * self.weights).sum(axis=2)
        scores = np.exp(-distance)
        return scores / scores.sum(axis=1, keepdims=True)


@pytest.fixture
def network(monkeypatch):
    """A module `place_reader` among the models; gives the list of its calls."""
    calls = []
    module = ModuleType("genestrata.models.place_reader")
    module.SETTINGS = {"gene_order": "file", "epochs": 9}
    module.PRESETS, module.LAYERS = {}, ()

    def fit(X, y, parameters, seed, threads, groups=None):
        calls.append({"X": X.copy(), "y": y, "parameters": parameters, "seed": seed, "threads": threads})
        return PlaceReader(X, y)

    module.fit = fit
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(FittedModel, "save", lambda self, stem: 0)
    return calls


@pytest.fixture
def study(make_cohort, make_folds, make_samples):
    """Two repeats of three folds of a cohort of three classes, their rankings and a size for each fold."""
    cohort = make_cohort(sizes=(10, 9, 8), n_features=12, effect=1.0)
    cohort = replace(cohort, genome_order=np.arange(12)[::-1])
    samples = make_samples(cohort.labels)
    folds = {repeat: make_folds(samples, repeat, repeats=2) for repeat in ("r0", "r1")}
    ranking = {
        repeat: rank_folds(cohort.values, cohort.labels, cohort.features, parts, {"method": "anova_f"})
        for repeat, parts in folds.items()
    }
    outer = {repeat: [fold for fold in parts if fold.name != FINAL] for repeat, parts in folds.items()}
    sizes = {
        (repeat, fold.name): 4 + place + 3 * (repeat == "r1")
        for repeat, parts in outer.items()
        for place, fold in enumerate(parts)
    }
    return cohort, outer, ranking, sizes


def compared(study, orders, overrides=None):
    cohort, outer, ranking, sizes = study
    rankings = {repeat: Rankings(table, cohort.features) for repeat, table in ranking.items()}
    folds = [fold for parts in outer.values() for fold in parts]
    return predict_in_orders("place_reader", cohort, folds, rankings, sizes, overrides or {}, orders, 5, 1)


def test_every_fold_and_order_is_predicted_once(study, network):
    cohort, outer, _, _ = study
    table = compared(study, ["file", "shuffled", "position"])
    assert len(network) == 3 * 6
    assert not table.duplicated(["order", "repeat", "fold", "sample"]).any()
    for (_, repeat, fold), rows in table.groupby(["order", "repeat", "fold"]):
        part = next(part for part in outer[repeat] if part.name == fold)
        assert rows["sample"].tolist() == cohort.samples[part.test].tolist()
        assert rows["true"].tolist() == cohort.labels[part.test].tolist()
    assert table.groupby("order", sort=False).size().to_dict() == {"file": 54, "shuffled": 54, "position": 54}
    assert set(table["model"]) == {"place_reader"}
    assert table["inner_fold"].isna().all()


def test_seeds_sizes_and_rows_are_those_of_the_folds_whatever_the_order(study, network):
    cohort, outer, _, sizes = study
    compared(study, ["file", "shuffled"], {"epochs": 3})
    folds = [fold for parts in outer.values() for fold in parts]
    for order, calls in (("file", network[:6]), ("shuffled", network[6:])):
        for fold, call in zip(folds, calls, strict=True):
            assert call["seed"] == derive_seed(5, fold.repeat, fold.name, "place_reader")
            assert call["X"].shape == (len(fold.train), sizes[fold.repeat, fold.name])
            assert call["y"].tolist() == cohort.codes[fold.train].tolist()
            assert call["parameters"] == {"gene_order": order, "epochs": 3}
            assert call["threads"] == 1
    for own, other in zip(network[:6], network[6:], strict=True):
        # The same genes at other places.
        assert not np.array_equal(own["X"], other["X"])
        by_place = [table[:, np.lexsort(table)] for table in (own["X"], other["X"])]
        np.testing.assert_array_equal(*by_place)


@pytest.mark.parametrize("order", ["file", "clustered", "shuffled", "position"])
def test_the_own_order_predicts_what_the_model_itself_predicted(study, network, tmp_path, order):
    """All but the order is equal, so with an equal order nothing is left that could differ."""
    cohort, outer, ranking, sizes = study
    own = []
    for repeat, folds in outer.items():
        k = {fold.name: [sizes[repeat, fold.name]] for fold in folds}
        overrides = {"gene_order": order}
        tables = train_model("place_reader", cohort, folds, ranking[repeat], k, overrides, 5, 1, tmp_path)
        own.append(evaluation.test_rows(tables.predictions))
    expected = pd.concat(own, ignore_index=True)
    found = compared(study, [order])
    assert set(found.pop("order")) == {order}
    pd.testing.assert_frame_equal(found, expected)
    other = compared(study, ["file" if order != "file" else "shuffled"]).drop(columns="order")
    assert not np.allclose(other["p_A"], expected["p_A"])


def test_an_order_of_the_settings_gives_way_to_the_compared_one(study, network):
    compared(study, ["shuffled"], {"gene_order": "clustered"})
    assert {call["parameters"]["gene_order"] for call in network} == {"shuffled"}


def test_more_genes_than_there_are_is_all_of_them(study, network):
    cohort, outer, ranking, sizes = study
    compared((cohort, outer, ranking, dict.fromkeys(sizes, 500)), ["file"])
    assert {call["X"].shape[1] for call in network} == {12}


# How orders are compared, on hand-made calls

CLASSES = ["A", "B"]
TRUTH = list("AAAAAABBBB")
NAMES = [f"s{number}" for number in range(10)]
# Calls of two repeats. Accuracies 0.9 and 0.7; recalls of A 5/6 and 4/6, of B 4/4 and 3/4.
OWN = ["AAAAABBBBB", "AAAABBBBBA"]
# Accuracies 0.6 and 0.5; recalls of A 4/6 and 2/6, of B 2/4 and 3/4.
OTHER = ["AAAABBBBAA", "AABBBBBBBA"]


def parts(calls, order=range(10)):
    """Two repeats of sure calls as TestPredictions; order : places of the samples in the table."""
    order = list(order)
    tables = [
        prediction_table(
            f"r{number}",
            "0",
            "cnn",
            [None] * len(text),
            np.array(NAMES, dtype=object)[order],
            np.array(TRUTH, dtype=object)[order],
            np.eye(2)[[CLASSES.index(call) for call in text]][order],
            CLASSES,
        )
        for number, text in enumerate(calls)
    ]
    return evaluation.as_repeats(pd.concat(tables), NAMES, CLASSES)


@pytest.fixture(scope="module")
def weights():
    return bootstrap_weights(np.array([CLASSES.index(label) for label in TRUTH]), None, 3)


def test_values_are_accuracies_averaged_over_repeats_and_the_gain_their_difference(weights):
    table = compare_orders({"clustered": parts(OWN), "file": parts(OTHER)}, "clustered", weights)
    own = {"accuracy": (0.9 + 0.7) / 2, "balanced_accuracy": ((5 / 6 + 1) / 2 + (4 / 6 + 3 / 4) / 2) / 2}
    other = {"accuracy": (0.6 + 0.5) / 2, "balanced_accuracy": ((4 / 6 + 2 / 4) / 2 + (2 / 6 + 3 / 4) / 2) / 2}
    for name in own:
        assert table["clustered"][name]["value"] == pytest.approx(own[name])
        assert table["file"][name]["value"] == pytest.approx(other[name])
        assert table["file"][f"{name}_gain"]["value"] == pytest.approx(own[name] - other[name])
        low, high = table["file"][f"{name}_gain"]["ci95"]
        assert low < table["file"][f"{name}_gain"]["value"] < high


def test_only_other_orders_have_a_gain(weights):
    orders = {"clustered": parts(OWN), "file": parts(OTHER), "shuffled": parts(OTHER)}
    table = compare_orders(orders, "clustered", weights)
    assert list(table) == ["clustered", "file", "shuffled"]
    assert set(table["clustered"]) == {"accuracy", "balanced_accuracy"}
    assert set(table["file"]) == {"accuracy", "balanced_accuracy", "accuracy_gain", "balanced_accuracy_gain"}
    assert table["file"] == table["shuffled"]


def test_equal_predictions_gain_exactly_nothing(weights):
    """Were draws not paired by sample, the interval would have a width."""
    # The rows of the other order may come in another order of samples.
    shuffled = parts(OWN, reversed(range(10)))
    table = compare_orders({"clustered": parts(OWN), "file": parts(OWN), "shuffled": shuffled}, "clustered", weights)
    nothing = {"value": 0.0, "ci95": [0.0, 0.0]}
    assert table["file"]["accuracy_gain"] == table["file"]["balanced_accuracy_gain"] == nothing
    assert table["shuffled"]["accuracy_gain"]["ci95"] == pytest.approx([0.0, 0.0], abs=1e-12)
    low, high = table["clustered"]["accuracy"]["ci95"]
    assert low < high


def test_gain_is_paired_by_sample(weights):
    """One sample is called better: its weight in a draw, and no other, is what the gain varies by."""
    better = [text[:-1] + "B" for text in OWN]
    worse = [text[:-1] + "A" for text in OWN]
    table = compare_orders({"clustered": parts(better), "file": parts(worse)}, "clustered", weights)
    draws = weights[:, 9] / 10
    assert table["file"]["accuracy_gain"]["value"] == pytest.approx(0.1)
    assert table["file"]["accuracy_gain"]["ci95"] == pytest.approx(np.percentile(draws, [2.5, 97.5]).tolist())
