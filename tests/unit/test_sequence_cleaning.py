"""Cleaning of sequences: classes, lengths, conflicting labels, identical sequences, and their order."""

import pytest

from genestrata.errors import InputError
from genestrata.readers.tables import sample_frame
from genestrata.sequence_cleaning import clean_sequences

SETTINGS = {
    "max_length": None,
    "too_long": "error",
    "min_length": 1,
    "largest_classes": None,
    "one_against_rest": None,
    "conflicting": "drop",
}


@pytest.fixture
def run():
    """Clean rows (sample, sequence, label, perhaps group) with the defaults and these settings."""

    def clean(*rows, attrs=None, **settings):
        columns = list(zip(*rows, strict=True))
        table = sample_frame(list(columns[0]), list(columns[2]), *map(list, columns[3:]))
        table.insert(1, "sequence", list(columns[1]))
        table.attrs.update(attrs or {})
        return clean_sequences(table, SETTINGS | settings, "x.fa")

    return clean


def step(report, name):
    """The entry of the report with this name."""
    (entry,) = [entry for entry in report["steps"] if entry["step"] == name]
    return entry


def kept(table):
    """Ids and labels that are left."""
    return list(zip(table["sample"], table["label"], strict=True))


def test_nothing_to_clean_is_only_sorted(run):
    table, report = run(("b", "AC", "p"), ("B", "ACGT", "n"), ("a", "AG", "p"))
    assert table["sample"].tolist() == ["B", "a", "b"]
    assert table.index.tolist() == [0, 1, 2]
    assert report["before"] == report["after"] == {"samples": 3, "features": 4}
    assert report["steps"] == report["conflicts"] == []
    assert report["settings"] == SETTINGS


def test_counts_of_reading_are_in_the_report(run):
    attrs = {"letters": {"gap": 3}, "unlabelled": ["x", "y"]}
    table, report = run(("a", "AC", "p"), attrs=attrs)
    assert report["letters"] == {"gap": 3}
    assert report["before"]["samples"] == 3
    assert step(report, "unlabelled drop")["dropped"] == 2
    assert table.attrs == {}


# classes


def test_one_class_against_the_rest_leaves_the_unlabelled(run):
    table, report = run(("a", "AC", "p"), ("b", "AG", "n"), ("c", "AT", "m"), ("d", "CC", ""), one_against_rest="p")
    assert kept(table) == [("a", "p"), ("b", "rest"), ("c", "rest"), ("d", "")]
    assert step(report, "one_against_rest p")["rest"] == 2


def test_unknown_class_is_named_with_those_there_are(run):
    with pytest.raises(
        InputError, match=r"x\.fa: clean\.one_against_rest: no sequence has the label 'q'; found: n, p$"
    ):
        run(("a", "AC", "p"), ("b", "AG", "n"), ("c", "AT", ""), one_against_rest="q")


def test_largest_classes_as_read_ties_by_name(run):
    rows = [(f"{label}{number}", "ACGT"[number] * 5 + label, label) for label in "CAT" for number in range(2)]
    rows += [("G0", "CA", "G"), ("G1", "CA", "G"), ("G2", "CA", "G"), ("x", "TT", "")]
    table, report = run(*rows, largest_classes=2)
    # G has one sequence three times and still counts three.
    assert kept(table) == [("A0", "A"), ("A1", "A"), ("G0", "G"), ("x", "")]
    assert report["left_out_classes"] == {"C": 2, "T": 2}
    assert step(report, "largest_classes 2")["dropped"] == 4


def test_more_classes_wanted_than_there_are(run):
    table, report = run(("a", "AC", "p"), ("b", "AG", "n"), largest_classes=5)
    assert len(table) == 2
    assert report["steps"] == []


# lengths


def test_short_sequences_are_dropped_and_counted(run):
    table, report = run(("a", "ACG", "p"), ("b", "AC", "n"), ("c", "A", ""), min_length=3)
    assert table["sample"].tolist() == ["a"]
    assert step(report, "min_length 3") == {
        "step": "min_length 3",
        "dropped": 2,
        "of": "samples",
        "examples": ["b", "c"],
    }


LONG = [("b", "ACGTA", "p"), ("a", "ACGTAC", "p"), ("c", "ACG", "n")]


def test_too_long_is_an_error_that_names_the_first_and_the_limit(run):
    with pytest.raises(InputError) as caught:
        run(*LONG, max_length=4)
    assert str(caught.value) == (
        "x.fa: sequence 'a' has 6 letters, clean.max_length is 4 (2 such sequences); raise it or set clean.too_long: "
        "truncate or drop"
    )
    assert len(run(*LONG, max_length=6)[0]) == 3


def test_too_long_is_truncated_only_if_the_study_says_so(run):
    table, report = run(*LONG, ("d", "ACGTT", ""), max_length=5, too_long="truncate")
    assert dict(zip(table["sample"], table["sequence"], strict=True)) == {"a": "ACGTA", "c": "ACG", "d": "ACGTT"}
    assert step(report, "too_long truncate")["truncated"] == 1
    # Cut to one length, a and b are identical.
    assert step(report, "identical sequences")["examples"] == ["b"]
    assert report["after"] == {"samples": 3, "features": 5}


def test_too_long_is_dropped(run):
    table, report = run(*LONG, max_length=5, too_long="drop")
    assert table["sample"].tolist() == ["b", "c"]
    assert step(report, "too_long drop")["dropped"] == 1


# conflicts and identical sequences

CONFLICT = [("d", "AC", "p"), ("b", "AC", "n"), ("a", "AC", "p"), ("c", "AG", "p"), ("e", "AC", "")]


def test_conflicting_sequences_are_all_dropped_and_listed_with_their_labels(run):
    table, report = run(*CONFLICT)
    assert kept(table) == [("c", "p"), ("e", "")]
    assert report["conflicts"] == [{"samples": ["a", "b", "d"], "labels": ["p", "n", "p"]}]
    assert step(report, "conflicting drop")["dropped"] == 3


def test_conflict_as_an_error_names_sequences_and_labels(run):
    with pytest.raises(
        InputError, match=r"x\.fa: one sequence under different labels: 'a' \(p\), 'b' \(n\), 'd' \(p\)"
    ):
        run(*CONFLICT, conflicting="error")


def test_labels_that_become_one_are_no_conflict(run):
    table, report = run(*CONFLICT, ("f", "AT", "m"), one_against_rest="m", conflicting="error")
    assert kept(table) == [("a", "rest"), ("c", "rest"), ("f", "m")]
    assert report["conflicts"] == []


def test_a_class_that_is_left_out_makes_no_conflict(run):
    rows = [("a", "AC", "p"), ("b", "AG", "p"), ("c", "AT", "n"), ("d", "CC", "n"), ("e", "AC", "m")]
    table, _ = run(*rows, largest_classes=2, conflicting="error")
    assert table["sample"].tolist() == ["a", "b", "c", "d"]


def test_identical_sequences_are_collapsed_to_the_first_by_id(run):
    rows = [
        ("c", "AC", "p", "g3"),
        ("a", "AC", "p", "g1"),
        ("b", "AC", "p", "g2"),
        ("e", "AG", "n", ""),
        ("d", "AG", "n", ""),
    ]
    table, report = run(*rows)
    assert table[["sample", "group"]].to_numpy().tolist() == [["a", "g1"], ["d", ""]]
    entry = step(report, "identical sequences")
    assert (entry["dropped"], entry["examples"], entry["distinct_sequences"]) == (3, ["b", "c", "e"], 2)


def test_unlabelled_copy_of_a_labelled_sequence_goes_whatever_its_id(run):
    table, report = run(("z", "AC", "p"), ("a", "AC", ""), ("b", "AG", ""), ("c", "AG", ""))
    assert kept(table) == [("b", ""), ("z", "p")]
    assert step(report, "identical sequences")["examples"] == ["a", "c"]


def test_nothing_left_is_an_error(run):
    with pytest.raises(InputError, match=r"x\.fa: nothing is left of 2 sequences after cleaning; see `clean`"):
        run(("a", "AC", "p"), ("b", "AC", "n"))


def test_result_does_not_depend_on_the_order_of_rows(run):
    rows = [*CONFLICT, ("g", "TT", "n"), ("f", "TT", "n"), ("h", "TTT", "")]
    first, second = run(*rows), run(*reversed(rows))
    assert first[0].equals(second[0])
    assert first[1] == second[1]
