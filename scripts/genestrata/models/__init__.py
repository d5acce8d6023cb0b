"""Models: one file each, named as in `models.registry`, which lists them.

A model's module offers

    fit(X, y, parameters, seed, threads, context) -> estimator with classes_ and predict_proba
        X : (n_samples, k) float32, features standardised on these rows, 0 where missing; y : (n_samples,) int class
        codes; context : groups of the rows and names of the columns, see `models.context`

and either

    SEARCH_SPACE    parameter to the list of values searched in the inner folds (overridden by a study's `model_params`)

with genes given best first, or, for a network (see `models.networks`),

    SETTINGS        parameter to its one value; a study's `model_params` replace some, and its `search` lists values of
                    others that the inner folds choose from
    PRESETS         name to settings that replace them all at once, chosen by the parameter `preset`

and imports its heavy libraries inside its functions. It may also say

    READS = "series"       it reads time points: X has them by rising time, as measured, with NaN for missing
    READS = "sequences"    it reads DNA: X is (n_samples, 1) text, clean letters as in `genestrata.dna`
    STAGED = NAME          one fit serves all values of this parameter: a fit with the largest of them and a parameter
                           `stages` that lists them gives an estimator with use_stage(value)
"""

import importlib
import itertools
from collections.abc import Mapping
from types import ModuleType
from typing import Any


def load_module(name: str) -> ModuleType:
    """Import the module of a registered model."""
    return importlib.import_module(f"genestrata.models.{name}")


def reads(name: str) -> str:
    """What the model reads: "features", standardised and best first, or "series" or "sequences", as they are."""
    return getattr(load_module(name), "READS", "features")


def parameter_grid(name: str, overrides: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All combinations of a model's search space; of a network its one setting, or all combinations of its `search`.

    In a search space an override that is no list fixes a parameter. Raises ValueError for a parameter that the model
    does not have.
    """
    module = load_module(name)
    is_network = hasattr(module, "SETTINGS")
    known = {*module.SETTINGS, "preset", "search"} if is_network else set(module.SEARCH_SPACE)
    unknown = sorted(set(overrides) - known)
    if unknown:
        raise ValueError(f"{name} has no parameter {', '.join(unknown)}; it has: {', '.join(sorted(known)) or 'none'}")
    if is_network:
        own = {key: value for key, value in overrides.items() if key not in ("preset", "search")}
        fixed = module.SETTINGS | module.PRESETS.get(overrides.get("preset"), {}) | own
        space = overrides.get("search", {})
    else:
        fixed = {}
        space = module.SEARCH_SPACE | {
            key: value if isinstance(value, list) else [value] for key, value in overrides.items()
        }
    return [fixed | dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]
