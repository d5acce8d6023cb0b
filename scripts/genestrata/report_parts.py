"""Parts of the report page: tables, prose, figures and lines as MultiQC takes them."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from genestrata.appearance import FIGURE_DPI, MARKERS, MOST_COLOURS, look

CSS_PIXELS_PER_INCH = 96
# Names of the markers on the report page, whose figures Plotly draws.
SYMBOLS = dict(
    zip(
        MARKERS,
        ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star"),
        strict=True,
    )
)


def number(value: float | None) -> str:
    """A score with three decimals, a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def with_interval(entry: Mapping[str, Any]) -> str:
    """A value and its 95 % interval as text."""
    low, high = entry["ci95"]
    return f"{number(entry['value'])} ({number(low)} to {number(high)})"


def table_section(
    rows: Mapping[str, Mapping[str, Any]],
    headers: Mapping[str, Any],
    first: str,
    sort_by: str,
    descending: bool = False,
) -> dict:
    """Plot part of a section that is a sortable table, as MultiQC takes it; `sort_by` is a column's title."""
    columns = {key: {"scale": False, **header} for key, header in headers.items()}
    pconfig = {"col1_header": first, "no_violin": True, "sort_rows": False, "parse_numeric": False}
    pconfig["defaultsort"] = [{"column": sort_by, "direction": "desc" if descending else "asc"}]
    return {
        "plot_type": "table",
        "pconfig": pconfig,
        "headers": columns,
        "data": {row_name(name): {key: _cell(value) for key, value in row.items()} for name, row in rows.items()},
    }


def row_name(name: str) -> str:
    """A name as a key of a table or plot: escaped, and without the slash at which MultiQC would cut a path."""
    return escape(str(name)).replace("/", "&#47;")


def _cell(value: Any) -> Any:
    """Text of a table is data, not HTML; a missing cell is an empty one."""
    if isinstance(value, str):
        return escape(value)
    return "" if value is None or pd.isna(value) else value


def scatter_section(points: pd.DataFrame) -> dict:
    """Plot part of a section with a point per sample; points : sample, label, PC1, PC2."""
    labels = sorted(set(points["label"]))
    looks = {label: look(number) for number, label in enumerate(labels)}
    data = {
        row_name(row["sample"]): {
            "x": row["PC1"],
            "y": row["PC2"],
            "color": looks[row["label"]][0],
            "group": escape(row["label"]),
            **({"marker_symbol": SYMBOLS[looks[row["label"]][1]]} if len(labels) > MOST_COLOURS else {}),
        }
        for _, row in points.iterrows()
    }
    return {
        "plot_type": "scatter",
        "pconfig": {"xlab": "PC1", "ylab": "PC2", "marker_size": 7, "showlegend": True},
        "data": data,
    }


def html_section(html: str) -> dict:
    """Plot part of a section of prose."""
    return {"plot_type": "html", "data": html}


def fewer_colours(content: bytes) -> bytes:
    """A PNG with at most 256 colours, which figures do not miss, at a third of the size."""
    with Image.open(io.BytesIO(content)) as image:
        smaller = io.BytesIO()
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(smaller, "PNG", compress_level=9)
    return min(content, smaller.getvalue(), key=len)


def image_section(images: Sequence[tuple[Path, str]]) -> dict:
    """Plot part of a section that embeds PNG figures, each with the text that stands for it."""
    parts = []
    for path, text in images:
        content = fewer_colours(path.read_bytes())
        # A PNG states its width in pixels at byte 16; this shows it at the size in inches it was drawn for.
        width = int.from_bytes(content[16:20], "big") * CSS_PIXELS_PER_INCH // FIGURE_DPI
        parts.append(
            f'<img src="data:image/png;base64,{base64.b64encode(content).decode()}" alt="{escape(text)}" '
            f'width="{width}" class="genestrata-figure">'
        )
    return html_section("".join(parts))
