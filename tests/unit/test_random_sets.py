"""Gene sets against random sets of their size."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial.distance import pdist

from genestrata import random_sets
from genestrata.clustering import standardise_genes
from genestrata.errors import InputError
from genestrata.parts import Part
from genestrata.random_sets import (
    Judge,
    Scope,
    agreement,
    expression_strata,
    matched_draw,
    same_distances,
    significance,
)

ROWS = np.arange(36)
EVERYTHING = {"method": "anova_f"}


def judge(draws=19, spaces=("expression",)):
    return Judge(spaces, 5, draws, 1)


def in_sample(cohort, select=EVERYTHING, **settings):
    return Scope("in sample", cohort, [Part("all", ROWS, ROWS)], select, judge(**settings))


def test_points_in_fewer_dimensions_have_the_same_distances():
    Z = standardise_genes(np.random.default_rng(0).normal(size=(12, 300)))
    points = same_distances(Z)
    assert points.shape == (12, 12)
    np.testing.assert_allclose(pdist(points), pdist(Z))
    assert same_distances(Z[:, :5]).shape == (12, 5)


def test_agreement_of_planted_and_other_genes(planted):
    labels = planted.labels.astype(str)
    found = agreement(planted.values[:, :9], labels, judge())
    assert found.loc["expression"].to_dict() == pytest.approx(
        dict.fromkeys(("v_measure", "homogeneity", "completeness", "purity"), 1.0)
    )
    assert agreement(planted.values[:, 9:], labels, judge()).loc["expression", "v_measure"] < 0.3


def test_strata_are_deciles_of_mean_and_variance():
    random = np.random.default_rng(0)
    values = random.normal(size=(50, 100)) * random.uniform(1, 3, 100) + random.uniform(0, 9, 100)
    strata = expression_strata(values)
    for statistic, decile in ((values.mean(axis=0), strata // 10), (values.var(axis=0), strata % 10)):
        np.testing.assert_array_equal(decile, statistic.argsort().argsort() // 10)


def test_gene_without_a_value_in_the_fitted_rows_is_among_the_lowest_and_can_be_matched(recwarn):
    values = np.random.default_rng(0).normal(5, 1, (20, 30))
    values[:, [7, 21]] = np.nan
    values[3, 5] = np.nan
    strata = expression_strata(values)
    assert strata.dtype.kind == "i" and strata[7] == strata[21] == 0
    drawn = matched_draw(strata, np.array([7, 5]), np.random.default_rng(0))
    assert sorted(strata[drawn]) == sorted(strata[[7, 5]])
    assert not recwarn.list


def test_matched_draw_has_the_strata_of_the_set():
    strata = np.arange(200) % 7
    members = np.array([0, 7, 14, 3, 10, 5])
    random = np.random.default_rng(0)
    draws = [matched_draw(strata, members, random) for _ in range(20)]
    for drawn in draws:
        assert len(set(drawn)) == 6
        assert sorted(strata[drawn]) == [0, 0, 0, 3, 3, 5]
    assert len({tuple(sorted(drawn)) for drawn in draws}) == 20


def test_both_p_values_of_a_hand_made_null():
    null = np.array([0.2, 0.4, 0.4, 0.6])
    found = significance(0.6, null)
    assert (found["mean"], found["p"]) == (pytest.approx(0.4), 2 / 5)
    spread = np.sqrt(0.08 / 3)
    assert found["sd"] == pytest.approx(spread)
    assert found["p_t"] == pytest.approx(stats.t.sf(0.2 / (spread * np.sqrt(5 / 4)), 3))
    assert significance(0.4, null)["p_t"] == pytest.approx(0.5)
    assert significance(0.5, np.full(4, 0.5)) == {"mean": 0.5, "sd": 0, "percentile_95": 0.5, "p": 1.0, "p_t": None}


def test_p_of_the_t_test_is_uniform_where_the_set_is_one_more_draw():
    random = np.random.default_rng(0)
    found = [
        significance(value, null)["p_t"]
        for value, null in zip(random.normal(size=2000), random.normal(size=(2000, 10)), strict=True)
    ]
    assert stats.kstest(found, "uniform").pvalue > 0.01


def test_planted_set_beats_random_sets_and_p_counts_the_draws(planted):
    summary, null = in_sample(planted).compare_sets({"first": [np.arange(9)], "second": [np.arange(20, 29)]})
    first, second = summary["sets"]["first"], summary["sets"]["second"]
    assert (first["v_measure"], first["purity"], first["genes"], first["random_sets"]) == (pytest.approx(1), 1, 9, 19)
    assert null.groupby(["set", "kind"]).size().to_dict() == dict.fromkeys(
        [("first", "free"), ("first", "matched"), ("second", "free"), ("second", "matched")], 19
    )
    for name, entry in summary["sets"].items():
        for kind in ("free", "matched"):
            scores = null.loc[(null["set"] == name) & (null["kind"] == kind), "v_measure"].to_numpy(dtype=float)
            assert {key: entry[kind][key] for key in ("mean", "percentile_95", "p", "p_t")} == {
                key: value for key, value in significance(entry["v_measure"], scores).items() if key != "sd"
            }
    assert first["free"]["p"] == 1 / 20 < second["free"]["p"]
    # The figures of the first set stand on top.
    assert {key: summary[key] for key in first} == first and summary["set"] == "first"
    assert summary["all_genes"]["genes"] == 60 and 0 <= summary["all_genes"]["v_measure"] < 1
    assert summary["parts"] == {"all": {"samples": 36, "labels": 3, "fitted": 36}}


def test_sets_of_unrelated_genes_have_all_kinds_of_p(planted):
    scope = in_sample(planted, draws=39)
    random = np.random.default_rng(3)
    found = [scope.compare(str(n), [9 + random.choice(51, 9, replace=False)])[0]["matched"]["p"] for n in range(20)]
    assert min(found) < 0.35 and max(found) > 0.65 and 0.2 < np.mean(found) < 0.8


def test_sets_of_equal_size_share_the_free_draws_and_do_not_depend_on_each_other(planted):
    one, two, shorter = ([np.arange(9)], [np.arange(20, 29)], [np.arange(5)])
    _, null = in_sample(planted).compare_sets({"one": one, "two": two, "shorter": shorter})
    drawn = {
        name: rows.loc[rows["kind"] == "free", "v_measure"].tolist() for name, rows in null.groupby("set", sort=False)
    }
    assert drawn["one"] == drawn["two"] != drawn["shorter"]
    _, alone = in_sample(planted).compare_sets({"two": two})
    pd.testing.assert_frame_equal(alone, null[null["set"] == "two"].reset_index(drop=True))


def test_random_sets_have_the_size_of_the_set_and_are_clustered_on_the_same_rows(planted, monkeypatch):
    seen = []

    def spy(values, labels, judge):
        seen.append((values.shape, "".join(labels), judge.seed))
        return pd.DataFrame({score: [0.5] for score in random_sets.SCORES}, index=["expression"])

    monkeypatch.setattr(random_sets, "agreement", spy)
    parts = [Part("0", ROWS[20:], ROWS[:20]), Part("1", ROWS[:20], ROWS[20:])]
    scope = Scope("out of sample", planted, parts, EVERYTHING, Judge(["expression"], 5, 3, 4))
    summary, _ = scope.compare("set", [np.arange(9), np.arange(7)])
    labels = planted.labels.astype(str)
    assert seen == [((20, 9), "".join(labels[:20]), 4), ((16, 7), "".join(labels[20:]), 4)] * 7
    assert summary["free"]["p"] == summary["matched"]["p"] == 1.0 and summary["free"]["p_t"] is None
    assert (summary["genes"], summary["sizes"]) == (9, {"0": 9, "1": 7})


def test_random_sets_are_of_genes_expressed_in_the_rows_that_chose_the_set(planted):
    values = planted.values.copy()
    values[:18, 40:] = 0
    parts = [Part("0", ROWS[:18], ROWS[18:])]
    select = {"expressed": {"level": 1.0, "samples": 2}}
    scope = Scope("out of sample", replace(planted, values=values), parts, select, judge())
    for draw in range(10):
        (drawn,) = scope.free_sets([9], draw)
        assert len(set(drawn)) == 9 and max(drawn) < 40
    with pytest.raises(InputError, match=r"41 genes.*only 40 genes are expressed"):
        scope.compare("set", [np.arange(41)])


def test_matched_sets_hold_no_gene_that_is_neither_expressed_nor_of_the_set(planted, monkeypatch):
    values = planted.values.copy()
    values[:, 40:] = 0.5
    cohort = replace(planted, values=values)
    scope = in_sample(cohort, {"expressed": {"level": 1.0, "samples": 2}})
    seen = []
    monkeypatch.setattr(
        scope,
        "score",
        lambda columns, spaces=None: (
            seen.append(columns) or pd.DataFrame({score: [0.5] for score in random_sets.SCORES}, index=["expression"])
        ),
    )
    scope.matched_null("set", [np.array([0, 1, 50])])
    drawn = {gene for (columns,) in seen for gene in columns}
    assert drawn <= {*range(40), 50} and len(drawn) > 3


def test_a_map_is_drawn_anew_for_every_set_and_random_set(planted, monkeypatch):
    mapped = []
    monkeypatch.setattr(random_sets, "map_points", lambda points, *_: mapped.append(points) or points[:, :2])
    summary, null = in_sample(planted, draws=3, spaces=("expression", "umap")).compare_sets({"set": [np.arange(9)]})
    assert len(mapped) == 1 + 3 + 1
    assert null.groupby(["space", "kind"]).size().to_dict() == dict.fromkeys(
        [("expression", "free"), ("expression", "matched"), ("umap", "free")], 3
    )
    assert set(summary["sets"]["set"]["umap"]) == {"v_measure", "homogeneity", "completeness", "purity", "free"}
    assert "umap" not in summary and "v_measure" in summary["all_genes"]["umap"]


def test_without_random_sets_there_are_scores_alone(planted):
    summary, null = in_sample(planted, draws=0).compare_sets({"set": [np.arange(9)]})
    assert null.empty and "free" not in summary and summary["v_measure"] == pytest.approx(1)


def test_as_many_labels_as_samples_are_refused(planted):
    cohort = replace(planted, labels=planted.samples)
    with pytest.raises(InputError, match="36 labels among 36 samples"):
        in_sample(cohort)
