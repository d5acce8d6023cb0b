"""What all figures share: SVG and PNG, the same bytes for the same numbers, colours that colour-blind readers can tell
apart."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genestrata.appearance import FIGURE_DPI, PALETTE
from genestrata.files import atomic_path

STYLE = {
    "figure.dpi": FIGURE_DPI,
    "savefig.bbox": "tight",
    "svg.hashsalt": "genestrata",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
}


@contextlib.contextmanager
def figure(
    stem: str | Path, width: float = 5.0, height: float = 4.0, note: str = "", panels: int = 1
) -> Iterator[tuple[Figure, Axes]]:
    """Give a figure (inches) with one axes, or an array of `panels` side by side, and save it as `<stem>.svg` and
    `.png`; `note` stands small below."""
    with plt.rc_context(STYLE):
        drawing, axes = plt.subplots(1, panels, figsize=(width, height), layout="constrained", sharey=panels > 1)
        yield drawing, axes
        save(drawing, stem, note)


@contextlib.contextmanager
def panel_grid(
    stem: str | Path, panels: int, most_columns: int, width: float, height: float, beside: float = 0.0, note: str = ""
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure with the axes of some panels of width x height inches, row by row, and save it as `figure` does;
    `beside` : inches that are left to the right of all of them."""
    n_columns = min(panels, most_columns)
    n_rows = -(-panels // n_columns)
    with plt.rc_context(STYLE):
        size = (width * n_columns + beside, height * n_rows)
        drawing, grid = plt.subplots(n_rows, n_columns, figsize=size, layout="constrained", squeeze=False)
        for axes in grid.flat[panels:]:
            axes.set_visible(False)
        yield drawing, list(grid.flat[:panels])
        save(drawing, stem, note)


def save(drawing: Figure, stem: str | Path, note: str = "") -> None:
    """Write a figure without dates and close it."""
    if note:
        drawing.text(0.99, -0.02, note, ha="right", va="top", fontsize=7, color="#555555")
    # The layout is worked out once, not for each file.
    drawing.draw_without_rendering()
    drawing.set_layout_engine("none")
    for suffix, metadata in ((".svg", {"Date": None}), (".png", {"Software": None})):
        with atomic_path(Path(f"{stem}{suffix}")) as path, plt.rc_context(STYLE):
            drawing.savefig(path, metadata=metadata)
    plt.close(drawing)


def simulated_note(data: str) -> str:
    """What every figure of simulated data says of itself."""
    return "SIMULATED data" if data == "simulated" else ""
