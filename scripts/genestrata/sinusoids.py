"""Sinusoids fitted to series of unequal steps and with missing points, by least squares (Lomb 1976, Astrophysics and
Space Science 39:447), on top of a line in time."""

import numpy as np

# Keeps rows with fewer points than coefficients solvable; such a row has a share of 0.
RIDGE = 1e-9
FEWEST_POINTS = 6
# Share of false ones among the rows that are called periodic.
FALSE_DISCOVERY_RATE = 0.05


def fit_sinusoid(X: np.ndarray, minutes: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit a line in time plus a cos(2 pi t / period) + b sin(2 pi t / period) to every row.

    X : (n, n_times), NaN for missing; minutes : (n_times,). Returns a + ib, (n,) complex, whose angle is 2 pi times the
    time of the peak over the period, and the share of the variance around the line that the sinusoid explains, (n,) in
    [0, 1]. Without the line a culture that drifts would pass for a long period.
    """
    minutes = np.asarray(minutes, dtype=float)
    angle = 2 * np.pi * minutes / period
    line = [np.ones_like(angle), (minutes - minutes.mean()) / max(np.ptp(minutes), 1.0)]
    observed = ~np.isnan(X)
    values = np.where(observed, X, 0.0).astype(float)
    _, total = _least_squares(values, observed, np.stack(line))
    coefficients, residual = _least_squares(values, observed, np.stack([*line, np.cos(angle), np.sin(angle)]))
    usable = (total > 1e-9) & (observed.sum(axis=1) >= FEWEST_POINTS)
    share = np.where(usable, 1 - residual / np.where(usable, total, 1.0), 0.0)
    return np.where(usable, coefficients[:, 2] + 1j * coefficients[:, 3], 0), np.clip(share, 0.0, 1.0)


def _least_squares(values: np.ndarray, observed: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (n, k) of the rows of `design` (k, n_times) for each row of values, and the squares left, (n,)."""
    k = len(design)
    products = (design[:, None] * design[None]).reshape(k * k, -1)
    normal = (observed @ products.T).reshape(-1, k, k) + RIDGE * np.eye(k)
    coefficients = np.linalg.solve(normal, (values @ design.T)[..., None])[..., 0]
    return coefficients, (observed * (values - coefficients @ design) ** 2).sum(axis=1)


def find_period(X: np.ndarray, minutes: np.ndarray, steps: int = 60) -> float:
    """The period that explains the largest share of variance on average over rows, from 4 steps to the whole span.

    One experiment has one period, that of its cells; no label is looked at.
    """
    if len(minutes) < 2:
        return 1.0
    span, step = np.ptp(minutes), np.median(np.diff(minutes))
    periods = np.geomspace(min(4 * step, span), span, steps)
    return float(max(periods, key=lambda period: fit_sinusoid(X, minutes, period)[1].mean()))
