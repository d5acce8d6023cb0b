"""How near a network comes to the best possible accuracy on many simulated variants of one gene, and how fast.

    python tests/performance/measure_variants.py                 # 100,000 variants of 300 codons
    python tests/performance/measure_variants.py --variants 5000 --epochs 2

Labels have noise, so that no classifier can be right more often than the share of the test sequences whose label
is the true one. A fifth of the variants are tested; nothing is chosen on them.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from genestrata.models import bilstm
from genestrata.simulators import resistance_genes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=100_000)
    parser.add_argument("--codons", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--settings", type=json.loads, default={}, help="more settings of the network, as JSON")
    arguments = parser.parse_args()

    half = arguments.variants // 2
    started = time.perf_counter()
    settings = {"classes": {"resistant": half, "susceptible": half}, "families": 1, "length": arguments.codons}
    table, samples, truth = resistance_genes.simulate(settings, arguments.seed)
    print(f"{len(table):,} variants of {arguments.codons} codons drawn in {time.perf_counter() - started:.0f} s")
    X = table["sequence"].to_numpy(dtype=object)[:, None]
    label, true = ((frame == "resistant").to_numpy().astype(int) for frame in (samples["label"], truth["class"]))

    order = np.random.default_rng(arguments.seed).permutation(len(X))
    test, train = np.split(order, [len(order) // 5])
    network = bilstm.SETTINGS | {
        "epochs": arguments.epochs,
        "batch_size": arguments.batch_size,
        "learning_rate": 3e-3,
        "dropout": 0.1,
        # Every letter may decide, so that sequences are read whole and as they are.
        "reads": "protein",
        "crop": 0.0,
        "substitutions": 0.0,
        "members_per_group": None,
        "class_weights": "none",
        "averaging": 0.5,
    }
    started = time.perf_counter()
    model = bilstm.fit(X[train], label[train], network | arguments.settings, arguments.seed, arguments.threads)
    seconds = time.perf_counter() - started
    predicted = model.predict_proba(X[test]).argmax(axis=1)
    print(model.history[["epoch", "loss", "accuracy"]].round(4).to_string(index=False))
    print(f"training      {seconds:.0f} s, {arguments.epochs * len(train) / seconds:,.0f} sequences/s")
    print(f"accuracy      {np.mean(predicted == label[test]):.4f}")
    print(f"best possible {np.mean(true[test] == label[test]):.4f}")
    print(f"against the true class {np.mean(predicted == true[test]):.4f}")


if __name__ == "__main__":
    main()
