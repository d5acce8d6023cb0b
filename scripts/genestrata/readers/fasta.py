"""Reader of DNA sequences in FASTA: a file per class, or one file whose headers hold the label.

A file per class is how ResFinder (Zankari et al. 2012, J. Antimicrob. Chemother. 67:2640) is published.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from genestrata.dna import clean_letters, complaint, foreign_letters
from genestrata.errors import InputError
from genestrata.label_pattern import compile_pattern
from genestrata.readers.tables import read_text, sequence_frame

EXTENSIONS = (".fsa", ".fa", ".fasta", ".fna", ".ffn")


class Record(NamedTuple):
    """A record: its header without ">", the number of its line, and the lines below it."""

    header: str
    line: int
    lines: list[str]


def read(files: Mapping[str, str], settings: Mapping[str, Any]) -> pd.DataFrame:
    """Read every file; see the package docstring. The id of a record is the first word of its header.

    With `label_pattern` in settings the label is what its one group matches in the header, "" where it does not match;
    without, it is the name of the file as given, less an extension of FASTA (and .gz).
    """
    pattern = settings.get("label_pattern")
    expression = compile_pattern(pattern, ", ".join(files.values())) if pattern is not None else None
    letters: Counter[str] = Counter()
    rows = []
    for name, path in files.items():
        of_file = label_of_file(name)
        for record in read_records(path):
            label = _label(record.header, expression) if expression else of_file
            name = "".join(record.header.split()[:1])
            rows.append({"sample": name, "sequence": _clean(record, path, letters), "label": label})
    return sequence_frame(pd.DataFrame(rows), letters, next(iter(files.values())), "by label_pattern", settings)


def label_of_file(name: str) -> str:
    """The name of a file without an extension of FASTA: beta-lactam.fsa.gz is beta-lactam."""
    stem = name[: -len(".gz")] if name.lower().endswith(".gz") else name
    extension = Path(stem).suffix
    return stem.removesuffix(extension) if extension.lower() in EXTENSIONS else name


def read_records(path: str) -> Iterator[Record]:
    """Records of one FASTA file. Raises InputError for text before the first header and for a file without any."""
    record = None
    for number, line in enumerate(read_text(path, "FASTA (gzipped or not)").split("\n"), start=1):
        if line.startswith(">"):
            if record:
                yield record
            record = Record(line[1:].strip(), number, [])
        elif record:
            record.lines.append(line)
        elif line.strip():
            raise InputError(
                f"{path}: line {number}: '{line.strip()[:40]}' stands before the first header; a FASTA record starts "
                "with a line '>id'"
            )
    if record is None:
        raise InputError(f"{path}: no record; a FASTA record starts with a line '>id'")
    yield record


def _label(header: str, expression: re.Pattern[str]) -> str:
    """What the group of the expression matches in a header, "" where it does not match."""
    match = expression.search(header)
    return (match[1] or "").strip() if match else ""


def _clean(record: Record, path: str, letters: Counter[str]) -> str:
    """The sequence of a record; raises InputError that names the first line with a letter that is not DNA."""
    sequence = clean_letters("".join(record.lines), letters)
    header = f"'>{record.header[:60]}'"
    if not sequence:
        raise InputError(f"{path}: line {record.line}: header {header} has no sequence")
    problem = complaint(sequence)
    if problem:
        numbered = enumerate(record.lines, start=record.line + 1)
        number = next(number for number, line in numbered if foreign_letters(clean_letters(line, Counter())))
        raise InputError(f"{path}: line {number}: the sequence of {header} {problem}")
    return sequence
