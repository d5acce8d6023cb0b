"""What the selected model says of rows without a label, and labelled rows that it calls otherwise."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from genestrata.calibration import Calibration
from genestrata.predictions import PREFIX, class_names, codes, probabilities
from genestrata.sinusoids import FALSE_DISCOVERY_RATE
from genestrata.splitting import FINAL


def call_unlabelled(predictions: pd.DataFrame, calibration: str, order: Sequence[str]) -> pd.DataFrame:
    """Calls of the final fold for rows without a label, most certain first within a class.

    predictions : rows of one model in repeat r0, raw; order : classes in the order wanted. Returns sample, predicted,
    probability, runner_up and one p_<label> per class, calibrated by the fold's own out-of-fold predictions.
    """
    final = predictions[predictions["fold"] == FINAL]
    classes = class_names(final)
    known, unknown = final[final["inner_fold"].notna()], final[final["inner_fold"].isna()]
    fitted = Calibration.fit(probabilities(known), codes(known["true"], classes), calibration)
    values = fitted.apply(probabilities(unknown)) if len(unknown) else np.empty((0, len(classes)))
    ranked = np.argsort(-values, axis=1, kind="stable")
    names = np.asarray(classes, dtype=object)
    table = pd.DataFrame(
        {
            "sample": unknown["sample"].to_numpy(dtype=object),
            "predicted": names[ranked[:, 0]],
            "probability": values.max(axis=1, initial=0.0),
            "runner_up": names[ranked[:, 1]],
        }
    )
    table = pd.concat([table, pd.DataFrame(values, columns=[PREFIX + label for label in classes])], axis=1)
    return _sorted(table, order)


def disagreements(test: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Labelled rows that a model, never having seen them, calls otherwise on average over repeats.

    test : calibrated test rows of one model. Returns sample, label, predicted, probability (of the call), p_label (of
    the label) and calls_against, the share of repeats that call it otherwise; the most certain first within a class.
    """
    classes = class_names(test)
    columns = [PREFIX + label for label in classes]
    mean = test.groupby(["sample", "true"], sort=True)[columns].mean()
    against = (test["predicted"] != test["true"]).groupby([test["sample"], test["true"]]).mean().loc[mean.index]
    values, label = mean.to_numpy(), mean.index.get_level_values("true")
    place = codes(pd.Series(label), classes)
    table = pd.DataFrame(
        {
            "sample": mean.index.get_level_values("sample"),
            "label": label,
            "predicted": np.asarray(classes, dtype=object)[values.argmax(axis=1)],
            "probability": values.max(axis=1),
            "p_label": values[np.arange(len(values)), place],
            "calls_against": against.to_numpy(),
        }
    )
    return _sorted(table[table["label"] != table["predicted"]], order)


def add_periodicity(table: pd.DataFrame, periodicity: pd.DataFrame) -> pd.DataFrame:
    """Add periodic_share, periodic_p and periodic_fdr over all experiments; rows that are periodic come first within a
    class."""
    joint = periodicity[periodicity["experiment"] == "all"].set_index("sample")[["share", "p", "fdr"]]
    joined = table.join(joint.add_prefix("periodic_"), on="sample")
    place = {label: number for number, label in enumerate(dict.fromkeys(joined["predicted"]))}
    key = pd.DataFrame(
        {
            "class": joined["predicted"].map(place),
            "chance": joined["periodic_fdr"] >= FALSE_DISCOVERY_RATE,
            "doubt": -joined["probability"],
        }
    )
    return joined.loc[key.sort_values(["class", "chance", "doubt"], kind="stable").index].reset_index(drop=True)


def _sorted(table: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """By predicted class in the order given, then by falling probability, then by name."""
    place = table["predicted"].map({label: number for number, label in enumerate(order)})
    key = pd.DataFrame({"class": place, "doubt": -table["probability"], "sample": table["sample"]})
    return table.loc[key.sort_values(["class", "doubt", "sample"]).index].reset_index(drop=True)
