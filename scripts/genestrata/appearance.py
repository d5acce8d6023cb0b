"""Colours, shapes and resolution that the figures and the report page share."""

from typing import Any

# Okabe and Ito 2008, black last; used in this order.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINE_STYLES = ("-", "--", "-.", (0, (3, 1, 1, 1, 1, 1)))
# More classes than colours cannot be told apart by colour alone, nor be shown with a figure for each.
MOST_COLOURS = len(PALETTE)
FIGURE_DPI = 150


def colour(number: int) -> str:
    """Colour of the n-th class or model."""
    return PALETTE[number % len(PALETTE)]


def look(number: int) -> tuple[str, str]:
    """Colour and marker of the n-th class or model, which differ from those of any other of the first 64."""
    return colour(number), MARKERS[(number + number // MOST_COLOURS) % len(MARKERS)]


def line_style(number: int) -> Any:
    """Style of the line of the n-th class or model, which with its colour differs from any other of the first 32."""
    return LINE_STYLES[number // MOST_COLOURS % len(LINE_STYLES)]
