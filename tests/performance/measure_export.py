"""Latency and throughput of an exported network, and its size: python tests/performance/measure_export.py STUDY_FOLDER

STUDY_FOLDER is results/<study> of a finished run. One gene at a time (batch of 1, session loaded), and all genes of the
study at once; medians.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd


def seconds(call, repeats: int) -> list[float]:
    """Wall time of each of `repeats` calls, after one that is not counted."""
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return times


def main() -> None:
    """Print one line per exported network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    table = pd.read_parquet(arguments.study / "data" / "features.parquet")
    for path in sorted((arguments.study / "model" / "export").glob("*.onnx")):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        features = session.get_modelmeta().custom_metadata_map["features"].split("\t")
        values = table[features].to_numpy(dtype=np.float32)
        one = seconds(lambda: session.run(["probabilities"], {"values": values[:1]}), 2000)  # noqa: B023
        everything = seconds(lambda: session.run(["probabilities"], {"values": values}), 10)  # noqa: B023
        per_second = len(values) / statistics.median(everything)
        print(
            f"{path.name}: {path.stat().st_size:,} bytes; one gene {1e3 * statistics.median(one):.3f} ms (99 %: "
            f"{1e3 * np.percentile(one, 99):.3f} ms); {len(values):,} genes {statistics.median(everything):.3f} s, "
            f"{per_second:,.0f} genes/s"
        )


if __name__ == "__main__":
    main()
