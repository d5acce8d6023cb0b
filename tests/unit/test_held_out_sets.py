"""Gene sets that are ranked without the samples that are clustered on them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genestrata import held_out_sets
from genestrata.held_out_sets import rank_sets
from genestrata.parts import Part, class_parts
from genestrata.random_sets import Judge, Scope

STUDY = {
    "select": {"method": "anova_f", "k": [10, 30]},
    "evaluation": {"scheme": "cv", "folds": 3, "repeats": 1, "inner_folds": 2, "replicates": "separate"},
    "explain": {"background": 50, "draws": 10},
    "cluster": {"gene_sets": ["consensus", "linear_svm", "moderated_f"], "set_rule": "size", "set_size": 6},
    "model_params": {"linear_svm": {"C": [0.01, 0.1]}},
}


@pytest.fixture
def cohort(make_cohort):
    """Six classes; genes 0 to 11 tell all of them apart, two genes a class, 48 more do not."""
    cohort = make_cohort(sizes=(8,) * 6, n_features=60, effect=0)
    values = cohort.values.copy()
    for gene in range(12):
        # A gene is raised in every second class, so that classes never seen differ in it too.
        values[np.isin(cohort.codes, [(gene + step) % 6 for step in range(0, 6, 2 + gene % 2)]), gene] += 5
    return replace(cohort, values=values)


def ranked(cohort, part, make_samples, **changes):
    return rank_sets(cohort, make_samples(cohort.labels), part, STUDY | changes, 1, 1)


def test_every_set_has_the_size_asked_for_and_holds_planted_genes(cohort, make_samples):
    part = class_parts(cohort.labels, 2, 1)[0]
    table = ranked(cohort, part, make_samples)
    assert list(table) == ["set", "rank", "feature", "class"]
    assert table.groupby("set", sort=False).size().to_dict() == dict.fromkeys(STUDY["cluster"]["gene_sets"], 6)
    assert set(table["feature"]) <= set(cohort.features[:12])
    held_out = set(cohort.labels[part.clustered])
    assert held_out.isdisjoint(table["class"])
    pd.testing.assert_frame_equal(table, ranked(cohort, part, make_samples))


def test_held_out_rows_change_nothing(cohort, make_samples):
    part = class_parts(cohort.labels, 2, 1)[0]
    values, labels = cohort.values.copy(), cohort.labels.copy()
    values[part.clustered] = np.random.default_rng(9).normal(50, 30, values[part.clustered].shape)
    labels[part.clustered] = labels[part.clustered][::-1]
    changed = replace(cohort, values=values, labels=labels)
    pd.testing.assert_frame_equal(ranked(changed, part, make_samples), ranked(cohort, part, make_samples))


def test_what_is_selected_has_the_size_that_the_rule_gives_not_the_one_that_is_set(cohort, make_samples):
    part = class_parts(cohort.labels, 2, 1)[0]
    cluster = {"gene_sets": ["moderated_f", "consensus"], "set_rule": "half_repeats", "set_size": 2}
    sizes = ranked(cohort, part, make_samples, cluster=cluster).groupby("set").size()
    assert sizes["consensus"] == sizes["moderated_f"] > 2


def test_no_model_is_fitted_explained_or_ranked_on_a_held_out_class(cohort, make_samples, monkeypatch):
    part = class_parts(cohort.labels, 3, 1)[1]
    seen = []

    def spy(name, wanted):
        original = getattr(held_out_sets, name)

        def call(*arguments, **named):
            folds = next(argument for argument in arguments[wanted:] if argument is not None)
            for fold in folds if isinstance(folds, list) else [folds]:
                seen.append(name)
                rows = np.concatenate([fold.train, fold.test, *(rows for pair in fold.inner for rows in pair)])
                assert set(rows.astype(int)) <= set(part.fitted.tolist())
            return original(*arguments, **named)

        monkeypatch.setattr(held_out_sets, name, call)

    spy("rank_here", 1)
    spy("train_fold", 2)
    spy("explain_model", 2)
    ranked(cohort, part, make_samples)
    assert {name: seen.count(name) for name in set(seen)} == {"rank_here": 1 + 3, "train_fold": 3, "explain_model": 3}


def test_a_model_with_one_setting_is_fitted_without_tuning(cohort, make_samples, monkeypatch):
    monkeypatch.setattr(held_out_sets, "train_fold", lambda *_: pytest.fail("tuned"))
    settings = {"cluster": STUDY["cluster"] | {"gene_sets": ["linear_svm"]}, "model_params": {"linear_svm": {"C": 0.1}}}
    table = ranked(cohort, class_parts(cohort.labels, 2, 1)[0], make_samples, **settings)
    assert set(table["feature"]) <= set(cohort.features[:12])


def test_the_largest_number_of_features_is_given_to_the_model(cohort, make_samples, monkeypatch):
    given = []
    original = held_out_sets.explain_model

    def spy(*arguments):
        found = original(*arguments)
        given.append(found.values.groupby("fold", observed=True)["feature"].nunique().tolist())
        return found

    monkeypatch.setattr(held_out_sets, "explain_model", spy)
    ranked(cohort, class_parts(cohort.labels, 2, 1)[0], make_samples)
    assert given == [[30, 30, 30]]


def test_where_nothing_is_selected_nothing_stands_for_the_consensus(cohort, make_samples):
    part = Part("0", np.arange(24), np.arange(24, 48))
    select = {"method": "none"}
    cluster = STUDY["cluster"] | {"gene_sets": ["consensus", "anova_f"]}
    assert set(ranked(cohort, part, make_samples, select=select, cluster=cluster)["set"]) == {"anova_f"}
    cluster = STUDY["cluster"] | {"gene_sets": ["consensus"]}
    assert ranked(cohort, part, make_samples, select=select, cluster=cluster).empty


def test_sets_of_other_classes_tell_held_out_classes_apart_better_than_random_sets(cohort, make_samples):
    parts = class_parts(cohort.labels, 2, 1)
    position = pd.Series(np.arange(60), index=cohort.features)
    columns = []
    for part in parts:
        table = ranked(cohort, part, make_samples)
        columns.append(position[table.loc[table["set"] == "linear_svm", "feature"]].to_numpy())
    scope = Scope("out of sample", cohort, parts, STUDY["select"], Judge(["expression"], 10, 39, 1))
    summary, _ = scope.compare("linear_svm", columns)
    assert summary["free"]["p"] == 1 / 40 and summary["v_measure"] > summary["free"]["percentile_95"]
