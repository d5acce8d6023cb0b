"""Simulated resistance genes: variants of parent genes whose translated protein decides if they give resistance."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genestrata.dna import AMINO_ACIDS, NUCLEOTIDES, translate
from genestrata.errors import InputError

DEFAULTS = {
    "families": 12,
    "length": 120,
    "mutations": 6.0,
    "indels": 0.5,
    "stops": 0.1,
    "label_noise": 0.05,
}
CLASSES = ("resistant", "susceptible")
# Residues that each place of the active site tolerates. All families share it; by chance no protein holds it.
ACTIVE_SITE = ("ST", "D", "FY", "K", "G", "IV", "H", "N")
# Half of the susceptible lose a residue of the active site; premature stops and shifts of the frame share the rest.
SITE_LOSS = 0.5
LONGEST_INDEL = 6

_SITE = len(ACTIVE_SITE)
_SITE_PATTERN = re.compile("".join(f"[{residues}]" for residues in ACTIVE_SITE))
_LETTERS = np.frombuffer(NUCLEOTIDES.encode(), dtype=np.uint8)
# Codon number 16 a + 4 b + c: its bases, and its residue.
_BASES = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
_RESIDUES = np.array(list(translate(_LETTERS[_BASES].tobytes().decode())))
_STOPS = np.flatnonzero(_RESIDUES == "*")
_SENSE = np.flatnonzero(_RESIDUES != "*")
_START = np.flatnonzero(_RESIDUES == "M")[0]


def is_resistant(protein: str) -> bool:
    """Does the translated protein, up to its first stop, hold an active site of tolerated residues?"""
    return _SITE_PATTERN.search(protein.partition("*")[0]) is not None


def best_accuracy(settings: Mapping[str, Any]) -> float:
    """The expected accuracy of a classifier that knows the rule: only the flipped labels are beyond it."""
    return 1.0 - (DEFAULTS | dict(settings))["label_noise"]


def simulate(settings: Mapping[str, Any], seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Draw variants of parent genes, resistant and susceptible.

    settings : `classes` (number of variants of each class before noise: resistant, susceptible) and any of DEFAULTS:
    `families`, number of unrelated parents; `length`, codons of a parent with start and stop, at least 40; `mutations`,
    mean number of substitutions (Poisson; one that would make a stop is dropped); `indels`, mean number of insertions
    and deletions of 1 to 6 letters (Poisson); `stops`, share of variants with a premature stop, at most 0.5;
    `label_noise`, probability that a label is flipped.

    Each family has the ACTIVE_SITE somewhere in the middle half of its protein, and a variant is resistant if its own
    protein holds it (`is_resistant`). Half of the susceptible have a residue of the site that is not tolerated, a share
    `stops` has a stop before the site, and in the others an indel before it shifts the frame (without indels, they lose
    a residue too). Neither codons nor stops nor indels tell the class by themselves: every variant draws tolerated
    residues of the site and their codons anew; the resistant have as many premature stops, behind the site; indels
    beyond the one that shifts the frame add or remove whole codons, or come behind the site.

    Returns the table (sample, sequence), samples (sample, label, group: the family, "" where there is only one) and
    truth: sample, class (before noise), family, site_start (0-based letter) and three bools, active_site_intact,
    frameshift (at the site) and premature_stop (before the end of the site); only the first is true of the resistant. A
    perfect classifier predicts `class`: on any set of samples, the share whose class is their label is the best
    accuracy, 1 - label_noise in expectation. Raises InputError for other classes.
    """
    settings = DEFAULTS | dict(settings)
    wanted = settings["classes"]
    if set(wanted) != set(CLASSES):
        raise InputError(
            f"sources.simulated: classes of resistance_genes are {' and '.join(CLASSES)}, found {', '.join(wanted)}"
        )
    random = np.random.default_rng(seed)
    resistant = np.repeat([True, False], [wanted[name] for name in CLASSES])
    n_samples, length = len(resistant), settings["length"]
    parents, places = _parents(settings["families"], length, random)
    family = random.integers(settings["families"], size=n_samples)
    place = places[family]

    chance = random.random(n_samples)
    stopped = chance < settings["stops"]
    lost = ~resistant & ~stopped & ((chance >= 1 - SITE_LOSS) | (settings["indels"] == 0))
    shifted = ~resistant & ~stopped & ~lost

    codons = parents[family]
    _substitute(codons, place, settings["mutations"], random)
    codons[np.arange(n_samples)[:, None], place[:, None] + np.arange(_SITE)] = _sites(lost, random)
    genes = [gene.tobytes().decode() for gene in _LETTERS[_BASES[codons]]]

    site_start = 3 * place
    number = np.maximum(random.poisson(settings["indels"], n_samples), shifted)
    for row in np.flatnonzero(number):
        genes[row], site_start[row] = _with_indels(genes[row], site_start[row], number[row], shifted[row], random)
    # After the indels, of which one might remove the stop.
    for row in np.flatnonzero(stopped):
        first, last = (
            (site_start[row] // 3 + _SITE, len(genes[row]) // 3 - 1) if resistant[row] else (1, site_start[row] // 3)
        )
        genes[row] = _with_stop(genes[row], random.integers(first, last), random)

    proteins = [translate(gene) for gene in genes]
    classes = np.where([is_resistant(protein) for protein in proteins], *CLASSES)
    other = np.where(classes == CLASSES[0], *CLASSES[::-1])
    site_ends = site_start // 3 + _SITE
    families = np.array([f"family_{number:02d}" for number in range(1, settings["families"] + 1)])[family]
    columns = {
        "sequence": genes,
        "label": np.where(random.random(n_samples) < settings["label_noise"], other, classes),
        "group": families if settings["families"] > 1 else "",
        "class": classes,
        "family": families,
        "site_start": site_start,
        "active_site_intact": ~lost,
        "frameshift": (site_start - 3 * place) % 3 != 0,
        "premature_stop": ["*" in protein[:end] for protein, end in zip(proteins, site_ends, strict=True)],
    }
    # Neither the order nor the names of genes tell the class.
    drawn = pd.DataFrame(columns).iloc[random.permutation(n_samples)].reset_index(drop=True)
    drawn.insert(0, "sample", [f"gene_{number:06d}" for number in range(1, n_samples + 1)])
    return drawn[["sample", "sequence"]], drawn[["sample", "label", "group"]], drawn[["sample", *list(columns)[3:]]]


def _parents(families: int, length: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Codon numbers of the parents, (families, length) uint8, and the codon at which each one's site begins.

    Residues are equally frequent, as are the codons of each.
    """
    parents = _draw_codons(AMINO_ACIDS, (families, length), random)
    parents[:, 0] = _START
    parents[:, -1] = random.choice(_STOPS, families)
    return parents, random.integers(length // 4, 3 * length // 4 - _SITE, size=families)


def _draw_codons(residues: str, shape: int | tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Codon numbers, uint8, of residues drawn with equal chance, and of each residue its codons with equal chance."""
    wanted = np.isin(_RESIDUES, list(residues)).astype(float)
    synonyms = (_RESIDUES[:, None] == _RESIDUES).sum(axis=1)
    weights = wanted / synonyms
    return random.choice(64, size=shape, p=weights / weights.sum()).astype(np.uint8)


def _sites(lost: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Codon numbers of an active site for each variant, (n, residues) uint8; where `lost`, one is not tolerated."""
    codons = np.stack([_draw_codons(residues, len(lost), random) for residues in ACTIVE_SITE], axis=1)
    changed = random.integers(_SITE, size=len(lost))
    for place, residues in enumerate(ACTIVE_SITE):
        rows = np.flatnonzero(lost & (changed == place))
        codons[rows, place] = _draw_codons("".join(set(AMINO_ACIDS) - set(residues)), len(rows), random)
    return codons


def _substitute(codons: np.ndarray, place: np.ndarray, mean: float, random: np.random.Generator) -> None:
    """Change letters in place, outside of the start, the site at codon `place` and the final stop of each variant."""
    n_samples, length = codons.shape
    rows = np.repeat(np.arange(n_samples), random.poisson(mean, n_samples))
    columns = random.integers(1, length - 1 - _SITE, size=len(rows))
    columns += np.where(columns >= place[rows], _SITE, 0)
    weight = 4 ** random.integers(3, size=len(rows))
    old = codons[rows, columns].astype(int)
    base = old // weight % 4
    new = old + ((base + random.integers(1, 4, size=len(rows))) % 4 - base) * weight
    kept = ~np.isin(new, _STOPS)
    codons[rows[kept], columns[kept]] = new[kept]


def _with_indels(
    gene: str, site_start: int, number: int, shifted: bool, random: np.random.Generator
) -> tuple[str, int]:
    """A gene after `number` insertions and deletions, and the letter at which its active site now begins.

    shifted : the first indel comes before the site and is no whole number of codons. Others before the site are.
    """
    for step in range(number):
        size = random.integers(1, LONGEST_INDEL + 1)
        shifts = step == 0 and shifted
        if shifts:
            size -= size % 3 == 0
        whole = size % 3 == 0
        before = shifts or (whole and random.random() < site_start / len(gene))
        # The start codon, the site and the final stop stay.
        low, high = (3, site_start) if before else (site_start + 3 * _SITE, len(gene) - 3)
        unit = 3 if whole else 1
        removed = random.random() < 0.5 and high - low > LONGEST_INDEL
        at = low + unit * random.integers((high - low - size * removed) // unit + 1)
        letters = "" if removed else _LETTERS[_BASES[random.choice(_SENSE, 2)]].tobytes().decode()[:size]
        gene = gene[:at] + letters + gene[at + size * removed :]
        site_start += before * (len(letters) - size * removed)
    return gene, site_start


def _with_stop(gene: str, codon: int, random: np.random.Generator) -> str:
    """A gene whose codon of that number is a stop."""
    stop = _LETTERS[_BASES[random.choice(_STOPS)]].tobytes().decode()
    return gene[: 3 * codon] + stop + gene[3 * codon + 3 :]
