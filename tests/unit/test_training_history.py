"""Epochs of all fits of a network as one curve, and its figure."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from genestrata.files import write_table
from genestrata.tables import read_all
from genestrata.training_history import plot_training, summarise_epochs

# Loss by epoch of five fits; the later ones stopped early.
LOSSES = [[1.0, 0.5, 0.25, 0.2], [2.0, 1.0, 0.75], [3.0, 1.5], [4.0, 2.0], [5.0]]


def epochs(watched=True):
    """Rows of epochs.tsv: accuracy is 1 - loss / 10, the watched loss is the loss + 1."""
    rows = []
    for fit, losses in enumerate(LOSSES):
        for epoch, loss in enumerate(losses, start=1):
            row = {"fold": str(fit // 2), "inner_fold": fit % 2, "epoch": epoch, "loss": loss}
            row |= {"accuracy": 1 - loss / 10, "learning_rate": 0.001}
            rows.append(row | ({"val_loss": loss + 1, "val_accuracy": 0.5} if watched else {}))
    return pd.DataFrame(rows)


def curve(table, quantity):
    return table[table["quantity"] == quantity].drop(columns="quantity").to_dict("list")


def test_curve_is_median_and_percentiles_of_the_fits():
    found = curve(summarise_epochs(epochs()), "loss")
    assert found["epoch"] == [1, 2, 3, 4]
    assert found["median"] == pytest.approx([3.0, 1.25, 0.5, 0.2])
    # By linear interpolation between sorted values.
    assert found["low"] == pytest.approx([1.4, 0.65, 0.3, 0.2])
    assert found["high"] == pytest.approx([4.6, 1.85, 0.7, 0.2])


def test_fits_that_stopped_are_not_counted_later():
    table = summarise_epochs(epochs())
    for quantity in ("loss", "val_loss", "accuracy", "val_accuracy"):
        assert curve(table, quantity)["fits"] == [5, 4, 2, 1]


def test_watched_rows_have_curves_of_their_own():
    table = summarise_epochs(epochs())
    assert set(table["quantity"]) == {"loss", "val_loss", "accuracy", "val_accuracy"}
    loss, watched = curve(table, "loss"), curve(table, "val_loss")
    np.testing.assert_allclose(np.array(watched["median"]) - loss["median"], 1)
    assert curve(table, "val_accuracy")["median"] == [0.5] * 4


def test_nothing_watched_leaves_its_curves_out():
    table = summarise_epochs(epochs(watched=False))
    assert set(table["quantity"]) == {"loss", "accuracy"}
    assert curve(table, "loss") == curve(summarise_epochs(epochs()), "loss")


def test_fits_without_watched_rows_are_not_counted_among_the_watched():
    mixed = epochs()
    mixed.loc[mixed["fold"] == "1", ["val_loss", "val_accuracy"]] = np.nan
    table = summarise_epochs(mixed)
    assert curve(table, "loss")["fits"] == [5, 4, 2, 1]
    # Fits 2 and 3 are the ones of fold 1.
    assert curve(table, "val_loss")["fits"] == [3, 2, 2, 1]
    assert curve(table, "val_loss")["median"] == pytest.approx([3.0, 1.75, 1.5, 1.2])


def test_epochs_are_read_back_as_they_were_logged(tmp_path):
    """Repeats with the same folds are different fits."""
    paths = [str(tmp_path / f"{repeat}.tsv") for repeat in ("r0", "r1")]
    for path in paths:
        write_table(epochs(), path)
    table = summarise_epochs(read_all(paths))
    assert curve(table, "loss")["fits"] == [10, 8, 4, 2]
    assert curve(table, "loss")["median"] == pytest.approx([3.0, 1.25, 0.5, 0.2])


@pytest.mark.parametrize("watched", [True, False])
def test_figure_is_written_with_its_text_and_the_same_bytes_twice(tmp_path, watched):
    curves = summarise_epochs(epochs(watched))
    for folder in ("one", "two"):
        plot_training(curves, "CNN: training", tmp_path / folder / "history", "SIMULATED data")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["history.png", "history.svg"]
    for suffix in (".svg", ".png"):
        first, second = ((tmp_path / folder / f"history{suffix}").read_bytes() for folder in ("one", "two"))
        assert first == second
    assert (tmp_path / "one" / "history.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "one" / "history.svg").read_text(encoding="utf-8")
    for expected in ("CNN: training, median and 10 to 90 % of 5 fits", "Epoch", "Loss", "Accuracy", "SIMULATED data"):
        assert expected in text
    assert not plt.get_fignums()


def test_figure_shows_the_numbers_that_it_is_given(tmp_path):
    curves = summarise_epochs(epochs())
    plot_training(curves, "CNN: training", tmp_path / "one")
    curves.loc[curves["quantity"] == "val_accuracy", ["low", "median", "high"]] = 0.9
    plot_training(curves, "CNN: training", tmp_path / "two")
    assert (tmp_path / "one.svg").read_bytes() != (tmp_path / "two.svg").read_bytes()
    assert "SIMULATED" not in (tmp_path / "one.svg").read_text(encoding="utf-8")
