"""The figures that explain a model."""

from types import SimpleNamespace

import explain_model
import numpy as np
import pandas as pd
import pytest

from genestrata.explaining import rank_features


def shap_table(classes):
    random = np.random.default_rng(0)
    rows = [
        ("r0", "0", f"s{sample}", label, f"g{gene}", random.normal(), random.normal())
        for sample in range(4)
        for label in classes
        for gene in range(3)
    ]
    return pd.DataFrame(rows, columns=["repeat", "fold", "sample", "class", "feature", "value", "shap"])


@pytest.mark.parametrize(
    ("n_classes", "expected"),
    [
        (2, {"bar", "beeswarm_c01", "coefficients"}),
        (8, {"bar", *(f"{kind}_c{number:02d}" for kind in ("beeswarm", "coefficients") for number in range(8))}),
        (9, {"bar", "classes", "coefficients"}),
    ],
)
def test_each_of_a_few_classes_has_its_figures_and_many_share_a_map(n_classes, expected, tmp_path):
    classes = [f"c{number:02d}" for number in range(n_classes)]
    values = shap_table(classes)
    weights = rank_features(values, "m").rename(columns={"median_shap": "weight"})[["class", "feature", "weight"]]
    # Two classes have one set of coefficients.
    weights = weights[weights["class"].isin(classes[1:] if n_classes == 2 else classes)]
    final = SimpleNamespace(classes=classes)
    explain_model.draw("logistic_regression", values, weights, final, {}, tmp_path / "figures", "note")
    assert {path.stem for path in (tmp_path / "figures").glob("*.png")} == expected


@pytest.mark.parametrize("n_classes", [3, 9])
def test_class_that_no_sample_is_explained_for_has_no_figure(n_classes, tmp_path):
    classes = [f"c{number:02d}" for number in range(n_classes)]
    values = shap_table(classes[1:])
    weights = pd.DataFrame({"class": [], "feature": [], "weight": []})
    explain_model.draw("dense", values, weights, SimpleNamespace(classes=classes), {}, tmp_path / "figures", "note")
    found = {path.stem for path in (tmp_path / "figures").glob("*.png")}
    assert found == {"bar"} | {f"beeswarm_{label}" for label in classes[1:]}
