"""Gene sets against random sets of their size: do their genes cluster the samples by label better than chance?"""

import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import homogeneity_completeness_v_measure
from tqdm import tqdm

from genestrata.clustering import purity, standardise_genes
from genestrata.cohort import Cohort
from genestrata.embedding import map_points
from genestrata.gene_sets import check_size
from genestrata.kmeans import k_means
from genestrata.parts import Part, check_clusters
from genestrata.ranking import expressed_or_all
from genestrata.seeds import derive_seed
from genestrata.set_names import EXPRESSION, SCORES, UMAP

logger = logging.getLogger(__name__)

NULL_COLUMNS = ["scope", "space", "set", "kind", "draw", *SCORES]


class Judge(NamedTuple):
    """How a gene set is judged: k-means with `restarts` starts in each of `spaces`, `seed` for starts and maps; `draws`
    random sets of each kind."""

    spaces: Sequence[str]
    restarts: int
    draws: int
    seed: int


def same_distances(Z: np.ndarray) -> np.ndarray:
    """Points with the distances of the rows of Z (n_samples, n_genes) in at most n_samples dimensions.

    All principal components: k-means finds the same clusters in them, at a cost that does not grow with the genes.
    """
    if Z.shape[1] <= len(Z):
        return Z
    shares, directions = np.linalg.eigh(Z @ Z.T)
    return np.ascontiguousarray((directions * np.sqrt(np.maximum(shares, 0)))[:, ::-1])


def agreement(values: np.ndarray, labels: np.ndarray, judge: Judge) -> pd.DataFrame:
    """SCORES of k-means (k = number of labels present) on the standardised genes of the rows given, and on their map,
    one row per space."""
    points = same_distances(standardise_genes(values))
    rows = {}
    for space in judge.spaces:
        placed = map_points(points, "umap", judge.seed) if space == UMAP else points
        clusters = k_means(placed, len(set(labels)), judge.restarts, judge.seed)
        homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(labels, clusters)
        rows[space] = dict(zip(SCORES, (v_measure, homogeneity, completeness, purity(labels, clusters)), strict=True))
    return pd.DataFrame(rows).T[list(SCORES)]


def expression_strata(values: np.ndarray) -> np.ndarray:
    """Cell of each gene in the grid of deciles of its mean and its variance, (n_features,) int; a gene that is missing
    in all rows has the lowest of both."""
    with warnings.catch_warnings():
        # A gene without any value is met below.
        warnings.filterwarnings("ignore", "Mean of empty slice|Degrees of freedom", RuntimeWarning)
        statistics = (np.nanmean(values, axis=0), np.nanvar(values, axis=0))
    deciles = [
        pd.qcut(
            pd.Series(statistic).rank(method="first", na_option="top"), min(10, values.shape[1]), labels=False
        ).to_numpy()
        for statistic in statistics
    ]
    return deciles[0] * 10 + deciles[1]


def matched_draw(strata: np.ndarray, members: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random set with as many genes of each stratum as `members` has; strata : (n_features,) int."""
    wanted = np.bincount(strata[members], minlength=strata.max() + 1)
    # Genes in random order within their stratum, of which the first are taken.
    order = np.lexsort((random.random(len(strata)), strata))
    first = np.searchsorted(strata[order], np.arange(len(wanted)))
    return np.concatenate([order[start : start + count] for start, count in zip(first, wanted, strict=True)])


def significance(value: float, null: np.ndarray) -> dict[str, float | None]:
    """A value among draws (n_draws,) of chance: their mean, standard deviation, 95th percentile, and two one-sided p.

    p counts: (1 + b) / (1 + R), b of the R draws being as large. p_t is that of a t test of one further draw from a
    normal distribution (Crawford and Howell 1998, Clinical Neuropsychologist 12:482), None for draws without spread.
    """
    reached, draws = int((null >= value - 1e-12).sum()), len(null)
    spread = float(null.std(ddof=1)) if draws > 1 else 0.0
    p_t = None
    if spread > 1e-12:
        p_t = float(stats.t.sf((value - null.mean()) / (spread * np.sqrt(1 + 1 / draws)), draws - 1))
    return {
        "mean": float(null.mean()),
        "sd": spread,
        "percentile_95": float(np.percentile(null, 95)),
        "p": (1 + reached) / (1 + draws),
        "p_t": p_t,
    }


class Scope:
    """Parts of one kind, in sample or out of sample, with the genes that random sets are drawn from in each.

    A score is the mean over the parts. Every draw has a seed of its own, so that a set's figures do not depend on which
    others are compared; sets of equal size share the free draws.
    """

    def __init__(self, name: str, cohort: Cohort, parts: Sequence[Part], select: Mapping[str, Any], judge: Judge):
        self.name, self.parts, self.judge = name, parts, judge
        self.values, self.labels = cohort.values, cohort.labels.astype(str)
        for part in parts:
            check_clusters(self.labels[part.clustered], f"{name}, part {part.name}")
        # What is expressed, and the strata, are read from the rows that chose the sets.
        limits = select.get("expressed")
        self.expressed = [np.flatnonzero(expressed_or_all(self.values[part.fitted], limits)) for part in parts]
        self._free: dict[tuple[int, ...], pd.DataFrame] = {}

    def score(self, columns: Sequence[np.ndarray], spaces: Sequence[str] | None = None) -> pd.DataFrame:
        """Mean of `agreement` over the parts; columns : those of the set, one array per part."""
        judge = self.judge if spaces is None else self.judge._replace(spaces=spaces)
        tables = [
            agreement(self.values[np.ix_(part.clustered, chosen)], self.labels[part.clustered], judge)
            for part, chosen in zip(self.parts, columns, strict=True)
        ]
        return sum(tables) / len(tables)

    def free_sets(self, sizes: Sequence[int], draw: int) -> list[np.ndarray]:
        """Columns of the draw-th random set of expressed genes, for each part."""
        random = np.random.default_rng(derive_seed(self.judge.seed, self.name, "free", *map(str, sizes), str(draw)))
        return [random.choice(pool, size, replace=False) for pool, size in zip(self.expressed, sizes, strict=True)]

    def free_null(self, sizes: Sequence[int]) -> pd.DataFrame:
        """Scores of random sets of expressed genes: space, kind, draw, SCORES."""
        key = tuple(sizes)
        if key not in self._free:
            sets = (self.free_sets(sizes, draw) for draw in range(self.judge.draws))
            self._free[key] = self._null("free", sets, self.judge.spaces)
        return self._free[key]

    def matched_null(self, name: str, columns: Sequence[np.ndarray]) -> pd.DataFrame:
        """Scores of random sets matched with a set, on the standardised expression: space, kind, draw, SCORES."""
        random = np.random.default_rng(derive_seed(self.judge.seed, self.name, "matched", name))
        pools = []
        for part, expressed_here, chosen in zip(self.parts, self.expressed, columns, strict=True):
            # A set may hold genes below the level in these rows; they are matched among themselves.
            pool = np.union1d(expressed_here, chosen)
            strata = expression_strata(self.values[np.ix_(part.fitted, pool)])
            pools.append((pool, strata, np.searchsorted(pool, chosen)))

        def draw_sets() -> list[np.ndarray]:
            return [pool[matched_draw(strata, members, random)] for pool, strata, members in pools]

        return self._null("matched", (draw_sets() for _ in range(self.judge.draws)), [EXPRESSION])

    def _null(self, kind: str, sets: Iterable[list[np.ndarray]], spaces: Sequence[str]) -> pd.DataFrame:
        tables = [pd.DataFrame(columns=NULL_COLUMNS[1:])]
        bar = tqdm(sets, total=self.judge.draws, desc=f"{self.name}, {kind}", leave=False, disable=None)
        for draw, columns in enumerate(bar):
            scores = self.score(columns, spaces).rename_axis("space").reset_index()
            tables.append(scores.assign(kind=kind, draw=draw))
        return pd.concat(tables[1:] or tables, ignore_index=True)

    def compare(self, name: str, columns: Sequence[np.ndarray]) -> tuple[dict[str, Any], pd.DataFrame]:
        """Judge one set against random sets of its size; columns : those of the set, one array per part.

        Returns its SCORES on the standardised expression, with the significance of the V-measure among free and matched
        draws, the same for the map under `umap` (free draws only), its size in the first part (`genes`) and in each
        (`sizes`), and the draws. Raises InputError for a set of more genes than are expressed.
        """
        sizes = [len(chosen) for chosen in columns]
        for size, pool in zip(sizes, self.expressed, strict=True):
            check_size(size, len(pool), f"set {name}, {self.name}")
        scores = self.score(columns)
        null = pd.concat([self.free_null(sizes), self.matched_null(name, columns)], ignore_index=True)
        found: dict[str, Any] = {}
        for space in self.judge.spaces:
            entry: dict[str, Any] = {key: float(scores.loc[space, key]) for key in SCORES}
            for kind, draws in null[null["space"] == space].groupby("kind"):
                entry[kind] = significance(entry["v_measure"], draws["v_measure"].to_numpy(dtype=float))
            found[space] = entry
        summary = {
            "genes": sizes[0],
            "sizes": {part.name: size for part, size in zip(self.parts, sizes, strict=True)},
            "random_sets": self.judge.draws,
            **found.pop(EXPRESSION),
            **found,
        }
        logger.info(
            "%s: %s: V-measure %.3f against %d random sets of each kind",
            self.name,
            name,
            summary["v_measure"],
            self.judge.draws,
        )
        return summary, null.assign(scope=self.name, set=name)[NULL_COLUMNS]

    def compare_sets(self, sets: Mapping[str, Sequence[np.ndarray]]) -> tuple[dict[str, Any], pd.DataFrame]:
        """`compare` for every set, the first one's figures on top; all genes as a reference without draws."""
        compared, tables = {}, []
        for name, columns in sets.items():
            compared[name], null = self.compare(name, columns)
            tables.append(null)
        everything = self.score([np.arange(self.values.shape[1])] * len(self.parts))
        reference = {space: row.astype(float).to_dict() for space, row in everything.iterrows()}
        first = next(iter(sets))
        summary = {
            **{key: value for key, value in compared[first].items() if key != UMAP},
            "set": first,
            "parts": {
                part.name: {
                    "samples": len(part.clustered),
                    "labels": len(set(self.labels[part.clustered])),
                    "fitted": len(part.fitted),
                }
                for part in self.parts
            },
            "sets": compared,
            "all_genes": {"genes": self.values.shape[1], **reference.pop(EXPRESSION), **reference},
        }
        return summary, pd.concat(tables, ignore_index=True)
