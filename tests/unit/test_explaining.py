"""SHAP values of held-out samples and the rankings made of them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import rank_genes
from planted import WORDS, plant_sequences
from scipy.sparse import csr_matrix

from genestrata import explaining
from genestrata.cohort import Cohort
from genestrata.dna import translate
from genestrata.explaining import (
    Extent,
    choose_rows,
    consensus,
    explain_fold,
    explain_kmers,
    explain_model,
    explained_classes,
    fold_importance,
    join_tables,
    marker_recovery,
    mean_distance,
    model_weights,
    name_words,
    network_effects,
    raised_class,
    rank_features,
    shap_values,
    stability,
)
from genestrata.files import read_json, read_table, write_table
from genestrata.models import bilstm, load_module, parameter_grid
from genestrata.models.storage import FittedModel
from genestrata.ranking import rank_folds
from genestrata.splitting import Fold

# Few rows and draws.
SMALL = Extent(10, 40, "all")


def fitted(name, n_classes, rows=160, seed=0, all_classes=None, **parameters):
    """A model of four standardised columns, of which column c tells class c, and its training rows."""
    random = np.random.default_rng(seed)
    y = np.arange(rows) % n_classes
    Z = random.normal(size=(rows, 4)).astype(np.float32)
    Z[np.arange(rows), y] += 2
    parameters = parameter_grid(name, {})[-1] | parameters
    estimator = load_module(name).fit(Z, y, parameters, 0, 1)
    classes = all_classes or list("ABCD")[:n_classes]
    codes = [classes.index(label) for label in list("ABCD")[:n_classes]]
    model = FittedModel(estimator, list("wxyz"), np.zeros(4), np.ones(4), classes, codes)
    return model, Z


def margins(estimator, Z):
    """(n_samples, n_classes) margins; one output stands for the second class, the first is its negative."""
    margin = estimator.decision_function(Z)
    return np.column_stack([-margin, margin]) if margin.ndim == 1 else margin


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["logistic_regression", "linear_svm", "shrinkage_lda"])
def test_linear_shap_adds_up_to_the_margin(name, n_classes):
    # More background rows than SHAP would keep by itself.
    model, background = fitted(name, n_classes)
    Z = np.random.default_rng(1).normal(size=(7, 4))
    values = shap_values(name, model, Z, background)
    assert values.shape == (7, 4, n_classes)
    expected = margins(model.estimator, background).mean(axis=0)
    np.testing.assert_allclose(values.sum(axis=1) + expected, margins(model.estimator, Z), atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["decision_tree", "random_forest", "xgboost"])
def test_tree_shap_adds_up_to_the_output(name, n_classes):
    model, Z = fitted(name, n_classes, **({} if name == "decision_tree" else {"n_estimators": 10}))
    values = shap_values(name, model, Z[:20], Z)
    assert values.shape == (20, 4, n_classes)
    if name == "xgboost":
        output = model.estimator.predict(Z[:20], output_margin=True)
        output = np.column_stack([-output, output]) if n_classes == 2 else output
    else:
        output = model.estimator.predict_proba(Z[:20])
    # What is left after the SHAP values is the expectation, the same for every sample.
    expectation = output - values.sum(axis=1)
    np.testing.assert_allclose(expectation, np.tile(expectation[0], (20, 1)), atol=1e-4)
    assert np.ptp(output, axis=0).min() > 0.1


def test_a_gene_without_weight_has_no_effect_and_its_own_gene_the_largest():
    model, Z = fitted("logistic_regression", 3)
    strength = np.abs(shap_values("logistic_regression", model, Z, Z)).mean(axis=0)
    assert strength[:3].argmax(axis=0).tolist() == [0, 1, 2]
    model.estimator.coef_[:, 3] = 0
    assert (shap_values("logistic_regression", model, Z, Z)[:, 3] == 0).all()


@pytest.mark.parametrize("name", ["logistic_regression", "xgboost"])
def test_classes_unseen_in_training_get_no_effect(name):
    model, Z = fitted(name, 2, all_classes=["A", "AA", "B", "C"])
    values = shap_values(name, model, Z[:5], Z)
    assert values.shape == (5, 4, 4)
    assert (values[:, :, [1, 3]] == 0).all()
    np.testing.assert_array_equal(values[:, :, 0], -values[:, :, 2])


def explained(study, name, cohort=None, folds=None, extent=SMALL):
    directories = {repeat: study.directories[repeat, name] for repeat in ("r0", "r1")}
    folds = folds or [fold for fold in study.folds if fold.name != "final"]
    return explain_model(name, cohort or study.cohort, folds, directories, extent, 1).values


@pytest.mark.parametrize("name", ["logistic_regression", "xgboost"])
def test_only_held_out_samples_are_explained(name, trained_study):
    values = explained(trained_study, name)
    for fold in trained_study.folds:
        rows = values[(values["repeat"] == fold.repeat) & (values["fold"] == fold.name)]
        assert set(rows["sample"]) == set(trained_study.cohort.samples[fold.test])
    assert set(values["class"]) == {"A", "B", "C"}
    model = FittedModel.load(trained_study.directories["r1", name] / "2")
    assert set(values[(values["repeat"] == "r1") & (values["fold"] == "2")]["feature"]) <= set(model.features)
    assert not values.duplicated(["repeat", "fold", "sample", "class", "feature"]).any()


def test_explained_rows_carry_the_standardised_value_and_the_shap_value(trained_study):
    name, fold = "logistic_regression", trained_study.folds[0]
    model = FittedModel.load(trained_study.directories["r0", name] / fold.name)
    values = explained(trained_study, name, folds=[fold])
    columns = [list(trained_study.cohort.features).index(feature) for feature in model.features]
    Z = model.standardise(trained_study.cohort.values[np.ix_(fold.test, columns)])
    wide = values[values["class"] == "B"].pivot(index="sample", columns="feature", values=["value", "shap"])
    wide = wide.loc[trained_study.cohort.samples[fold.test]]
    np.testing.assert_allclose(wide["value"][model.features], Z, rtol=1e-6)
    # The effects of a sample explain its own margin, up to a constant.
    rest = model.estimator.decision_function(Z)[:, 1] - wide["shap"].sum(axis=1).to_numpy()
    np.testing.assert_allclose(rest, rest[0], atol=1e-4)


@pytest.mark.parametrize("name", ["logistic_regression", "decision_tree"])
def test_other_held_out_samples_and_labels_do_not_change_an_explanation(name, trained_study):
    """The background is the training part alone."""
    fold = trained_study.folds[0]
    values, labels = trained_study.cohort.values.copy(), trained_study.cohort.labels.copy()
    values[fold.test[1:]] = 50
    labels[:] = "A"
    changed = replace(trained_study.cohort, values=values, labels=labels)
    model = FittedModel.load(trained_study.directories["r0", name] / fold.name)
    before, after = (
        explain_fold(name, model, cohort, fold, SMALL, 1).shap for cohort in (trained_study.cohort, changed)
    )
    np.testing.assert_array_equal(before[0], after[0])


@pytest.mark.parametrize("name", ["logistic_regression", "xgboost"])
def test_own_classes_of_a_sample_are_the_true_one_and_the_one_that_is_called(name, trained_study):
    cohort, fold = trained_study.cohort, trained_study.folds[0]
    complete, own = (
        explained(trained_study, name, folds=[fold], extent=Extent(10, 40, classes)) for classes in ("all", "own")
    )
    model = FittedModel.load(trained_study.directories["r0", name] / fold.name)
    columns = [list(cohort.features).index(feature) for feature in model.features]
    called = model.predict_proba(cohort.values[np.ix_(fold.test, columns)]).argmax(axis=1)
    expected = {
        (sample, label)
        for row, sample, code in zip(fold.test, cohort.samples[fold.test], called, strict=True)
        for label in (cohort.labels[row], cohort.classes[code])
    }
    assert (called != cohort.codes[fold.test]).any()
    assert set(own[["sample", "class"]].astype(str).itertuples(index=False, name=None)) == expected
    # What is explained is explained as before.
    both = own.merge(complete, on=["repeat", "fold", "sample", "class", "feature"], suffixes=("", "_of_all"))
    assert len(both) == len(own) == len(expected) * len(model.features)
    np.testing.assert_array_equal(both["shap"], both["shap_of_all"])


def test_class_that_training_did_not_see_is_none_of_a_samples_own():
    model, Z = fitted("logistic_regression", 3, all_classes=["A", "AA", "B", "C"])
    called = model.predict_standardised(Z[:5]).argmax(axis=1)
    # In truth all are of a class that the model does not know.
    own = explained_classes(model, np.full(5, 1), Z[:5], "own")
    np.testing.assert_array_equal(own, np.eye(4, dtype=bool)[called])
    assert explained_classes(model, np.full(5, 1), Z[:5], "all").all()


def test_both_of_two_classes_are_a_samples_own():
    model, Z = fitted("logistic_regression", 2)
    assert explained_classes(model, np.zeros(5, dtype=int), Z[:5], "own").all()


def test_tables_are_joined_with_the_categories_that_occur_in_sorted_order():
    first = pd.DataFrame({"class": pd.Categorical(["b", "b"], categories=["b", "unused"]), "shap": [1.0, 2.0]})
    second = pd.DataFrame({"class": ["c", "a"], "shap": [3.0, 4.0]})
    joined = join_tables([first, second], ["class"])
    assert joined["class"].tolist() == ["b", "b", "c", "a"] and joined["shap"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert joined["class"].cat.categories.tolist() == ["a", "b", "c"]


# Networks


@pytest.fixture(scope="module")
def network():
    """A small dense network of three classes and its training rows."""
    return fitted("dense", 3, rows=90, epochs=15, units=[16], noise=0.1, learning_rate=0.01)


def network_shap(model, Z, background, seed=0, draws=200):
    """SHAP values of all classes."""
    explained = np.ones((len(Z), len(model.classes)), dtype=bool)
    return network_effects(model, Z, background, explained, draws, seed).values


def test_expected_gradients_add_up_to_the_probability(network):
    model, Z = network
    values = network_shap(model, Z[:12], Z)
    assert values.shape == (12, 4, 3)
    probabilities = model.estimator.predict_proba(Z)
    expected = probabilities[:12] - probabilities.mean(axis=0)
    assert np.abs(expected).max() > 0.3
    # Points between sample and background are drawn, so the sum is right up to chance.
    np.testing.assert_allclose(values.sum(axis=1), expected, atol=0.15)
    # A probability that one class gains is one that others lose.
    np.testing.assert_allclose(values.sum(axis=2), 0, atol=1e-5)
    # A high value of its own gene supports a class.
    agreement = (Z[:12, :, None] * values).mean(axis=0)
    assert agreement.argmax(axis=0).tolist() == [0, 1, 2]


def test_seed_draws_the_points_of_expected_gradients(network):
    model, Z = network
    first, again, other = (network_shap(model, Z[:4], Z, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_classes_unseen_by_a_network_get_no_effect(network):
    model, Z = network
    wider = replace(model, classes=["A", "AA", "B", "C"], class_codes=[0, 2, 3])
    values = network_shap(wider, Z[:3], Z)
    assert values.shape == (3, 4, 4)
    assert (values[:, :, 1] == 0).all()
    np.testing.assert_array_equal(values[:, :, [0, 2, 3]], network_shap(model, Z[:3], Z))


def test_network_explains_a_fold_from_its_own_seed(network, make_cohort, make_folds, make_samples):
    model, _ = network
    cohort = make_cohort(sizes=(8, 8, 8), n_features=4)
    model = replace(model, features=list(cohort.features), mean=np.full(4, 8.0))
    folds = make_folds(make_samples(cohort.labels))
    values = explain_fold("dense", model, cohort, folds[0], SMALL, 1).shap
    assert values.shape == (len(folds[0].test), 4, 3)
    np.testing.assert_array_equal(values, explain_fold("dense", model, cohort, folds[0], SMALL, 1).shap)
    assert not np.array_equal(values, explain_fold("dense", model, cohort, folds[0], SMALL, 2).shap)


def test_sums_of_a_network_are_compared_with_what_they_must_add_up_to(
    network, make_cohort, make_folds, make_samples, tmp_path
):
    cohort = make_cohort(sizes=(8, 8, 8), n_features=4)
    model = replace(network[0], features=list(cohort.features), mean=np.full(4, 8.0))
    fold = make_folds(make_samples(cohort.labels))[0]
    model.save(tmp_path / fold.name)
    explanation = explain_model("dense", cohort, [fold], {"r0": tmp_path}, Extent(100, 64, "own"), 1)
    table = explanation.additivity
    assert list(table.columns) == ["repeat", "fold", "sample", "class", "sum", "expected", "standard_error"]
    keys = ["repeat", "fold", "sample", "class"]
    sums = explanation.values.groupby(keys, observed=True)["shap"].sum()
    np.testing.assert_allclose(table.set_index(keys)["sum"].sort_index(), sums, atol=1e-6)
    test, train = (model.predict_proba(cohort.values[rows]) for rows in (fold.test, fold.train))
    row = table.iloc[3]
    change = test[list(cohort.samples[fold.test]).index(row["sample"])] - train.mean(axis=0)
    assert row["expected"] == pytest.approx(change[cohort.classes.index(row["class"])], abs=1e-6)
    assert ((table["sum"] - table["expected"]).abs() < 2 * table["standard_error"] + 1e-5).mean() > 0.9
    assert table["expected"].abs().max() > 0.2
    # A class of a sample that is not its own is neither explained nor listed.
    assert len(table) < 3 * len(fold.test) and set(table["sample"]) == set(cohort.samples[fold.test])


def test_sums_of_a_class_that_training_did_not_see_are_not_listed(network, make_cohort, make_folds, make_samples):
    cohort = make_cohort(sizes=(8, 8, 8), n_features=4)
    model = replace(network[0], features=list(cohort.features), classes=["A", "AA", "B", "C"], class_codes=[0, 2, 3])
    fold = make_folds(make_samples(cohort.labels))[0]
    effects = explain_fold("dense", model, cohort, fold, SMALL, 1)
    assert effects.explained.all() and effects.shap.shape == (len(fold.test), 4, 4)
    assert effects.additivity["class"].tolist() == ["A", "B", "C"] * len(fold.test)


def test_network_has_no_weights_of_its_own(network):
    table = model_weights(network[0])
    assert list(table.columns) == ["class", "feature", "weight"]
    assert table.empty


# Rankings on hand-made tables


def shap_table(rows):
    """Columns repeat, fold, sample, class, feature, value, shap; all but the last two as categories."""
    table = pd.DataFrame(rows, columns=["repeat", "fold", "sample", "class", "feature", "value", "shap"])
    return table.astype(dict.fromkeys(table.columns[:5], "category"))


# Gene g: strong in fold 0, not selected in fold 1. Gene h: weaker but always there.
HAND_MADE = shap_table(
    [
        ("r0", "0", "s1", "A", "g", 1.0, 0.9),
        ("r0", "0", "s2", "A", "g", -1.0, -0.6),
        ("r0", "0", "s1", "A", "h", 1.0, 0.4),
        ("r0", "0", "s2", "A", "h", 1.0, 0.5),
        ("r0", "1", "s3", "A", "h", 2.0, 0.6),
        ("r0", "1", "s4", "A", "h", 0.0, 0.5),
        ("r0", "1", "s4", "A", "i", 0.0, 0.1),
    ]
)


def test_a_feature_missing_in_a_fold_counts_as_zero_there():
    table = rank_features(HAND_MADE, "cnn")
    assert table.to_dict("list") == {
        "class": ["A", "A", "A"],
        "feature": ["h", "g", "i"],
        "rank": [1, 2, 3],
        "mean_abs_shap": pytest.approx([2.0 / 4, 1.5 / 4, 0.1 / 4]),
        # Sorted values with the zeros of the other fold: 0.4 0.5 0.5 0.6, -0.6 0 0 0.9, 0 0 0 0.1.
        "median_shap": pytest.approx([0.5, 0.0, 0.0]),
        "model": ["cnn"] * 3,
    }


def test_means_and_medians_are_over_the_samples_explained_for_a_class():
    both = shap_table(
        [
            *(("r0", "0", sample, "A", "g", 1.0, shap) for sample, shap in (("s1", 0.2), ("s2", 0.6))),
            *(("r0", "1", "s3", label, "h", 1.0, shap) for label, shap in (("A", -0.3), ("B", 0.5))),
        ]
    )
    table = rank_features(both, "m").set_index(["class", "feature"])
    # Three samples are explained for A, one of them in a fold without g; one for B.
    assert table["mean_abs_shap"].to_dict() == pytest.approx({("A", "g"): 0.8 / 3, ("A", "h"): 0.1, ("B", "h"): 0.5})
    assert table["median_shap"].to_dict() == pytest.approx({("A", "g"): 0.2, ("A", "h"): 0.0, ("B", "h"): 0.5})


def test_features_are_ranked_within_each_class_and_ties_by_name():
    both = shap_table(
        [
            ("r0", "0", "s1", label, feature, 0.0, shap)
            for label, feature, shap in (("A", "h", 0.5), ("A", "g", -0.5), ("B", "g", 0.1), ("B", "h", 0.2))
        ]
    )
    table = rank_features(both, "m")
    assert table[["class", "feature", "rank"]].values.tolist() == [
        *(["A", "g", 1], ["A", "h", 2]),
        *(["B", "h", 1], ["B", "g", 2]),
    ]


def test_fold_importance_ranks_within_each_fold():
    table = fold_importance(HAND_MADE)
    assert table[["fold", "feature", "rank"]].values.tolist() == [
        *(["0", "g", 1], ["0", "h", 2]),
        *(["1", "h", 1], ["1", "i", 2]),
    ]
    np.testing.assert_allclose(table["importance"], [0.75, 0.45, 0.55, 0.1])


def test_consensus_fuses_ranks_over_models_and_folds():
    def ranks(*rows):
        return pd.DataFrame(rows, columns=["repeat", "fold", "feature", "rank"])

    importance = {
        "cnn": ranks(("r0", "0", "g", 1), ("r0", "0", "h", 2), ("r0", "1", "h", 1), ("r0", "1", "i", 2)),
        "svm": ranks(("r0", "0", "i", 1), ("r0", "1", "i", 1)),
    }
    direction = pd.DataFrame({"feature": ["g", "h", "i"], "class": ["A", "B", "A"]})
    table = consensus(importance, direction)
    # i: (1/62 / 2 + 1/61) / 2, h: (1/62 + 1/61) / 2 / 2, g: 1/61 / 2 / 2.
    assert table["feature"].tolist() == ["i", "h", "g"]
    np.testing.assert_allclose(table["score"], [(1 / 124 + 1 / 61) / 2, (1 / 62 + 1 / 61) / 4, 1 / 244])
    assert table["class"].tolist() == ["A", "B", "A"]
    assert table["rank"].tolist() == [1, 2, 3]
    assert table["models"].tolist() == [2, 1, 1]
    assert table["rank_cnn"].tolist() == [3, 1, 2]
    assert table["rank_svm"].tolist() == [1, pd.NA, pd.NA]


def test_raised_class_is_where_value_and_effect_agree_most():
    rows = []
    for sample, value in (("s1", 1.0), ("s2", -1.0)):
        rows += [
            ("r0", "0", sample, "A", "up", value, 0.5 * value),
            ("r0", "0", sample, "B", "up", value, -0.5 * value),
            ("r0", "0", sample, "A", "down", value, -0.1 * value),
            ("r0", "0", sample, "B", "down", value, 0.1 * value),
        ]
    # On another scale, a second model disagrees about one gene, more strongly relative to its own scale.
    louder = shap_table([("r0", "0", "s1", label, "down", 1.0, shap) for label, shap in (("A", 90.0), ("B", -90.0))])
    first = shap_table(rows)
    assert dict(raised_class([first]).itertuples(index=False)) == {"up": "A", "down": "B"}
    assert dict(raised_class([first, louder]).itertuples(index=False)) == {"up": "A", "down": "A"}


def test_stability_compares_sets_of_one_size(trained_study):
    cohort = trained_study.cohort
    ranking = pd.concat(
        rank_folds(
            cohort.values,
            cohort.labels,
            cohort.features,
            [fold for fold in trained_study.folds if fold.repeat == repeat],
            {"method": "anova_f"},
        ).assign(repeat=repeat)
        for repeat in ("r0", "r1")
    )
    importance = {"logistic_regression": fold_importance(explained(trained_study, "logistic_regression"))}
    result = stability(importance, ranking, cohort.features, 3)
    assert result["size"] == 3
    assert (result["selection_inner"]["sets"], result["selection_outer"]["sets"]) == (3, 6)
    assert result["models"]["logistic_regression"]["sets"] == 6
    assert result["selection_outer"]["mean_size"] == 3
    # The final fold sees every sample and is no replicate of the others.
    without = stability(importance, ranking[ranking["fold"] != "final"], cohort.features, 3)
    assert without == result


def test_marker_recovery():
    ranked = [f"g{number}" for number in range(60)]
    truth = ["g0", "g3", "g11", "elsewhere", *(f"h{number}" for number in range(8))]
    assert marker_recovery(ranked, truth) == {
        "planted": 12,
        "recovered_at_planted": 3,
        "precision_at": {"10": 0.2, "12": 0.25},
    }
    assert marker_recovery(ranked, ["g0"])["precision_at"] == {"1": 1.0, "10": 0.1}
    assert marker_recovery(ranked, ranked[:55])["precision_at"] == {"10": 1.0, "20": 1.0, "50": 1.0, "55": 1.0}


def test_marker_recovery_without_planted_markers():
    assert marker_recovery(["g0"], []) == {"planted": 0, "recovered_at_planted": 0, "precision_at": {"10": 0.0}}


# Models of sequences


# All of up to 20 sequences are explained for all of three classes.
EVERY = np.ones((20, 3), dtype=bool)


def as_model(estimator, classes=None, codes=None):
    classes = classes or list("ABC")[: len(estimator.classes_)]
    codes = list(range(len(estimator.classes_))) if codes is None else codes
    return FittedModel(estimator, ["sequence"], np.zeros(1), np.ones(1), classes, codes)


def fit_kmers(name, n_classes, **parameters):
    """A model of protein words of 2 to 3 letters and its training sequences."""
    X, y = plant_sequences([12] * n_classes)
    words = {"alphabet": "protein", "shortest": 2, "longest": 3}
    return as_model(load_module(name).fit(X, y, parameter_grid(name, words)[0] | parameters, 0, 1)), X, y


@pytest.fixture
def all_words(monkeypatch):
    monkeypatch.setattr(explaining, "MOST_WORDS", 10**6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["kmer_logistic_regression", "kmer_svm"])
def test_effects_of_kmers_add_up_to_the_margin(name, n_classes, all_words):
    model, X, _ = fit_kmers(name, n_classes)
    test, _ = plant_sequences([3] * n_classes, seed=1)
    effects = explain_kmers(model, np.arange(len(test)), test, X, EVERY[: len(test), :n_classes])
    assert effects.shap.shape == (3 * n_classes, len(model.estimator.feature_names), n_classes)
    inner = model.estimator.estimator
    margin, mean = (margins(inner, model.estimator.transform(rows)) for rows in (test, X))
    np.testing.assert_allclose(effects.shap.sum(axis=1), margin - mean.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(effects.values, model.estimator.transform(test).toarray())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_effects_of_kmers_in_trees_add_up_to_the_output(n_classes, all_words):
    model, X, _ = fit_kmers("kmer_xgboost", n_classes, n_estimators=10, colsample_bytree=1.0)
    test, _ = plant_sequences([3] * n_classes, seed=1)
    effects = explain_kmers(model, np.arange(len(test)), test, X, EVERY[: len(test), :n_classes])
    output = model.estimator.estimator.predict(model.estimator.transform(test), output_margin=True)
    output = np.column_stack([-output, output]) if n_classes == 2 else output
    rest = output - effects.shap.sum(axis=1)
    np.testing.assert_allclose(rest, np.tile(rest[0], (len(test), 1)), atol=1e-4)
    assert np.ptp(output, axis=0).min() > 0.1


@pytest.mark.parametrize("name", ["kmer_svm", "kmer_xgboost"])
def test_words_that_matter_most_are_kept(name, monkeypatch):
    model, X, _ = fit_kmers(name, 3, **({"n_estimators": 10} if name == "kmer_xgboost" else {}))
    test, y = plant_sequences((4, 4, 4), seed=1)
    monkeypatch.setattr(explaining, "MOST_WORDS", 10**6)
    complete = explain_kmers(model, np.arange(12), test, X, EVERY[:12])
    monkeypatch.setattr(explaining, "MOST_WORDS", 8)
    kept = explain_kmers(model, np.arange(12), test, X, EVERY[:12])
    strength = pd.Series(np.abs(complete.shap).mean(axis=(0, 2)), index=complete.features)
    assert set(kept.features) == set(strength.nlargest(8).index)
    columns = [complete.features.index(feature) for feature in kept.features]
    np.testing.assert_allclose(kept.shap, complete.shap[:, columns], atol=1e-6)
    np.testing.assert_allclose(kept.values, complete.values[:, columns])
    # The planted words, which nothing else tells the classes by.
    letters = {feature.removeprefix("protein ") for feature in kept.features}
    assert all(feature.startswith("protein ") for feature in kept.features)
    assert all(any(part in word for word in WORDS) for part in letters)
    assert complete.shap[np.arange(12), :, y].sum(axis=1).min() > 0


def test_words_are_named_with_their_alphabet():
    assert name_words("reduced_protein", ["LS"]) == ["reduced LS"]
    assert name_words("dna", ["ACG", "TTT"]) == ["dna ACG", "dna TTT"]


def test_classes_unseen_by_a_model_of_kmers_get_no_effect():
    model, X, _ = fit_kmers("kmer_svm", 2)
    wider = as_model(model.estimator, ["A", "AA", "B"], [0, 2])
    effects = explain_kmers(wider, np.arange(3), X[:3], X, EVERY[:3])
    assert (effects.shap[:, :, 1] == 0).all()
    np.testing.assert_array_equal(effects.shap[:, :, 0], -effects.shap[:, :, 2])


def test_mean_distance_of_a_sparse_matrix_is_that_of_the_dense_one():
    random = np.random.default_rng(0)
    Z = random.random((7, 5)) * (random.random((7, 5)) < 0.4)
    mean = random.random(5)
    np.testing.assert_allclose(mean_distance(csr_matrix(Z), mean), np.abs(Z - mean).mean(axis=0))


def test_weights_of_kmers_are_the_largest_ones_by_name(monkeypatch):
    model, _, _ = fit_kmers("kmer_svm", 3)
    monkeypatch.setattr(explaining, "MOST_WORDS", 4)
    table = model_weights(model)
    assert table.groupby("class").size().to_dict() == {"A": 4, "B": 4, "C": 4}
    row = table[table["class"] == "B"].iloc[0]
    coefficients = pd.Series(model.estimator.coef_[1], index=model.estimator.feature_names)
    assert row["weight"] == pytest.approx(coefficients[row["feature"].removeprefix("protein ")])
    assert abs(row["weight"]) == pytest.approx(coefficients.abs().max())
    importances = model_weights(fit_kmers("kmer_xgboost", 3, n_estimators=5)[0])
    assert importances["class"].unique().tolist() == [""] and importances["weight"].iloc[0] > 0


def sequence_cohort(sizes=(6, 6, 6), groups=None):
    X, y = plant_sequences(sizes, residues=22, seed=1)
    samples = np.array([f"s{number:03d}" for number in range(len(y))], dtype=object)
    labels = np.array(list("ABC"), dtype=object)[y]
    return Cohort(X, np.array(["sequence"], dtype=object), samples, labels, list("ABC")[: len(sizes)], groups)


def test_explained_rows_are_spread_over_classes_and_groups():
    groups = np.array(["g1"] * 8 + ["g2"] + ["g3"] + ["h"] * 4, dtype=object)
    cohort = sequence_cohort((10, 4), groups)
    rows = np.arange(14)
    chosen = choose_rows(cohort, rows, 3, 1)
    assert sorted(groups[chosen].tolist()) == ["g1", "g2", "g3", "h", "h", "h"]
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, choose_rows(cohort, rows, 3, 1))
    assert len({tuple(choose_rows(cohort, rows, 3, seed)) for seed in range(8)}) > 1
    np.testing.assert_array_equal(choose_rows(cohort, rows, 20, 1), rows)
    without = choose_rows(sequence_cohort((10, 4)), rows[2:], 3, 1)
    assert cohort.labels[without].tolist() == ["A"] * 3 + ["B"] * 3


@pytest.fixture(scope="module")
def sequence_study(tmp_path_factory):
    """A cohort of sequences, and explanations in two folds of a model of k-mers and of a network."""
    cohort, folder = sequence_cohort(), tmp_path_factory.mktemp("sequences")
    folds = [
        Fold("r0", str(number), rows, np.setdiff1d(np.arange(18), rows), [])
        for number, rows in ((number, np.flatnonzero(np.arange(18) % 2 != number)) for number in range(2))
    ]
    settings = bilstm.SETTINGS | {"filters": [8], "kernel": [5], "units": [4], "embedding": 4, "epochs": 3}
    settings |= {"reads": "protein", "batch_size": 8}
    words = parameter_grid("kmer_svm", {"alphabet": "protein", "shortest": 2, "longest": 3})[0]
    for name, parameters in (("kmer_svm", words), ("bilstm", settings)):
        for fold in folds:
            estimator = load_module(name).fit(cohort.values[fold.train], cohort.codes[fold.train], parameters, 0, 1)
            model = as_model(estimator)
            model.settings = {"k": 1, "parameters": parameters}
            (folder / name).mkdir(exist_ok=True)
            model.save(folder / name / fold.name)
    explanations = {
        name: explain_model(name, cohort, folds, {"r0": folder / name}, SMALL, 1) for name in ("kmer_svm", "bilstm")
    }
    return cohort, explanations


def test_network_of_sequences_is_explained_by_words_and_by_tokens(sequence_study):
    cohort, explanations = sequence_study
    values, tokens, _ = explanations["bilstm"]
    assert list(tokens.columns) == ["repeat", "fold", "sample", "class", "position", "token", "attribution"]
    assert set(tokens["sample"]) == set(cohort.samples)
    truth = dict(zip(cohort.samples, cohort.labels, strict=True))
    for sample, rows in tokens.groupby("sample", observed=True):
        classes = set(rows["class"])
        assert truth[sample] in classes and len(classes) <= 2
        assert set(values[values["sample"] == sample]["class"]) == classes
        one = rows[rows["class"] == truth[sample]]
        assert one["position"].tolist() == list(range(1, 23))
        assert "".join(one["token"]) == translate(cohort.values[cohort.samples == sample][0, 0])
    assert values["feature"].str.fullmatch("protein [A-Z*]{3}").all()
    assert values["value"].max() >= 1 and values["value"].min() == 0


def test_words_of_a_network_have_all_that_its_tokens_have(sequence_study):
    """So small a fold has fewer words than are kept."""
    values, tokens, _ = sequence_study[1]["bilstm"]
    by = ["sample", "class"]
    words = values.groupby(by, observed=True)["shap"].sum()
    np.testing.assert_allclose(words, tokens.groupby(by, observed=True)["attribution"].sum(), atol=1e-5)


def test_ranking_of_words_needs_no_ranking_of_features(sequence_study, tmp_path):
    paths, predictions = [], []
    labels = pd.Series(sequence_study[0].labels, index=sequence_study[0].samples)
    for name, explanation in sequence_study[1].items():
        outputs = SimpleNamespace(values=tmp_path / f"{name}.parquet")
        explanation.write(outputs)
        paths.append(outputs.values)
        calls = explanation.values[["repeat", "fold", "sample"]].drop_duplicates().astype(str)
        true = labels[calls["sample"]].to_numpy()
        calls = calls.assign(model=name, inner_fold=pd.array([None] * len(calls), "Int16"), true=true, predicted=true)
        predictions.append(tmp_path / f"{name}_predictions.parquet")
        write_table(calls, predictions[-1])
        assert (explanation.attributions is None) == (name == "kmer_svm")
    files = ("ranks", "consensus", "genes", "scores", "gene_sets", "markers", "stability")
    outputs = SimpleNamespace(**{name: tmp_path / f"{name}.tsv" for name in files}, figure=[tmp_path / "consensus.svg"])
    inputs = SimpleNamespace(values=paths, predictions=predictions, ranking=[], features=[], truth=[])
    sets = {"names": ["consensus", "bilstm"], "rule": "size", "size": 10, "asked": False, "expressed": None}
    rank_genes.main(inputs, outputs, ["kmer_svm", "bilstm"], ["r0"], sets, {}, "public")
    gene_sets = read_table(outputs.gene_sets, dtype={"feature": str})
    # So small a network has few words that speak for a class.
    assert gene_sets["set"][:10].tolist() == ["consensus"] * 10
    assert set(gene_sets["set"][10:]) == {"bilstm"}
    assert gene_sets["feature"][:10].tolist() == read_table(outputs.consensus)["feature"][:10].tolist()
    consensus_table = read_table(outputs.consensus, dtype={"feature": str})
    assert consensus_table["score"].is_monotonic_decreasing and len(consensus_table) > 10
    report = read_json(outputs.stability)
    assert report["selection_inner"]["index"] is report["selection_outer"]["index"] is None
    assert report["models"]["kmer_svm"]["sets"] == 2
    assert read_table(outputs.markers).empty
