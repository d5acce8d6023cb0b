"""Time the training of a bidirectional LSTM on the published resistance genes against plain Keras: run by hand.

    python tests/performance/measure_sequences.py                                    all parts, all rows
    python tests/performance/measure_sequences.py --rows 64 --batch-size 16 --whole-batch-size 4 --repeats 1

The network is that of the preset `published` (embedding 50, two BiLSTMs of 62 units), the rows are those of ResFinder
in GENESTRATA_DATA (default ../shared/data), or --rows of them drawn at random, less those that would not fill a batch.
All sides train the same layers on the same rows with the same optimizer and batch size, in one process with the same
threads; nothing is augmented or watched.

    whole genes    nothing is cut off. Plain: `fit` with all rows padded to the longest; this takes so long that one
                   step of --whole-batch-size rows is measured and scaled to all rows. Ours: a whole epoch.
    900 letters    plain: `fit` with all rows padded to 900; length bucketing alone: Keras' own LSTM on batches of
                   similar length; fused steps alone: all rows padded to 900; ours: both.
    codons         the same 900 letters as 300 codons: plain and ours.

After one batch of each side, which compiles it, the sides take turns --repeats times. Prints medians: seconds, wall and
CPU, of an epoch, sequences per second of either, how often faster than plain the side was (median of the ratios of the
rounds), and the share of the steps that are padding. TensorFlow's operations are deterministic on all sides, as in the
workflow.
"""

import argparse
import itertools
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).parents[2]
LETTERS = 900


class Rows(NamedTuple):
    """Training rows of one reading: tokens of each, one-hot labels, weights, and the length that all are padded to."""

    tokens: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    longest: int

    def first(self, number: int) -> "Rows":
        """Only the first rows."""
        return Rows(*(part[:number] for part in self[:3]), self.longest)


class Side(NamedTuple):
    """epoch : trains on rows and returns the number of steps of their batches, padding included; whole : are all rows
    measured, or one batch of them?"""

    name: str
    epoch: Callable[[Rows], int]
    whole: bool = True


def read_genes(most: int | None) -> tuple[list[str], np.ndarray]:
    """Sequences and class codes in random order; `most` of them if given."""
    from genestrata.readers.fasta import read

    folder = ROOT / os.environ.get("GENESTRATA_DATA", "../shared/data") / "resfinder"
    table = read({path.name: str(path) for path in sorted(folder.glob("*.fsa"))}, {})
    order = np.random.default_rng(0).permutation(len(table))[:most]
    codes = np.unique(table["label"], return_inverse=True)[1]
    return table["sequence"].iloc[order].tolist(), codes[order]


def read_rows(sequences: list[str], codes: np.ndarray, settings: dict[str, Any]) -> Rows:
    """Rows as the settings read them, in full batches: `fit` would compile another size anew."""
    from genestrata.models.tokens import tokenise_all

    number = len(sequences) // settings["batch_size"] * settings["batch_size"]
    sequences, codes = sequences[:number], codes[:number]
    tokens = np.empty(number, dtype=object)
    tokens[:] = tokenise_all(sequences, settings["reads"], settings["longest"])
    targets = np.eye(codes.max() + 1, dtype=np.float32)[codes]
    return Rows(tokens, targets, np.ones(len(codes), dtype=np.float32), max(map(len, tokens)))


def make_trainer(rows: Rows, settings: dict[str, Any], fused: bool, draw_batches: Callable) -> Any:
    """The workflow's trainer, with or without fused steps."""
    from genestrata.models import bilstm
    from genestrata.models.backend import compile_steps
    from genestrata.models.network_training import Trainer
    from genestrata.models.recurrence import fuse
    from genestrata.models.sequence_networks import batch_parts, make_sequence_batches
    from genestrata.models.tokens import n_tokens

    def build():
        return bilstm.build(n_tokens(settings["reads"]), rows.targets.shape[1], settings)

    parts = batch_parts(settings["batch_size"]) if draw_batches is make_sequence_batches else 1
    return Trainer(build, settings, fuse(build()) if fused else None, draw_batches, compile_steps, parts)


def plain_side(rows: Rows, settings: dict[str, Any], name: str = "plain", whole: bool = True) -> Side:
    """`fit` of Keras on rows that are padded to the longest."""
    from genestrata.models.tokens import pad

    network = make_trainer(rows, settings, False, draw_padded).network
    padded = pad(rows.tokens, rows.longest)

    def epoch(part: Rows) -> int:
        n = len(part.tokens)
        network.fit(padded[:n], part.targets, sample_weight=part.weights, batch_size=settings["batch_size"], verbose=0)
        return n * rows.longest

    return Side(name, epoch, whole)


def stepwise_side(name: str, rows: Rows, settings: dict[str, Any], fused: bool, bucketed: bool) -> Side:
    """One compiled call per batch."""
    from genestrata.models.sequence_networks import SequenceRows, make_sequence_batches

    trainer = make_trainer(rows, settings, fused, make_sequence_batches if bucketed else draw_padded)
    random = np.random.default_rng(0)

    def epoch(part: Rows) -> int:
        n = len(part.tokens)
        drawn = SequenceRows(part.tokens, None, np.arange(n)) if bucketed else part
        X, y, weights = trainer.draw_batches(drawn, part.targets, part.weights, settings, random)
        trainer.run_epoch(X, y, weights, [])
        return sum(len(batch) * max(map(len, batch)) for batch in X)

    return Side(name, epoch)


def draw_padded(rows: Rows, y: np.ndarray, weights: np.ndarray, settings: dict, random: np.random.Generator) -> tuple:
    """Batches in random order, every row padded to the longest of all rows."""
    from genestrata.models.tokens import pad

    padded = pad(rows.tokens, rows.longest)
    order, size = random.permutation(len(padded)), settings["batch_size"]
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return tuple([values[batch] for batch in batches] for values in (padded, y, weights))


def measure(title: str, rows: Rows, size: int, sides: list[Side], repeats: int) -> None:
    """Compile the sides, let them take turns and print a table."""
    n = len(rows.tokens)
    for side in sides:
        side.epoch(rows.first(size))
    seconds = {side.name: [] for side in sides}
    padding = {}
    for _, side in itertools.product(range(repeats), sides):
        part = rows if side.whole else rows.first(size)
        wall, cpu = time.perf_counter(), time.process_time()
        steps = side.epoch(part)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        scale = n / len(part.tokens)
        seconds[side.name].append([scale * value for value in spent])
        padding[side.name] = 1 - sum(map(len, rows.tokens)) / (scale * steps)
        print(title, side.name, [round(value, 2) for value in spent], file=sys.stderr, flush=True)
    lengths = [len(row) for row in rows.tokens]
    print(f"\n{title}: {n} rows, {np.mean(lengths):.0f} tokens on average, at most {rows.longest}, batches of {size}")
    print(f"{'':28}{'wall s':>9}{'CPU s':>9}{'rows / s':>10}{'rows / CPU s':>14}{'ratio':>8}{'CPU':>7}{'padding':>9}")
    base = seconds[sides[0].name]
    for name, spent in seconds.items():
        wall, cpu = (statistics.median(values) for values in zip(*spent, strict=True))
        ratios = [
            statistics.median(first[kind] / own[kind] for first, own in zip(base, spent, strict=True))
            for kind in (0, 1)
        ]
        print(
            f"{name:28}{wall:9.1f}{cpu:9.1f}{n / wall:10.1f}{n / cpu:14.1f}{ratios[0]:8.1f}{ratios[1]:7.1f}"
            f"{padding[name]:9.0%}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="only so many, drawn at random")
    parser.add_argument("--batch-size", type=int, default=400)
    parser.add_argument("--whole-batch-size", type=int, default=32, help="of whole genes; 32 take some 4 GB")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--letters", type=int, default=LETTERS, help="letters kept where genes are cut off")
    parser.add_argument("--part", choices=["whole", "cut", "codons"], help="only this one")
    options = parser.parse_args()

    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    sys.path.insert(0, str(ROOT / "scripts"))
    from genestrata.models import parameter_grid
    from genestrata.models.backend import start_backend

    start_backend(options.threads)
    sequences, codes = read_genes(options.rows)

    def reading(**overrides: Any) -> tuple[dict[str, Any], Rows]:
        settings = parameter_grid("bilstm", {"preset": "published"} | overrides)[0]
        return settings, read_rows(sequences, codes, settings)

    print(
        f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.1f}, threads {options.threads}, {options.repeats} repeats"
    )
    if options.part in (None, "whole"):
        settings, rows = reading(longest=None, batch_size=options.whole_batch_size)
        sides = [
            plain_side(rows, settings, "plain, scaled from a step", whole=False),
            stepwise_side("ours", rows, settings, fused=True, bucketed=True),
        ]
        measure("whole genes", rows, options.whole_batch_size, sides, options.repeats)
    if options.part in (None, "cut"):
        settings, rows = reading(longest=options.letters, batch_size=options.batch_size)
        sides = [
            plain_side(rows, settings),
            stepwise_side("length bucketing alone", rows, settings, fused=False, bucketed=True),
            stepwise_side("fused steps alone", rows, settings, fused=True, bucketed=False),
            stepwise_side("ours", rows, settings, fused=True, bucketed=True),
        ]
        measure(f"{options.letters} letters", rows, options.batch_size, sides, options.repeats)
    if options.part in (None, "codons"):
        settings, rows = reading(reads="codon", longest=options.letters // 3, batch_size=options.batch_size)
        sides = [plain_side(rows, settings), stepwise_side("ours", rows, settings, fused=True, bucketed=True)]
        measure(f"{options.letters // 3} codons", rows, options.batch_size, sides, options.repeats)


if __name__ == "__main__":
    main()
