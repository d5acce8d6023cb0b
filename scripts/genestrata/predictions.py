"""The table of class probabilities that models, stack and evaluation exchange.

One row per (repeat, fold, model, inner_fold, sample): sample, true, predicted and one `p_<label>` column per class.
inner_fold is missing for the outer test part; otherwise the row is an out-of-fold prediction inside the training part.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

PREFIX = "p_"


def prediction_table(
    repeat: str,
    fold: str,
    model: str,
    inner_fold: Sequence[int | None],
    samples: np.ndarray,
    true: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Build the rows of one fold; probabilities : (n_samples, n_classes) in the order of `classes`."""
    names = np.asarray(classes, dtype=object)
    table = pd.DataFrame(
        {
            "repeat": repeat,
            "fold": fold,
            "model": model,
            "inner_fold": pd.array(list(inner_fold), dtype="Int16"),
            "sample": samples,
            "true": true,
            "predicted": names[probabilities.argmax(axis=1)] if len(samples) else np.empty(0, dtype=object),
        }
    )
    columns = pd.DataFrame(probabilities, columns=[PREFIX + label for label in classes])
    return pd.concat([table, columns], axis=1)


def class_names(table: pd.DataFrame) -> list[str]:
    """Classes of a prediction table in the order of its probability columns."""
    return [name.removeprefix(PREFIX) for name in table.columns if name.startswith(PREFIX)]


def probabilities(table: pd.DataFrame) -> np.ndarray:
    """Probabilities of a prediction table, (n_rows, n_classes) float64."""
    return table[[PREFIX + label for label in class_names(table)]].to_numpy(dtype=float)


def codes(labels: pd.Series, classes: Sequence[str]) -> np.ndarray:
    """Position of each label among the classes, int."""
    return pd.Categorical(labels.to_numpy(dtype=object), categories=list(classes)).codes.astype(int)
