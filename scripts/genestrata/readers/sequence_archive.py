"""Reader of DNA sequences in a .npy that holds a pickled dict: `genes` (text) and `resistant` (bool or 0/1).

A pickle is a program. This one runs on an unpickler to which NumPy's constructors are inert records and every other
name is an error, so a file can build dicts, lists, text and numbers and nothing else. Arrays are made from the records
here, after type and size were checked: even the real constructors would follow pointers that a forged dtype admits.
"""

import io
import math
import pickle
import pickletools
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genestrata.dna import clean_letters, complaint
from genestrata.errors import InputError
from genestrata.readers.tables import sequence_frame

GENES, LABELS = "genes", "resistant"
CLASSES = {True: "resistant", False: "susceptible"}
# Types that NumPy may read from any bytes, as no value of theirs is a pointer.
PLAIN_TYPE = re.compile(r"b1|[iu][1248]|f[248]|[US]\d{1,9}")
OBJECT_TYPE = re.compile(r"O\d?")
VERSIONS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class _RefusedError(Exception):
    """Raised where a pickle asks for what it may not have."""


class _Record:
    """What a pickle says to make: arguments and state, with which nothing is done while it is read."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments, self.state = arguments, ()

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Type(_Record):
    """dtype(code, align, copy) with the state (version, byte order, …)."""

    def is_object(self) -> bool:
        """Are its values Python objects, which a pickle lists?"""
        return bool(OBJECT_TYPE.fullmatch(self.arguments[0]))

    def value(self) -> np.dtype:
        """The dtype; raises ValueError unless it is one of bool, numbers, bytes or text."""
        code, order = self.arguments[0], self.state[1] if self.state else "|"
        if not PLAIN_TYPE.fullmatch(code) or order not in ("<", ">", "=", "|"):
            raise ValueError(f"values of type {order}{code}")
        return np.dtype(code).newbyteorder(order)


class _Bytes(_Record):
    """encode(text, "latin1"): bytes as protocol 2 writes them."""

    def value(self) -> bytes:
        text, encoding = self.arguments
        if encoding != "latin1":
            raise ValueError(f"bytes in encoding {encoding}")
        return text.encode(encoding)


class _Scalar(_Record):
    """scalar(dtype, bytes)."""

    def value(self) -> bool | int | float | str | bytes:
        kind, content = self.arguments
        (value,) = np.frombuffer(_as_bytes(content), kind.value()).tolist()
        return value


class _Array(_Record):
    """_reconstruct(ndarray, (0,), b"b") with the state (version, shape, dtype, Fortran order?, content)."""

    def values(self) -> list:
        """Content in C order; raises ValueError where type, shape and content disagree."""
        _, shape, kind, is_fortran, content = self.state
        if is_fortran and len(shape) > 1:
            raise ValueError("an array in Fortran order")
        values = content if kind.is_object() else np.frombuffer(_as_bytes(content), kind.value()).tolist()
        if not isinstance(values, list) or not all(type(size) is int for size in shape):
            raise ValueError("an array without a list of values or without a shape")
        if len(values) != math.prod(shape):
            raise ValueError(f"an array of {math.prod(shape)} values that holds {len(values)}")
        return values


ALLOWED = {
    ("numpy", "ndarray"): _Record,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Bytes,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): _Scalar,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "scalar"): _Scalar,
}


class _Unpickler(pickle.Unpickler):
    """Builds built-in values and records; a name that is not allowed ends the reading before it is looked up."""

    def find_class(self, module: str, name: str) -> type[_Record]:
        """The record that stands for a constructor of NumPy."""
        if (module, name) not in ALLOWED:
            raise _RefusedError(f"asks for {f'{module}.{name}'[:80]!r}")
        return ALLOWED[module, name]

    def persistent_load(self, identity: Any) -> Any:
        """Refuse objects outside the file."""
        raise _RefusedError("asks for an object outside the file")


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read `files["sequences"]`; see the package docstring. Labels become resistant and susceptible, None "".

    The file has no ids: they are resistant_1, resistant_2, … and susceptible_1, ….
    """
    path = files["sequences"]
    archive = read_archive(path)
    missing = [key for key in (GENES, LABELS) if key not in archive]
    if missing:
        found = ", ".join(repr(key)[:40] for key in list(archive)[:8] if isinstance(key, str))
        raise InputError(f"{path}: the dict has no '{missing[0]}'; found: {found or 'nothing'}")
    genes, labels = (_column(archive[key], key, path) for key in (GENES, LABELS))
    if len(genes) != len(labels):
        raise InputError(f"{path}: {len(genes)} sequences in '{GENES}', {len(labels)} labels in '{LABELS}'")
    letters: Counter[str] = Counter()
    records = {
        "sample": [""] * len(genes),
        "sequence": [_sequence(gene, f"{path}: {GENES}[{place}]", letters) for place, gene in enumerate(genes)],
        "label": [_label(label, f"{path}: {LABELS}[{place}]") for place, label in enumerate(labels)],
    }
    return sequence_frame(pd.DataFrame(records, dtype=object), letters, path, f"in '{LABELS}'", settings)


def read_archive(path: str) -> dict:
    """The dict in a .npy, its arrays still records. Raises InputError for anything else; the file executes nothing."""
    content = _read_pickle(path)
    try:
        # The unpickler would reserve memory for as many entries as the highest number that a file gives to one.
        for opcode, argument, _ in pickletools.genops(content):
            if opcode.name.endswith("PUT") and argument > len(content):
                raise _RefusedError("numbers an entry beyond its end")
        value = _Unpickler(io.BytesIO(content), encoding="latin1").load()
        if isinstance(value, _Array) and len(value.values()) == 1:
            (value,) = value.values()
    except _RefusedError as error:
        raise InputError(
            f"{path}: refused: its pickle {error}; only dict, list, text, numbers and NumPy arrays are read"
        ) from None
    except Exception as error:
        raise InputError(f"{path}: truncated or damaged ({_first_line(error)}); fetch or copy it again") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds {_kind(value)}, expected a dict with '{GENES}' and '{LABELS}'")
    return value


def _read_pickle(path: str) -> bytes:
    """The pickle behind the header of a .npy of objects."""
    try:
        with Path(path).open("rb") as file:
            version = np.lib.format.read_magic(file)
            if version not in VERSIONS:
                raise ValueError(f"version {version}")
            _, _, kind = VERSIONS[version](file)
            content = file.read()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception as error:
        raise InputError(f"{path}: not a readable .npy file ({_first_line(error)})") from None
    if kind != np.dtype(object):
        raise InputError(f"{path}: an array of {kind}, expected a pickled dict with '{GENES}' and '{LABELS}'")
    return content


def _column(values: Any, key: str, path: str) -> list:
    """Plain values of a list or array."""
    try:
        values = values.values() if isinstance(values, _Array) else values
        if isinstance(values, list):
            values = [value.value() if isinstance(value, _Scalar | _Bytes) else value for value in values]
    except Exception as error:
        raise InputError(f"{path}: '{key}' cannot be read: {_first_line(error)}") from None
    if not isinstance(values, list):
        raise InputError(f"{path}: '{key}' is {_kind(values)}, expected a list or an array")
    if not values:
        raise InputError(f"{path}: '{key}' is empty")
    return values


def _sequence(gene: Any, where: str, letters: Counter[str]) -> str:
    """A clean sequence; raises InputError for anything else."""
    text = gene.decode("latin1") if isinstance(gene, bytes) else gene
    if not isinstance(text, str):
        raise InputError(f"{where} is {_kind(text)}, expected text")
    sequence = clean_letters(text, letters)
    problem = complaint(sequence)
    if problem:
        raise InputError(f"{where} {problem}")
    return sequence


def _label(value: Any, where: str) -> str:
    """Name of the class; "" for None."""
    if value is None:
        return ""
    if not isinstance(value, int | float) or value not in CLASSES:
        found = repr(value)[:40] if isinstance(value, int | float | str) else _kind(value)
        raise InputError(f"{where} is {found}, expected True, False, 1 or 0")
    return CLASSES[value]


def _as_bytes(content: bytes | str | _Bytes) -> bytes:
    """Content of an array as bytes; Python 2 wrote it as text."""
    content = content.value() if isinstance(content, _Bytes) else content
    return content.encode("latin1") if isinstance(content, str) else content


def _kind(value: Any) -> str:
    """What a value is, for a message."""
    return "an array" if isinstance(value, _Array) else f"a value of type {type(value).__name__}"


def _first_line(error: Exception) -> str:
    """The first line of a message, or the kind of an error without one."""
    return (str(error).splitlines() or [type(error).__name__])[0]
