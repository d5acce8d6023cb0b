"""Calls of rows without a label and labelled rows called otherwise, on hand-made predictions."""

import numpy as np
import pandas as pd
import pytest

from genestrata.calibration import apply_temperature, fit_temperature
from genestrata.hypotheses import add_periodicity, call_unlabelled, disagreements
from genestrata.predictions import prediction_table
from genestrata.sinusoids import FALSE_DISCOVERY_RATE
from genestrata.splitting import FINAL

CLASSES = ["G1", "G2", "M", "S"]
CYCLE = ["G1", "S", "G2", "M"]
CALLS = [
    ("u1", [0.10, 0.20, 0.60, 0.10]),
    ("u2", [0.70, 0.05, 0.05, 0.20]),
    ("u3", [0.02, 0.08, 0.80, 0.10]),
    ("u4", [0.20, 0.05, 0.05, 0.70]),
    ("u5", [0.00, 0.50, 0.30, 0.20]),
    ("u0", [0.70, 0.20, 0.05, 0.05]),
]


def rows(fold, names, true, values, inner_fold, repeat="r0"):
    return prediction_table(
        repeat, fold, "m", inner_fold, np.array(names, object), np.array(true, object), np.array(values), CLASSES
    )


def known_rows(fold, right=0.9, n=40, seed=0):
    """Out-of-fold rows of a fold whose calls are right with some chance, sure of themselves."""
    random = np.random.default_rng(seed)
    codes = np.arange(n) % 4
    called = np.where(random.random(n) < right, codes, (codes + 1) % 4)
    values = 0.96 * np.eye(4)[called] + 0.01
    return rows(fold, [f"k{number}" for number in range(n)], np.array(CLASSES)[codes], values, [*range(4)] * (n // 4))


def raw(final=0.6, unlabelled=CALLS):
    """All rows of a model in r0: an outer fold, which is sure and right, and the final one, which is not so right."""
    names, values = zip(*unlabelled, strict=True) if unlabelled else ((), np.empty((0, 4)))
    none = [None] * len(names)
    outer = [known_rows("0", 1.0), rows("0", ["t1"], ["M"], [[0.1, 0.2, 0.3, 0.4]], [None])]
    return pd.concat(
        [*outer, known_rows(FINAL, final), rows(FINAL, names, [""] * len(names), values, none)], ignore_index=True
    )


# Calls of rows without a label


@pytest.mark.parametrize("calibration", ["none", "temperature"])
def test_calls_come_by_class_in_the_order_of_the_cycle_the_most_certain_first(calibration):
    table = call_unlabelled(raw(), calibration, CYCLE)
    # Equal probabilities come by name.
    assert table["sample"].tolist() == ["u0", "u2", "u4", "u5", "u3", "u1"]
    assert table["predicted"].tolist() == ["G1", "G1", "S", "G2", "M", "M"]
    assert table["runner_up"].tolist() == ["G2", "S", "G1", "M", "S", "G2"]
    assert list(table) == ["sample", "predicted", "probability", "runner_up", *(f"p_{label}" for label in CLASSES)]
    assert table.index.tolist() == list(range(6))


def test_another_order_of_the_classes_is_followed():
    assert call_unlabelled(raw(), "none", CLASSES)["predicted"].tolist() == ["G1", "G1", "G2", "M", "M", "S"]


def test_probabilities_without_calibration_are_the_models_own():
    table = call_unlabelled(raw(), "none", CYCLE).set_index("sample")
    for name, values in CALLS:
        assert table.loc[name, [f"p_{label}" for label in CLASSES]].tolist() == values
        assert table.loc[name, "probability"] == max(values)


def test_calibration_is_that_of_the_out_of_fold_rows_of_the_final_fold_alone():
    predictions = raw()
    known = predictions[(predictions["fold"] == FINAL) & predictions["inner_fold"].notna()]
    columns = [f"p_{label}" for label in CLASSES]
    temperature = fit_temperature(known[columns].to_numpy(), known["true"].map(CLASSES.index).to_numpy())
    # Too sure a model: the other fold alone would say the opposite.
    assert temperature > 1.5
    table = call_unlabelled(predictions, "temperature", CYCLE).set_index("sample")
    expected = apply_temperature(np.array([values for _, values in CALLS]), temperature)
    np.testing.assert_allclose(table.loc[[name for name, _ in CALLS], columns], expected)
    np.testing.assert_allclose(table["probability"], table[columns].max(axis=1))
    without = call_unlabelled(predictions[predictions["fold"] == FINAL], "temperature", CYCLE)
    pd.testing.assert_frame_equal(without, table.reset_index())
    surer = call_unlabelled(raw(final=1.0), "temperature", CYCLE)
    assert surer["probability"].mean() > table["probability"].mean() + 0.1


def test_nothing_to_call_is_a_table_without_rows():
    table = call_unlabelled(raw(unlabelled=[]), "temperature", CYCLE)
    assert table.empty
    assert list(table) == ["sample", "predicted", "probability", "runner_up", *(f"p_{label}" for label in CLASSES)]


# Labelled rows called otherwise


def held_out(repeat, *calls):
    """Test rows of one repeat; calls : (sample, label, four probabilities)."""
    names, true, values = zip(*calls, strict=True)
    return rows("0", names, true, values, [None] * len(names), repeat)


def test_disagreements_are_averaged_over_repeats():
    test = pd.concat(
        [
            held_out(
                "r0",
                ("a", "G1", [0.8, 0.1, 0.1, 0.0]),
                ("b", "G2", [0.1, 0.1, 0.8, 0.0]),
                ("c", "S", [0.6, 0.0, 0.0, 0.4]),
            ),
            held_out(
                "r1",
                ("c", "S", [0.2, 0.0, 0.0, 0.8]),
                ("b", "G2", [0.2, 0.1, 0.6, 0.1]),
                ("a", "G1", [0.1, 0.7, 0.1, 0.1]),
            ),
            held_out(
                "r2",
                ("b", "G2", [0.1, 0.2, 0.6, 0.1]),
                ("a", "G1", [0.5, 0.3, 0.1, 0.1]),
                ("c", "S", [0.9, 0.0, 0.0, 0.1]),
            ),
        ]
    )
    table = disagreements(test, CYCLE)
    # On average a is called G1 and agrees, although one repeat says otherwise.
    assert table[["sample", "label", "predicted"]].values.tolist() == [["c", "S", "G1"], ["b", "G2", "M"]]
    np.testing.assert_allclose(table["probability"], [1.7 / 3, 2.0 / 3])
    np.testing.assert_allclose(table["p_label"], [1.3 / 3, 0.4 / 3])
    np.testing.assert_allclose(table["calls_against"], [2 / 3, 1])


def test_disagreements_come_by_the_class_called_the_most_certain_first():
    test = held_out(
        "r0",
        ("d", "M", [0.6, 0.2, 0.1, 0.1]),
        ("a", "M", [0.1, 0.2, 0.1, 0.6]),
        ("b", "M", [0.9, 0.0, 0.1, 0.0]),
        ("c", "G2", [0.6, 0.2, 0.1, 0.1]),
        ("e", "M", [0.2, 0.7, 0.1, 0.0]),
        ("f", "M", [0.0, 0.0, 1.0, 0.0]),
    )
    table = disagreements(test, CYCLE)
    assert table["sample"].tolist() == ["b", "c", "d", "a", "e"]
    assert table["predicted"].tolist() == ["G1", "G1", "G1", "S", "G2"]
    assert table["p_label"].tolist() == [0.1, 0.2, 0.1, 0.1, 0.1]
    assert (table["calls_against"] == 1).all()


def test_model_that_agrees_with_every_label_leaves_no_disagreement():
    table = disagreements(held_out("r0", ("a", "G1", [0.8, 0.1, 0.1, 0.0])), CYCLE)
    assert table.empty
    assert list(table) == ["sample", "label", "predicted", "probability", "p_label", "calls_against"]


# Periodicity


def periodicity(**fdr):
    """Periodicity over all experiments of some rows, and of one experiment, which does not count."""
    joint = pd.DataFrame({"sample": list(fdr), "experiment": "all", "fdr": list(fdr.values())})
    joint = joint.assign(share=1 - joint["fdr"], p=joint["fdr"] / 2)
    return pd.concat([joint.assign(experiment="alpha", fdr=0.5, share=0.5, p=0.5), joint], ignore_index=True)


def test_periodic_rows_come_first_within_a_class():
    calls = call_unlabelled(raw(), "none", CYCLE)
    fdr = {"u0": 0.4, "u1": 0.001, "u2": 0.01, "u3": FALSE_DISCOVERY_RATE, "u4": 0.9, "u5": 0.2}
    table = add_periodicity(calls, periodicity(**fdr))
    assert table["sample"].tolist() == ["u2", "u0", "u4", "u5", "u1", "u3"]
    assert table["periodic_fdr"].tolist() == [fdr[name] for name in table["sample"]]
    np.testing.assert_allclose(table["periodic_share"], 1 - table["periodic_fdr"])
    np.testing.assert_allclose(table["periodic_p"], table["periodic_fdr"] / 2)
    assert list(table)[: len(list(calls))] == list(calls)
    assert table.index.tolist() == list(range(6))


def test_rows_that_are_equally_periodic_stay_by_probability():
    calls = call_unlabelled(raw(), "none", CYCLE)
    table = add_periodicity(calls, periodicity(**{name: 0.04 / number for number, (name, _) in enumerate(CALLS, 1)}))
    assert table["sample"].tolist() == calls["sample"].tolist()


@pytest.mark.parametrize(
    "table",
    [
        call_unlabelled(raw(unlabelled=[]), "none", CYCLE),
        disagreements(held_out("r0", ("a", "G1", [0.8, 0.1, 0.1, 0.0])), CYCLE),
    ],
)
def test_periodicity_of_no_rows_is_a_table_without_rows(table):
    joined = add_periodicity(table, periodicity(a=0.01))
    assert joined.empty
    assert list(joined) == [*table, "periodic_share", "periodic_p", "periodic_fdr"]
