"""Networks of sequences: rows of an epoch, batches, augmentation, training, both strands, files."""

import json
import zipfile

import numpy as np
import pytest

from genestrata.dna import reverse_complement
from genestrata.errors import InputError
from genestrata.models import bilstm, parameter_grid, sequence_networks
from genestrata.models.backend import start_backend
from genestrata.models.context import FitContext
from genestrata.models.sequence_networks import (
    SequenceNetwork,
    SequenceRows,
    draw_rows,
    make_sequence_batches,
    row_weights,
)
from genestrata.models.storage import FittedModel
from genestrata.models.tokens import n_tokens, pad, tokenise, tokenise_all

TINY = {
    "crop": 0.0,
    "reads": "protein",
    "embedding": 4,
    "filters": [8],
    "kernel": [3],
    "pool": [2],
    "units": [4],
    "summary": "max",
    "dropout": 0.1,
    "epochs": 20,
    "batch_size": 32,
    "learning_rate": 0.02,
    "substitutions": 0.02,
    "unknown": 0.02,
    "members_per_group": 8,
    "watched_share": 0.0,
    "patience": None,
    "plateau_patience": None,
}
# Tryptophan, cysteine, tryptophan.
MOTIF = "TGGTGTTGG"


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


@pytest.fixture
def untrained(monkeypatch):
    """Trainers that only look at their batches; gives the list of (X, y, weights, watched) of all epochs."""
    seen = []
    own = sequence_networks.trainer

    def trainer(*arguments):
        kept = own(*arguments)

        def run_epoch(X, y, weights, watched):
            seen.append((X, y, weights, watched))
            return {"loss": 1.0, "accuracy": 0.5}, np.full((len(watched), y[0].shape[1]), 0.5)

        monkeypatch.setattr(kept, "run_epoch", run_epoch)
        return kept

    monkeypatch.setattr(sequence_networks, "trainer", trainer)
    return seen


def settings_of(**overrides):
    own = {} if "preset" in overrides else TINY
    return parameter_grid("bilstm", own | overrides)[0]


def fit(X, y, seed=0, groups=None, stages=(), **overrides):
    return bilstm.fit(X, y, settings_of(**overrides) | {"stages": stages}, seed, 1, FitContext(groups, ["sequence"]))


def draw(rows=120, seed=0):
    """Genes of 10 to 40 codons in two classes, one of which holds a motif: X (n, 1), y."""
    random = np.random.default_rng(seed)
    codons = ["GCT", "GAA", "AAA", "CTG", "GGC", "TGG", "TGT", "ATG"]
    y = np.arange(rows) % 2
    X = np.empty((rows, 1), dtype=object)
    for row, label in enumerate(y):
        gene = random.choice(codons, random.integers(10, 41))
        if label:
            place = random.integers(len(gene) - 2)
            gene[place : place + 3] = ["TGG", "TGT", "TGG"]
        X[row, 0] = "".join(gene)
    # By chance the others have it too.
    y[[MOTIF in sequence and sequence.index(MOTIF) % 3 == 0 for sequence in X[:, 0]]] = 1
    return X, y


def rows_of(lengths, groups=None, other_strand=False, token=1):
    """Rows of one token each, as training gets them."""
    tokens = np.empty(len(lengths), dtype=object)
    tokens[:] = [np.full(length, token, dtype=np.uint8) for length in lengths]
    other = np.array([row + 1 for row in tokens] + [None], dtype=object)[:-1] if other_strand else None
    return SequenceRows(tokens, other, np.arange(len(lengths)) if groups is None else groups)


def batches_of(rows, seed=0, **parameters):
    """One epoch; the labels are the numbers of the rows, the weights are ten more."""
    n = len(rows.tokens)
    parameters = settings_of(reads="dna", substitutions=0.0, unknown=0.0) | parameters
    X, y, weights = make_sequence_batches(
        rows, np.eye(n, dtype=np.float32), np.arange(n, dtype=np.float32) + 10, parameters, np.random.default_rng(seed)
    )
    return X, [batch.argmax(axis=1) for batch in y], weights


# Rows of an epoch


def test_an_epoch_draws_at_most_so_many_rows_of_a_group():
    groups = np.repeat([0, 1, 2, 3], [30, 3, 1, 9])
    random = np.random.default_rng(0)
    epochs = [draw_rows(groups, 4, random) for _ in range(60)]
    for rows in epochs:
        assert len(set(rows)) == len(rows)
        assert np.bincount(groups[rows]).tolist() == [4, 3, 1, 4]
    # Each row of a large group has its turn, equally often.
    times = np.bincount(np.concatenate(epochs), minlength=len(groups))
    assert times[30:34].tolist() == [60] * 4
    np.testing.assert_allclose(times[:30], 8, atol=8)
    assert (times[:30] > 0).all()
    # The groups are mixed.
    assert len({tuple(groups[rows]) for rows in epochs}) > 50


def test_an_epoch_without_a_cap_draws_every_row_in_a_new_order():
    groups = np.repeat([0, 1], [30, 3])
    random = np.random.default_rng(0)
    one, other = (draw_rows(groups, None, random) for _ in range(2))
    assert sorted(one) == sorted(other) == list(range(33)) and list(one) != list(other)


@pytest.mark.parametrize("most", [4, None])
def test_weights_make_classes_equal_in_the_rows_that_epochs_draw(most):
    # One class is a large family, one shares a family with the third, which has small ones beside it.
    groups = np.concatenate([np.zeros(40), np.ones(20), np.arange(2, 14)]).astype(int)
    y = np.concatenate([np.zeros(40), np.tile([1, 2], 10), np.full(12, 2)]).astype(int)
    weights = row_weights(y, groups, {"class_weights": "balanced", "members_per_group": most})
    assert weights.dtype == np.float32
    random = np.random.default_rng(0)
    epochs = [draw_rows(groups, most, random) for _ in range(400)]
    totals = np.mean([np.bincount(y[rows], weights[rows], minlength=3) for rows in epochs], axis=0)
    np.testing.assert_allclose(totals, totals.mean(), rtol=0.05)
    # A weighted loss is as large as one without weights.
    np.testing.assert_allclose(totals.sum(), np.mean([len(rows) for rows in epochs]), rtol=0.02)


def test_weights_may_be_left_out():
    y = np.array([0, 0, 0, 1])
    weights = row_weights(y, np.arange(4), {"class_weights": "none", "members_per_group": 1})
    assert weights.tolist() == [1, 1, 1, 1]


# Batches


def test_every_chosen_row_is_in_one_batch_with_its_label_and_weight():
    lengths = np.random.default_rng(0).integers(1, 200, 70)
    X, y, weights = batches_of(rows_of(lengths), batch_size=16)
    assert sorted(map(len, X)) == [6, 16, 16, 16, 16]
    assert sorted(np.concatenate(y)) == list(range(70))
    np.testing.assert_array_equal(np.concatenate(weights), np.concatenate(y) + 10)
    assert [len(row) for batch in X for row in batch] == lengths[np.concatenate(y)].tolist()


def test_batches_cap_groups():
    groups = np.repeat([0, 1], [30, 5])
    _, y, _ = batches_of(rows_of([5] * 35, groups), batch_size=8, members_per_group=6)
    assert np.bincount(groups[np.concatenate(y)]).tolist() == [6, 5]


def test_lengths_in_a_batch_are_similar_and_batches_come_in_any_order():
    random = np.random.default_rng(0)
    lengths = np.exp(random.normal(5.5, 0.8, 640)).astype(int) + 1

    def padding(batches):
        return sum(max(map(len, batch)) * len(batch) - sum(map(len, batch)) for batch in batches)

    rows = rows_of(lengths)
    X, y, _ = batches_of(rows, batch_size=32)
    order = random.permutation(640)
    shuffled = [[rows.tokens[row] for row in order[start : start + 32]] for start in range(0, 640, 32)]
    assert padding(X) < 0.25 * padding(shuffled)
    means = [np.mean([len(row) for row in batch]) for batch in X]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.6
    # Rows meet others in another epoch.
    other = batches_of(rows, seed=1, batch_size=32)[1]
    assert {frozenset(batch) for batch in y}.isdisjoint(frozenset(batch) for batch in other)


def test_same_generator_same_batches():
    lengths = np.random.default_rng(0).integers(1, 50, 40)
    options = {"batch_size": 8, "substitutions": 0.2, "unknown": 0.1}
    one, same, other = (batches_of(rows_of(lengths), seed, **options)[0] for seed in (3, 3, 4))
    flat = [np.concatenate([np.concatenate(batch) for batch in X]) for X in (one, same, other)]
    np.testing.assert_array_equal(flat[0], flat[1])
    assert not np.array_equal(flat[0], flat[2])


# Augmentation


def test_shares_of_the_tokens_are_replaced_and_the_training_rows_stay():
    rows = rows_of([400] * 100)
    X, _, _ = batches_of(rows, substitutions=0.2, unknown=0.1, members_per_group=None)
    tokens = np.concatenate([np.concatenate(batch) for batch in X])
    assert len(tokens) == 40_000 and tokens.dtype == np.uint8
    found = np.bincount(tokens, minlength=n_tokens("dna")) / len(tokens)
    # Any of the four letters comes in, one of which was there; nothing becomes padding.
    np.testing.assert_allclose(found, [0, 0.9 * 0.85, 0.9 * 0.05, 0.9 * 0.05, 0.9 * 0.05, 0.1], atol=0.01)
    assert all((row == 1).all() for row in rows.tokens)


def test_without_augmentation_tokens_stay():
    X, _, _ = batches_of(rows_of([5, 9], token=3))
    assert sorted(row.tolist() for batch in X for row in batch) == [[3] * 5, [3] * 9]


def test_half_of_the_rows_are_read_from_the_other_strand():
    X, y, _ = batches_of(rows_of([4] * 400, other_strand=True))
    first = np.array([row[0] for batch in X for row in batch])
    assert set(first) == {1, 2} and all(len(set(row)) == 1 for batch in X for row in batch)
    assert 0.4 < (first == 2).mean() < 0.6
    # Which ones does not follow from their place.
    assert abs(np.corrcoef(first, np.concatenate(y))[0, 1]) < 0.15


# Training


@pytest.fixture(scope="module")
def learnt():
    """A network that learnt a planted motif, in a model with a class that training did not see."""
    X, y = draw(rows=400)
    estimator = fit(X, y)
    settings = {"k": 1, "parameters": estimator.settings}
    return FittedModel(estimator, ["sequence"], np.zeros(1), np.ones(1), list("ABC"), [0, 2], settings)


def test_training_learns_a_planted_motif(learnt):
    X, y = draw(seed=1)
    probabilities = learnt.estimator.predict_proba(X)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities.argmax(axis=1) == y).mean() > 0.93
    history = learnt.estimator.history
    assert list(history["epoch"]) == list(range(1, 21)) and history["loss"].iloc[-1] < history["loss"].iloc[0] / 2


def test_a_sequence_is_classified_alike_alone_and_beside_longer_ones(learnt):
    X, _ = draw(rows=30, seed=2)
    together = learnt.estimator.predict_proba(np.concatenate([X, [["ATG" * 300]]]).astype(object))[:-1]
    alone = np.concatenate([learnt.estimator.predict_proba(row[None]) for row in X])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_seed_draws_everything():
    X, y = draw(rows=48)
    first, again, other = (fit(X, y, seed) for seed in (0, 0, 1))
    for one, same in zip(first.network.get_weights(), again.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(first.history, again.history)
    assert not np.allclose(first.network.get_weights()[0], other.network.get_weights()[0])


def test_weights_of_a_stage_are_those_of_a_shorter_fit():
    X, y = draw(rows=48)
    staged = fit(X, y, stages=(1, 20))
    assert sorted(staged.stages) == [1, 20] and "stages" not in staged.settings
    for kept, last in zip(staged.stages[20], staged.network.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, last)
    shorter = fit(X, y, epochs=1).network.get_weights()
    for kept, expected in zip(staged.stages[1], shorter, strict=True):
        np.testing.assert_array_equal(kept, expected)
    before = staged.predict_proba(X[:3])
    staged.use_stage(1)
    for used, expected in zip(staged.network.get_weights(), shorter, strict=True):
        np.testing.assert_array_equal(used, expected)
    # The next prediction is that of the stage.
    after = staged.predict_proba(X[:3])
    np.testing.assert_allclose(after, staged.network(pad(staged.tokens(X[:3]))), atol=1e-6)
    assert not np.allclose(after, before, atol=1e-4)


def test_without_patience_all_epochs_are_run(untrained):
    """The loss never falls here."""
    X, y = draw(rows=32)
    assert len(fit(X, y, epochs=12).history) == 12
    assert len(fit(X, y, epochs=12, patience=3).history) == 4
    rates = fit(X, y, epochs=12, plateau_patience=2).history["learning_rate"]
    assert len(rates) == 12 and rates.iloc[-1] < rates.iloc[0] / 2


def test_whole_groups_are_watched_and_not_trained_on(untrained):
    X, y = draw(rows=80)
    groups = np.array([f"h{number // 4}" for number in range(80)])
    fit(X, y, groups=groups, epochs=1, watched_share=0.25, substitutions=0.0, unknown=0.0)
    batches, targets, _, watched = untrained[0]
    place = {tokenise(sequence, "protein").tobytes(): row for row, sequence in enumerate(X[:, 0])}
    trained = [place[row.tobytes()] for batch in batches for row in batch]
    held_out = [place[row.tobytes()] for row in watched]
    assert sorted(trained + held_out) == list(range(80)) and len(held_out) in range(12, 41)
    assert set(groups[trained]).isdisjoint(groups[held_out])
    np.testing.assert_array_equal(np.concatenate(targets).argmax(axis=1), y[trained])


def test_fit_hands_groups_and_class_weights_to_the_batches(untrained):
    X, y = draw(rows=60)
    y[:] = np.arange(60) >= 40
    groups = np.where(y == 0, "one family", [f"h{number}" for number in range(60)])
    fit(X, y, groups=groups, epochs=1, members_per_group=5)
    _, targets, weights, watched = untrained[0]
    targets, weights = np.concatenate(targets), np.concatenate(weights)
    assert targets.sum(axis=0).tolist() == [5, 20] and len(watched) == 0
    np.testing.assert_allclose(weights @ targets, [12.5, 12.5], rtol=1e-5)


@pytest.mark.parametrize(
    ("reads", "longest", "expected"), [("codon", None, 12), ("dna", 7, 7), ("reduced_protein", 5, 5)]
)
def test_network_reads_what_its_settings_say(reads, longest, expected, untrained):
    X = np.array([["ACG" * 12], ["ACG" * 12]], dtype=object)
    network = fit(X, np.array([0, 1]), reads=reads, longest=longest, substitutions=0.0, unknown=0.0, epochs=1)
    assert {len(row) for row in untrained[0][0][0]} == {expected}
    assert [len(row) for row in network.tokens(X)] == [expected] * 2
    tables = [layer.input_dim for layer in network.network.layers if type(layer).__name__ == "Embedding"]
    assert tables == [n_tokens(reads)]


# Strands


def test_both_strands_give_a_sequence_and_its_reverse_complement_the_same_probabilities(untrained):
    X, y = draw(rows=12)
    reverse = np.array([[reverse_complement(sequence)] for sequence in X[:, 0]], dtype=object)
    both, one = (fit(X, y, reads="dna", longest=60, strands=strands) for strands in ("both", "one"))
    np.testing.assert_allclose(both.predict_proba(X), both.predict_proba(reverse), atol=1e-7)
    assert not np.allclose(one.predict_proba(X), one.predict_proba(reverse), atol=1e-4)
    expected = (one.predict_proba(X) + one.predict_proba(reverse)) / 2
    np.testing.assert_allclose(both.predict_proba(X), expected, atol=1e-6)


def test_training_on_both_strands_draws_both(untrained):
    X, y = draw(rows=40)
    fit(X, y, reads="dna", strands="both", epochs=1, substitutions=0.0, unknown=0.0)
    found = {row.tobytes() for batch in untrained[0][0] for row in batch}
    strands = [{tokenise(strand(row), "dna").tobytes() for row in X[:, 0]} for strand in (str, reverse_complement)]
    assert found <= strands[0] | strands[1]
    assert all(10 <= len(found & strand) <= 30 for strand in strands)


# Files


def model_of(seed=0, **overrides):
    """An untrained network, all of whose weights are drawn, as a model."""
    settings = settings_of(**overrides)
    network = bilstm.build(n_tokens(settings["reads"]), 2, settings)
    random = np.random.default_rng(seed)
    network.set_weights([random.normal(0, 1.0, weight.shape) for weight in network.get_weights()])
    parameters = {"k": 1, "parameters": settings}
    return FittedModel(
        SequenceNetwork(network, settings), ["sequence"], np.zeros(1), np.ones(1), list("ABC"), [0, 2], parameters
    )


@pytest.mark.parametrize(
    "overrides",
    [
        {"summary": "average", "units": [3, 2], "reads": "codon", "longest": 9},
        {"summary": "last", "filters": [4, 3], "kernel": [3, 2], "pool": [1, 2], "reads": "reduced_protein"},
        {"summary": "average_and_max", "reads": "dna", "strands": "both"},
        {"preset": "published"},
    ],
)
def test_saved_network_predicts_the_same(overrides, tmp_path):
    model, (X, _) = model_of(**overrides), draw(rows=20)
    size = model.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    assert isinstance(loaded.estimator, SequenceNetwork)
    assert dict(loaded.estimator.settings) == model.estimator.settings
    probabilities = loaded.predict_proba(X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)
    assert (probabilities[:, 1] == 0).all() and np.ptp(probabilities[:, 0]) > 0.01
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["model.json", "model.keras"]
    assert sum(file.stat().st_size for file in files) == size


def test_trained_network_is_saved_as_plain_keras(learnt, tmp_path):
    learnt.estimator.predict_proba(draw(rows=4)[0])
    learnt.save(tmp_path / "model")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = archive.read("config.json").decode()
    assert '"LSTM"' in config and "Fused" not in config and "genestrata" not in config
    X, _ = draw(seed=3)
    loaded = FittedModel.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict_proba(X), learnt.predict_proba(X), atol=1e-6)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The files of a small network."""
    folder = tmp_path_factory.mktemp("saved")
    model_of().save(folder / "model")
    return folder


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"reads": "letters"}, "found reads 'letters', expected one of dna, codon, protein, reduced_protein"),
        ({"reads": ["dna"]}, r"found reads \['dna'\], expected one of"),
        ({"longest": 0}, "found longest 0, expected a whole number of at least 1 or null"),
        ({"longest": True}, "found longest True, expected"),
        ({"strands": "two"}, "found strands 'two', expected one of one, both"),
        # Its ids would be looked up beyond the end of the table, or mean other letters.
        ({"reads": "codon"}, "found a network that does not look up the 66 ids of codon"),
        ({"reads": "dna"}, "found a network that does not look up the 6 ids of dna"),
        (["reads", "strands"], "a network that reads sequences lacks reads, strands in its settings"),
        (None, "a network that reads sequences lacks longest, reads, strands in its settings"),
    ],
)
def test_description_that_does_not_fit_its_network_is_refused(change, complaint, saved, tmp_path):
    description = json.loads((saved / "model.json").read_text())
    parameters = description["settings"]["parameters"]
    if change is None:
        del description["settings"]["parameters"]
    elif isinstance(change, list):
        for key in change:
            del parameters[key]
    else:
        parameters |= change
    (tmp_path / "model.json").write_text(json.dumps(description))
    (tmp_path / "model.keras").write_bytes((saved / "model.keras").read_bytes())
    with pytest.raises(InputError, match=f"not the description of a Genestrata model: {complaint}") as error:
        FittedModel.load(tmp_path / "model")
    assert "\n" not in str(error.value)


def test_network_of_numbers_is_not_taken_for_one_of_sequences(saved, tmp_path):
    import keras

    keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)]).save(tmp_path / "model.keras")
    (tmp_path / "model.json").write_bytes((saved / "model.json").read_bytes())
    with pytest.raises(InputError, match="does not look up the 23 ids of protein"):
        FittedModel.load(tmp_path / "model")


@pytest.mark.parametrize(("part", "found"), [("Embedding", "Lambda"), ("NotEqual", "Arange")])
def test_parts_that_no_network_holds_are_refused(part, found, saved, tmp_path):
    with zipfile.ZipFile(saved / "model.keras") as source, zipfile.ZipFile(tmp_path / "model.keras", "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(f'"{part}"'.encode(), f'"{found}"'.encode()))
    (tmp_path / "model.json").write_bytes((saved / "model.json").read_bytes())
    with pytest.raises(InputError, match=f"refused, it holds parts that .* never holds: .*{found}$"):
        FittedModel.load(tmp_path / "model")


def test_sequences_of_one_length_are_rows_and_no_matrix():
    rows = tokenise_all(["ACGTAC", "GGGTTT"], "dna")
    assert rows.shape == (2,) and [list(row) for row in rows] == [[1, 2, 3, 4, 1, 2], [3, 3, 3, 4, 4, 4]]


@pytest.mark.parametrize(("size", "parts"), [(16, 1), (64, 1), (128, 2), (400, 8), (67, 1)])
def test_large_batch_is_computed_in_equal_parts(size, parts):
    assert sequence_networks.batch_parts(size) == parts


def test_parts_of_a_batch_give_the_step_of_the_whole_batch(monkeypatch):
    random = np.random.default_rng(0)
    X = np.array(["".join(random.choice(list("ACGT"), 30 + row)) for row in range(16)], dtype=object)[:, None]
    y = np.arange(16) % 2
    one_step = settings_of(epochs=1, batch_size=16, dropout=0.0, substitutions=0.0, unknown=0.0, averaging=0.0)
    weights = []
    for rows_at_once in (64, 8):
        monkeypatch.setattr(sequence_networks, "ROWS_AT_ONCE", rows_at_once)
        sequence_networks.trainer.cache_clear()
        model = sequence_networks.fit_sequence_network("bilstm", X, y, one_step, 0, 1)
        weights.append(model.network.get_weights())
    sequence_networks.trainer.cache_clear()
    # Not the embedding: of a whole batch Keras' Adam squares the gradient of each occurrence of a token by itself.
    for whole, in_parts in list(zip(*weights, strict=True))[1:]:
        np.testing.assert_allclose(in_parts, whole, atol=1e-5)
    assert not np.allclose(
        weights[0][1],
        sequence_networks.fit_sequence_network(
            "bilstm", X, y, one_step | {"learning_rate": 0.2}, 0, 1
        ).network.get_weights()[1],
        atol=1e-5,
    )
