"""Cleaning of a table of DNA sequences as its study declares it; each step is counted.

Steps run in this order: one class against the rest, the largest classes, lengths, conflicting labels, identical
sequences. A sequence without a label, which is to be predicted, is never counted for a class or a conflict.
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genestrata.cleaning import largest_classes
from genestrata.errors import InputError

logger = logging.getLogger(__name__)

REST = "rest"


def clean_sequences(
    table: pd.DataFrame, settings: Mapping[str, Any], where: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Clean sequences as `readers` return them; returns the table sorted by sample id and the report.

    settings : the study's `clean` (one_against_rest, largest_classes, min_length, max_length, too_long, conflicting);
    where : the file, for messages. Of identical sequences the first by id is kept, one with a label before one without,
    with its own group and split. The report has the form of `cleaning.clean`, "features" being the length of the
    longest sequence, and also `letters` (what reading changed), `left_out_classes` (label to number) and `conflicts`
    (ids of identical sequences, and the label of each). Raises InputError for an unknown class, a sequence that is too
    long, a conflict that the study does not drop, and a table of which nothing is left.
    """
    unlabelled = table.attrs.get("unlabelled", [])
    report: dict[str, Any] = {
        "before": {"samples": len(table) + len(unlabelled), "features": _longest(table)},
        "steps": [],
        "settings": dict(settings),
        "letters": table.attrs.get("letters", {}),
        "left_out_classes": {},
        "conflicts": [],
    }

    def record(step: str, dropped: list[str], **details: int) -> None:
        if dropped or details:
            entry = {"step": step, "dropped": len(dropped), "of": "samples", "examples": dropped[:10], **details}
            report["steps"].append(entry)
            logger.info("%s: dropped %d sequences", step, len(dropped))

    record("unlabelled drop", unlabelled)
    order = np.argsort(table["sample"].to_numpy(dtype=str), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    table.attrs = {}

    one = settings.get("one_against_rest")
    if one is not None:
        table = _against_rest(table, one, where)
        record(f"one_against_rest {one}", [], rest=int((table["label"] == REST).sum()))
    if settings.get("largest_classes") is not None:
        kept, report["left_out_classes"] = largest_classes(table["label"], settings["largest_classes"])
        record(f"largest_classes {settings['largest_classes']}", table.loc[~kept, "sample"].tolist())
        table = table[kept]

    short = table["sequence"].str.len() < settings["min_length"]
    record(f"min_length {settings['min_length']}", table.loc[short, "sample"].tolist())
    table = table[~short]
    if settings.get("max_length") is not None:
        table = _limit_length(table, settings["max_length"], settings["too_long"], where, record)

    conflicting, report["conflicts"] = _find_conflicts(table)
    if report["conflicts"] and settings["conflicting"] == "error":
        first = report["conflicts"][0]
        named = ", ".join(f"'{name}' ({label})" for name, label in zip(first["samples"], first["labels"], strict=True))
        raise InputError(
            f"{where}: one sequence under different labels: {named}; {len(report['conflicts'])} such sequences; "
            "correct the labels or set clean.conflicting: drop"
        )
    record("conflicting drop", table.loc[conflicting, "sample"].tolist())
    table = table[~conflicting]

    table = table.iloc[np.argsort(table["label"].to_numpy(dtype=str) == "", kind="stable")]
    repeated = table.duplicated("sequence")
    groups = table.loc[repeated, "sequence"].nunique()
    if groups:
        record("identical sequences", table.loc[repeated, "sample"].tolist(), distinct_sequences=groups)
    table = table[~repeated].sort_index().reset_index(drop=True)
    if table.empty:
        raise InputError(
            f"{where}: nothing is left of {report['before']['samples']} sequences after cleaning; see `clean` in the "
            "study"
        )
    report["after"] = {"samples": len(table), "features": _longest(table)}
    return table, report


def _longest(table: pd.DataFrame) -> int:
    """Letters of the longest sequence, 0 without any."""
    return max(map(len, table["sequence"]), default=0)


def _against_rest(table: pd.DataFrame, one: str, where: str) -> pd.DataFrame:
    """Every label but one becomes "rest"; raises InputError if no sequence has that one."""
    labels = table["label"]
    if one not in set(labels):
        known = ", ".join(sorted(set(labels) - {""}))
        raise InputError(f"{where}: clean.one_against_rest: no sequence has the label '{one}'; found: {known}")
    return table.assign(label=labels.where(labels.isin([one, ""]), REST))


def _limit_length(table: pd.DataFrame, limit: int, rule: str, where: str, record: Any) -> pd.DataFrame:
    """Sequences above the limit cut to it, dropped, or an InputError that names the first."""
    lengths = table["sequence"].str.len()
    too_long = lengths > limit
    names = table.loc[too_long, "sample"].tolist()
    if not names:
        return table
    if rule == "error":
        raise InputError(
            f"{where}: sequence '{names[0]}' has {lengths[too_long].iloc[0]} letters, clean.max_length is {limit} "
            f"({len(names)} such sequences); raise it or set clean.too_long: truncate or drop"
        )
    if rule == "drop":
        record("too_long drop", names, limit=limit)
        return table[~too_long]
    record("too_long truncate", [], limit=limit, truncated=len(names))
    return table.assign(sequence=table["sequence"].str.slice(stop=limit).astype(object))


def _find_conflicts(table: pd.DataFrame) -> tuple[pd.Series, list[dict[str, list[str]]]]:
    """Rows whose sequence also has another label, and a list of such sequences: sample ids and the label of each."""
    known = table[table["label"] != ""]
    conflicting = known.groupby("sequence", sort=False)["label"].transform("nunique") > 1
    groups = known[conflicting].groupby("sequence", sort=False)
    conflicts = [{"samples": rows["sample"].tolist(), "labels": rows["label"].tolist()} for _, rows in groups]
    return conflicting.reindex(table.index, fill_value=False), conflicts
