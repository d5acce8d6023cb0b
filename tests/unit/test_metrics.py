"""Metrics against scikit-learn and their intervals against formulas."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics as reference

from genestrata.files import json_ready
from genestrata.metrics import (
    TestPredictions,
    all_metrics,
    bootstrap_weights,
    class_auc,
    confusion,
    equal_mass_bins,
    intervals,
    label_metrics,
    per_class,
    probability_metrics,
)
from genestrata.scoring import balanced_accuracy


def draw(n_classes=3, n=60, seed=0, digits=8, folds=1):
    """Random predictions somewhat better than chance; few digits make ties."""
    random = np.random.default_rng(seed)
    codes = random.permutation(np.arange(n) % n_classes)
    scores = random.random((n, n_classes)) + 0.5 * np.eye(n_classes)[codes]
    scores = np.round(scores, digits)
    return TestPredictions(
        codes=codes,
        probabilities=scores / scores.sum(axis=1, keepdims=True),
        folds=np.arange(n) % folds,
        samples=np.arange(n),
    )


def by_hand(codes, probabilities, folds=None):
    """Predictions from lists."""
    n = len(codes)
    return TestPredictions(
        np.array(codes), np.array(probabilities, dtype=float), np.array(folds or [0] * n), np.arange(n)
    )


def expected_values(predictions, weight):
    """The same metrics from scikit-learn; one fold."""
    y, p, called = predictions.codes, predictions.probabilities, predictions.predicted
    areas = [reference.roc_auc_score(y == code, p[:, code], sample_weight=weight) for code in range(p.shape[1])]
    return {
        "accuracy": reference.accuracy_score(y, called, sample_weight=weight),
        "balanced_accuracy": reference.balanced_accuracy_score(y, called, sample_weight=weight),
        "macro_f1": reference.f1_score(y, called, average="macro", sample_weight=weight),
        "mcc": reference.matthews_corrcoef(y, called, sample_weight=weight),
        "log_loss": reference.log_loss(y, p, sample_weight=weight),
        "brier": reference.brier_score_loss(y, p if p.shape[1] > 2 else p[:, 1], sample_weight=weight),
        "roc_auc_ovr": np.mean(areas),
    }


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("digits", [8, 1])
def test_metrics_agree_with_scikit_learn_with_and_without_weights(n_classes, digits):
    predictions = draw(n_classes, digits=digits)
    weights = np.stack([np.ones(60), np.random.default_rng(1).integers(0, 4, 60)]).astype(float)
    values = all_metrics([predictions], weights)
    for row, weight in enumerate(weights):
        for name, expected in expected_values(predictions, weight).items():
            assert values[name][row] == pytest.approx(expected, abs=1e-12), name


def test_multiclass_auc_is_scikit_learns():
    predictions = draw(4)
    expected = reference.roc_auc_score(predictions.codes, predictions.probabilities, multi_class="ovr")
    assert all_metrics([predictions], np.ones((1, 60)))["roc_auc_ovr"][0] == pytest.approx(expected)


def test_balanced_accuracy_of_codes_ignores_classes_without_samples():
    assert balanced_accuracy(np.array([0, 0, 3, 3, 3]), np.array([0, 1, 3, 3, 0])) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_metrics_are_averaged_over_repeats():
    first, second = draw(seed=0), draw(seed=1)
    both, one, other = (all_metrics(parts, np.ones((1, 60))) for parts in ([first, second], [first], [second]))
    for name, values in both.items():
        assert values[0] == pytest.approx((one[name][0] + other[name][0]) / 2)


def test_repeats_share_the_weight_of_a_sample():
    predictions = draw()
    turned = TestPredictions(
        predictions.codes[::-1], predictions.probabilities[::-1], predictions.folds, predictions.samples[::-1]
    )
    weights = np.random.default_rng(1).integers(0, 4, (5, 60)).astype(float)
    straight, backwards = all_metrics([predictions], weights), all_metrics([turned], weights)
    for name in straight:
        np.testing.assert_allclose(backwards[name], straight[name], err_msg=name)


def test_auc_is_averaged_over_the_folds_where_the_class_occurs():
    predictions = by_hand(
        codes=[0, 0, 1, 1, 0, 1, 0, 0],
        probabilities=[[1 - p, p] for p in (0.1, 0.6, 0.5, 0.9, 0.8, 0.2, 0.3, 0.3)],
        folds=[0, 0, 0, 0, 1, 1, 2, 2],
    )
    areas, pooled = class_auc(predictions, np.ones((1, 8)))
    # Fold 0: three of four pairs in order; fold 1: none of one; fold 2 has one class only.
    np.testing.assert_allclose(areas, [[0.375, 0.375]])
    assert not pooled


def test_auc_is_pooled_where_no_fold_holds_the_class_and_others():
    predictions = by_hand([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]], folds=[0, 0, 1, 1])
    areas, pooled = class_auc(predictions, np.ones((1, 4)))
    assert pooled
    np.testing.assert_allclose(areas, [[0.75, 0.75]])


def test_ties_count_half():
    predictions = by_hand([0, 1, 1], [[0.5, 0.5], [0.5, 0.5], [0.1, 0.9]])
    np.testing.assert_allclose(class_auc(predictions, np.ones((1, 3)))[0][0], [0.75, 0.75])


def test_class_never_tested_is_left_out():
    predictions = by_hand([0, 0, 1, 1], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7]])
    values = all_metrics([predictions], np.ones((1, 4)))
    assert np.isnan(class_auc(predictions, np.ones((1, 4)))[0][0, 2])
    assert values["roc_auc_ovr"][0] == pytest.approx((1.0 + 0.75) / 2)
    assert values["balanced_accuracy"][0] == pytest.approx(0.5)
    # The third class was called once without a sample: an F1 of 0.
    assert values["macro_f1"][0] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_confusion_counts_weighted_samples():
    predictions = by_hand([0, 0, 1], [[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]])
    np.testing.assert_array_equal(
        confusion(predictions, np.array([[1.0, 1, 1], [2, 0, 3]])), [[[1, 1], [0, 1]], [[2, 0], [0, 3]]]
    )


def test_one_class_predicted_has_no_correlation():
    assert label_metrics(np.array([[[3.0, 0], [2, 0]]]))["mcc"][0] == 0


def test_log_loss_of_an_impossible_truth_is_clipped():
    predictions = by_hand([1, 0], [[1.0, 0.0], [1.0, 0.0]])
    assert probability_metrics(predictions, np.ones((1, 2)))["log_loss"][0] == pytest.approx(-np.log(1e-15) / 2)


# Expected calibration error


def test_ece_of_a_hand_computed_case():
    # Twenty samples make ten bins of two: half of the first bin right at 0.6, all others right at 0.9.
    confidence = np.array([0.6, 0.6] + [0.9] * 18)
    codes = np.array([0, 1] + [0] * 18)
    predictions = by_hand(codes, np.column_stack([confidence, 1 - confidence]))
    expected = (2 * abs(0.5 - 0.6) + 18 * abs(1.0 - 0.9)) / 20
    assert probability_metrics(predictions, np.ones((1, 20)))["ece"][0] == pytest.approx(expected)


def test_ece_bins_have_equal_mass():
    confidence = np.random.default_rng(0).permutation(np.linspace(0.5, 1.0, 25))
    bins = equal_mass_bins(confidence)
    assert [len(members) for members in bins] == [3] * 5 + [2] * 5
    assert all(confidence[one].max() < confidence[next_].min() for one, next_ in itertools.pairwise(bins))


def test_ece_does_not_depend_on_the_order_of_equal_confidences():
    # A baseline that is right as often as it says is perfectly calibrated, wherever its errors stand.
    probabilities = np.tile([0.75, 0.25], (40, 1))
    for codes in ([0] * 30 + [1] * 10, [0, 0, 0, 1] * 10):
        predictions = by_hand(codes, probabilities)
        assert probability_metrics(predictions, np.ones((1, 40)))["ece"][0] == pytest.approx(0)


def test_fewer_samples_than_bins():
    assert [list(members) for members in equal_mass_bins(np.array([0.9, 0.6, 0.7]))] == [[1], [2], [0]]


# Intervals


def test_bootstrap_is_stratified_by_class():
    codes = np.array([0] * 7 + [1] * 3 + [2])
    weights = bootstrap_weights(codes, None, seed=1)
    assert weights.shape == (1000, 11)
    for code, size in ((0, 7), (1, 3), (2, 1)):
        assert (weights[:, codes == code].sum(axis=1) == size).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.15)
    assert weights[:, :7].std() == pytest.approx(np.sqrt(6 / 7), abs=0.05)
    np.testing.assert_array_equal(weights, bootstrap_weights(codes, None, seed=1))
    assert not np.array_equal(weights, bootstrap_weights(codes, None, seed=2))


def test_bootstrap_draws_whole_groups_within_the_class_of_the_group():
    codes = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    groups = np.array(["a", "a", "b", "c", "c", "d", "d", "d"])
    weights = bootstrap_weights(codes, groups, seed=1, draws=200)
    for group in "abcd":
        assert (np.ptp(weights[:, groups == group], axis=1) == 0).all()
    # Groups a and b are of class 0, c and d of class 1: two groups of each in every draw.
    assert (weights[:, 0] + weights[:, 2] == 2).all()
    assert (weights[:, 3] + weights[:, 5] == 2).all()


def wilson(hits, n):
    z = norm.ppf(0.975)
    centre = (hits + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(hits * (n - hits) / n + z**2 / 4)
    return [centre - half, centre + half]


def test_accuracy_of_a_single_split_has_the_wilson_interval():
    predictions = draw()
    weights = bootstrap_weights(predictions.codes, None, seed=1)
    single = intervals([predictions], weights, 60, single_split=True)
    hits = int((predictions.predicted == predictions.codes).sum())
    np.testing.assert_allclose(single["accuracy"]["ci95"], wilson(hits, 60))
    repeated = intervals([predictions], weights, 60, single_split=False)
    draws = all_metrics([predictions], weights)["accuracy"]
    np.testing.assert_allclose(repeated["accuracy"]["ci95"], np.percentile(draws, [2.5, 97.5]))
    assert {key: single[key] for key in single if key != "accuracy"} == {
        key: repeated[key] for key in repeated if key != "accuracy"
    }


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("single_split", [True, False])
def test_interval_contains_its_value(n_classes, single_split):
    predictions = draw(n_classes, folds=3)
    weights = bootstrap_weights(predictions.codes, None, seed=1)
    for name, entry in intervals([predictions], weights, 60, single_split).items():
        low, high = entry["ci95"]
        assert low < entry["value"] < high, name


def test_interval_of_the_ece_is_freed_of_the_bias_of_resampling():
    """The ECE of bootstrap samples is larger than that of the sample, so their percentiles alone would miss it."""
    predictions = draw(n=200)
    weights = bootstrap_weights(predictions.codes, None, seed=1)
    draws = all_metrics([predictions], weights)["ece"]
    entry = intervals([predictions], weights, 200, single_split=False)["ece"]
    assert draws.mean() > entry["value"]
    np.testing.assert_allclose(entry["ci95"], np.percentile(draws, [2.5, 97.5]) - (draws.mean() - entry["value"]))


def test_a_perfect_model_on_a_single_split_has_an_interval_below_one():
    predictions = by_hand([0, 1] * 17, np.eye(2)[[0, 1] * 17])
    table = intervals([predictions], bootstrap_weights(predictions.codes, None, 1), 34, single_split=True)
    assert table["accuracy"]["value"] == 1.0
    np.testing.assert_allclose(table["accuracy"]["ci95"], wilson(34, 34), atol=1e-12)
    assert table["log_loss"] == {"value": 0.0, "ci95": [0.0, 0.0]}


def test_metrics_without_a_defined_value_are_null_in_json():
    predictions = by_hand([0, 0, 0], [[0.9, 0.1]] * 3)
    table = json_ready(intervals([predictions], np.ones((5, 3)), 3, single_split=True))
    assert table["roc_auc_ovr"] == {"value": None, "ci95": [None, None]}
    assert table["balanced_accuracy"]["value"] == 1.0
    per = json_ready(per_class([predictions], ["A", "B"], 3))
    assert per["B"] == {"precision": 0.0, "recall": None, "f1": None, "roc_auc": None, "support": 0}


def test_per_class_agrees_with_scikit_learn():
    predictions = draw(3)
    table = per_class([predictions], list("ABC"), 60)
    expected = reference.precision_recall_fscore_support(predictions.codes, predictions.predicted)
    for code, label in enumerate("ABC"):
        found = [table[label][name] for name in ("precision", "recall", "f1", "support")]
        np.testing.assert_allclose(found, [part[code] for part in expected])
        area = reference.roc_auc_score(predictions.codes == code, predictions.probabilities[:, code])
        assert table[label]["roc_auc"] == pytest.approx(area)
    assert isinstance(table["A"]["support"], int)
