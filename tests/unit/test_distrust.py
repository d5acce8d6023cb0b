"""What to distrust: each reason appears when its cause does, and only then."""

import copy

import pytest

from genestrata.distrust import reasons_to_distrust

METRICS = {
    "data": "public",
    "classes": {"A": 40, "B": 40},
    "selected": "xgboost",
    "exploratory_best": "xgboost",
    "protocol": {
        "scheme": "cv",
        "folds": 5,
        "folds_requested": 5,
        "inner_folds": 5,
        "inner_folds_requested": 5,
        "replicates": "separate",
        "replicates_shared": [],
        "inner_samples_per_class": 26,
        "test_folds_without_class": {},
    },
    "controls": {"permuted_labels": {"balanced_accuracy": {"value": 0.5, "ci95": [0.4, 0.6]}}},
    "models": {
        "majority": {"balanced_accuracy": {"value": 0.5, "ci95": [0.5, 0.5]}},
        "linear_svm": {"balanced_accuracy": {"value": 0.95, "ci95": [0.9, 0.99]}},
        "xgboost": {
            "balanced_accuracy": {"value": 0.9, "ci95": [0.85, 0.95]},
            "ece": {"value": 0.03},
            "roc_auc_pooled": False,
            "inner_score": {"balanced_accuracy": 0.91},
            "per_class": {"A": {"support": 40}, "B": {"support": 40}},
        },
    },
}


def compared(matched, free=0.01, v_measure=0.9):
    """What the cluster summary says of a gene set: its V-measure and its p among random sets of each kind."""
    return {"v_measure": v_measure, "free": {"p": free}, "matched": {"p": matched}}


STABLE = {"selection_inner": {"index": 0.8}}
CLUSTERS = {
    "random_sets": {
        "in sample": {"sets": {"consensus": compared(0.5)}, "all_genes": {"v_measure": 1.0}},
        "out of sample": {
            "sets": {"consensus": compared(0.01), "linear_svm": compared(0.05)},
            "all_genes": {"v_measure": 0.5},
        },
    }
}


def reasons(change=None, cleaning=None, stability=STABLE, clusters=CLUSTERS):
    metrics = copy.deepcopy(METRICS)
    if change:
        change(metrics)
    return reasons_to_distrust(metrics, cleaning or {}, stability, clusters)


def test_a_sound_study_still_says_that_it_is_one_cohort():
    assert len(reasons()) == 1
    assert "another laboratory" in reasons()[0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: m.update(data="simulated"), "simulated"),
        (lambda m: m["controls"]["permuted_labels"]["balanced_accuracy"].update(ci95=[0.6, 0.8]), "something leaks"),
        (lambda m: m["models"]["xgboost"]["balanced_accuracy"].update(ci95=[0.45, 0.55]), "guessing the largest class"),
        (lambda m: m["classes"].update(B=7), "B (7)"),
        (lambda m: m["models"]["xgboost"]["balanced_accuracy"].update(ci95=[0.7, 0.95]), "within 0.25 only"),
        (lambda m: m["protocol"].update(scheme="published"), "One published split"),
        (lambda m: m["protocol"].update(folds=3), "3 folds instead of 5"),
        (lambda m: m["protocol"].update(inner_folds=2), "2 inner folds instead of 5"),
        (lambda m: m["protocol"].update(replicates_shared=["inner"]), "both sides of inner folds"),
        (lambda m: m["protocol"].update(inner_samples_per_class=1), "Inner folds fit on one sample of each class"),
        (
            lambda m: m["protocol"].update(replicates="shared", replicates_shared=["outer", "inner"]),
            "a kind of sample that was seen in training, which is easy",
        ),
        (lambda m: m["protocol"].update(test_folds_without_class={"B": ["r0/2"]}), "Test folds without a class: B (1)"),
        (lambda m: m["models"]["xgboost"]["ece"].update(value=0.2), "off by 0.20"),
        (lambda m: m.update(exploratory_best="linear_svm"), "choosing by the test"),
        (lambda m: m["models"]["xgboost"]["balanced_accuracy"].update(value=1, ci95=[1, 1]), "up to 4%"),
    ],
)
def test_each_cause_gives_its_reason(change, text):
    assert not any(text in reason for reason in reasons())
    assert any(text in reason for reason in reasons(change))


def test_unstable_genes_and_genes_no_better_than_random_are_named():
    assert any("stability 0.20" in reason for reason in reasons(stability={"selection_inner": {"index": 0.2}}))
    # Matched draws alone do not clear a set that draws at large beat, nor the other way round.
    sets = {
        "consensus": compared(0.4),
        "anova_f": compared(0.01, free=0.9),
        "moderated_f": compared(0.01),
        # Without draws there is nothing to say.
        "linear_svm": {"v_measure": 0.9},
    }
    alike = {"random_sets": {"in sample": {"sets": sets, "all_genes": {"v_measure": 0.5}}}}
    expected = "in sample as well as these sets, or better: Consensus (p = 0.4), ANOVA (p = 0.9)."
    assert any(expected in reason for reason in reasons(clusters=alike))
    assert len(reasons(stability={"selection_inner": {"index": None}})) == 1


def test_sets_that_are_no_better_than_all_genes_are_named():
    sets = {"consensus": compared(0.01), "anova_f": compared(0.01, v_measure=0.95)}
    given = {"random_sets": {"in sample": {"sets": sets, "all_genes": {"v_measure": 0.9}}}}
    assert any("All genes together" in reason and "better: Consensus." in reason for reason in reasons(clusters=given))


def test_warnings_of_the_cleaning_are_passed_on():
    assert "From the cleaning: raw scale?" in reasons(cleaning={"warnings": ["raw scale?"]})


def test_folds_that_lack_a_class_are_counted_for_each_class():
    lacking = {"Hyperdip>50": ["r0/1", "r1/2"], "T-ALL": ["r2/0"]}
    found = reasons(lambda m: m["protocol"].update(test_folds_without_class=lacking))
    assert [reason for reason in found if "Test folds" in reason] == [
        "Test folds without a class: Hyperdip>50 (2), T-ALL (1). The ROC-AUC of the class leaves them out."
    ]


def test_what_a_random_split_adds_is_named_where_it_is_much():
    def split(gain):
        gap = {"kmer_svm": {"gap": {"balanced_accuracy": {"value": gain}}}}
        return lambda metrics: metrics.update(extra={"random_split": gap})

    assert any("k-mer SVM gains 0.25 of balanced accuracy there" in reason for reason in reasons(split(0.25)))
    assert not any("random splits" in reason for reason in reasons(split(0.01)))


def test_relatives_on_both_sides_are_named():
    assert any("Relatives are not kept together" in reason for reason in reasons(cleaning={"homology": None}))
    grouped = {"identity": 0.8, "groups": 9, "largest": 3}
    assert len(reasons(cleaning={"homology": grouped})) == 1
    together = reasons(lambda m: m["protocol"].update(scheme="grouped_cv"), cleaning={"homology": None})
    assert len(together) == 1


def test_study_without_random_sets_says_nothing_of_them():
    assert len(reasons(clusters={"random_sets": {}})) == 1
