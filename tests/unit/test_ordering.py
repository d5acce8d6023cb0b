"""Orders of genes for networks that look at neighbours, and the table of positions on the chromosomes."""

import itertools

import numpy as np
import pytest

from genestrata.errors import InputError
from genestrata.ordering import GENE_ORDERS, order_features, read_genome_order, square_side


def order(method, Z, columns=None, genome_order=None, seed=0):
    columns = np.arange(Z.shape[1]) if columns is None else columns
    return order_features(method, Z, columns, genome_order, seed)


def draw_blocks(seed=0, samples=40, blocks=3, genes=4):
    """Genes in blocks that go up and down together: values (samples, genes) and the block of each gene."""
    random = np.random.default_rng(seed)
    block = np.repeat(np.arange(blocks), genes)
    return random.normal(size=(samples, blocks))[:, block] + 0.3 * random.normal(size=(samples, len(block))), block


def neighbours(names):
    return {frozenset(pair) for pair in itertools.pairwise(names)}


@pytest.mark.parametrize("n_features", [1, 2, 3, 12])
@pytest.mark.parametrize("method", GENE_ORDERS)
def test_every_order_has_every_gene_once(method, n_features):
    random = np.random.default_rng(1)
    Z = random.normal(size=(20, n_features)).astype(np.float32)
    columns = random.choice(50, n_features, replace=False)
    chosen = order(method, Z, columns, random.permutation(50))
    assert sorted(chosen) == list(range(n_features))


@pytest.mark.parametrize("seed", range(4))
def test_clustered_order_keeps_correlated_genes_together_whatever_the_order_given(seed):
    Z, block = draw_blocks()
    clustered = order("clustered", Z)
    shuffle = np.random.default_rng(seed).permutation(len(block))
    names = shuffle[order("clustered", Z[:, shuffle])]
    assert np.count_nonzero(np.diff(block[shuffle])) > 2
    assert np.count_nonzero(np.diff(block[names])) == 2
    # A tree can be read from either end.
    assert neighbours(names) == neighbours(clustered)


def test_clustered_order_follows_a_gradient():
    """Genes that change little by little from one pattern to another: any other order has less similar neighbours."""
    random = np.random.default_rng(2)
    angle = np.linspace(0, np.pi / 2, 9)
    first, second = np.linalg.qr(random.normal(size=(30, 3)))[0][:, :2].T
    Z = np.outer(first, np.cos(angle)) + np.outer(second, np.sin(angle))
    shuffle = random.permutation(9)
    assert neighbours(shuffle[order("clustered", Z[:, shuffle])]) == neighbours(range(9))


def test_genes_that_move_against_each_other_are_not_alike():
    Z, block = draw_blocks(blocks=2)
    Z = np.concatenate([Z, -Z], axis=1)
    clustered = order("clustered", Z)
    kind = np.concatenate([block, block + 2])[clustered]
    assert np.count_nonzero(np.diff(kind)) == 3


@pytest.mark.parametrize("constant", [[0], [1, 5, 9], range(12)])
def test_constant_genes_do_not_break_the_clustered_order(constant):
    Z, block = draw_blocks()
    Z[:, list(constant)] = 0
    clustered = order("clustered", Z)
    assert sorted(clustered) == list(range(12))
    kept = [gene for gene in clustered if gene not in constant]
    assert np.count_nonzero(np.diff(block[kept])) == (2 if kept else 0)


def alike_beside(order, block):
    """Share of neighbours in a square, along rows and along columns, that are of one block."""
    side = square_side(len(order))
    picture = np.full(side**2, -1)
    picture[: len(order)] = block[order]
    picture = picture.reshape(side, side)
    pairs = [(picture[:, :-1], picture[:, 1:]), (picture[:-1], picture[1:])]
    return [float(np.mean((one == other)[(one >= 0) & (other >= 0)])) for one, other in pairs]


def test_genes_that_are_expressed_alike_are_neighbours_on_the_grid_along_both_sides():
    Z, block = draw_blocks(blocks=4, genes=24)
    shuffle = np.random.default_rng(0).permutation(len(block))
    along_rows, along_columns = alike_beside(order("grid", Z[:, shuffle]), block[shuffle])
    assert along_rows > 0.8 and along_columns > 0.5
    assert max(alike_beside(np.arange(len(block)), block[shuffle])) < 0.35


@pytest.mark.parametrize("constant", [[0], range(12)])
def test_constant_genes_do_not_break_the_grid(constant):
    Z, _ = draw_blocks()
    Z[:, list(constant)] = 0
    assert sorted(order("grid", Z)) == list(range(12))


def test_grid_depends_on_the_seed_and_on_training_rows_only():
    Z, _ = draw_blocks(genes=12)
    first = order("grid", Z, seed=1)
    np.testing.assert_array_equal(order("grid", Z, columns=np.arange(36)[::-1], seed=1), first)
    assert not np.array_equal(order("grid", Z, seed=2), first)


def test_file_order_is_that_of_the_data():
    columns = np.array([7, 2, 31, 11])
    Z = np.zeros((5, 4), dtype=np.float32)
    assert columns[order("file", Z, columns)].tolist() == [2, 7, 11, 31]


def test_shuffled_order_depends_on_genes_and_seed_only():
    columns = np.random.default_rng(3).choice(100, 12, replace=False)
    Z, _ = draw_blocks()
    again = np.random.default_rng(4).permutation(12)
    first = columns[order("shuffled", Z, columns, seed=5)]
    assert columns[again][order("shuffled", -Z, columns[again], seed=5)].tolist() == first.tolist()
    assert sorted(first) == sorted(columns)
    assert first.tolist() not in (columns.tolist(), sorted(columns))
    assert columns[order("shuffled", Z, columns, seed=6)].tolist() != first.tolist()


def test_position_order_is_that_of_the_chromosomes():
    columns = np.array([4, 0, 3])
    genome_order = np.array([2, 0, 1, 4, 3])
    Z = np.zeros((5, 3), dtype=np.float32)
    assert columns[order("position", Z, columns, genome_order)].tolist() == [0, 4, 3]


@pytest.mark.parametrize("method", ["position", "alphabetical"])
def test_order_without_positions_or_of_another_name_is_an_error(method):
    with pytest.raises(ValueError, match=method):
        order(method, np.zeros((5, 4)))


# The table of positions

TABLE = """feature\tchromosome\tstart
on_x\tchrX\t5
late_on_2\tchr2\t1000
on_10\tchr10\t1
not_measured\tchr1\t7
early_on_2\tchr2\t999
on_1\t1\t100000
on_mt\tMT\t3
"""
FEATURES = ["zz", "on_mt", "on_x", "late_on_2", "on_10", "aa", "early_on_2", "on_1"]
IN_ORDER = ["on_1", "early_on_2", "late_on_2", "on_10", "on_mt", "on_x", "aa", "zz"]


@pytest.fixture
def positions(tmp_path):
    def write(text):
        (tmp_path / "positions.tsv").write_text(text)
        return tmp_path / "positions.tsv"

    return write


@pytest.mark.parametrize("features", [FEATURES, sorted(FEATURES), IN_ORDER[::-1]])
def test_chromosomes_come_by_number_then_by_name_and_unknown_features_last(features, positions):
    features = np.array(features, dtype=object)
    places = read_genome_order(positions(TABLE), features)
    assert features[np.argsort(places)].tolist() == IN_ORDER
    assert sorted(places) == list(range(len(features)))


def test_order_of_rows_and_columns_of_the_table_does_not_matter(positions):
    header, *rows = [line.split("\t")[::-1] for line in TABLE.splitlines()]
    mixed = "\n".join("\t".join(cells) for cells in [header, *rows[::-1]])
    features = np.array(FEATURES, dtype=object)
    places = read_genome_order(positions(mixed), features)
    assert features[np.argsort(places)].tolist() == IN_ORDER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TABLE.replace("start", "begin"), "no column 'start'; found: feature, chromosome, begin"),
        (TABLE.replace("feature", "gene"), "no column 'feature'"),
        (TABLE.replace("early_on_2", "late_on_2"), "feature 'late_on_2' has more than one row"),
        (TABLE.replace("999", "q24"), "column 'start': found 'q24', expected a finite number"),
        ("feature\tchromosome\tstart\nBRCA1\t17\t1\n", "none of its features is in the data, e.g. 'BRCA1'"),
        ("feature\tchromosome\tstart\n", "a header line without rows"),
    ],
)
def test_mistake_in_the_table_is_explained(text, expected, positions):
    with pytest.raises(InputError) as caught:
        read_genome_order(positions(text), np.array(FEATURES, dtype=object))
    assert "positions.tsv: " in str(caught.value)
    assert expected in str(caught.value)


def test_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.tsv: no such file"):
        read_genome_order(tmp_path / "absent.tsv", np.array(FEATURES, dtype=object))
