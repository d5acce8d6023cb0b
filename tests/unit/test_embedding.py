"""Maps of rows in two dimensions."""

import sys
from types import ModuleType

import matplotlib.pyplot as plt
import numpy as np
import pytest

from genestrata.appearance import colour
from genestrata.embedding import LEVELS, draw_map, map_points, plot_embedding


def draw(rows=30, seed=0):
    """Rows of three classes far apart."""
    random = np.random.default_rng(seed)
    codes = np.arange(rows) % 3
    return random.normal(size=(rows, 5)) + 20 * np.eye(5)[codes], codes


@pytest.mark.parametrize("rows", [5, 30])
def test_tsne_maps_few_and_many_rows_to_two_dimensions(rows):
    points = map_points(draw(rows)[0], "tsne", 0)
    assert points.shape == (rows, 2) and np.isfinite(points).all()


def test_tsne_keeps_neighbours_together():
    values, codes = draw(60)
    points = map_points(values, "tsne", 0)
    distance = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(60, np.inf))
    assert (codes[distance.argmin(axis=1)] == codes).mean() > 0.95


def test_map_is_the_same_for_a_seed():
    values, _ = draw()
    first, again = (map_points(values, "tsne", 3) for _ in range(2))
    np.testing.assert_array_equal(first, again)


# UMAP, without the library that takes seconds to compile itself

FAKE_UMAP = """
import sys

tensorflow_was = sys.modules.get("tensorflow", "absent")


class UMAP:
    def __init__(self, **options):
        self.options = options

    def fit_transform(self, values):
        import warnings

        warnings.warn("n_jobs value 1 overridden to 1 by setting random_state. Use no seed for parallelism.")
        UMAP.last = self.options
        return values[:, :2]
"""


@pytest.fixture
def umap(tmp_path, monkeypatch):
    """A stand-in for umap that is imported anew; returns a function that writes it."""
    # A placeholder, so that what a test imports is gone after it.
    monkeypatch.setitem(sys.modules, "umap", ModuleType("umap"))
    del sys.modules["umap"]
    monkeypatch.syspath_prepend(tmp_path)
    return (tmp_path / "umap.py").write_text


def test_umap_is_imported_without_tensorflow_which_can_be_imported_afterwards(umap, monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    umap(FAKE_UMAP)
    values, _ = draw()
    np.testing.assert_array_equal(map_points(values, "umap", 0), values[:, :2])
    # None makes an import fail at once.
    assert sys.modules["umap"].tensorflow_was is None
    assert "tensorflow" not in sys.modules


def test_tensorflow_that_is_there_already_stays(umap, monkeypatch):
    loaded = ModuleType("tensorflow")
    monkeypatch.setitem(sys.modules, "tensorflow", loaded)
    umap(FAKE_UMAP)
    map_points(draw()[0], "umap", 0)
    assert sys.modules["umap"].tensorflow_was is loaded
    assert sys.modules["tensorflow"] is loaded


def test_umap_that_cannot_be_imported_leaves_tensorflow_alone(umap, monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    umap("raise ImportError('no numba')")
    with pytest.raises(ImportError, match="no numba"):
        map_points(draw()[0], "umap", 0)
    assert "tensorflow" not in sys.modules


@pytest.mark.parametrize(("rows", "neighbours"), [(30, 15), (9, 8)])
def test_umap_gets_the_seed_and_no_more_neighbours_than_there_are_rows_and_is_quiet(rows, neighbours, umap, recwarn):
    umap(FAKE_UMAP)
    map_points(draw(rows)[0], "umap", 7)
    assert sys.modules["umap"].UMAP.last == {"n_neighbors": neighbours, "random_state": 7}
    assert not [warning for warning in recwarn if "n_jobs" in str(warning.message)]


# Drawing

CLASSES = ["M", "G1", "S"]


def drawn(labels, density):
    """Groups of points on a map: (text, number, colour), and the levels of its contours."""
    figure, axes = plt.subplots()
    points = np.random.default_rng(0).normal(size=(len(labels), 2))
    draw_map(axes, points, np.array(labels, dtype=str), CLASSES, density)
    handles, texts = axes.get_legend_handles_labels()
    levels = [len(part.levels) for part in axes.collections if hasattr(part, "levels")]
    plt.close(figure)
    groups = [
        (text, len(part.get_offsets()), part.get_facecolor()[0]) for text, part in zip(texts, handles, strict=True)
    ]
    return groups, levels


@pytest.mark.parametrize("density", [True, False])
def test_classes_are_drawn_in_their_order_on_grey_points_without_a_label(density):
    groups, levels = drawn([*"MMM", "S", *["G1"] * 4, "", ""], density)
    assert [group[:2] for group in groups] == [("unlabelled (2)", 2), ("M (3)", 3), ("G1 (4)", 4), ("S (1)", 1)]
    for number, (_, _, shade) in enumerate(groups[1:]):
        np.testing.assert_allclose(shade[:3], plt.matplotlib.colors.to_rgb(colour(number)))
    assert levels == ([LEVELS] if density else [])


@pytest.mark.parametrize(("n_classes", "shapes"), [(8, 1), (9, 8)])
def test_classes_have_markers_of_their_own_where_colours_repeat(n_classes, shapes):
    figure, axes = plt.subplots()
    labels = np.array([f"c{number}" for number in range(n_classes)])
    draw_map(axes, np.random.default_rng(0).normal(size=(n_classes, 2)), labels, list(labels), density=False)
    outlines = {part.get_paths()[0].vertices.tobytes() for part in axes.collections}
    plt.close(figure)
    assert len(outlines) == shapes


def test_map_of_labelled_rows_has_no_group_of_unlabelled_ones():
    groups, _ = drawn(list("MMM") + ["S", "G1"] * 3, True)
    assert [group[0] for group in groups] == ["M (3)", "G1 (3)", "S (3)"]


@pytest.mark.parametrize("unlabelled", [0, 6])
def test_embedding_is_drawn_with_the_same_bytes_twice(unlabelled, tmp_path):
    values, codes = draw()
    labels = np.array(CLASSES, dtype=object)[codes]
    labels[:unlabelled] = ""
    for folder in ("one", "two"):
        plot_embedding(values, labels, CLASSES, "tsne", "Last layer", tmp_path / folder / "map", 0, "SIMULATED data")
    files = sorted((tmp_path / "one").iterdir())
    assert [file.name for file in files] == ["map.png", "map.svg"]
    assert [file.read_bytes() for file in files] == [(tmp_path / "two" / file.name).read_bytes() for file in files]
    text = files[1].read_text(encoding="utf-8")
    assert [part for part in ("Last layer", "t-SNE 1", "t-SNE 2", "SIMULATED data", "S (") if part not in text] == []
    assert (f"unlabelled ({unlabelled})" in text) == (unlabelled > 0)
