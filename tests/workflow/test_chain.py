"""The whole simulated chain as a newcomer runs it: files, figures, numbers, and a second run that does nothing."""

import json
import re

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from running import ROOT, Workflow

from genestrata.dna import translate
from genestrata.models.storage import FittedModel
from genestrata.series_report import FIGURES

SMALLEST_STUDY = """\
title: Three samples of each class, three genes
task: expression
reader: table
expression: expression.csv
orientation: samples_by_genes
label_column: label
models: [nearest_shrunken_centroids, xgboost]
stack: null
cluster: {methods: [kmeans], random_sets: 2, set_size: 2}
"""
GROUPED_STUDY = """\
title: "Three <classes> & groups"
task: expression
reader: table
expression: m.csv
orientation: samples_by_genes
samples: s.tsv
select: {k: [5, 20]}
evaluation: {folds: 3, inner_folds: 3}
models: [logistic_regression, xgboost]
cluster: {methods: [kmeans], random_sets: 0, set_size: 10}
"""
METRIC_NAMES = {"accuracy", "balanced_accuracy", "macro_f1", "mcc", "roc_auc_ovr", "log_loss", "brier", "ece"}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Results of the shipped default, run in a folder beside the workflow."""
    folder = tmp_path_factory.mktemp("simulated")
    done = Workflow(ROOT).run(directory=folder)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="module")
def metrics(simulated):
    return json.loads((simulated / "results/aml_all/evaluation/metrics.json").read_text())


@pytest.fixture(scope="module")
def subtypes(simulated):
    return simulated / "results/all_subtypes"


@pytest.fixture(scope="module")
def cycle(simulated):
    return simulated / "results/cell_cycle"


@pytest.fixture(scope="module")
def genes(simulated):
    return simulated / "results/drug_resistance"


@pytest.fixture(scope="module")
def gene_metrics(genes):
    return json.loads((genes / "evaluation/metrics.json").read_text())


def test_second_run_does_nothing(simulated):
    done = Workflow(ROOT).run(directory=simulated)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def test_metrics_follow_the_contract(metrics):
    assert metrics["study"] == "aml_all"
    assert metrics["data"] == "simulated"
    assert metrics["classes"] == {"ALL": 47, "AML": 25}
    assert set(metrics["protocol"]) >= {"scheme", "folds", "repeats", "inner_folds", "group", "seed"}
    assert metrics["selected"] in metrics["models"]
    assert {"majority", "stack", "logistic_regression", "xgboost"} <= set(metrics["models"])
    for entry in metrics["models"].values():
        assert set(entry) >= METRIC_NAMES
        for name in METRIC_NAMES:
            low, high = entry[name]["ci95"]
            assert low <= entry[name]["value"] <= high
        assert set(entry["uncalibrated"]) == {"log_loss", "brier", "ece"}
        assert set(entry["unclassified"]) == {"threshold", "coverage", "accuracy"}
        assert set(entry["per_class"]["AML"]) == {"precision", "recall", "f1", "roc_auc", "support"}


def test_models_beat_the_baseline_and_permuted_labels_do_not(metrics):
    low, high = metrics["controls"]["permuted_labels"]["balanced_accuracy"]["ci95"]
    assert metrics["controls"]["permuted_labels"]["permutations"] >= 20
    assert low <= 0.5 <= high
    assert metrics["models"][metrics["selected"]]["balanced_accuracy"]["value"] > 0.9
    assert metrics["models"]["majority"]["balanced_accuracy"]["value"] == pytest.approx(0.5)


def test_predictions_are_those_that_the_metrics_count(simulated, metrics):
    table = pd.read_parquet(simulated / "results/aml_all/evaluation/predictions.parquet")
    selected = table[table["model"] == metrics["selected"]]
    accuracy = (selected["true"].to_numpy() == selected["predicted"].to_numpy()).mean()
    assert accuracy == pytest.approx(metrics["models"][metrics["selected"]]["accuracy"]["value"])
    assert len(selected) == 72
    assert table[["p_ALL", "p_AML"]].sum(axis=1).to_numpy() == pytest.approx(1)


def test_ranking_recovers_planted_markers(simulated):
    report = json.loads((simulated / "results/aml_all/explain/stability.json").read_text())
    truth = pd.read_csv(simulated / "results/aml_all/data/truth.tsv", sep="\t")
    ranked = pd.read_csv(simulated / "results/aml_all/explain/consensus.tsv", sep="\t")
    assert len(truth) == report["marker_recovery"]["planted"] == 40
    found = set(ranked["feature"].head(40)) & set(truth["feature"])
    assert len(found) == report["marker_recovery"]["recovered_at_planted"]
    assert len(found) >= 24


def test_ranks_cover_every_class_best_first(simulated):
    ranks = pd.read_csv(simulated / "results/aml_all/explain/shap_ranks.tsv", sep="\t")
    assert list(ranks.columns) == ["class", "feature", "rank", "mean_abs_shap", "median_shap", "model"]
    for _, group in ranks.groupby(["model", "class"]):
        assert list(group["rank"]) == list(range(1, len(group) + 1))
        assert group["mean_abs_shap"].is_monotonic_decreasing
    assert set(ranks["class"]) == {"ALL", "AML"}


@pytest.mark.parametrize(
    "stem",
    [
        "evaluation/confusion_matrix",
        "evaluation/roc_curve",
        "evaluation/calibration",
        "evaluation/tuning_curves",
        "evaluation/scores",
        "explain/consensus",
        "explain/decision_tree/figures/tree",
        "explain/logistic_regression/figures/coefficients",
        "explain/random_forest/figures/beeswarm_AML",
        "explain/xgboost/figures/bar",
        "cluster/pca",
        "cluster/explained_variance",
        "cluster/v_measure",
    ],
)
def test_figures_are_svg_and_png(simulated, stem):
    path = simulated / "results/aml_all" / stem
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in path.with_suffix(".svg").read_text()


def test_report_is_one_page_that_says_it_is_simulated(simulated):
    page = (simulated / "results/report.html").read_text()
    assert "SIMULATED" in page
    for title in (
        "How good the models are",
        "Which genes matter",
        "What to distrust",
        "Recovery of the planted markers",
    ):
        assert title in page
    assert len(page) < 15e6


def test_bundle_predicts_what_the_final_models_predict(simulated):
    folder = simulated / "results/aml_all"
    bundle = json.loads((folder / "model/bundle.json").read_text())
    features = pd.read_parquet(folder / "data/features.parquet")
    for name in ("logistic_regression", "xgboost"):
        ours = FittedModel.load(folder / "model/parts" / name)
        fitted = FittedModel.load(folder / "cv/r0" / name / "models/final")
        values = features[ours.features].to_numpy()
        assert np.abs(ours.predict_proba(values) - fitted.predict_proba(values)).max() < 1e-6
    assert bundle["classes"] == ["ALL", "AML"]
    assert "SIMULATED" in (folder / "model/MODEL_CARD.md").read_text()


def test_jobs_leave_a_line_per_fold_and_a_benchmark(simulated):
    log = (simulated / "logs/train_classical/aml_all/r0/random_forest.log").read_text()
    assert [f"fold {fold}:" in log for fold in ("0", "1", "2", "final")] == [True] * 4
    benchmark = simulated / "benchmarks/train_classical/aml_all/r0/random_forest.jsonl"
    assert json.loads(benchmark.read_text())["s"] > 0


def test_smallest_study_runs_through_and_says_what_to_distrust(tmp_path):
    rows = ["1,5,2,7,a", "2,4,2,6,a", "3,5,3,7,a", "4,1,8,7,b/c", "5,2,9,6,b/c", "6,1,7,8,b/c"]
    (tmp_path / "expression.csv").write_text("\n".join(["id,g1,g2,g3,label", *rows]), encoding="utf-8")
    (tmp_path / "smallest.yaml").write_text(SMALLEST_STUDY, encoding="utf-8")
    done = Workflow(ROOT).run("--config", "studies=[./smallest.yaml]", directory=tmp_path)
    assert done.returncode == 0, done.stdout
    metrics = json.loads((tmp_path / "results/smallest/evaluation/metrics.json").read_text())
    assert metrics["data"] == "user"
    assert metrics["protocol"]["folds"] == 3
    assert set(metrics["models"]) == {"majority", "nearest_shrunken_centroids", "xgboost"}
    page = (tmp_path / "results/report.html").read_text()
    assert "3 folds instead of 5" in page
    assert "SIMULATED" not in page


def test_three_grouped_classes_with_odd_names_run_through(tmp_path):
    random = np.random.default_rng(0)
    labels = np.repeat(["true", "B/é > x", "p_C"], 12)
    values = random.normal(6, 1, (36, 24))
    for code, label in enumerate(("true", "B/é > x", "p_C")):
        values[labels == label, code * 4 : code * 4 + 4] += 1.5
    genes = ["0001", "1.50", "NA", "a,b", *(f"g{number}" for number in range(20))]
    samples = [f"{number:03d}" for number in range(36)]
    pd.DataFrame(values, index=pd.Index(samples, name="id"), columns=genes).to_csv(tmp_path / "m.csv")
    groups = [f"patient {number // 2}" for number in range(36)]
    pd.DataFrame({"sample": samples, "label": labels, "group": groups}).to_csv(
        tmp_path / "s.tsv", sep="\t", index=False
    )
    (tmp_path / "grouped.yaml").write_text(GROUPED_STUDY, encoding="utf-8")
    done = Workflow(ROOT).run("--config", "studies=[./grouped.yaml]", directory=tmp_path)
    assert done.returncode == 0, done.stdout

    results = tmp_path / "results/grouped"
    metrics = json.loads((results / "evaluation/metrics.json").read_text())
    assert metrics["classes"] == {"B/é > x": 12, "p_C": 12, "true": 12}
    assert metrics["protocol"]["scheme"] == "grouped_cv"
    assert metrics["protocol"]["replicates_shared"] == []
    ranked = pd.read_csv(results / "explain/consensus.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert {"0001", "1.50", "NA", "a,b"} <= set(ranked["feature"])
    page = (tmp_path / "results/report.html").read_text()
    assert "Three &lt;classes&gt; &amp; groups" in page
    assert "Three <classes>" not in page


def test_networks_and_their_stack_recover_the_planted_subtypes(subtypes):
    metrics = json.loads((subtypes / "evaluation/metrics.json").read_text())
    assert "Hyperdip>50" in metrics["classes"]
    assert metrics["models"]["stack"]["balanced_accuracy"]["value"] >= 0.9
    for network in ("dense", "cnn", "lstm"):
        assert metrics["models"][network]["balanced_accuracy"]["value"] > 0.5
    assert set(metrics["controls"]["gene_order"]["cnn"]) == {"clustered", "shuffled"}


@pytest.mark.parametrize("network", ["dense", "cnn", "lstm"])
def test_each_network_leaves_its_epochs_a_figure_and_a_part_of_the_bundle(simulated, subtypes, network):
    epochs = pd.read_csv(subtypes / f"cv/r0/{network}/epochs.tsv", sep="\t", dtype={"fold": str})
    assert set(epochs["fold"]) == {"0", "1", "2", "final"}
    assert {"loss", "val_loss", "accuracy", "val_accuracy", "learning_rate"} <= set(epochs)
    assert (subtypes / f"evaluation/training_history_{network}.svg").stat().st_size > 1000
    assert (subtypes / f"evaluation/training_history_{network}.png").stat().st_size > 1000
    assert (subtypes / f"model/parts/{network}.keras").is_file()
    assert "1 threads, 0 GPU" in (simulated / f"logs/train_deep/all_subtypes/r0/{network}.log").read_text()


def test_networks_of_the_bundle_predict_with_their_genes_in_their_order(subtypes):
    table = pd.read_parquet(subtypes / "data/features.parquet").set_index("sample")
    labels = pd.read_csv(subtypes / "data/samples.tsv", sep="\t").set_index("sample")["label"]
    for network in ("dense", "cnn"):
        model = FittedModel.load(subtypes / f"model/parts/{network}")
        called = model.predict_proba(table[model.features].to_numpy()).argmax(axis=1)
        # The models were fitted on these samples.
        assert np.mean(np.array(model.classes)[called] == labels[table.index].to_numpy()) > 0.9


@pytest.mark.parametrize(("granted", "arguments"), [("0", []), ("1", ["--resources", "gpu=1"])])
def test_deep_jobs_ask_for_a_gpu_and_get_what_there_is(tmp_path, granted, arguments):
    done = Workflow(ROOT).run("--dry-run", "--config", "studies=[all_subtypes]", *arguments, directory=tmp_path)
    # Three networks and the comparison of gene orders.
    assert re.findall(r"resources: .*\bgpu=(\d)", done.stdout) == [granted] * 4


def test_phases_are_learnt_and_errors_counted_along_the_cycle(cycle):
    metrics = json.loads((cycle / "evaluation/metrics.json").read_text())
    assert set(metrics["models"]) == {"majority", "logistic_regression", "fourier_phase", "cnn_bilstm", "stack"}
    assert metrics["models"][metrics["selected"]]["accuracy"]["value"] >= 0.9
    assert metrics["models"]["fourier_phase"]["accuracy"]["value"] >= 0.9
    assert metrics["models"]["cnn_bilstm"]["accuracy"]["value"] > 0.7
    errors = metrics["extra"]["cyclic_error"]
    assert errors[metrics["selected"]]["mean_steps"]["value"] < 0.15 < errors["majority"]["mean_steps"]["value"]
    confusion = pd.read_csv(cycle / "evaluation/confusion_matrix.tsv", sep="\t", index_col=0)
    assert list(confusion.columns) == list(confusion.index) == ["M/G1", "G1", "S", "S/G2", "G2/M"]


def test_unlabelled_genes_are_predicted_but_neither_a_class_nor_scored(cycle):
    samples = pd.read_csv(cycle / "data/samples.tsv", sep="\t", keep_default_na=False)
    unlabelled = set(samples.loc[samples["label"] == "", "sample"])
    assert len(unlabelled) == 150
    splits = pd.read_csv(cycle / "splits.tsv", sep="\t", dtype=str)
    assert set(splits.loc[splits["sample"].isin(unlabelled), "fold"]) == {"final"}
    calls = pd.read_csv(cycle / "predict/unlabelled.tsv", sep="\t")
    assert set(calls["sample"]) == unlabelled
    summary = json.loads((cycle / "predict/summary.json").read_text())
    # Thirty of the unlabelled genes are periodic; their phase was planted too.
    assert summary["truth"]["planted"] == 30
    assert summary["truth"]["right"] >= 26


def test_planted_periods_and_periodic_genes_are_found(cycle):
    synchrony = pd.read_csv(cycle / "explore/synchrony.tsv", sep="\t", index_col="experiment")
    assert synchrony["period"].to_dict() == pytest.approx({"alpha": 66, "cdc15": 110}, rel=0.1)
    genes = pd.read_csv(cycle / "explore/periodicity.tsv", sep="\t")
    truth = pd.read_csv(cycle / "data/truth.tsv", sep="\t", keep_default_na=False, index_col="sample")
    joint = genes[genes["experiment"] == "all"].set_index("sample")
    planted = truth.loc[joint.index, "class"] != ""
    called = joint["fdr"] < 0.05
    assert called[planted].mean() > 0.9
    assert planted[called].mean() > 0.9


def test_exported_network_is_small_and_predicts_as_the_full_one(cycle):
    session = onnxruntime.InferenceSession(str(cycle / "model/export/cnn_bilstm.onnx"))
    report = json.loads((cycle / "model/export/cnn_bilstm.json").read_text())
    assert (cycle / "model/export/cnn_bilstm.onnx").stat().st_size == report["bytes"] <= 50_000
    table = pd.read_parquet(cycle / "data/features.parquet")
    values = table[session.get_modelmeta().custom_metadata_map["features"].split("\t")].to_numpy(np.float32)
    assert np.isnan(values).any()
    deployed = session.run(["probabilities"], {"values": values})[0]
    full = FittedModel.load(cycle / "model/parts/cnn_bilstm").predict_proba(values)
    assert np.mean(deployed.argmax(axis=1) == full.argmax(axis=1)) >= 0.995
    embeddings = pd.read_parquet(cycle / "explain/cnn_bilstm/embeddings.parquet")
    assert len(embeddings) == len(table)


def test_transfer_compares_strategies_on_held_out_genes(cycle):
    curve = pd.read_csv(cycle / "transfer/learning_curve.tsv", sep="\t")
    assert set(curve["strategy"]) == {"not fine-tuned", "fine-tuned", "from scratch"}
    assert set(curve["size"]) == {0, 30, 120}
    assert curve["genes"].unique().tolist() == [75]


def test_figures_of_the_exploration_are_on_the_page(simulated, cycle):
    page = (simulated / "results/report.html").read_text()
    for name, text in FIGURES.items():
        assert (cycle / f"explore/figures/{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f'alt="{text}"' in page


def test_families_of_genes_are_never_on_both_sides(genes):
    sequences = pd.read_parquet(genes / "data/sequences.parquet")
    assert sequences.columns.tolist() == ["sample", "sequence", "label", "group"]
    assert sequences["sequence"].str.fullmatch("[ACGT]+").all()
    assert sequences["sequence"].is_unique
    group = sequences.set_index("sample")["group"]
    splits = pd.read_csv(genes / "splits.tsv", sep="\t", dtype=str)
    splits["group"] = group.loc[splits["sample"]].to_numpy()
    sides = splits.groupby(["fold", "group"])[["role", "inner_fold"]].agg(lambda values: values.nunique(dropna=False))
    assert (sides == 1).all(axis=None)
    identity = pd.read_csv(genes / "evaluation/identity.tsv", sep="\t")
    assert sorted(identity["sample"]) == sorted(sequences["sample"])
    # Families are unrelated; so much of short genes agrees by chance.
    assert identity["identity"].between(0, 0.85).all()


def test_reading_frame_tells_resistance_and_the_best_possible_accuracy_is_known(genes, gene_metrics):
    truth = pd.read_csv(genes / "data/truth.tsv", sep="\t", index_col="sample")
    samples = pd.read_csv(genes / "data/samples.tsv", sep="\t", index_col="sample")
    best = gene_metrics["extra"]["best_possible"]["accuracy"]
    assert best == pytest.approx((truth.loc[samples.index, "class"] == samples["label"]).mean())
    assert 0.88 <= best < 1
    models = {name: entry["accuracy"]["value"] for name, entry in gene_metrics["models"].items()}
    assert set(models) == {"majority", "kmer_logistic_regression", "kmer_nearest", "bilstm", "stack"}
    assert 0.55 < models["bilstm"] < best
    # Words of DNA of unrelated families say nothing.
    assert models["kmer_logistic_regression"] < models["bilstm"] - 0.05
    low, high = gene_metrics["controls"]["permuted_labels"]["balanced_accuracy"]["ci95"]
    assert low <= 0.5 <= high


def test_scores_carry_over_to_the_numbers_that_they_are_made_of(gene_metrics):
    models, extra = gene_metrics["models"], gene_metrics["extra"]
    assert set(extra["cv_against_test"]) == set(extra["accuracy_by_identity"]) == set(models)
    for model, entry in extra["cv_against_test"].items():
        assert [fold["fold"] for fold in entry["folds"]] == ["0", "1"]
        assert entry["test"] == pytest.approx(models[model]["balanced_accuracy"]["value"], abs=0.1)
    for model, bins in extra["accuracy_by_identity"].items():
        sizes = [entry["n"] for entry in bins]
        assert sum(sizes) == gene_metrics["n_samples"]
        accuracy = np.average([entry["accuracy"] for entry in bins], weights=sizes)
        assert accuracy == pytest.approx(models[model]["accuracy"]["value"])
    (model,) = extra["random_split"]
    assert model == "kmer_nearest"
    split = {name: part["accuracy"]["value"] for name, part in extra["random_split"][model].items()}
    assert split["grouped"] == pytest.approx(models[model]["accuracy"]["value"])
    assert split["gap"] == pytest.approx(split["random"] - split["grouped"])


def test_epochs_are_searched_in_one_fit_and_the_chosen_setting_is_refitted(genes):
    tuning = pd.read_csv(genes / "evaluation/tuning.tsv", sep="\t", dtype={"fold": str})
    tuning = tuning[tuning["model"] == "bilstm"]
    tried = tuning["parameters"].map(lambda text: json.loads(text)["epochs"])
    assert tuning.groupby("fold")["chosen"].sum().to_dict() == {"0": 1, "1": 1, "final": 1}
    candidates = sorted(set(tried))
    assert len(candidates) > 1
    assert tried.groupby(tuning["fold"]).apply(sorted).tolist() == [candidates] * 3
    epochs = pd.read_csv(genes / "cv/r0/bilstm/epochs.tsv", sep="\t", dtype={"fold": str})
    inner = epochs[epochs["inner_fold"].notna()]
    assert set(inner.groupby(["fold", "inner_fold"]).size()) == {candidates[-1]}
    refits = epochs[epochs["inner_fold"].isna()].groupby("fold").size()
    assert refits.to_dict() == tried[tuning["chosen"]].set_axis(tuning.loc[tuning["chosen"], "fold"]).to_dict()


def test_network_looks_at_the_active_site(genes):
    table = pd.read_parquet(genes / "explain/bilstm/attributions.parquet")
    assert table.columns.tolist() == ["repeat", "fold", "sample", "class", "position", "token", "attribution"]
    truth = pd.read_csv(genes / "data/truth.tsv", sep="\t", index_col="sample")
    sequences = pd.read_parquet(genes / "data/sequences.parquet").set_index("sample")["sequence"]
    splits = pd.read_csv(genes / "splits.tsv", sep="\t", dtype=str).query("role == 'test'")
    explained = table[["fold", "sample"]].astype(str).drop_duplicates()
    assert set(map(tuple, explained.to_numpy())) <= set(map(tuple, splits[["fold", "sample"]].to_numpy()))
    inside, outside = [], []
    for (sample, _), rows in table.groupby(["sample", "class"], observed=True):
        assert rows["position"].tolist() == list(range(1, len(translate(sequences[sample])) + 1))
        if truth.loc[sample, "class"] == "resistant":
            at_site = rows["position"].between(*(truth.loc[sample, "site_start"] // 3 + np.array([1, 8])))
            inside.append(rows.loc[at_site, "attribution"].abs().mean())
            outside.append(rows.loc[~at_site, "attribution"].abs().mean())
    assert len(inside) >= 20
    assert np.mean(inside) > 2 * np.mean(outside)


def test_layers_of_the_network_are_written_as_the_network_is(genes):
    config = json.loads((genes / "evaluation/architecture_bilstm.json").read_text())
    kinds = [layer["class_name"] for layer in config["config"]["layers"] if layer["module"] == "keras.layers"]
    assert kinds[0] == "InputLayer"
    assert kinds[-1] == "Dense"
    assert {"Embedding", "Bidirectional", "Dropout"} <= set(kinds)


def test_families_and_clusters_of_genes_are_compared_with_the_labels(genes):
    table = pd.read_csv(genes / "cluster/clustering.tsv", sep="\t")
    assert table["method"].tolist() == ["homology groups", "kmeans", "agglomerative"]
    groups = pd.read_parquet(genes / "data/sequences.parquet")["group"].nunique()
    assert table["n_clusters"].tolist() == [groups, 2, 2]
    assert table["v_measure"].between(0, 1).all()


@pytest.mark.parametrize(
    "stem",
    [
        "evaluation/accuracy_by_identity",
        "evaluation/architecture_bilstm",
        "evaluation/cv_against_test",
        "evaluation/precision_recall",
        "evaluation/training_history_bilstm",
        "explain/bilstm/figures/logo_resistant",
        "explain/kmer_logistic_regression/figures/bar",
        "cluster/pca",
    ],
)
def test_figures_of_sequences_are_svg_and_png(genes, stem):
    path = genes / stem
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    text = path.with_suffix(".svg").read_text()
    assert "</svg>" in text
    assert "SIMULATED" in text


def test_bundle_predicts_sequences_as_the_final_models_do(genes):
    values = pd.read_parquet(genes / "data/sequences.parquet")[["sequence"]].to_numpy(dtype=object)
    for name in ("kmer_nearest", "kmer_logistic_regression", "bilstm"):
        ours, fitted = (
            FittedModel.load(genes / folder) for folder in (f"model/parts/{name}", f"cv/r0/{name}/models/final")
        )
        assert ours.features == ["sequence"]
        assert np.abs(ours.predict_proba(values) - fitted.predict_proba(values)).max() < 1e-6


def test_page_says_how_far_scores_of_sequences_carry(simulated):
    page = (simulated / "results/report.html").read_text()
    for title in (
        "How much a random split flatters",
        "Accuracy by identity to the nearest training sequence",
        "Inner scores against test scores",
        "Search of the settings",
        "Layers of the networks",
    ):
        assert title in page
