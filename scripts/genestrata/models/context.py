"""What a fit may know beside its rows and labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FitContext:
    """groups : (n_samples,) text, samples that belong together, or None; features : names of the columns."""

    groups: np.ndarray | None = None
    features: Sequence[str] = ()


NO_CONTEXT = FitContext()
