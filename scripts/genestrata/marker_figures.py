"""The figure of how compared gene sets overlap."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from genestrata.appearance import PALETTE
from genestrata.drawing import STYLE, save
from genestrata.set_names import set_title

# Combinations of sets that are drawn; the table has all of them.
MOST_BARS = 31


def plot_overlap(shared: pd.DataFrame, stem: str | Path, note: str = "") -> None:
    """Bars of the genes in exactly these sets over dots that name the sets (Lex et al. 2014, IEEE TVCG 20:1983).

    shared : the table of `gene_sets.overlap`, most genes first.
    """
    names = [name for name in shared if name != "genes"]
    labels = [f"{set_title(name)} ({shared.loc[shared[name], 'genes'].sum()})" for name in names]
    shared = shared.head(MOST_BARS)
    places, rows = np.arange(len(shared)), np.arange(len(names))
    width, heights = 1.8 + 0.28 * max(len(shared), 6), (2.2, 0.24 * len(names) + 0.2)
    with plt.rc_context(STYLE):
        drawing, (bars, dots) = plt.subplots(
            2, figsize=(width, sum(heights)), layout="constrained", sharex=True, height_ratios=heights
        )
        bars.bar(places, shared["genes"], color=PALETTE[0], width=0.7)
        for place, genes in zip(places, shared["genes"], strict=True):
            bars.text(place, genes, str(genes), ha="center", va="bottom", fontsize=7)
        bars.set(ylabel="Genes in exactly these sets", xlim=(-0.6, max(len(shared), 6) - 0.4))
        bars.yaxis.set_major_locator(MaxNLocator(integer=True))
        bars.tick_params(axis="x", bottom=False, labelbottom=False)
        member = shared[names].to_numpy(dtype=bool)
        for place, row in zip(places, member, strict=True):
            dots.plot([place, place], [rows[row].min(), rows[row].max()], color=PALETTE[0], linewidth=1.5, zorder=1)
        for shade, shown in (("#DDDDDD", ~member), (PALETTE[0], member)):
            dots.scatter(*np.nonzero(shown), s=28, color=shade, linewidths=0, zorder=2)
        dots.set_yticks(rows, labels, fontsize=8)
        dots.set_ylim(len(names) - 0.5, -0.5)
        dots.spines[:].set_visible(False)
        dots.tick_params(bottom=False, left=False, labelbottom=False)
        save(drawing, stem, note)
