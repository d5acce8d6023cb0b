"""Names for people and for file names."""

import re

import pandas as pd
import pytest

from genestrata.files import write_table
from genestrata.naming import marker_names, readable, slug


def test_known_marker_is_shown_with_its_name():
    assert readable("X95735_at", {"X95735_at": "zyxin"}) == "X95735_at zyxin"
    assert readable("M1_at", {"X95735_at": "zyxin"}) == "M1_at"


def test_planted_markers_stand_in_for_known_ones_where_data_are_simulated(tmp_path):
    known = {"g1": "zyxin"}
    assert marker_names(known, []) == marker_names(known, None) == known
    truth = pd.DataFrame({"rank": ["1", "2"], "feature": ["g7", "g2"], "class": ["B", "01"]})
    write_table(truth, tmp_path / "truth.tsv")
    assert marker_names(known, tmp_path / "truth.tsv") == {"g7": "planted in B", "g2": "planted in 01"}


@pytest.mark.parametrize("label", ["ALL", "BCR-ABL", "a_b", "1"])
def test_safe_label_is_its_own_slug(label):
    assert slug(label) == label


@pytest.mark.parametrize("label", ["Hyperdip>50", "G2/M", "a b", "Müller", "..", "白血病", "$(rm)", "*"])
def test_unsafe_label_becomes_a_safe_file_name(label):
    assert re.fullmatch(r"[A-Za-z0-9_-]*_[0-9a-f]{8}", slug(label))


def test_different_labels_get_different_slugs():
    labels = ["a b", "a_b", "a/b", "a>b", "ä", "ö", "白", "血", " a", "a "]
    assert len({slug(label) for label in labels}) == len(labels)


def test_slug_is_the_same_in_every_run():
    assert slug("G2/M") == "G2_M_1a198b26"
