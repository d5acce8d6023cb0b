"""Differences between classes with variances shrunk towards what all genes have in common: moderated t and F of Smyth
2004, Stat Appl Genet Mol Biol 3:3."""

from typing import NamedTuple

import numpy as np
from scipy.special import digamma, polygamma
from scipy.stats import chi2, f

# A spread far below that of the other genes is what rounding or a floor leaves; it says nothing of the common variance.
SMALLEST_VARIANCE = 1e-5


class Prior(NamedTuple):
    """What all genes say of the variance of one: s0² = `variance`, worth `df` (d0) samples; 0 shrinks nothing."""

    df: float
    variance: float


NO_PRIOR = Prior(0.0, 0.0)


class Differences(NamedTuple):
    """Differences between classes, gene by gene.

    classes : sorted labels; f, p : (n_genes,) of all class means at once, p for K - 1 and d0 + d degrees of freedom;
    t : (n_classes, n_genes) of each class against the mean of the other classes' means; df : d, of the pooled variance;
    prior : what the variances were shrunk towards
    """

    classes: list[str]
    f: np.ndarray
    p: np.ndarray
    t: np.ndarray
    df: int
    prior: Prior


def inverse_trigamma(value: float) -> float:
    """The x > 0 at which the trigamma function has this value > 0, by Newton's method (appendix of the paper)."""
    if value > 1e7:
        return float(1 / np.sqrt(value))
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    step = x
    while abs(step) > 1e-9 * x:
        trigamma = polygamma(1, x)
        step = trigamma * (1 - trigamma / value) / polygamma(2, x)
        x += step
    return float(x)


def fit_prior(variances: np.ndarray, df: int) -> Prior:
    """Fit d0 and s0² to the variances (n_genes,) > 0, each with `df` degrees of freedom, by the moments of their logs.

    Variances below SMALLEST_VARIANCE medians are left out. d0 is infinite where the variances differ no more than those
    of samples of one common variance would. No gene, no prior.
    """
    if not len(variances):
        return NO_PRIOR
    logs = np.log(variances[variances >= SMALLEST_VARIANCE * np.median(variances)])
    logs += np.log(df / 2) - digamma(df / 2)
    excess = (logs.var(ddof=1) if len(logs) > 1 else 0.0) - polygamma(1, df / 2)
    if excess <= 0:
        return Prior(np.inf, float(np.exp(logs.mean())))
    prior_df = 2 * inverse_trigamma(float(excess))
    return Prior(prior_df, float(np.exp(logs.mean() + digamma(prior_df / 2) - np.log(prior_df / 2))))


def shrink(variances: np.ndarray, df: int, prior: Prior) -> np.ndarray:
    """Posterior variances (d0 s0² + d s²) / (d0 + d), (n_genes,); s0² for all if d0 is infinite."""
    if np.isinf(prior.df):
        return np.full_like(variances, prior.variance)
    return (prior.df * prior.variance + df * variances) / (prior.df + df)


def class_means(values: np.ndarray, labels: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Sorted classes, their sizes (n_classes,) and means (n_classes, n_genes) float64 of values without gaps."""
    classes, codes, sizes = np.unique(np.asarray(labels, dtype=str), return_inverse=True, return_counts=True)
    member = (codes == np.arange(len(classes))[:, None]) / sizes[:, None]
    return classes.tolist(), sizes, member @ values.astype(float)


def difference(values: np.ndarray, means: np.ndarray) -> np.ndarray:
    """values - means, 0 where it is no more than rounding: the mean of equal numbers may differ from them by that."""
    result = values - means
    result[np.abs(result) <= 1e-12 * np.abs(values)] = 0.0
    return result


def compare_classes(values: np.ndarray, labels: np.ndarray, prior: Prior | None = None) -> Differences:
    """Moderated F and t of every gene.

    values : (n_samples, n_genes) without gaps, on a log scale; labels : (n_samples,) of at least two classes; prior :
    fitted to the genes that vary within a class unless it is given (NO_PRIOR for the ordinary F and t). A gene without
    spread within classes is judged by the prior alone. NaN where a statistic is undefined: everywhere with one sample
    per class, which leaves no degree of freedom for a variance.
    """
    values = np.asarray(values, dtype=float)
    classes, sizes, means = class_means(values, labels)
    codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)[1]
    n_classes, df = len(classes), len(values) - len(classes)
    if df == 0:
        empty = np.full(values.shape[1], np.nan)
        return Differences(classes, empty, empty, np.full(means.shape, np.nan), 0, prior or NO_PRIOR)
    variances = (difference(values, means[codes]) ** 2).sum(axis=0) / df
    if prior is None:
        prior = fit_prior(variances[variances > 0], df)
    posterior = shrink(variances, df, prior)
    with np.errstate(all="ignore"):
        between = difference(means, sizes @ means / len(values))
        ratio = sizes @ between**2 / (n_classes - 1) / posterior
        # Each class against the unweighted mean of the other classes.
        others = (means.sum(axis=0) - means) / (n_classes - 1)
        shares = 1 / sizes
        spread = shares + (shares.sum() - shares) / (n_classes - 1) ** 2
        t = difference(means, others) / np.sqrt(spread[:, None] * posterior)
        total = prior.df + df
        p = chi2.sf(ratio * (n_classes - 1), n_classes - 1) if np.isinf(total) else f.sf(ratio, n_classes - 1, total)
    return Differences(classes, ratio, p, t, df, prior)


def moderated_f(values: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moderated F (n_genes,) and its p, in the form of scikit-learn's `f_classif`."""
    differences = compare_classes(values, labels)
    return differences.f, differences.p
