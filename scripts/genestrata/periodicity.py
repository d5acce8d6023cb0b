"""How periodic the genes of each experiment are, and how well its cells stay in step."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from genestrata.sinusoids import FALSE_DISCOVERY_RATE, FEWEST_POINTS, find_period, fit_sinusoid
from genestrata.time_points import experiments_of

# Random orders of the time points; their shares are pooled over all genes, so that few orders give many values.
PERMUTATIONS = 20


def null_shares(
    X: np.ndarray, minutes: np.ndarray, period: float, permutations: int, random: np.random.Generator
) -> np.ndarray:
    """Shares of variance explained by the period with the time points in random orders, sorted, pooled over rows.

    Missing points move with the values, so that each row keeps its number of points.
    """
    shares = [fit_sinusoid(X[:, random.permutation(X.shape[1])], minutes, period)[1] for _ in range(permutations)]
    return np.sort(np.concatenate(shares))


def score_experiments(values: np.ndarray, features: Sequence[str], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Periodicity of every row in every experiment, and one line on each experiment.

    values : (n, n_features), NaN for missing. The score is the share of a row's variance that one sinusoid of the
    experiment's period explains; its p value comes from random orders of the time points (`seed`), pooled over genes,
    and the false discovery rate is Benjamini and Hochberg's. Orders of points are no model of a slow drift, which also
    passes. Returns (row, experiment, share, p, fdr, peak_minutes, amplitude) and (experiment, time_points, period,
    periodic_share, amplitude_kept): amplitude_kept is the median over periodic rows of the amplitude in the second
    cycle over that in the first, missing where the experiment is shorter than two cycles.
    """
    random = np.random.default_rng(seed)
    genes, experiments = [], []
    for name, (columns, minutes) in experiments_of(features).items():
        X = values[:, columns]
        period = find_period(X, minutes)
        coefficient, share = fit_sinusoid(X, minutes, period)
        null = null_shares(X, minutes, period, PERMUTATIONS, random)
        p = (1 + len(null) - np.searchsorted(null, share, side="left")) / (1 + len(null))
        fdr = false_discovery_control(p)
        periodic = fdr < FALSE_DISCOVERY_RATE
        genes.append(
            pd.DataFrame(
                {
                    "row": np.arange(len(X)),
                    "experiment": name,
                    "share": share,
                    "p": p,
                    "fdr": fdr,
                    "peak_minutes": np.angle(coefficient) / (2 * np.pi) % 1 * period,
                    "amplitude": np.abs(coefficient),
                }
            )
        )
        experiments.append(
            {
                "experiment": name,
                "time_points": len(columns),
                "period": period,
                "periodic_share": float(periodic.mean()),
                "amplitude_kept": amplitude_kept(X[periodic], minutes, period),
            }
        )
    return pd.concat(genes, ignore_index=True), pd.DataFrame(experiments)


def amplitude_kept(X: np.ndarray, minutes: np.ndarray, period: float) -> float:
    """Median over rows of the amplitude in the second cycle over that in the first; NaN for less than 1.75 cycles or no
    rows."""
    elapsed = minutes - minutes.min()
    first, second = elapsed < period, (elapsed >= period) & (elapsed < 2 * period)
    if len(X) == 0 or elapsed.max() < 1.75 * period or min(first.sum(), second.sum()) < FEWEST_POINTS:
        return float("nan")
    early, late = (np.abs(fit_sinusoid(X[:, part], minutes[part], period)[0]) for part in (first, second))
    return float(np.median(late[early > 0] / early[early > 0]))


def join_experiments(genes: pd.DataFrame) -> pd.DataFrame:
    """One line a row: the mean share over experiments, and Fisher's combination of the p values, with its own FDR.

    genes : first table of `score_experiments`. Experiments are independent cultures of the same strain background.
    """
    from scipy.stats import chi2

    grouped = genes.groupby("row")
    statistic = -2 * np.log(genes["p"]).groupby(genes["row"]).sum()
    p = chi2.sf(statistic, 2 * grouped.size())
    return pd.DataFrame(
        {"row": statistic.index, "share": grouped["share"].mean().to_numpy(), "p": p, "fdr": false_discovery_control(p)}
    )


def autocorrelation(X: np.ndarray, steps: int) -> np.ndarray:
    """Correlation of each row with itself 1 to `steps` time points later, (n, steps); NaN where undefined."""
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        # A row that was not measured has no mean.
        warnings.filterwarnings("ignore", message="Mean of empty slice")
        Z = X - np.nanmean(X, axis=1, keepdims=True)
        variance = np.nanmean(Z**2, axis=1)
        return np.stack(
            [np.nanmean(Z[:, lag:] * Z[:, :-lag], axis=1) / variance for lag in range(1, steps + 1)], axis=1
        )
