"""Running the workflow in temporary folders, for tests of the whole chain."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
WORKFLOW_PARTS = ("Snakefile", "config.yaml", "rules", "scripts", "envs", "profiles", "resources")

SMALL_STUDY = """\
title: A small study of two classes
task: expression
reader: table
expression: expression.csv
orientation: genes_by_samples
samples: samples.csv
select: {k: [5, 10]}
evaluation: {folds: 3, inner_folds: 3}
models: [logistic_regression, decision_tree]
model_params: {decision_tree: {max_depth: 2}}
cluster: {methods: [kmeans], random_sets: 5, set_size: 5}
"""


@dataclass
class Workflow:
    """A copy of the workflow in a folder of its own, so that a test can edit its code."""

    folder: Path

    def run(self, *arguments: str, directory: Path | None = None) -> subprocess.CompletedProcess:
        """Run snakemake with two cores; stdout and stderr as one text in `stdout`."""
        # Without byte code every job imports 2.5 times as slowly.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", str(self.folder / "Snakefile")]
        return subprocess.run(
            [*command, "--directory", str(directory or self.folder), *arguments],
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """Rule to number of jobs of a dry run; {} when nothing is to be done."""
        done = self.run("--dry-run", *arguments)
        assert done.returncode == 0, done.stdout
        stats = done.stdout.partition("Job stats:")[2].partition("total")[0]
        return {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)$", stats, re.MULTILINE)}


def copy_workflow(folder: Path) -> Workflow:
    """Copy what a clone holds, without results and downloads."""
    folder.mkdir(parents=True)
    for name in WORKFLOW_PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("downloads", "__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return Workflow(folder)


def write_small_study(folder: Path, study: str = SMALL_STUDY) -> Path:
    """Write 36 samples x 30 genes of two classes, five genes apart, in the form of a user's own study."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    labels = np.repeat(["tumour", "normal > 1/2"], 18)
    values = random.normal(6, 1, (36, 30))
    values[labels == "tumour", :5] += 1.5
    samples = [f"s{number:02d}" for number in range(36)]
    genes = [f"g{number:02d}" for number in range(30)]
    pd.DataFrame(values.T.round(4), index=pd.Index(genes, name="gene"), columns=samples).to_csv(
        folder / "expression.csv"
    )
    pd.DataFrame({"sample": samples, "label": labels}).to_csv(folder / "samples.csv", index=False)
    path = folder / "small.yaml"
    path.write_text(study, encoding="utf-8")
    return path
