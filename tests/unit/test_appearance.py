"""Colours, markers and lines by which classes and models can be told apart."""

import pandas as pd

from genestrata.appearance import MARKERS, MOST_COLOURS, PALETTE, colour, line_style, look
from genestrata.report_parts import scatter_section


def test_first_classes_have_a_colour_and_a_marker_of_their_own():
    assert [look(number) for number in range(8)] == list(zip(PALETTE, MARKERS, strict=True))
    assert {line_style(number) for number in range(8)} == {"-"}


def test_many_classes_differ_in_colour_or_shape():
    assert len({look(number) for number in range(64)}) == 64
    assert len({(colour(number), line_style(number)) for number in range(32)}) == 32


def symbols(n_classes):
    points = pd.DataFrame({"sample": [f"s{number}" for number in range(n_classes)], "PC1": 0.0, "PC2": 1.0})
    data = scatter_section(points.assign(label=[f"c{number:02d}" for number in range(n_classes)]))["data"]
    return [(point["color"], point.get("marker_symbol")) for point in data.values()]


def test_points_of_the_report_page_have_symbols_where_there_are_more_classes_than_colours():
    assert symbols(MOST_COLOURS) == [(shade, None) for shade in PALETTE]
    assert len(set(symbols(23))) == 23
    assert symbols(23)[:2] + symbols(23)[8:9] == [
        (PALETTE[0], "circle"),
        (PALETTE[1], "square"),
        (PALETTE[0], "square"),
    ]
