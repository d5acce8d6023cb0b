"""Moderated t and F: the prior is recovered, known cases come out, rounding and gaps in the data do no harm."""

import numpy as np
import pytest
from scipy.special import polygamma
from scipy.stats import chi2, f
from sklearn.feature_selection import f_classif

from genestrata.moderated import (
    NO_PRIOR,
    Prior,
    class_means,
    compare_classes,
    fit_prior,
    inverse_trigamma,
    moderated_f,
    shrink,
)
from genestrata.ranking import rank_part

LABELS = np.array(["A", "A", "B", "B", "B"], dtype=object)


def draw(sizes=(4, 5, 6), genes=400, seed=0):
    """Values of genes with differences between classes, and the labels."""
    random = np.random.default_rng(seed)
    labels = np.repeat(list("ABC")[: len(sizes)], sizes).astype(object)
    spread = np.sqrt(4 / random.chisquare(4, genes))
    return random.normal(8, 1, genes) + spread * random.normal(size=(len(labels), genes)), labels


@pytest.mark.parametrize("value", [1e-8, 1e-3, 0.4, 1.0, 30.0, 1e9])
def test_inverse_of_the_trigamma_function(value):
    assert polygamma(1, inverse_trigamma(value)) == pytest.approx(value, rel=1e-4)


@pytest.mark.parametrize(("prior_df", "df"), [(3.0, 5), (8.0, 45), (20.0, 10)])
def test_prior_of_drawn_variances_is_recovered(prior_df, df):
    random = np.random.default_rng(1)
    true = prior_df * 0.3 / random.chisquare(prior_df, 40_000)
    prior = fit_prior(true * random.chisquare(df, len(true)) / df, df)
    assert prior.df == pytest.approx(prior_df, rel=0.06)
    assert prior.variance == pytest.approx(0.3, rel=0.03)


def test_variances_of_one_common_variance_have_an_infinite_prior():
    # The middle of each of 2,000 equal shares of the distribution spreads less than a sample of it would.
    variances = 0.7 * chi2.ppf((np.arange(2000) + 0.5) / 2000, 6) / 6
    prior = fit_prior(variances, 6)
    assert prior.df == np.inf
    assert prior.variance == pytest.approx(0.7, rel=0.01)
    np.testing.assert_array_equal(shrink(variances, 6, prior), prior.variance)


def test_what_rounding_or_a_floor_leaves_of_a_variance_says_nothing_of_the_others():
    random = np.random.default_rng(2)
    variances = 5 / random.chisquare(5, 2000) * random.chisquare(10, 2000) / 10
    floored = np.append(variances, [1e-30, 1e-25])
    assert fit_prior(floored, 10) == fit_prior(variances, 10)


def test_shrunken_variance_of_a_hand_made_case():
    np.testing.assert_allclose(shrink(np.array([1.0, 4.0]), 6, Prior(2.0, 2.0)), [(4 + 6) / 8, (4 + 24) / 8])


def test_hand_made_statistics():
    # Means 2 and 6, grand mean 4.4; within: 2 + 8 = 10 on 3 degrees of freedom; between: 2 * 5.76 + 3 * 2.56 = 19.2.
    values = np.array([[1.0], [3.0], [4.0], [6.0], [8.0]])
    result = compare_classes(values, LABELS, Prior(2.0, 1.0))
    posterior = (2 * 1 + 10) / 5
    assert result.classes == ["A", "B"]
    assert result.df == 3
    np.testing.assert_allclose(result.f, [19.2 / posterior])
    np.testing.assert_allclose(result.t[:, 0], np.array([-4, 4]) / np.sqrt(posterior * (1 / 2 + 1 / 3)))
    np.testing.assert_allclose(result.p, f.sf(19.2 / posterior, 1, 5))


def test_class_is_held_against_the_mean_of_the_other_classes_whatever_their_sizes():
    values = np.array([[1.0], [3.0], [5.0], [7.0], [7.0], [10.0]])
    labels = np.array(list("AABBBC"), dtype=object)
    result = compare_classes(values, labels, NO_PRIOR)
    means, variance = np.array([2.0, 19 / 3, 10.0]), (2 + 8 / 3) / 3
    expected = means[2] - (means[0] + means[1]) / 2
    np.testing.assert_allclose(result.t[2, 0], expected / np.sqrt(variance * (1 + (1 / 2 + 1 / 3) / 4)))


@pytest.mark.parametrize("sizes", [(4, 5, 6), (7, 3)])
def test_without_a_prior_it_is_the_ordinary_analysis_of_variance(sizes):
    values, labels = draw(sizes)
    result = compare_classes(values, labels, NO_PRIOR)
    expected, p = f_classif(values, labels)
    np.testing.assert_allclose(result.f, expected, rtol=1e-6)
    np.testing.assert_allclose(result.p, p, rtol=1e-6)
    nearly = compare_classes(values, labels, Prior(1e-9, 1.0))
    np.testing.assert_allclose(nearly.f, expected, rtol=1e-6)


def test_f_of_two_classes_is_the_square_of_t():
    values, labels = draw((7, 4))
    result = compare_classes(values, labels)
    assert 0 < result.prior.df < np.inf
    np.testing.assert_allclose(result.t[0] ** 2, result.f)
    np.testing.assert_allclose(result.t[1], -result.t[0])


def test_an_infinite_prior_judges_every_gene_by_one_variance():
    values, labels = draw()
    result = compare_classes(values, labels, Prior(np.inf, 0.5))
    _, sizes, means = class_means(values, labels)
    between = sizes @ (means - values.mean(axis=0)) ** 2 / 2
    np.testing.assert_allclose(result.f, between / 0.5)
    assert np.isfinite(result.p).all()


@pytest.mark.parametrize("level", [0.1, 6.6438562, 1e6 / 3])
def test_constant_gene_differs_in_no_class_whatever_rounding_leaves_of_it(level):
    values, labels = draw()
    values[:, 0] = np.float32(level)
    result = compare_classes(values, labels)
    assert result.f[0] == 0
    assert (result.t[:, 0] == 0).all()
    assert result.prior == compare_classes(values[:, 1:], labels).prior


def test_gene_without_spread_within_classes_is_judged_by_the_prior():
    values, labels = draw()
    values[:, 0] = np.where(labels == "A", 9.0, 8.0)
    result = compare_classes(values, labels)
    posterior = result.prior.df * result.prior.variance / (result.prior.df + 12)
    assert result.t[0, 0] == pytest.approx(1 / np.sqrt(posterior * (1 / 4 + (1 / 5 + 1 / 6) / 4)))
    assert result.t[1, 0] < 0


def test_one_sample_per_class_leaves_no_variance_to_judge_by():
    result = compare_classes(np.arange(6.0).reshape(3, 2), np.array(list("ABC"), dtype=object))
    assert result.df == 0
    assert np.isnan(result.f).all() and np.isnan(result.t).all()


def test_few_degrees_of_freedom_are_enough():
    values, labels = draw((2, 1, 1))
    result = compare_classes(values, labels)
    assert result.df == 1
    assert np.isfinite(result.f).all()


def test_selection_by_moderated_f_ranks_the_genes_that_differ_first():
    values, labels = draw(genes=50)
    values[labels == "B", 7] += 20
    names = np.array([f"g{number:02d}" for number in range(50)], dtype=object)
    values[3, 7] = np.nan
    table = rank_part(values.astype(np.float32), labels, names, {"method": "moderated_f"})
    assert table.loc[table["rank"] == 1, "feature"].tolist() == ["g07"]
    filled = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    np.testing.assert_allclose(table["score"], moderated_f(filled, labels)[0], rtol=1e-4)
