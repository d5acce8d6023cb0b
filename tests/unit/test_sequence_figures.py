"""Logos of attributions: what is drawn where, and which sequences are chosen."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from genestrata.appearance import PALETTE
from genestrata.sequence_figures import (
    BINS,
    NO_COLOUR,
    WINDOW,
    best_called,
    best_window,
    draw_attributions,
    draw_logo,
    position_profiles,
    token_colour,
)

SAMPLES = pd.DataFrame(
    {
        "sample": ["s1", "s2", "s3", "s4"],
        "label": ["A", "A", "A", "B"],
        "group": ["h1", "h1", "h2", "h3"],
        "split": "",
    },
    dtype=object,
)


def attribution_table(rows):
    """rows : sample, class, attributions of its tokens."""
    parts = [
        pd.DataFrame(
            {
                "repeat": "r0",
                "fold": "0",
                "sample": sample,
                "class": label,
                "position": np.arange(1, len(values) + 1),
                "token": "K",
                "attribution": np.array(values, dtype=np.float32),
            }
        )
        for sample, label, values in rows
    ]
    columns = ["repeat", "fold", "sample", "class", "token"]
    return pd.concat(parts, ignore_index=True).astype(dict.fromkeys(columns, "category"))


TABLE = attribution_table(
    [
        ("s1", "A", [0.1, 0.2, 0.3]),
        ("s2", "A", [0.3, 0.4]),
        ("s3", "A", [0.1, -0.05]),
        ("s3", "B", [0.9, 0.05]),
        ("s4", "B", [-0.2, 0.1]),
    ]
)


@pytest.fixture
def axes():
    drawing, axes = plt.subplots()
    yield axes
    plt.close(drawing)


def boxes(axes):
    return [patch.get_path().get_extents() for patch in axes.patches]


def test_letters_are_as_high_as_their_attribution_and_stand_at_their_position(axes):
    draw_logo(axes, list("KDI"), np.array([0.5, -0.25, 1.0]), 7, "protein")
    up, down, narrow = boxes(axes)
    assert (up.y0, up.y1) == (pytest.approx(0), pytest.approx(0.5))
    assert (down.y0, down.y1) == (pytest.approx(-0.25), pytest.approx(0))
    assert [(box.x0 + box.x1) / 2 for box in (up, down, narrow)] == pytest.approx([7, 8, 9])
    assert narrow.width < up.width == pytest.approx(down.width)
    assert max(box.width for box in (up, down, narrow)) < 1
    low, high = axes.get_ylim()
    assert low < -0.25 and high > 1.0


def test_tokens_too_small_to_be_seen_are_left_out(axes):
    draw_logo(axes, list("KDE"), np.array([1.0, 0.001, 0.5]), 1, "protein")
    assert len(axes.patches) == 2


def test_tokens_without_any_attribution_are_an_empty_logo(axes):
    draw_logo(axes, list("KDE"), np.zeros(3), 1, "protein")
    assert [box.height for box in boxes(axes)] in ([], [0, 0, 0])
    assert np.ptp(axes.get_ylim()) > 0


def test_colour_tells_what_a_token_is():
    assert token_colour("D", "protein") == token_colour("E", "protein") != token_colour("K", "protein")
    assert token_colour("GAC", "codon") == token_colour("D", "protein")
    assert len({token_colour(letter, "dna") for letter in "ACGT"}) == 4
    for token, reads in (("X", "protein"), ("*", "protein"), ("TAA", "codon"), ("NNN", "codon"), ("N", "dna")):
        assert token_colour(token, reads) == NO_COLOUR
    assert token_colour("L", "reduced_protein") == PALETTE[-1]


def test_window_of_the_largest_sum():
    values = np.zeros(100)
    values[50:60] = 1
    place = best_window(values)
    assert place <= 50 and place + WINDOW >= 60
    values[90] = 20
    assert best_window(values) + WINDOW > 90
    assert best_window(np.array([1.0, 2.0])) == 0


def test_best_called_sequences_are_of_different_groups():
    parts = best_called(TABLE, "A", SAMPLES)
    # s2 has 0.7, s1 of the same group 0.6, s3 0.05 towards its own class.
    assert [part["sample"].iloc[0] for part in parts] == ["s2", "s3"]
    assert parts[0]["attribution"].tolist() == pytest.approx([0.3, 0.4])
    assert [part["sample"].iloc[0] for part in best_called(TABLE, "A", SAMPLES, most=1)] == ["s2"]
    ungrouped = SAMPLES.assign(group="")
    assert [part["sample"].iloc[0] for part in best_called(TABLE, "A", ungrouped)] == ["s2", "s1", "s3"]


def test_sequence_whose_class_gets_less_than_from_nothing_is_not_well_called():
    assert best_called(TABLE, "B", SAMPLES) == []


def test_profile_along_the_gene_is_the_mean_of_its_sequences():
    profiles = position_profiles(TABLE, SAMPLES)
    assert profiles["A"].sum() == pytest.approx((0.6 + 0.7 + 0.05) / 3)
    # Two tokens stand in the middle of the first and of the second half.
    expected = np.zeros(BINS)
    expected[BINS // 4], expected[3 * BINS // 4] = -0.2, 0.1
    np.testing.assert_allclose(profiles["B"], expected, atol=1e-7)


@pytest.mark.parametrize("reads", ["protein", "codon"])
def test_figures_of_every_class_that_is_called_well(tmp_path, reads):
    draw_attributions(TABLE, SAMPLES, reads, "BiLSTM", tmp_path, "SIMULATED data")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "logo_A.png",
        "logo_A.svg",
        "positions.png",
        "positions.svg",
    ]
    with Image.open(tmp_path / "logo_A.png") as image:
        assert image.width > image.height > 100
    text = (tmp_path / "logo_A.svg").read_text()
    assert "what speaks for A" in text and "s2 (h1): 0.70 of 0.70 in this window" in text and "SIMULATED data" in text
    first = (tmp_path / "logo_A.svg").read_bytes()
    draw_attributions(TABLE, SAMPLES, reads, "BiLSTM", tmp_path, "SIMULATED data")
    assert (tmp_path / "logo_A.svg").read_bytes() == first
