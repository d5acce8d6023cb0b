"""Sections of the report on clusters: samples without labels, and gene sets against random sets of their size."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from genestrata.files import read_table
from genestrata.report_parts import image_section, number, scatter_section, table_section
from genestrata.set_names import (
    CONSENSUS,
    EXPRESSION,
    OUT_OF_SAMPLE,
    SCORES,
    SPACES,
    UMAP,
    size_range,
    title_in_scope,
)
from genestrata.wording import Terms


def sample_cluster_sections(
    clusters: Mapping[str, Any], folder: Path, terms: Terms
) -> Iterator[tuple[str, str, str, dict]]:
    """What the samples look like without labels."""
    points = read_table(folder / "cluster/pca.tsv", dtype={"sample": str, "label": str})
    share = clusters["explained_variance"]
    labels = sorted(set(points["label"]))
    yield (
        "pca",
        f"{terms.samples.capitalize()} without labels",
        f"Principal components of all {terms.features}; the first two hold {share[0]:.0%} and {share[1]:.0%} of the "
        f"variance, the first {clusters['components']} hold 80 %. Colours are the labels "
        f"({escape(', '.join(labels))}), which took no part.",
        scatter_section(points),
    )
    table = read_table(folder / "cluster/clustering.tsv")
    table = table[table["chosen"] | table["matches_class_count"]]
    rows = {
        f"{row['gene_set'].replace('_', ' ')}, {row['method']}, {row['n_clusters']} clusters": {
            "chosen": "✓" if row["chosen"] else "",
            **{key: row[key] for key in ("genes", "silhouette", "purity", "v_measure", "adjusted_rand", "homogeneity")},
        }
        for _, row in table.iterrows()
    }
    decimals = {"format": "{:,.3f}"}
    headers = {
        "chosen": {"title": "Chosen", "description": "number of clusters of the best silhouette"},
        "genes": {"title": terms.features.capitalize(), "format": "{:,.0f}"},
        "silhouette": {"title": "Silhouette", **decimals},
        "purity": {"title": "Purity", **decimals},
        "v_measure": {"title": "V-measure", **decimals},
        "adjusted_rand": {"title": "Adjusted Rand", **decimals},
        "homogeneity": {"title": "Homogeneity", **decimals},
    }
    best = clusters["best"]
    yield (
        "clusters",
        "Clusters and how they agree with the labels",
        f"Chosen without labels, by the silhouette, among all and the most variable {terms.features}: "
        f"{best['method']} with {best['n_clusters']} clusters on {best['gene_set'].replace('_', ' ')} "
        f"{terms.features}, purity {number(best['purity'])}, V-measure {number(best['v_measure'])}. Rows of other "
        f"sets are descriptive: labels chose those {terms.features}.",
        table_section(rows, headers, f"{terms.features.capitalize()}, method", "Silhouette", descending=True),
    )
    yield from _set_sections(clusters["random_sets"], folder, terms)


def _set_rows(comparisons: Mapping[str, Any], terms: Terms) -> dict[str, dict[str, Any]]:
    """Rows of the table of gene sets: one per scope, set and space, all genes last of each scope."""
    rows = {}
    for scope, values in comparisons.items():
        # The set that the figures of the scope are of comes first.
        names = sorted(values["sets"], key=lambda name: (name != values["set"], name))
        entries = [(title_in_scope(name, scope), values["sets"][name]) for name in names]
        for title, entry in [*entries, (f"All {terms.features}", values["all_genes"])]:
            for space in [EXPRESSION, *([UMAP] if UMAP in entry else [])]:
                found = entry if space == EXPRESSION else entry[UMAP]
                free, matched = found.get("free", {}), found.get("matched", {})
                rows[f"{title}, {scope}, {SPACES[space]}"] = {
                    "genes": _genes(entry),
                    **{score: found[score] for score in SCORES},
                    "mean": free.get("mean"),
                    "percentile_95": free.get("percentile_95"),
                    "p": free.get("p"),
                    "p_t": free.get("p_t"),
                    "matched_mean": matched.get("mean"),
                    "matched_p": matched.get("p"),
                }
    return rows


def _genes(entry: Mapping[str, Any]) -> int | str:
    """Number of genes of a set, as a range where its parts differ; all genes are the same in every part."""
    sizes = set(entry.get("sizes", {}).values())
    return size_range(sizes) if len(sizes) > 1 else entry["genes"]


def _set_sections(comparisons: Mapping[str, Any], folder: Path, terms: Terms) -> Iterator[tuple[str, str, str, dict]]:
    """Gene sets against random sets of their size: the table, the distributions and the maps."""
    decimals, small = {"format": "{:,.3f}"}, {"format": "{:,.3g}"}
    headers = {
        "genes": {"title": terms.features.capitalize(), "format": "{:,.0f}"},
        "v_measure": {"title": "V-measure", **decimals},
        "homogeneity": {"title": "Homogeneity", **decimals},
        "completeness": {"title": "Completeness", **decimals},
        "purity": {"title": "Purity", **decimals},
        "mean": {"title": "Random, mean", "description": "V-measure of random sets drawn freely", **decimals},
        "percentile_95": {"title": "Random, 95th percentile", "description": "of the same sets", **decimals},
        "p": {"title": "p", "description": "share of random sets that reach the V-measure", **small},
        "p_t": {"title": "p, t test", "description": "the V-measure as one more draw from a normal", **small},
        "matched_mean": {"title": "Matched, mean", "description": "random sets of like mean and variance", **decimals},
        "matched_p": {"title": "Matched, p", "description": "p among those", **small},
    }
    rows = _set_rows(comparisons, terms)
    draws = max((values["random_sets"] for values in comparisons.values()), default=0)
    text = (
        f"k-means with as many clusters as labels, on each set of {terms.features} and on {draws} random sets of the "
        f"same size from the {terms.features} that are expressed where the study says what that is, each drawn and "
        "clustered anew: freely, or matched on decile of mean and variance. p = (1 + b) / (1 + R), b of the R random "
        "sets being as good: it assumes only that the set could be one of them. The one-sided t test (Crawford and "
        "Howell 1998) assumes that V-measures of random sets are normally distributed. In sample is descriptive, out "
        "of sample is the claim"
    )
    if OUT_OF_SAMPLE in comparisons:
        parts = comparisons[OUT_OF_SAMPLE]["parts"]
        clustered = ", ".join(f"{part['samples']} with {part['labels']} labels" for part in parts.values())
        text += (
            f": there the sets were chosen without the {terms.samples} that are clustered ({clustered}); scores are "
            "means over these parts."
        )
        if CONSENSUS in comparisons[OUT_OF_SAMPLE]["sets"]:
            text += f" The {terms.features} selected in training stand there for the consensus of models."
    else:
        text += f"; here no part of held-out {terms.samples} is large enough to be clustered."
    if rows:
        table = table_section(
            rows, headers, f"{terms.features.capitalize()}, {terms.samples}, space", "V-measure", True
        )
        yield "set_scores", f"Sets of {terms.features} against random sets of the same size", text, table
    yield (
        "random_sets",
        "V-measures of the sets among those of random sets",
        f"Density of random sets of {terms.features} over a light histogram, a line for each compared set.",
        image_section([(folder / "cluster/v_measure.png", f"V-measure of sets of {terms.features} among random sets")]),
    )
    mapped = any(UMAP in values["all_genes"] for values in comparisons.values())
    maps = {"maps_pca": "Principal components", **({"umap": "UMAP"} if mapped else {})}
    yield (
        "set_maps",
        f"{terms.samples.capitalize()} on each set of {terms.features}",
        f"The same {terms.samples} on all {terms.features}, on each compared set and on one random set; labels only "
        f"colour them. In sample: the labels chose those {terms.features}.",
        image_section(
            [
                (folder / f"cluster/{file}.png", f"{title} of each set of {terms.features}")
                for file, title in maps.items()
            ]
        ),
    )
