"""Sequences without labels: components of their k-mers, homology groups and clusters beside the labels."""

from types import SimpleNamespace

import cluster_sequences as script
import numpy as np
import pandas as pd
import pytest
from planted import CODONS

from genestrata import sequence_clusters
from genestrata.files import read_json, read_table, write_table
from genestrata.sequence_clusters import cluster_sequences, kmer_components, sample_rows, summarise


def families(per_family=12, n_families=3, seed=0):
    """Variants of unrelated parents (n, 1) object, and the family of each as text."""
    random = np.random.default_rng(seed)
    letters = np.array(list(CODONS))
    letters = letters[letters != "*"]
    parents = random.choice(letters, (n_families, 60))
    family = np.repeat(np.arange(n_families), per_family)
    proteins = parents[family]
    changed = random.random(proteins.shape) < 0.1
    proteins[changed] = random.choice(letters, changed.sum())
    sequences = ["".join(CODONS[letter] for letter in protein) for protein in proteins]
    return np.array(sequences, dtype=object)[:, None], np.array([f"f{number}" for number in family], dtype=object)


def test_components_tell_families_apart():
    X, family = families()
    scores, share, n_kmers = kmer_components(X, 1)
    assert len(scores) == len(X) and scores.shape[1] == len(share) <= sequence_clusters.COMPONENTS
    assert n_kmers > 50 and (np.diff(share) <= 1e-9).all() and 0.2 < share.sum() <= 1 + 1e-9
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-6)
    table, clusters = cluster_sequences(scores, family, None, n_kmers, 1)
    assert table["method"].tolist() == ["kmeans", "agglomerative"]
    np.testing.assert_allclose(table["v_measure"], 1)
    np.testing.assert_allclose(table["silhouette"] > 0.3, True)
    assert list(clusters) == ["kmeans", "agglomerative"] and len(clusters) == len(X)
    np.testing.assert_array_equal(scores, kmer_components(X, 1)[0])


def test_homology_groups_are_compared_as_they_are():
    X, family = families()
    labels = np.where(family == "f0", "A", "B")
    groups = np.array([f"{name}{place % 2}" for place, name in enumerate(family)], dtype=object)
    scores, share, n_kmers = kmer_components(X, 1)
    table, clusters = cluster_sequences(scores, labels, groups, n_kmers, 1)
    row = table.iloc[0]
    assert (row["method"], row["n_clusters"], row["gene_set"]) == ("homology groups", 6, "sequences")
    assert row[["homogeneity", "purity"]].tolist() == pytest.approx([1, 1])
    assert row["completeness"] < 0.6
    assert table["matches_class_count"].tolist() == [False, True, True]
    assert not table["chosen"].any()
    assert pd.crosstab(clusters["homology groups"], groups).gt(0).sum(axis=1).eq(1).all()
    summary = summarise(table, share, n_kmers, 36, 40)
    assert summary["homology"]["n_clusters"] == 6 and summary["random_sets"] == {}
    assert summarise(table.iloc[1:], share, n_kmers, 36, 40)["homology"] is None


def test_more_sequences_than_can_be_compared_are_sampled(monkeypatch):
    np.testing.assert_array_equal(sample_rows(10, 1), np.arange(10))
    monkeypatch.setattr(sequence_clusters, "MOST_SEQUENCES", 5)
    rows = sample_rows(100, 1)
    assert len(set(rows)) == 5 and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, sample_rows(100, 1))
    assert not np.array_equal(rows, sample_rows(100, 2))


def test_job_writes_what_report_and_evaluation_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sequence_clusters, "MOST_SEQUENCES", 30)
    X, family = families()
    names = [f"s{number:02d}" for number in range(len(X))]
    # The last one is to be predicted.
    samples = pd.DataFrame({"sample": names, "label": family, "group": family, "split": ""}, dtype=object)
    samples.loc[len(X) - 1, "label"] = ""
    write_table(samples.assign(sequence=X[:, 0])[["sample", "sequence", "label", "group"]], tmp_path / "s.parquet")
    write_table(samples, tmp_path / "samples.tsv")
    files = {name: tmp_path / f"cluster/{name}.tsv" for name in ("clustering", "assignments", "components")}
    files |= {"summary": tmp_path / "cluster/summary.json", "pca": [tmp_path / "cluster/pca.svg"]}
    inputs = SimpleNamespace(features=tmp_path / "s.parquet", samples=tmp_path / "samples.tsv")
    script.main(inputs, SimpleNamespace(**files), "public", 1)
    summary = read_json(files["summary"])
    assert (summary["sequences"], summary["of_sequences"]) == (30, 35)
    assert (tmp_path / "cluster/pca.png").is_file()
    components = read_table(files["components"])
    assert list(components)[:4] == ["sample", "label", "PC1", "PC2"] and len(components) == 30
    assert names[-1] not in set(components["sample"])
    assignments = read_table(files["assignments"])
    assert list(assignments) == ["sample", "homology groups", "kmeans", "agglomerative"]
    clustering = read_table(files["clustering"]).set_index("method")
    assert clustering.loc["homology groups", "v_measure"] == 1
