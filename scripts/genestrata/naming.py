"""Names for people and for file names."""

import re
import zlib
from collections.abc import Mapping

import pandas as pd


def readable(feature: str, markers: Mapping[str, str]) -> str:
    """A feature as a figure shows it, with its readable name where it is a known marker."""
    return f"{feature} {markers[feature]}" if feature in markers else feature


def slug(label: str) -> str:
    """A label as part of a file name: ASCII letters, digits, - and _, with a checksum where that loses something."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", label)
    return safe if safe == label else f"{safe.strip('_')}_{zlib.crc32(label.encode()):08x}"


def planted_names(truth: pd.DataFrame) -> dict[str, str]:
    """Planted markers of a simulated study with what is said of them; truth : class, feature."""
    return {feature: f"planted in {label}" for label, feature in truth[["class", "feature"]].itertuples(index=False)}
