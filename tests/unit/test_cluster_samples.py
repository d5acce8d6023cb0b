"""What the job that clusters the samples draws: random sets named by their sizes."""

import cluster_samples
import numpy as np
import pandas as pd
import pytest
from cluster_samples import draw_maps, null_panels

from genestrata.set_names import size_range
from genestrata.wording import TERMS


def panel(sizes, draws=2):
    """The panel of sets with these sizes in each part, whose draws differ by their sizes alone."""
    value = {parts: number / 10 for number, parts in enumerate(dict.fromkeys(map(tuple, sizes.values())))}
    entries, rows = {}, []
    for name, parts in sizes.items():
        by_part = {str(number): size for number, size in enumerate(parts)}
        entries[name] = {"genes": parts[0], "sizes": by_part, "v_measure": 0.9}
        for kind in ("free", "matched"):
            rows += [("out of sample", "expression", name, kind, draw, value[tuple(parts)]) for draw in range(draws)]
    null = pd.DataFrame(rows, columns=["scope", "space", "set", "kind", "draw", "v_measure"])
    comparison = {"out of sample": {"sets": entries, "all_genes": {"v_measure": 0.5}}}
    (found,) = null_panels(comparison, null, ["expression"], TERMS["expression"])
    return found, {parts: np.full(draws, shift) for parts, shift in value.items()}


@pytest.mark.parametrize(("sizes", "shown"), [([50], "50"), ([7, 7], "7"), ([91, 78, 80], "78–91")])
def test_sizes_of_parts_are_one_number_or_a_range(sizes, shown):
    assert size_range(sizes) == shown


def test_random_sets_are_named_by_the_range_of_their_sizes_and_sets_of_the_same_sizes_share_them():
    found, drawn = panel({"consensus": [78, 91], "xgboost": [78, 91], "linear_svm": [78, 60], "anova_f": [50, 50]})
    assert {name: scores.tolist() for name, scores in found.nulls.items()} == {
        "2 random sets of 78–91 genes": drawn[78, 91].tolist(),
        "2 random sets of 60–78 genes": drawn[78, 60].tolist(),
        "2 random sets of 50 genes": drawn[50, 50].tolist(),
    }
    assert list(found.values) == ["Selected in training", "XGBoost", "Linear SVM", "ANOVA", "All genes"]


def test_sizes_of_the_same_range_do_not_hide_each_other():
    sizes = {"consensus": [78, 91, 80], "xgboost": [78, 91, 85], "anova_f": [78, 91, 80], "linear_svm": [6, 6, 6]}
    found, drawn = panel(sizes)
    assert {name: scores.tolist() for name, scores in found.nulls.items()} == {
        "2 random sets of 78–91 genes, sized as Selected in training, ANOVA": drawn[78, 91, 80].tolist(),
        "2 random sets of 78–91 genes, sized as XGBoost": drawn[78, 91, 85].tolist(),
        "2 random sets of 6 genes": drawn[6, 6, 6].tolist(),
    }


def test_maps_of_each_kind_have_a_file_of_their_own(make_cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster_samples, "map_points", lambda points, *_: points[:, :2])
    for space in ("expression", "umap"):
        draw_maps(make_cohort(), {"Consensus": np.arange(5)}, tmp_path, space, 1, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["maps_pca.png", "maps_pca.svg", "umap.png", "umap.svg"]
    assert ">UMAP 1<" in (tmp_path / "umap.svg").read_text()


def test_without_draws_there_are_lines_alone():
    found, _ = panel({"consensus": [5, 6]}, draws=0)
    assert found.nulls == {} and len(found.values) == 2
