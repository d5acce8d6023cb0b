"""Colours and resolution that the figures and the report page share."""

# Okabe and Ito 2008, black last; used in this order.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
FIGURE_DPI = 150


def colour(number: int) -> str:
    """Colour of the n-th class or model."""
    return PALETTE[number % len(PALETTE)]
