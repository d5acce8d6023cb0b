"""Tables that no address holds: taken from a mirror, or built from the published file of each sample."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
import yaml

ACCESSIONS = "map_SRA_accessions.txt"
GENES = [f"g{number}" for number in range(8)]
TABLES = ("fpkm.tsv.gz", "samples.tsv", "fpkm_status_not_ok.tsv")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a line for each request."""

    def log_message(self, *arguments):
        pass


@pytest.fixture
def published(tmp_path):
    """A folder of tracking files of two tissues in three replicates, and the address at which it is served."""
    folder = tmp_path / "published"
    folder.mkdir()
    rows = ["Run\tBioSample\tSample name\tExperiment\ttissue\tsample\treplicate"]
    for number in range(6):
        tissue, run = ("Silk", "Mature Leaf 8")[number % 2], f"SRR{number}"
        rows.append(f"{run}\tB\tG\tX\tsource\t{tissue}\t{tissue}_{number // 2 + 1}")
        lines = ["gene_id\tlocus\tFPKM\tFPKM_status"]
        for place, gene in enumerate(GENES):
            value = 0 if gene == "g7" else (number * 7 + place * 3) % 11
            lines.append(f"{gene}\t1:1-9\t{value}\t{'FAIL' if (gene, number) == ('g0', 3) else 'OK'}")
        (folder / f"genes.fpkm_tracking.{run}").write_text("\n".join(lines) + "\n")
    (folder / ACCESSIONS).write_text("\n".join(rows) + "\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def study(published, tmp_path):
    """A study file that names those files."""
    folder, address = published
    lines = ["file\tsha256\turl"]
    for path in sorted(folder.iterdir()):
        lines.append(f"{path.name}\t{hashlib.sha256(path.read_bytes()).hexdigest()}\t{address}/{path.name}")
    (tmp_path / "atlas.tsv").write_text("\n".join(lines) + "\n")
    roles = zip(TABLES, ("expression", "samples", "unfinished"), strict=True)
    public = {
        "folder": "atlas",
        "reader": "fpkm",
        "built_from": "atlas.tsv",
        "files": {name: {"role": role, "sha256": "0" * 64} for name, role in roles},
    }
    content = {
        "title": "A small atlas",
        "task": "expression",
        "sources": {"public": public},
        "columns": {"sample": "sample_id", "label": "tissue"},
        "evaluation": {"scheme": "leave_one_group_out", "group": "replicate", "replicates": "shared"},
        "clean": {"transform": "log2", "offset": 1},
    }
    path = tmp_path / "atlas.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_without_a_mirror_tables_are_built_from_the_published_files(fresh, study):
    target = "results/atlas/data/samples.tsv"
    done = fresh.run("--config", "data=public", f"studies=[{study}]", "--", target)
    assert done.returncode == 0, done.stdout
    samples = pd.read_csv(fresh.folder / target, sep="\t", dtype=str)
    assert samples["sample"].tolist() == [f"SRR{number}" for number in range(6)]
    assert samples["label"].tolist() == ["Silk", "Mature Leaf 8"] * 3
    assert samples["group"].tolist() == ["1", "1", "2", "2", "3", "3"]
    features = pd.read_parquet(fresh.folder / "results/atlas/data/features.parquet")
    # One gene was not finished in a sample, another one is zero everywhere.
    assert features.columns.tolist() == ["sample", *GENES[1:7]]


def test_mirror_that_lacks_the_tables_is_named_with_the_way_out(fresh, study, tmp_path):
    (tmp_path / "mirror").mkdir()
    target = "resources/downloads/atlas/fpkm.tsv.gz"
    arguments = ("--config", "data=public", f"mirror={tmp_path / 'mirror'}", f"studies=[{study}]", "--", target)
    assert fresh.planned(*arguments) == {"download_file": 1}
    done = fresh.run(*arguments)
    assert done.returncode != 0
    assert f"error: fpkm.tsv.gz: could not be fetched from {tmp_path}/mirror/atlas/fpkm.tsv.gz" in done.stdout
    assert "it is then built from the published files of each sample" in done.stdout
    assert "Traceback" not in done.stdout
