"""Phase by Fourier analysis: the simple strong baseline of periodic time series (Spellman et al. 1998, Mol. Biol. Cell
9:3273, who ordered genes by it).

Each experiment gets one period, each gene the angle of its sinusoid there; experiments are turned to agree, and their
sum is the gene's angle. A class is a von Mises distribution on the circle, so that the last phase borders on the first.
"""

from typing import Any

import numpy as np

from genestrata.models.context import NO_CONTEXT, FitContext
from genestrata.sinusoids import find_period, fit_sinusoid
from genestrata.time_points import experiments_of

SEARCH_SPACE: dict[str, list[Any]] = {}
READS = "series"
# A class of few genes must not seem more certain than this; about 8 degrees.
LARGEST_CONCENTRATION = 50.0


class FourierPhaseClassifier:
    """Angles of rows and their classes.

    columns, minutes : of each experiment; periods, turns : (n_experiments,) minutes and radians; centres,
    concentrations, log_shares : (n_classes,) of the von Mises distributions
    """

    def fit(self, X: np.ndarray, y: np.ndarray, features: list[str]) -> "FourierPhaseClassifier":
        """X : (n, k) as measured, NaN for missing; y : (n,) int; features : `<experiment>_<minutes>`. Deterministic."""
        experiments = list(experiments_of(features).values())
        self.columns = [columns for columns, _ in experiments]
        self.minutes = [minutes for _, minutes in experiments]
        self.periods = np.array([find_period(X[:, columns], minutes) for columns, minutes in experiments])
        self.turns = np.zeros(len(experiments))
        parts = self._sinusoids(X)
        reference = parts[:, np.argmax([len(columns) for columns in self.columns])]
        self.turns = np.angle((parts * np.conj(reference)[:, None]).sum(axis=0))
        angle = self.angles(X)
        self.classes_ = np.unique(y)
        means = np.array([np.exp(1j * angle[y == label]).mean() for label in self.classes_])
        length = np.abs(means)
        self.centres = np.angle(means)
        # Approximate maximum likelihood, Banerjee et al. 2005, JMLR 6:1345.
        concentration = length * (2 - length**2) / np.maximum(1 - length**2, 1e-6)
        self.concentrations = np.clip(concentration, 0.01, LARGEST_CONCENTRATION)
        self.log_shares = np.log([np.mean(y == label) for label in self.classes_])
        return self

    def _sinusoids(self, X: np.ndarray) -> np.ndarray:
        """Sinusoid of each row in each experiment, (n, n_experiments) complex, by its share of the variance."""
        parts = []
        for columns, minutes, period in zip(self.columns, self.minutes, self.periods, strict=True):
            coefficient, share = fit_sinusoid(X[:, columns], minutes, period)
            length = np.abs(coefficient)
            parts.append(np.where(length > 0, coefficient / np.where(length > 0, length, 1.0), 0) * share)
        return np.stack(parts, axis=1)

    def angles(self, X: np.ndarray) -> np.ndarray:
        """Angle of each row on the cycle, (n,) radians."""
        return np.angle((self._sinusoids(X) * np.exp(-1j * self.turns)).sum(axis=1))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n, n_classes) of the von Mises mixture, given each row's angle."""
        from scipy.special import i0e, softmax

        kappa = self.concentrations
        apart = np.cos(self.angles(X)[:, None] - self.centres) - 1
        return softmax(kappa * apart - np.log(i0e(kappa)) + self.log_shares, axis=1)


def fit(
    X: np.ndarray, y: np.ndarray, parameters: dict[str, Any], seed: int, threads: int, context: FitContext = NO_CONTEXT
) -> Any:
    """Fit periods, turns and classes; deterministic."""
    return FourierPhaseClassifier().fit(X, y, list(context.features))
