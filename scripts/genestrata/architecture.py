"""The layers of a saved network as JSON and as a picture, read from its file: no network library is started."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py

from genestrata.appearance import PALETTE
from genestrata.drawing import figure
from genestrata.errors import InputError

# Settings that tell layers of one kind apart.
DETAILS = (
    "units", "filters", "kernel_size", "strides", "pool_size", "rate", "input_dim", "output_dim", "activation",
)  # fmt: skip


def read_architecture(path: str | Path) -> tuple[dict[str, Any], int]:
    """Keras' configuration of a network in a `.keras` file and its number of weights; raises InputError."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            with archive.open("model.weights.h5") as handle, h5py.File(handle) as weights:
                sizes: list[int] = []
                weights.visititems(lambda _, item: sizes.append(item.size) if isinstance(item, h5py.Dataset) else None)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a readable network: {error}") from None
    return config, sum(sizes)


def layer_rows(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Kind and settings of every layer in order; operations between layers, which hold no weights, are left out."""
    rows = []
    for layer in config["config"]["layers"]:
        if layer["module"] != "keras.layers":
            continue
        kind, settings = layer["class_name"], layer["config"]
        if "layer" in settings:
            kind, settings = f"{kind} {settings['layer']['class_name']}", settings["layer"]["config"]
        shown = [f"{key.replace('_', ' ')} {_text(settings[key])}" for key in DETAILS if _tells(settings.get(key))]
        rows.append((kind, ", ".join(shown)))
    return rows


def plot_layers(rows: Sequence[tuple[str, str]], title: str, stem: str | Path, note: str = "") -> None:
    """Draw the layers from top to bottom; those that hold weights stand in colour."""
    with figure(stem, 6.4, 0.7 + 0.42 * len(rows), note) as (_, axes):
        for place, (kind, details) in enumerate(rows):
            holds_weights = any(part in kind for part in ("LSTM", "Dense", "Conv", "Embedding", "Normalization"))
            box = {
                "boxstyle": "round,pad=0.35",
                "facecolor": PALETTE[0] if holds_weights else "#EEEEEE",
                "linewidth": 0,
            }
            axes.text(0.25, -place, kind, ha="center", va="center", color="w" if holds_weights else "k", bbox=box)
            axes.text(0.52, -place, details, va="center", fontsize=8)
            if place:
                axes.plot([0.25, 0.25], [-place, 1 - place], color="#BBBBBB", linewidth=1, zorder=0)
        axes.set(xlim=(0, 1.15), ylim=(0.5 - len(rows), 0.5), title=title)
        axes.set_axis_off()


def _tells(value: Any) -> bool:
    """Is a setting worth a word?"""
    return value not in (None, "linear", 0) and set(_as_list(value)) != {1}


def _text(value: Any) -> str:
    """A setting, or a list of them, as text."""
    return " × ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in _as_list(value))


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
