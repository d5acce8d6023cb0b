"""Figures of what a network reads in sequences: logos of the tokens that count, and where in a gene they stand."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from genestrata.appearance import PALETTE, colour, line_style
from genestrata.dna import AMINO_ACIDS, NUCLEOTIDES, translate
from genestrata.drawing import STYLE, figure, save
from genestrata.naming import slug

# Tokens of a logo, and the number of sequences below each other.
WINDOW = 40
LOGOS = 4
# Parts into which a gene is cut, and tokens too small to be seen, as a share of the largest of their logo.
BINS = 20
SMALLEST = 0.02
WIDTH = 0.92
_BLUE, _RED, _GREEN, _PINK, _ORANGE, _, _, _BLACK = PALETTE
# Amino acids by what their side chain is: acidic, basic, polar, special, and nonpolar for all others.
AMINO_COLOURS = {
    letter: shade
    for letters, shade in (("DE", _RED), ("KRH", _BLUE), ("STNQ", _GREEN), ("CGP", _ORANGE), ("FWY", _PINK))
    for letter in letters
}
NUCLEOTIDE_COLOURS = dict(zip(NUCLEOTIDES, (_GREEN, _BLUE, _ORANGE, _RED), strict=True))
NO_COLOUR = "#999999"
# What a token is, by what a network reads.
TOKEN_NAMES = {"dna": "nucleotide", "codon": "codon", "protein": "amino acid", "reduced_protein": "amino acid"}


def token_colour(token: str, reads: str) -> str:
    """Colour of an amino acid, a nucleotide or, by its amino acid, a codon; grey for what stands for none."""
    if reads == "dna":
        return NUCLEOTIDE_COLOURS.get(token, NO_COLOUR)
    amino_acid = translate(token) if reads == "codon" else token
    return AMINO_COLOURS.get(amino_acid, _BLACK) if amino_acid in AMINO_ACIDS else NO_COLOUR


@functools.lru_cache(maxsize=128)
def _outline(token: str) -> TextPath:
    return TextPath((0, 0), token, size=1, prop=FontProperties(family="DejaVu Sans", weight="bold"))


def draw_logo(axes: plt.Axes, tokens: Sequence[str], heights: np.ndarray, first: int, reads: str) -> None:
    """Tokens side by side from position `first`, each as high as its attribution; negative ones hang below the line."""
    largest = max(float(np.abs(heights).max()), 1e-12)
    for place, (token, height) in enumerate(zip(tokens, heights, strict=True)):
        if abs(height) < SMALLEST * largest:
            continue
        outline = _outline(token)
        box = outline.get_extents()
        # A narrow letter is not stretched to a block.
        scale = WIDTH / max(box.width, 0.5)
        move = (
            Affine2D()
            .translate(-box.x0 - box.width / 2, -box.y0)
            .scale(scale, abs(height) / box.height)
            .translate(first + place, min(float(height), 0.0))
        )
        shade = token_colour(token, reads)
        axes.add_patch(
            PathPatch(outline.transformed(move), facecolor=shade, linewidth=0, alpha=1 if height > 0 else 0.5)
        )
    axes.axhline(0, color="#999999", linewidth=0.6)
    low, high = min(0.0, float(heights.min())), max(0.0, float(heights.max()))
    margin = 0.05 * max(high - low, 1e-12)
    axes.set(xlim=(first - 0.7, first + len(tokens) - 0.3), ylim=(low - margin, high + margin))


def best_window(attributions: np.ndarray, size: int = WINDOW) -> int:
    """First place of the window of the largest sum, of `size` tokens or of all if there are fewer."""
    size = min(size, len(attributions))
    return int(np.convolve(attributions, np.ones(size), "valid").argmax())


def best_called(attributions: pd.DataFrame, label: str, samples: pd.DataFrame, most: int = LOGOS) -> list[pd.DataFrame]:
    """Attributions of the held-out sequences of a class that are called best, one of each homology group, best first.

    attributions : see `explaining.Explanation`; samples : samples.tsv. The sum of a sequence's attributions is its
    probability less that of a sequence that says nothing.
    """
    rows = _of_own_class(attributions, samples)
    rows = rows[rows["class"].astype(str) == label]
    keys = ["repeat", "fold", "sample"]
    totals = rows.groupby(keys, observed=True)["attribution"].sum().sort_values(ascending=False, kind="stable")
    totals = totals[totals > 0].reset_index()
    group = samples.set_index("sample")["group"].reindex(totals["sample"].astype(object)).to_numpy()
    # Without groups every sequence is one of its own.
    group = np.where(group == "", totals["sample"].astype(str), group)
    chosen = totals[~pd.Series(group).duplicated()].head(most)
    parts = dict(tuple(rows.groupby(keys, observed=True)))
    return [parts[key].sort_values("position") for key in chosen[keys].itertuples(index=False, name=None)]


def _of_own_class(attributions: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Rows of attributions towards the true class of the sample."""
    label = samples.set_index("sample")["label"]
    truth = attributions["sample"].cat.categories.to_series().map(label).to_numpy(dtype=str)
    return attributions[truth[attributions["sample"].cat.codes] == attributions["class"].astype(str)]


def plot_logos(
    parts: Sequence[pd.DataFrame], groups: Mapping[str, str], title: str, stem: str | Path, reads: str, note: str
) -> None:
    """The window of each sequence that adds most to its class; parts : see `best_called`; groups : sample to group."""
    with plt.rc_context(STYLE):
        drawing, panels = plt.subplots(
            len(parts), 1, figsize=(9.0, 0.5 + 1.25 * len(parts)), layout="constrained", squeeze=False
        )
        for axes, part in zip(panels[:, 0], parts, strict=True):
            values, tokens = part["attribution"].to_numpy(), part["token"].astype(str).to_numpy()
            place = best_window(values)
            window = slice(place, place + WINDOW)
            draw_logo(axes, tokens[window], values[window], place + 1, reads)
            sample = str(part["sample"].iloc[0])
            where = f" ({groups[sample]})" if groups.get(sample) else ""
            text = f"{sample}{where}: {values[window].sum():.2f} of {values.sum():.2f} in this window"
            axes.set_title(text, fontsize=7, loc="left")
            axes.tick_params(labelsize=7)
        panels[-1, 0].set_xlabel(f"Position ({TOKEN_NAMES[reads]})")
        drawing.supylabel("Attribution (probability)", fontsize=8)
        drawing.suptitle(title, fontsize=10)
        save(drawing, stem, note)


def position_profiles(attributions: pd.DataFrame, samples: pd.DataFrame) -> dict[str, np.ndarray]:
    """Class to the mean attribution in each of BINS equal parts of its own sequences; the sum is their mean total."""
    rows = _of_own_class(attributions, samples)
    profiles = {}
    for label, own in rows.groupby("class", observed=True):
        sequences = own.groupby(["repeat", "fold", "sample"], observed=True)["position"]
        places = ((own["position"] - 0.5) / sequences.transform("max") * BINS).astype(int)
        profiles[str(label)] = np.bincount(places, own["attribution"], minlength=BINS) / sequences.ngroups
    return profiles


def plot_positions(profiles: Mapping[str, np.ndarray], title: str, stem: str | Path, note: str) -> None:
    """Mean attribution along the relative position in a gene, one line per class."""
    with figure(stem, 6.4, 3.6, note) as (_, axes):
        middles = (np.arange(BINS) + 0.5) / BINS
        for number, (label, values) in enumerate(profiles.items()):
            shade, style = colour(number), line_style(number)
            axes.plot(middles, values, linestyle=style, color=shade, label=label, linewidth=1.5)
        axes.axhline(0, color="#999999", linewidth=0.6)
        axes.set(xlabel="Relative position in the gene", ylabel="Mean attribution", title=title, xlim=(0, 1))
        axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))


def draw_attributions(
    attributions: pd.DataFrame, samples: pd.DataFrame, reads: str, title: str, folder: Path, note: str
) -> None:
    """All figures of a network's attributions into `folder`; reads : what the network reads, see `models.tokens`."""
    groups = dict(zip(samples["sample"], samples["group"], strict=True))
    for label in attributions["class"].cat.categories:
        parts = best_called(attributions, label, samples)
        if parts:
            stem = folder / f"logo_{slug(label)}"
            plot_logos(parts, groups, f"{title}: what speaks for {label}", stem, reads, note)
    plot_positions(position_profiles(attributions, samples), f"{title}: where it looks", folder / "positions", note)
