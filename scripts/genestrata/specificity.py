"""How specific a gene is to few classes: tau of Yanai et al. 2005, Bioinformatics 21:650."""

import numpy as np


def lowest_level(values: np.ndarray) -> float:
    """The level that counts as no expression, for `tau`: 0, or the smallest value where all are above it.

    Abundances on a log scale have their 0 at no or at one unit; floored intensities begin at the floor.
    """
    return max(0.0, float(np.nanmin(values)))


def tau(means: np.ndarray, lowest: float) -> np.ndarray:
    """Tissue specificity of genes, (n_genes,) from 0, the same mean in every class, to 1, expressed in one class only.

    means : (n_classes, n_genes) class means on the log scale of the cleaned data, at least two classes, NaN for a class
    without a value; lowest : level of no expression, means below it count as it. With x the mean of a class above that
    level as a share of the largest one, tau = Σ (1 - x) / (n_classes - 1). NaN for a gene that no class expresses.
    """
    height = np.maximum(means - lowest, 0.0)
    known = ~np.isnan(height)
    with np.errstate(all="ignore"):
        share = height / np.fmax.reduce(height, axis=0)
        return np.where(known, 1 - share, 0.0).sum(axis=0) / (known.sum(axis=0) - 1)
