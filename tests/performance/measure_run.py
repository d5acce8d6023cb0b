"""Time a run from nothing to report, and how much of it is Snakemake's own: run by hand.

    python tests/performance/measure_run.py                                        the shipped simulated default
    python tests/performance/measure_run.py --config data=public mirror=PATH     the published data
    python tests/performance/measure_run.py --config 'studies=[all_subtypes]'     one study of the default

Runs in a temporary folder with two cores, three times unless --runs says otherwise, and prints medians: wall time, time
in which no job ran (Snakemake's own share), the sum of all jobs, the slowest jobs and the largest peak of memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def job_intervals(folder: Path) -> list[tuple[float, float]]:
    """Start and end (seconds since the epoch) of every job that Snakemake recorded in `folder`."""
    records = [json.loads(path.read_text()) for path in (folder / ".snakemake/metadata").rglob("*") if path.is_file()]
    return sorted({(record["starttime"], record["endtime"]) for record in records if record.get("endtime")})


def covered(intervals: list[tuple[float, float]]) -> float:
    """Seconds in which at least one interval is open."""
    total, until = 0.0, float("-inf")
    for start, end in intervals:
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def benchmarks(folder: Path) -> dict[str, dict[str, float]]:
    """Benchmark of every job, by rule and wildcards."""
    return {
        str(path.relative_to(folder / "benchmarks").with_suffix("")): json.loads(path.read_text().splitlines()[0])
        for path in sorted((folder / "benchmarks").rglob("*.jsonl"))
    }


def measure(cores: int, arguments: list[str]) -> dict:
    """Run once in a temporary folder."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--snakefile", str(ROOT / "Snakefile")]
        started = time.perf_counter()
        subprocess.run(
            [*command, "--directory", temporary, "--quiet", "all", *arguments], cwd=ROOT, env=environment, check=True
        )
        wall = time.perf_counter() - started
        folder = Path(temporary)
        return {"wall": wall, "busy": covered(job_intervals(folder)), "jobs": benchmarks(folder)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    options, arguments = parser.parse_known_args()
    runs = [measure(options.cores, arguments) for _ in range(options.runs)]
    wall = statistics.median(run["wall"] for run in runs)
    share = statistics.median(1 - run["busy"] / run["wall"] for run in runs)
    work = statistics.median(sum(job["s"] for job in run["jobs"].values()) for run in runs)
    jobs = runs[-1]["jobs"]
    peaks = {name: float(job["max_rss"]) for name, job in jobs.items()}
    largest = max(peaks, key=peaks.__getitem__)
    print(f"wall {wall:.1f} s (runs: {', '.join(format(run['wall'], '.1f') for run in runs)}), {options.cores} cores")
    print(f"no job running {share:.1%} of it; {len(jobs)} jobs of {work:.1f} s together")
    print(f"largest peak {peaks[largest]:.0f} MB ({largest})")
    for name in sorted(jobs, key=lambda name: -jobs[name]["s"])[:8]:
        print(f"{jobs[name]['s']:7.1f} s {peaks[name]:6.0f} MB  {name}")


if __name__ == "__main__":
    main()
