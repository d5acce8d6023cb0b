"""Time the explanation of a network against SHAP's own explainer called sample by sample: run by hand.

    python tests/performance/measure_explanation.py                        the project's own 2-D CNN
    python tests/performance/measure_explanation.py --preset published     the published one

A 2-D CNN of the size of the maize study (1,024 genes as a picture of 32 x 32, 23 classes, 68 samples, 46 background
rows, 200 draws), untrained, because its weights cost no time; the same network, background and draws on all sides, one
process, in turn:

    every class     `shap.GradientExplainer` called once per sample, for all outputs
    one class       the same explainer, for the class that the network calls (ranked_outputs=1)
    ours            `expected_gradients` of all samples, for the class that the network calls
    ours, every     the same for all classes

SHAP's explainer takes as long for every sample, so only --reference of them are timed, after one that is not, which
compiles it; ours compiles inside the time. Prints medians over --runs of the seconds per sample, the ratios, and the
median and the largest difference of the values, as a share of the largest value. They differ by rounding; where a draw
falls on the kink of a ReLU or a maximum, rounding decides on which side of it the gradient is taken.
"""

import argparse
import os
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
GENES, CLASSES, BACKGROUND = 1024, 23, 46
SEED = 0


def build_network(preset: str | None) -> Any:
    """The untrained network."""
    import keras

    from genestrata.models import load_module, parameter_grid

    keras.utils.set_random_seed(SEED)
    settings = parameter_grid("cnn_2d", {"preset": preset} if preset else {})[0]
    return load_module("cnn_2d").build(GENES, CLASSES, settings)


def reference_draws(samples: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """What SHAP draws for each sample when it is called for one at a time: rows of the background and places."""
    random = np.random.RandomState(SEED)
    drawn = [(random.choice(BACKGROUND), random.uniform()) for _ in range(draws)]
    rows, places = np.array(drawn).T
    return np.tile(rows.astype(int), (samples, 1)), np.tile(places.astype(np.float32), (samples, 1))


def run_reference(explainer: Any, X: np.ndarray, draws: int, one: bool) -> tuple[float, list[np.ndarray]]:
    """Seconds per sample and the values of each, (1, GENES, classes)."""
    started = time.perf_counter()
    values = []
    for row in X:
        found = explainer.shap_values(row[None], nsamples=draws, rseed=SEED, ranked_outputs=1 if one else None)
        values.append(np.asarray(found[0] if one else found))
    return (time.perf_counter() - started) / len(X), values


def measure(network: Any, explainer: Any, samples: int, reference: int, draws: int) -> dict[str, float]:
    """One run of all sides: seconds per sample, and differences as shares of the largest value."""
    from genestrata.expected_gradients import Paths, expected_gradients

    random = np.random.default_rng(SEED)
    X = random.normal(size=(samples, GENES)).astype(np.float32)
    called = np.eye(CLASSES, dtype=bool)[np.asarray(network(X, training=False)).argmax(axis=1)]
    paths, background = Paths(*reference_draws(samples, draws)), explainer.explainer.data[0]
    seconds = {}
    seconds["every"], of_every = run_reference(explainer, X[:reference], draws, one=False)
    seconds["one"], of_one = run_reference(explainer, X[:reference], draws, one=True)
    ours = {}
    for name, asked in (("ours", called), ("ours every", np.ones_like(called))):
        # As many samples of all classes as the reference does.
        rows = slice(None) if name == "ours" else slice(reference)
        part = Paths(paths.rows[rows], paths.places[rows])
        started = time.perf_counter()
        ours[name] = expected_gradients(network, X[rows], background, part, asked[rows]).values
        seconds[name] = (time.perf_counter() - started) / len(X[rows])
    expected = np.concatenate(of_every)
    gap = np.abs(ours["ours every"] - expected) / np.abs(expected).max()
    own = ours["ours"][np.arange(reference), :, called[:reference].argmax(axis=1)]
    gap_of_one = np.abs(own - np.concatenate(of_one)[..., 0]) / np.abs(expected).max()
    return seconds | {"median": np.median(gap), "largest": max(gap.max(), gap_of_one.max())}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=["published"])
    parser.add_argument("--samples", type=int, default=68)
    parser.add_argument("--reference", type=int, default=3)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT / "scripts"))
    import shap

    from genestrata.models.backend import start_backend

    start_backend(options.threads)
    # SHAP hands Keras its one input as a list, and Keras says so for every class and sample.
    warnings.filterwarnings("ignore", message="The structure of `inputs`")
    network = build_network(options.preset)
    background = np.random.default_rng(SEED + 1).normal(size=(BACKGROUND, GENES)).astype(np.float32)
    explainer = shap.GradientExplainer(network, background)
    for one in (False, True):
        run_reference(explainer, background[:1], options.draws, one)
    runs = []
    for _ in range(options.runs):
        runs.append(measure(network, explainer, options.samples, options.reference, options.draws))
        print({key: float(f"{value:.4g}") for key, value in runs[-1].items()}, file=sys.stderr, flush=True)
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    print(
        f"{options.preset or 'own'} 2-D CNN, {options.samples} samples, {options.draws} draws, {options.threads} "
        f"threads, load {os.getloadavg()[0]:.1f}, median of {options.runs}"
    )
    for key, name in {
        "every": "SHAP, every class",
        "one": "SHAP, one class",
        "ours": "ours, one class",
        "ours every": "ours, every class",
    }.items():
        print(f"{name:20}{middle[key]:10.3f} s a sample")
    for text, above, below in (
        ("together", "every", "ours"),
        ("only the class needed", "every", "one"),
        ("batches, one class", "one", "ours"),
        ("batches, every class", "every", "ours every"),
    ):
        print(f"{text:24}{statistics.median(run[above] / run[below] for run in runs):7.1f} x")
    print(f"differences: median {middle['median']:.0e}, largest {middle['largest']:.0e}")


if __name__ == "__main__":
    main()
