"""The stack learns from out-of-fold predictions only."""

import numpy as np
import pandas as pd
import pytest

from genestrata.models.storage import FittedModel
from genestrata.predictions import class_names, prediction_table, probabilities
from genestrata.stacking import meta_features, train_stack


@pytest.fixture
def base(trained_study):
    """Predictions of the base models in one fold of the first repeat."""
    table = trained_study.predictions
    rows = table["model"].isin(trained_study.base) & (table["repeat"] == "r0") & (table["fold"] == "0")
    return table[rows].reset_index(drop=True)


def stack(base, models, folder):
    return train_stack(base, models, "r0", 1, folder)


def relabelled(table, rows):
    """The table with another true label in some rows."""
    changed = table.copy()
    changed.loc[rows, "true"] = np.where(changed.loc[rows, "true"] == "A", "B", "A")
    return changed


def is_outer(table):
    return table["inner_fold"].isna().to_numpy()


def test_meta_features_are_one_row_per_sample_with_named_columns():
    tables = [
        prediction_table("r0", "0", model, [0, None], ["s2", "s1"], ["b", "a"], values, ["a", "b"])
        for model, values in (("cnn", np.array([[0.1, 0.9], [0.8, 0.2]])), ("svm", np.array([[0.4, 0.6], [0.7, 0.3]])))
    ]
    wide = meta_features(pd.concat(tables), ["svm", "cnn"])
    assert list(wide.columns) == [
        *("fold", "sample", "inner_fold", "true"),
        *("svm p_a", "svm p_b", "cnn p_a", "cnn p_b"),
    ]
    assert wide.values.tolist() == [
        ["0", "s1", -1, "a", 0.7, 0.3, 0.8, 0.2],
        ["0", "s2", 0, "b", 0.4, 0.6, 0.1, 0.9],
    ]


def test_a_base_model_without_a_row_is_an_error(base):
    with pytest.raises(ValueError, match="did not predict the same rows"):
        meta_features(base.drop(index=base.index[-1]), sorted(set(base["model"])))
    with pytest.raises(ValueError, match="did not predict the same rows"):
        meta_features(base, ["logistic_regression", "linear_svm"])


def test_stack_predicts_every_row_of_the_base_models(base, trained_study, tmp_path):
    predictions, tuning, history, epochs = stack(base, trained_study.base, tmp_path)
    assert epochs is None
    key = ["fold", "inner_fold", "sample", "true"]
    one = base[base["model"] == "xgboost"]
    pd.testing.assert_frame_equal(
        predictions[key].sort_values(key, ignore_index=True), one[key].sort_values(key, ignore_index=True)
    )
    assert tuning[["fold", "k", "chosen"]].values.tolist() == [["0", 9, True]]
    np.testing.assert_allclose(probabilities(predictions).sum(axis=1), 1)
    assert FittedModel.load(tmp_path / "0").features[0] == "logistic_regression p_A"
    assert history["model_bytes"].item() == sum(file.stat().st_size for file in tmp_path.iterdir())


def test_saved_stack_gives_the_predictions_of_the_table_again(base, trained_study, tmp_path):
    predictions = stack(base, trained_study.base, tmp_path).predictions
    tested = predictions[is_outer(predictions)]
    wide = meta_features(base, trained_study.base)
    wide = wide[wide["inner_fold"] < 0].set_index("sample").loc[tested["sample"]]
    model = FittedModel.load(tmp_path / "0")
    np.testing.assert_allclose(
        model.predict_proba(wide[model.features].to_numpy()), probabilities(tested), rtol=0, atol=1e-5
    )


def test_class_absent_from_the_training_part_is_never_predicted(base, trained_study, tmp_path):
    unseen = (base["true"] == "C") & ~is_outer(base)
    predictions = stack(base[~unseen], trained_study.base, tmp_path).predictions
    assert class_names(predictions) == ["A", "B", "C"]
    assert "C" in set(predictions["true"])
    assert (predictions["p_C"] == 0).all()
    np.testing.assert_allclose(probabilities(predictions).sum(axis=1), 1, atol=1e-6)


def test_final_fold_is_stacked_without_a_test_part(trained_study):
    table = trained_study.predictions
    final = table[(table["model"] == "stack") & (table["fold"] == "final")]
    assert final["inner_fold"].notna().all()
    assert sorted(final["sample"]) == trained_study.cohort.samples.tolist()
    assert FittedModel.load(trained_study.directories["r0", "stack"] / "final").classes == ["A", "B", "C"]


def test_true_labels_of_the_test_part_change_nothing(base, trained_study, tmp_path):
    before = stack(base, trained_study.base, tmp_path / "one")
    after = stack(relabelled(base, is_outer(base)), trained_study.base, tmp_path / "two")
    np.testing.assert_array_equal(probabilities(before[0]), probabilities(after[0]))
    pd.testing.assert_frame_equal(before[1], after[1])


def test_base_predictions_of_the_test_part_reach_only_the_test_part(base, trained_study, tmp_path):
    changed = base.copy()
    columns = [f"p_{label}" for label in class_names(base)]
    changed.loc[is_outer(base), columns] = np.random.default_rng(0).dirichlet(np.ones(3), is_outer(base).sum())
    before, after = (stack(table, trained_study.base, tmp_path)[0] for table in (base, changed))
    inner = ~is_outer(before)
    pd.testing.assert_frame_equal(before[inner], after[inner])
    assert not np.allclose(probabilities(before[~inner]), probabilities(after[~inner]))


def test_out_of_fold_predictions_do_not_depend_on_the_labels_they_predict(base, trained_study, tmp_path):
    before = stack(base, trained_study.base, tmp_path)[0]
    for number in range(3):
        rows = (base["inner_fold"] == number).to_numpy(dtype=bool, na_value=False)
        after = stack(relabelled(base, rows), trained_study.base, tmp_path)[0]
        held_out = (before["inner_fold"] == number).to_numpy(dtype=bool, na_value=False)
        np.testing.assert_array_equal(probabilities(before[held_out]), probabilities(after[held_out]))
        others = ~held_out & ~is_outer(before)
        assert not np.allclose(probabilities(before[others]), probabilities(after[others]))


def test_order_of_rows_does_not_matter(base, trained_study, tmp_path):
    shuffled = base.sample(frac=1, random_state=0, ignore_index=True)
    before, after = (stack(table, trained_study.base, tmp_path)[0] for table in (base, shuffled))
    pd.testing.assert_frame_equal(before, after)
