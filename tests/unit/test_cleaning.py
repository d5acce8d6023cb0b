"""Each cleaning step by itself, what it reports, and that order of the input does not matter."""

import numpy as np
import pandas as pd
import pytest
import yaml

from genestrata.cleaning import check_labels, clean, keep_largest_classes
from genestrata.errors import InputError
from genestrata.readers.tables import sample_frame


@pytest.fixture(scope="module")
def defaults(repository):
    path = repository / "resources" / "defaults" / "expression.yaml"
    return yaml.safe_load(path.read_text())["clean"]


@pytest.fixture
def run(defaults):
    """Clean values (a table of gene to one value per sample) under changed defaults; all labels are A."""

    def run_clean(values, samples=None, genes=None, **settings):
        matrix = pd.DataFrame(values, dtype=float)
        matrix.index = samples or [f"s{number}" for number in range(len(matrix))]
        if genes:
            matrix.columns = genes
        frame = sample_frame(list(matrix.index), [f"label of {number}" for number in range(len(matrix))])
        return clean(matrix, frame, defaults | settings, "e.csv")

    return run_clean


def step(report, name):
    """The one step of a report whose name starts like this."""
    (found,) = [entry for entry in report["steps"] if entry["step"].startswith(name)]
    return found


PLAIN = {"g1": [1, 2, 3], "g2": [4, 5, 7]}


def test_clean_data_pass_unchanged_as_float32(run):
    matrix, samples, report = run(PLAIN)
    assert (matrix.to_numpy().dtype, matrix.to_numpy().tolist()) == (np.float32, [[1, 4], [2, 5], [3, 7]])
    assert samples["sample"].tolist() == ["s0", "s1", "s2"]
    assert report["before"] == report["after"] == {"samples": 3, "features": 2}
    assert [entry["dropped"] for entry in report["steps"]] == []
    assert "warnings" not in report


def test_samples_are_sorted_by_id_with_their_labels(run):
    matrix, samples, _ = run(PLAIN, samples=["s10", "s2", "a"])
    assert matrix.index.tolist() == samples["sample"].tolist() == ["a", "s10", "s2"]
    assert samples["label"].tolist() == ["label of 2", "label of 0", "label of 1"]
    assert matrix["g1"].tolist() == [3, 1, 2]


def test_repeated_samples(run):
    with pytest.raises(InputError) as caught:
        run(PLAIN, samples=["s1", "s1", "s2"])
    assert "e.csv: sample id 's1' occurs more than once (1 repeated ids in all)" in str(caught.value)
    assert "clean.duplicate_samples: first" in str(caught.value)
    matrix, samples, report = run(PLAIN, samples=["s1", "s1", "s2"], duplicate_samples="first")
    assert (matrix["g1"].tolist(), samples["label"].tolist()) == ([1, 3], ["label of 0", "label of 2"])
    assert step(report, "duplicate_samples first")["examples"] == ["s1"]


@pytest.mark.parametrize(
    ("rule", "expected"), [("first", [1, 2, np.nan]), ("mean", [2, 2, 5]), ("max", [3, 2, 5]), ("sum", [4, 2, 5])]
)
def test_repeated_genes_are_joined_as_declared(run, rule, expected):
    values = [[1, 7, 3], [2, 8, np.nan], [np.nan, 9, 5]]
    genes = ["g1", "g2", "g1"]
    with pytest.raises(InputError, match=r"gene id 'g1' occurs more than once \(1 repeated ids in all\); set clean"):
        run(values, genes=genes)
    matrix, _, report = run(values, genes=genes, duplicate_features=rule, max_missing=0.5)
    assert matrix.columns.tolist() == ["g1", "g2"]
    np.testing.assert_array_equal(matrix["g1"], expected)
    assert step(report, f"duplicate_features {rule}")["dropped"] == 1


def test_sum_of_missing_values_is_missing(run):
    matrix, _, _ = run(
        [[np.nan, 1, np.nan], [1, 2, 1], [2, 3, 2]], genes=["g", "h", "g"], duplicate_features="sum", max_missing=0.5
    )
    np.testing.assert_array_equal(matrix["g"], [np.nan, 2, 4])


def test_dropped_genes_by_pattern_case_sensitive(run):
    genes = ["AFFX-BioB_at", "affx_at", "X1_at"]
    matrix, _, report = run(np.arange(9).reshape(3, 3), genes=genes, drop_features=["AFFX*"])
    assert matrix.columns.tolist() == ["affx_at", "X1_at"]
    assert step(report, "drop_features AFFX*")["examples"] == ["AFFX-BioB_at"]


def test_floor_ceiling_and_transform_in_this_order(run):
    matrix, _, report = run({"g": [-5, 8, 100], "h": [16, 4, 32]}, floor=4, ceiling=32, transform="log2")
    assert matrix.to_numpy().tolist() == [[2, 4], [3, 2], [5, 5]]
    limits = step(report, "floor and ceiling")
    assert (limits["raised_cells"], limits["lowered_cells"]) == (1, 1)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [("log2_plus_1", [0, 1, 2]), ("asinh", np.arcsinh([0, 1, 3]).tolist()), ("none", [0, 1, 3])],
)
def test_transforms(run, transform, expected):
    matrix, _, _ = run({"g": [0, 1, 3]}, transform=transform)
    np.testing.assert_allclose(matrix["g"], expected, rtol=1e-6)


@pytest.mark.parametrize(("transform", "value"), [("log2", 0), ("log2", -3)])
def test_undefined_logarithm_names_the_first_cell(run, transform, value):
    with pytest.raises(InputError) as caught:
        run({"g1": [1, 2, 3], "g2": [4, value, value]}, transform=transform)
    assert str(caught.value).startswith(
        f"e.csv: {transform} of {value} is not defined (sample 's1', gene 'g2', 2 such cells); set clean.floor"
    )


@pytest.mark.parametrize(
    "settings", [{"transform": "log2_plus_1"}, {"transform": "log2", "offset": 1}, {"transform": "log2", "offset": 9}]
)
def test_abundances_below_zero_are_named_whatever_the_offset_makes_of_them(run, settings):
    with pytest.raises(InputError) as caught:
        run({"g1": [1, 2, 3], "g2": [0, -0.5, 4]}, **settings)
    assert str(caught.value).startswith(f"e.csv: found -0.5; {settings['transform']} with an offset is of abundances")
    assert "which cannot be negative (sample 's1', gene 'g2', 1 such cells)" in str(caught.value)


def test_offset_is_added_before_the_logarithm(run):
    matrix, _, report = run({"g": [0, 0.25, 3.75]}, transform="log2", offset=0.25)
    np.testing.assert_allclose(matrix["g"], [-2, -1, 2])
    assert report["settings"]["offset"] == 0.25


def test_genes_that_are_zero_everywhere_are_counted_apart_from_constant_ones(run):
    table = {"zero": [0, 0, 0], "gaps": [0, None, 0], "same": [2, 2, 2], "empty": [None] * 3, "g": [0, 1, 3]}
    matrix, _, report = run(table, transform="log2_plus_1", max_missing=1, max_missing_sample=1)
    assert list(matrix) == ["g"]
    assert step(report, "zero everywhere")["examples"] == ["zero", "gaps"]
    assert step(report, "constant or empty")["examples"] == ["same", "empty"]


def test_genes_that_the_reader_dropped_as_unfinished_are_counted(make_samples, defaults):
    matrix = pd.DataFrame({"g1": [1.0, 2.0], "g2": [3.0, 1.0]}, index=["s000", "s001"])
    matrix.attrs["unfinished"] = ["g3"]
    _, _, report = clean(matrix, make_samples(["A", "B"]), defaults, "e.csv")
    assert (report["before"]["features"], report["after"]["features"]) == (3, 2)
    assert step(report, "unfinished loci") == {
        "step": "unfinished loci",
        "dropped": 1,
        "of": "features",
        "examples": ["g3"],
    }


def test_only_the_largest_classes_are_kept_ties_by_name_and_samples_to_predict(make_samples, defaults):
    labels = ["D", "B", "C", "", "A", "C", "A", "B", "C"]
    samples = make_samples(labels)
    matrix = pd.DataFrame({"g1": np.arange(9.0), "g2": np.arange(9.0)[::-1]}, index=samples["sample"])
    kept, table = keep_largest_classes(matrix, samples, 2)
    assert table["label"].tolist() == ["C", "", "A", "C", "A", "C"]
    assert kept.index.tolist() == table["sample"].tolist() == ["s002", "s003", "s004", "s005", "s006", "s008"]
    _, _, report = clean(kept, table, defaults, "e.csv")
    assert report["left_out_classes"] == {"B": 2, "D": 1}
    assert step(report, "largest_classes")["examples"] == ["s000", "s001", "s007"]
    assert (report["before"]["samples"], report["after"]["samples"]) == (9, 6)
    assert keep_largest_classes(matrix, samples, None)[0] is matrix


def test_raw_scale_is_reported_not_guessed(run):
    matrix, _, report = run({"g": [1, 2, 5000]})
    assert matrix["g"].tolist() == [1, 2, 5000]
    assert report["warnings"] == [
        "the largest value is 5000 and clean.transform is none: are these values on a log scale?"
    ]
    assert "warnings" not in run({"g": [1, 2, 100]})[2]


def test_value_that_float32_cannot_hold_is_named(run):
    with pytest.raises(InputError, match=r"e.csv: -1e\+300 is too large \(sample 's2', gene 'g2'\)"):
        run({"g1": [1, 2, 3], "g2": [4, 5, -1e300]})


def test_genes_and_samples_with_too_many_missing_values(run):
    nan = np.nan
    values = {"g1": [nan, nan, 3, 4], "g2": [nan, 2, 3, 4], "g3": [nan, 3, 4, 5], "g4": [1, 3, 4, 5]}
    matrix, samples, report = run(values, max_missing=0.25, max_missing_sample=0.5)
    assert matrix.columns.tolist() == ["g2", "g3", "g4"]
    assert matrix.index.tolist() == samples["sample"].tolist() == ["s1", "s2", "s3"]
    assert report["missing_cells"] == 4
    by_name = {entry["step"]: entry for entry in report["steps"]}
    assert by_name["max_missing"]["examples"] == ["g1"]
    assert by_name["max_missing_sample"]["examples"] == ["s0"]


def test_constant_and_empty_genes_are_dropped(run):
    values = {"ok": [1, 2, 3], "constant": [5, 5, 5], "empty": [np.nan] * 3, "constant_or_missing": [4, np.nan, 4]}
    matrix, _, report = run(values, max_missing=1.0, max_missing_sample=1.0)
    assert matrix.columns.tolist() == ["ok"]
    assert step(report, "constant or empty")["examples"] == ["constant", "empty", "constant_or_missing"]


def test_gene_made_constant_by_a_dropped_sample_is_dropped(run):
    values = {"a": [np.nan, 1, 1, 1], "b": [np.nan, 1, 2, 3], "c": [9, 5, 5, 5]}
    matrix, _, _ = run(values, max_missing=0.5, max_missing_sample=0.5)
    assert matrix.columns.tolist() == ["b"]


def test_nothing_left_is_an_error_that_counts(run):
    with pytest.raises(InputError, match=r"^e.csv: nothing is left of 3 samples x 2 genes after cleaning"):
        run({"g1": [1, 1, 1], "g2": [2, 2, 2]})


def test_scaled_samples_have_mean_0_and_deviation_1(run):
    values = np.random.default_rng(0).normal(8, 2, (4, 50))
    values[1, 3] = np.nan
    matrix, _, _ = run(values, max_missing=0.5, scale_samples="standardise")
    np.testing.assert_allclose(np.nanmean(matrix, axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(np.nanstd(matrix.to_numpy(), axis=1), 1, rtol=1e-5)
    assert np.isnan(matrix.iloc[1, 3])


@pytest.mark.parametrize("value", [50.0, 0.1])
def test_blank_array_cannot_be_scaled(run, value):
    """Rounding must not pass for a deviation: log2 of one floor value in 1,000 genes has one above zero."""
    values = np.random.default_rng(0).uniform(200, 900, (3, 1000))
    values[1] = value
    with pytest.raises(InputError, match=r"e.csv: sample 's1' has the same value in every gene"):
        run(values, floor=value if value > 1 else None, transform="log2", scale_samples="standardise")


def test_cleaning_is_the_same_whatever_the_order_of_rows_and_columns(run, defaults):
    random = np.random.default_rng(3)
    matrix = pd.DataFrame(random.normal(200, 80, (12, 30)), index=[f"s{number:02d}" for number in range(12)])
    matrix.columns = [f"AFFX{number}" if number < 3 else f"g{number}" for number in range(30)]
    matrix[random.random(matrix.shape) < 0.05] = np.nan
    matrix["g7"] = 4.0
    samples = sample_frame(list(matrix.index), ["A", "B"] * 6)
    settings = defaults | {
        "floor": 100,
        "transform": "log2",
        "drop_features": ["AFFX*"],
        "scale_samples": "standardise",
    }
    expected, expected_samples, expected_report = clean(matrix, samples, settings, "e.csv")
    rows, columns = random.permutation(12), random.permutation(30)
    shuffled, shuffled_samples, report = clean(
        matrix.iloc[rows, columns], samples.iloc[rows].reset_index(drop=True), settings, "e.csv"
    )
    pd.testing.assert_frame_equal(shuffled[expected.columns], expected, rtol=1e-6)
    pd.testing.assert_frame_equal(shuffled_samples, expected_samples)
    assert report["after"] == expected_report["after"]


def test_cleaning_does_not_change_its_input(run, defaults):
    matrix = pd.DataFrame({"g": [5.0, 200.0, 300.0]}, index=["c", "b", "a"])
    before = matrix.copy()
    clean(matrix, sample_frame(["c", "b", "a"], ["A", "B", "A"]), defaults | {"floor": 100}, "e.csv")
    pd.testing.assert_frame_equal(matrix, before)


# labels


def labelled(**sizes):
    labels = [label for label, size in sizes.items() for _ in range(size)]
    return sample_frame([f"s{number}" for number in range(len(labels))], labels)


def test_one_class_only_is_an_error():
    with pytest.raises(InputError) as caught:
        check_labels(labelled(ALL=20), "s.csv")
    assert str(caught.value) == "s.csv: one class only ('ALL'); a classifier needs at least two"


def test_classes_with_fewer_than_three_samples_are_named():
    with pytest.raises(InputError) as caught:
        check_labels(labelled(A=3, B=2, C=10, D=1), "s.csv")
    assert str(caught.value).startswith("s.csv: classes with fewer than 3 samples: 'B' (2), 'D' (1); add samples")


def test_three_samples_per_class_are_enough():
    check_labels(labelled(A=3, B=3), "s.csv")


def test_where_one_group_is_left_out_a_class_needs_two_groups_and_no_third_sample():
    def cohort(*pairs):
        labels, groups = zip(*pairs, strict=True)
        return sample_frame([f"s{number}" for number in range(len(pairs))], list(labels), list(groups))

    pairs = [("leaf", "1"), ("leaf", "2"), ("silk", "1"), ("silk", "2")]
    check_labels(cohort(*pairs), "s.csv", scheme="leave_one_group_out")
    with pytest.raises(InputError, match="classes with fewer than 3 samples: 'leaf'"):
        check_labels(cohort(*pairs), "s.csv", scheme="grouped_cv")
    with pytest.raises(InputError) as caught:
        check_labels(cohort(*pairs, ("root", "2"), ("root", "2"), ("root", "2")), "s.csv", scheme="leave_one_group_out")
    assert str(caught.value).startswith("s.csv: classes in one group (replicate) only: 'root' (group '2'); ")
