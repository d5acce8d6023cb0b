"""Names for people and for file names."""

import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from genestrata.files import read_table


def readable(feature: str, markers: Mapping[str, str]) -> str:
    """A feature as a figure shows it, with its readable name where it is a known marker."""
    return f"{feature} {markers[feature]}" if feature in markers else feature


def slug(label: str) -> str:
    """A label as part of a file name: ASCII letters, digits, - and _, with a checksum where that loses something."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", label)
    return safe if safe == label else f"{safe.strip('_')}_{zlib.crc32(label.encode()):08x}"


def marker_names(markers: Mapping[str, str], truth: str | Path | None) -> dict[str, str]:
    """Markers of a study with what is said of them: those of its file, or where data are simulated the planted ones;
    truth : the file that lists these (class, feature), nothing for measured data."""
    if not truth:
        return dict(markers)
    planted = read_table(truth, dtype=str)[["class", "feature"]]
    return {feature: f"planted in {label}" for label, feature in planted.itertuples(index=False)}
