"""Models on k-mers: what they learn, that nothing but training rows counts, and files that load safely."""

import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from genestrata.errors import InputError
from genestrata.models import gradient_boosting, kmer_nearest, load_module, parameter_grid
from genestrata.models.kmer_nearest import NeighbourVotes
from genestrata.models.storage import FittedModel, load_skops, save_skops

NAMES = ["kmer_logistic_regression", "kmer_nearest", "kmer_svm", "kmer_xgboost"]
LINEAR = ["kmer_logistic_regression", "kmer_svm"]
# Small enough for tests: a few words and trees.
QUICK = {
    "kmer_logistic_regression": {"C": 100.0},
    "kmer_nearest": {"neighbours": 1},
    "kmer_svm": {"C": 1.0},
    "kmer_xgboost": {"n_estimators": 20, "kept": 30},
}


def draw(n_classes, rows=12, seed=0, length=90):
    """Sequences (n, 1) of each class: copies of its own parent with a fifth of the codons changed, and their codes."""
    random = np.random.default_rng(seed)
    parents = np.random.default_rng(99).integers(0, 4, (n_classes, length, 3))
    y = np.repeat(np.arange(n_classes), rows)
    letters = parents[y].copy()
    changed = random.random(letters.shape[:2]) < 0.2
    letters[changed] = random.integers(0, 4, (changed.sum(), 3))
    texts = ["".join(row) for row in np.array(list("ACGT"))[letters.reshape(len(y), -1)]]
    return np.array(texts, dtype=object)[:, None], y


def fit(name, X, y, seed=0, threads=1, **changes):
    parameters = parameter_grid(name, QUICK[name] | changes)[0]
    return load_module(name).fit(X, y, parameters, seed, threads)


def fitted(name, X, y, classes, codes=None, **changes):
    estimator = fit(name, X, y, **changes)
    codes = codes or list(range(len(classes)))
    return FittedModel(estimator, ["sequence"], np.zeros(1), np.ones(1), classes, codes, {"k": 1})


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_model_tells_unseen_relatives_apart(name, n_classes):
    model = fit(name, *draw(n_classes))
    X, y = draw(n_classes, seed=1)
    probabilities = model.predict_proba(X)
    assert probabilities.shape == (len(y), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert probabilities.min() >= 0
    assert (probabilities.argmax(axis=1) == y).mean() > 0.9
    np.testing.assert_array_equal(model.classes_, np.arange(n_classes))


@pytest.mark.parametrize("alphabet", ["dna", "protein", "reduced_protein"])
@pytest.mark.parametrize("name", NAMES)
def test_every_alphabet_can_be_chosen(name, alphabet):
    X, y = draw(3)
    model = fit(name, X, y, alphabet=alphabet, shortest=2, longest=3)
    assert model.kmers.kind.alphabet == alphabet
    assert (model.predict_proba(X).argmax(axis=1) == y).mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_do_not_exist_are_refused(name):
    with pytest.raises(InputError, match="alphabet 'rna', expected one of dna, protein, reduced_protein"):
        fit(name, *draw(2), alphabet="rna")


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_model_whatever_the_threads(name):
    X, y = draw(3)
    first, again, two_threads = (fit(name, X, y, threads=threads).predict_proba(X) for threads in (1, 1, 2))
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(two_threads, first)


@pytest.mark.parametrize("name", NAMES)
def test_rare_class_is_found(name):
    X, y = draw(3, rows=30)
    rows = np.concatenate([np.flatnonzero(y == 0)[:3], np.flatnonzero(y > 0)])
    model = fit(name, X[rows], y[rows])
    test, truth = draw(3, seed=1)
    assert (model.predict_proba(test).argmax(axis=1) == truth)[truth == 0].mean() > 0.6


@pytest.mark.parametrize("name", NAMES)
def test_vocabulary_is_of_the_training_rows_only(name):
    X, y = draw(2)
    model = fit(name, X, y, min_count=1)
    before = model.predict_proba(X)
    words = set(model.feature_names)
    stranger = np.array([["ATGTGGTGGTGGCACCACCAC"]], dtype=object)
    np.testing.assert_allclose(model.predict_proba(stranger).sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(model.predict_proba(np.vstack([stranger, X]))[1:], before)
    assert set(model.feature_names) == words


@pytest.mark.parametrize("name", LINEAR)
def test_coefficients_belong_to_the_named_words(name):
    X, y = draw(3)
    model = fit(name, X, y)
    Z = model.transform(X)
    assert Z.shape == (len(y), len(model.feature_names))
    assert model.coef_.shape == (3, len(model.feature_names))
    margins = Z @ model.coef_.T + model.intercept_
    np.testing.assert_array_equal(margins.argmax(axis=1), model.predict_proba(X).argmax(axis=1))
    # Words that only sequences of a class have speak for it.
    only = np.array([(Z[y == label] > 0).sum(axis=0).A1 for label in range(3)])
    words = np.flatnonzero((only[0] >= 8) & (only[1:].sum(axis=0) == 0))
    assert len(words)
    assert (model.coef_[0, words] > model.coef_[1:, words].max(axis=0)).all()


def test_boosting_is_limited_to_the_words_that_tell_the_classes():
    X, y = draw(3)
    model = fit("kmer_xgboost", X, y, kept=15)
    assert len(model.feature_names) == 15
    everything = fit("kmer_xgboost", X, y, kept=10**6)
    assert set(model.feature_names) < set(everything.feature_names)
    # Chosen without labels, so few of the words would differ between classes.
    held = np.array([(model.transform(X[y == label]) > 0).mean(axis=0).A1 for label in range(3)])
    assert (np.ptp(held, axis=0) > 0.5).all()


# Nearest neighbours


def votes(neighbours, labels=(0, 0, 0, 1, 1)):
    """Five training rows: four words, of which the last is in no query."""
    profiles = csr_matrix(np.eye(4, dtype=np.float32)[[0, 1, 2, 2, 3]])
    return NeighbourVotes(neighbours).fit(profiles, np.array(labels))


def query(*values):
    return csr_matrix(np.array([values], dtype=np.float32))


def test_sequence_without_a_relative_gets_the_class_frequencies():
    np.testing.assert_allclose(votes(3).predict_proba(query(0, 0, 0, 0)), [[0.6, 0.4]])
    X, y = draw(2, rows=6)
    model = fit("kmer_nearest", X[:9], y[:9])
    np.testing.assert_allclose(model.predict_proba(np.array([["TAA"], [""]], dtype=object)), [[2 / 3, 1 / 3]] * 2)


def test_more_similar_neighbours_say_more():
    sure, unsure = (votes(1).predict_proba(query(0, 0, 0, similarity))[0, 1] for similarity in (1.0, 0.05))
    np.testing.assert_allclose([sure, unsure], [(1 + 0.4 * 0.05) / 1.05, (0.05 + 0.4 * 0.05) / 0.1], rtol=1e-6)


def test_only_the_nearest_vote_and_a_tie_goes_to_the_first_row():
    near = query(0.9, 0.0, 0.0, 0.8)
    assert votes(1).predict_proba(near)[0, 0] > 0.9
    assert 0.5 < votes(2).predict_proba(near)[0, 0] < 0.6
    # Rows 2 and 3 are the same sequence under two labels.
    assert votes(1).predict_proba(query(0, 0, 1, 0))[0, 0] > 0.9


def test_more_neighbours_than_rows_are_all_rows():
    np.testing.assert_array_equal(
        votes(100).predict_proba(query(1, 1, 1, 1)), votes(5).predict_proba(query(1, 1, 1, 1))
    )


def test_blocks_do_not_change_the_votes(monkeypatch):
    X, y = draw(3)
    model = fit("kmer_nearest", X, y, neighbours=3)
    expected = model.predict_proba(X)
    monkeypatch.setattr(kmer_nearest, "BLOCK", 5)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


# Files


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_saved_model_predicts_the_same(name, n_classes, tmp_path):
    X, y = draw(n_classes)
    model = fitted(name, X, y, list("ABCD")[:n_classes])
    size = model.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    raw = draw(n_classes, seed=3)[0]
    np.testing.assert_array_equal(loaded.predict_proba(raw), model.predict_proba(raw))
    assert loaded.estimator.feature_names == model.estimator.feature_names
    files = sorted(tmp_path.iterdir())
    assert sum(file.stat().st_size for file in files) == size
    assert [file.suffix for file in files] == [".json", ".ubj" if name == "kmer_xgboost" else ".skops"]


@pytest.mark.parametrize("name", NAMES)
def test_class_missing_in_training_gets_no_probability(name):
    X, y = draw(2)
    probabilities = fitted(name, X, y, list("ABCD"), [1, 3]).predict_proba(X)
    assert (probabilities[:, [0, 2]] == 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"vocabulary": "LLL"},
        {"vocabulary": "LL LL"},
        {"vocabulary": "L?"},
        {"vocabulary": 3},
        {"longest": 10**12},
        {"alphabet": "letters"},
        {"alphabet": {}},
    ],
)
@pytest.mark.parametrize("name", ["kmer_svm", "kmer_xgboost", "kmer_nearest"])
def test_words_that_do_not_fit_the_estimator_are_refused(name, change, tmp_path):
    fitted(name, *draw(2), ["A", "B"]).save(tmp_path / "model")
    description = json.loads((tmp_path / "model.json").read_text())
    description["kmers"] |= change
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="not the description of a Genestrata model"):
        FittedModel.load(tmp_path / "model")


@pytest.mark.parametrize("kmers", [5, [], "AA", {"alphabet": "dna"}])
def test_description_of_words_that_is_none_is_refused(kmers, tmp_path):
    fitted("kmer_svm", *draw(2), ["A", "B"]).save(tmp_path / "model")
    description = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(description | {"kmers": kmers}))
    with pytest.raises(InputError, match="not the description of a Genestrata model"):
        FittedModel.load(tmp_path / "model")


def test_words_for_a_stack_are_refused(tmp_path):
    """Its columns are probabilities."""
    X = np.tile(np.eye(2)[[0, 1] * 10], 2) * 0.8 + 0.1
    stack = gradient_boosting.fit(X, np.array([0, 1] * 10), 2, 0)
    FittedModel(stack, list("abcd"), np.zeros(4), np.ones(4), ["A", "B"], [0, 1]).save(tmp_path / "model")
    description = json.loads((tmp_path / "model.json").read_text())
    words = {"alphabet": "dna", "shortest": 1, "longest": 1, "strands": "one", "vocabulary": "A C G T"}
    (tmp_path / "model.json").write_text(json.dumps(description | {"kmers": words}))
    with pytest.raises(InputError, match="not the description of a Genestrata model"):
        FittedModel.load(tmp_path / "model")


def test_estimator_that_lies_about_its_columns_is_refused(tmp_path):
    """Its coefficients count, not what it says of them."""
    model = fitted("kmer_logistic_regression", *draw(2), ["A", "B"])
    model.estimator.estimator.coef_ = model.estimator.estimator.coef_[:, :-1]
    model.save(tmp_path / "model")
    with pytest.raises(InputError, match="not the description of a Genestrata model"):
        FittedModel.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", np.array([0, 0, 0, 1, 2])),
        ("labels", np.array([0, 0, 0, 1, -1])),
        ("labels", np.array([0, 0, 0, 1])),
        ("labels", np.array([0.0, 0, 0, 1, 1])),
        ("labels", [0, 0, 0, 1, 1]),
        ("shares", np.array([0.5, np.nan])),
        ("shares", np.array([0.5, 0.0])),
        ("shares", np.array([0.5, 0.3, 0.2])),
        ("neighbours", 0),
        ("neighbours", "all"),
        ("labels", np.zeros((5, 1), dtype=int)),
        ("values", np.full(5, np.nan, dtype=np.float32)),
        ("values", np.full(5, -1, dtype=np.float32)),
        ("values", np.ones(5)),
        ("values", np.ones(4, dtype=np.float32)),
        ("columns", np.array([0, 1, 2, 2, 4], dtype=np.int32)),
        ("columns", np.array([0, 1, 2, 2, -1], dtype=np.int32)),
        ("columns", np.array([0, 1, 2, 2, 10**6], dtype=np.int32)),
        ("columns", np.array([0.0, 1, 2, 2, 3])),
        ("starts", np.array([0, 10**6, 2, 3, 4, 5], dtype=np.int32)),
        ("starts", np.array([0, -1, 2, 3, 4, 5], dtype=np.int32)),
        ("starts", np.array([0, 1, 2, 3, 4, 10**6], dtype=np.int32)),
        ("starts", np.array([0, 1, 2, 3, 5], dtype=np.int32)),
        ("n_features_in_", 2),
        ("n_features_in_", "many"),
    ],
)
def test_neighbours_that_no_fit_made_are_refused(field, value, tmp_path):
    neighbours = votes(1)
    setattr(neighbours, field, value)
    save_skops(neighbours, tmp_path / "model.skops")
    with pytest.raises(InputError, match="refused, its nearest neighbours are no sound matrix"):
        load_skops(tmp_path / "model.skops")


def test_sound_neighbours_are_read_back(tmp_path):
    save_skops(votes(2), tmp_path / "model.skops")
    loaded = load_skops(tmp_path / "model.skops")
    rows = query(0.9, 0.2, 0.3, 0.8)
    np.testing.assert_array_equal(loaded.predict_proba(rows), votes(2).predict_proba(rows))


def test_text_is_not_scaled():
    X, y = draw(2)
    assert fitted("kmer_svm", X, y, ["A", "B"]).standardise(X) is X
