"""Models: one file each, named as in `models.registry`, which lists them.

A model's module offers

    SEARCH_SPACE    parameter to the list of values searched in the inner folds (overridden by a study's `model_params`)
    fit(X, y, parameters, seed, threads) -> estimator with classes_ and predict_proba
        X : (n_samples, k) float32, genes standardised on these rows, best first; y : (n_samples,) int class codes

and imports its heavy libraries inside `fit`.
"""

import importlib
import itertools
from collections.abc import Mapping
from types import ModuleType
from typing import Any


def load_module(name: str) -> ModuleType:
    """Import the module of a registered model."""
    return importlib.import_module(f"genestrata.models.{name}")


def parameter_grid(name: str, overrides: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All combinations of a model's search space; an override that is no list fixes a parameter.

    Raises ValueError for a parameter that the model does not have.
    """
    space = dict(load_module(name).SEARCH_SPACE)
    unknown = sorted(set(overrides) - set(space))
    if unknown:
        raise ValueError(f"{name} has no parameter {', '.join(unknown)}; it has: {', '.join(sorted(space)) or 'none'}")
    space |= {key: value if isinstance(value, list) else [value] for key, value in overrides.items()}
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
