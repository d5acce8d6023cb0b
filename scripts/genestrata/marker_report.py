"""Sections of the report page on the markers of every class and on the compared gene sets."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from genestrata.files import read_table
from genestrata.report_parts import image_section, table_section
from genestrata.set_names import set_title
from genestrata.wording import Terms

Section = tuple[str, str, str, dict]
# Genes of each class on the page; the file holds more.
LISTED = 3


def marker_sections(
    study: Mapping[str, Any], stability: Mapping[str, Any], folder: Path, terms: Terms
) -> Iterator[Section]:
    """Top genes of every class, and how the compared sets overlap, each where the study has it."""
    if "explain/marker_table.tsv" in study["extra"]:
        yield _marker_table(folder, terms)
    if "explain/overlap.png" in study["extra"]:
        image = (folder / "explain/overlap.png", f"How many {terms.features} the compared sets share")
        title = f"What the sets of {terms.features} share"
        yield "overlap", title, _sets_text(stability["gene_sets"], terms), image_section([image])


def _marker_table(folder: Path, terms: Terms) -> Section:
    table = read_table(folder / "explain/marker_table.tsv", dtype={"class": str, "feature": str, "name": str})
    top = table[table["place"] <= LISTED]
    ranks = [column for column in table if column.startswith("rank_")]
    columns = ["class", "place", "name", "tau", "mean_inside", "mean_outside", *ranks]
    rows = {f"{row['class']}: {row['feature']}": {key: row[key] for key in columns} for _, row in top.iterrows()}
    headers = {
        "class": {"title": "Class"},
        "place": {"title": "Place", "format": "{:,.0f}"},
        "name": {"title": "Known marker"},
        "tau": {
            "title": "Tau",
            "description": "0: the same mean in every class, 1: expressed in one class only",
            "format": "{:,.2f}",
        },
        "mean_inside": {"title": "Mean inside", "format": "{:,.2f}"},
        "mean_outside": {"title": "Mean outside", "format": "{:,.2f}"},
        **{
            column: {"title": f"Rank, {set_title(column.removeprefix('rank_'))}", "format": "{:,.0f}"}
            for column in ranks
        },
    }
    if top["name"].isna().all():
        del headers["name"]
    text = (
        f"The {LISTED} best {terms.features} of each class over the rankings: median SHAP towards the class over its "
        f"held-out {terms.samples} that a model called correctly, and moderated t of the class against the mean of "
        "the others. Empty: the ranking does not support the class. Means on the scale of the cleaned data, tau "
        f"(specificity to few classes) and t are of all {terms.samples} and their labels, so they describe; they test "
        "nothing. More in <code>explain/marker_table.tsv</code>."
    )
    return (
        "marker_table",
        f"{terms.features.capitalize()} of every class",
        text,
        table_section(rows, headers, f"Class: {terms.feature}", "Class"),
    )


def _sets_text(sets: Mapping[str, Any], terms: Terms) -> str:
    """Sizes of the compared sets and the rule that made them."""
    sizes = ", ".join(f"{escape(set_title(name))} {sets['genes'][name]}" for name in sets["names"])
    first = set_title(sets["names"][0])
    size, rule = (
        (
            sets["genes"][sets["names"][0]],
            f"the size at which half of the {terms.features} that {escape(first)} had given were repeats",
        )
        if sets["rule"] == "half_repeats"
        else (sets["size"], "set for this study")
    )
    return (
        f"{terms.features.capitalize()} are taken rank by rank over the classes, each once, only with a score above 0 "
        f"(the consensus: from its top). Every set has at most {size} {terms.features}, {rule}; fewer where its "
        f"ranking has no more. Sizes: {sizes}. A {terms.feature} counts once, in the combination of sets that hold it."
    )
