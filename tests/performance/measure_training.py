"""Time the training of the three networks against plain Keras: run by hand.

    python tests/performance/measure_training.py                        the default layers
    python tests/performance/measure_training.py --preset published     the published layers and training

Fits on the training parts of five folds of simulated data of the size of the leukaemia study (198 rows, 6 classes, 100
genes), as many as a job of that study runs (--fits); the same rows, layers, optimizer and number of epochs on both
sides; nothing stops early. Each side runs in a process of its own:

    plain          per fit a new network, compiled, and `fit` on a generator that augments batch by batch, with
                   validation data; TensorFlow's own settings, so all cores
    ours           `fit_network` in one process with one thread
    two of ours    two such processes side by side, as two jobs on two cores run

Prints medians over --runs of the seconds of all fits, importing left out; the ratios plain / ours for one process and
for two (the work done per second, both cores busy on either side); and how much of a side its first fit takes beyond
the mean of the others, which is compiling on our side.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
NETWORKS = ("dense", "cnn", "lstm")
SAMPLES, CLASSES, GENES, FOLDS = 248, 6, 100, 5


def simulated_folds() -> list[tuple[np.ndarray, np.ndarray]]:
    """Training rows (about 198, GENES) float32, standardised, and their class codes, of every fold."""
    from sklearn.model_selection import StratifiedKFold

    random = np.random.default_rng(0)
    y = random.permutation(np.arange(SAMPLES) % CLASSES)
    X = random.normal(size=(SAMPLES, GENES)) + random.normal(size=(CLASSES, GENES))[y]
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    rows = [train for train, _ in splitter.split(X, y)]
    return [(((X[r] - X[r].mean(axis=0)) / X[r].std(axis=0)).astype(np.float32), y[r]) for r in rows]


def fit_plain(name: str, X: np.ndarray, y: np.ndarray, settings: dict, seed: int) -> int:
    """One network as Keras' guide trains one; returns its number of epochs."""
    import keras
    from sklearn.utils.class_weight import compute_sample_weight

    from genestrata.models import load_module
    from genestrata.models.networks import choose_watched

    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    watched = choose_watched(y, None, settings["watched_share"], seed)
    targets, weights = np.eye(CLASSES, dtype=np.float32)[y], compute_sample_weight("balanced", y).astype(np.float32)
    rows, size = np.flatnonzero(~watched), settings["batch_size"]

    def batches():
        while True:
            order = random.permutation(rows)
            for start in range(0, len(order), size):
                batch = order[start : start + size]
                factors = random.uniform(1 - settings["scale_range"], 1 + settings["scale_range"], (len(batch), 1))
                noise = settings["noise"] * random.standard_normal((len(batch), X.shape[1]))
                yield (X[batch] * factors + noise).astype(np.float32), targets[batch], weights[batch]

    network = load_module(name).build(X.shape[1], CLASSES, settings)
    network.compile(
        optimizer=keras.optimizers.Adam(settings["learning_rate"]),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=settings["label_smoothing"]),
        weighted_metrics=["accuracy"],
    )
    history = network.fit(
        batches(),
        steps_per_epoch=-(-len(rows) // size),
        epochs=settings["epochs"],
        validation_data=(X[watched], targets[watched], weights[watched]),
        callbacks=[
            keras.callbacks.EarlyStopping(
                "val_" + settings["monitor"], patience=settings["patience"], restore_best_weights=True
            ),
            keras.callbacks.ReduceLROnPlateau(
                factor=0.5, patience=settings["plateau_patience"], min_lr=settings["smallest_learning_rate"]
            ),
        ],
        verbose=0,
    )
    return len(history.epoch)


def run_side(side: str, name: str, preset: str | None, epochs: int, fits: int) -> list[float]:
    """Seconds of every fit on one side, after importing and starting TensorFlow."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from genestrata.models import parameter_grid
    from genestrata.models.backend import start_backend
    from genestrata.models.networks import fit_network

    overrides = {"epochs": epochs, "patience": 10 * epochs} | ({"preset": preset} if preset else {})
    settings = parameter_grid(name, overrides)[0]
    folds = simulated_folds()
    if side == "plain":
        import tensorflow as tf

        tf.constant(0)
    else:
        start_backend(1)
        from genestrata.models import network_training  # noqa: F401
    seconds = []
    for seed, (X, y) in enumerate(itertools.islice(itertools.cycle(folds), fits)):
        started = time.perf_counter()
        if side == "plain":
            done = fit_plain(name, X, y, settings, seed)
        else:
            done = len(fit_network(name, X, y, settings, seed, 1).history)
        seconds.append(time.perf_counter() - started)
        assert done == epochs, f"{side} {name} stopped after {done} epochs"
    return seconds


def start_side(side: str, name: str, options: argparse.Namespace) -> subprocess.Popen:
    """`run_side` in a process of its own, which prints its result as JSON."""
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    environment |= {"CUDA_VISIBLE_DEVICES": "-1"} | ({} if side == "plain" else {"OMP_NUM_THREADS": "1"})
    command = [sys.executable, __file__, "--side", side, "--network", name, "--epochs", str(options.epochs)]
    command += ["--fits", str(options.fits)]
    command += ["--preset", options.preset] if options.preset else []
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)


def finish(process: subprocess.Popen) -> list[float]:
    """The result of `start_side`."""
    output, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(process.args)}")
    return json.loads(output.splitlines()[-1])


def first_fold_share(seconds: list[float]) -> float:
    """Share of all fits that the first one takes beyond the mean of the others."""
    return max(0.0, seconds[0] - statistics.mean(seconds[1:])) / sum(seconds)


def measure(name: str, options: argparse.Namespace) -> dict[str, float]:
    """One run of a network: seconds of all fits on each side, and shares of the first one."""
    plain = finish(start_side("plain", name, options))
    ours = finish(start_side("ours", name, options))
    pair = [finish(process) for process in [start_side("ours", name, options) for _ in range(2)]]
    return {
        "plain": sum(plain),
        "ours": sum(ours),
        # Two processes did the work twice.
        "two": max(sum(seconds) for seconds in pair) / 2,
        "plain_first": first_fold_share(plain),
        "ours_first": first_fold_share(ours),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=["published"])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--fits", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--network", choices=NETWORKS, help="only this one")
    parser.add_argument("--side", choices=["plain", "ours"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(run_side(options.side, options.network, options.preset, options.epochs, options.fits)))
        return
    names = [options.network] if options.network else NETWORKS
    runs = {name: [] for name in names}
    for _ in range(options.runs):
        for name in names:
            runs[name].append(measure(name, options))
            print(name, {key: round(value, 2) for key, value in runs[name][-1].items()}, file=sys.stderr, flush=True)
    print(
        f"{options.fits} fits x {options.epochs} epochs, {options.preset or 'default'} layers, median of {options.runs}"
    )
    print(f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    print(
        f"{'':8}{'plain s':>9}{'ours s':>9}{'ratio':>7}{'two of ours: s for as many':>28}{'ratio':>7}"
        f"{'first fit: plain':>19}{'ours':>7}"
    )

    def show(label: str, rows: list[dict[str, float]]) -> None:
        middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        ratio, pair = (statistics.median(row["plain"] / row[key] for row in rows) for key in ("ours", "two"))
        shares = f"{middle['plain_first']:>19.0%}{middle['ours_first']:>7.0%}" if "plain_first" in middle else ""
        print(
            f"{label:8}{middle['plain']:9.1f}{middle['ours']:9.1f}{ratio:7.1f}{middle['two']:28.1f}{pair:7.1f}{shares}"
        )

    for name in names:
        show(name, runs[name])
    if len(names) > 1:
        rounds = list(zip(*runs.values(), strict=True))
        show(
            "together",
            [{key: sum(row[key] for row in row_of) for key in ("plain", "ours", "two")} for row_of in rounds],
        )


if __name__ == "__main__":
    main()
