"""Training of networks: batches, watched rows, class weights, stopping, learning rate, seeds and divergence."""

import json

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from genestrata.errors import DivergedError
from genestrata.models import networks, parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.context import FitContext
from genestrata.models.networks import choose_watched, fit_network

FEATURES, CLASSES = 12, 3
# One setting for as many tests as possible, because a network that is compiled already is reused.
QUICK = {"epochs": 25, "patience": 3, "learning_rate": 0.02, "watched_share": 0.25}
# Steps so small that no weight moves: every epoch is a plateau.
STILL = {"epochs": 30, "patience": 4, "plateau_patience": 1, "learning_rate": 1e-20, "smallest_learning_rate": 3e-21}
NAMES = ["dense", "cnn", "lstm"]


def draw(sizes=(14, 14, 14), effect=3.0, seed=0):
    """Rows of each class around its own mean in its own column, in mixed order."""
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = random.normal(size=(len(y), FEATURES))
    X[np.arange(len(y)), y] += effect
    return X.astype(np.float32), y


def settings_of(name, **overrides):
    return parameter_grid(name, (QUICK if name == "dense" else {}) | overrides)[0]


def fit(name, X, y, seed=0, groups=None, **overrides):
    return fit_network(name, X, y, settings_of(name, **overrides), seed, 1, FitContext(groups))


def trainer_of(name, **overrides):
    """The trainer that `fit` uses."""
    start_backend(1)
    return networks.trainer(name, FEATURES, CLASSES, json.dumps(settings_of(name, **overrides), sort_keys=True))


# Batches


def batches_of(n=10, n_features=4, batch_size=4, seed=0, noise=0.0, scale_range=0.0):
    """Batches of rows that all carry their own number, as do their label and weight."""
    from genestrata.models.network_training import make_batches

    X = np.tile(np.arange(1, n + 1, dtype=np.float32)[:, None], (1, n_features))
    y, weights = np.eye(n, dtype=np.float32), np.arange(1, n + 1, dtype=np.float32)
    parameters = {"batch_size": batch_size, "noise": noise, "scale_range": scale_range}
    return X, make_batches(X, y, weights, parameters, np.random.default_rng(seed))


@pytest.mark.parametrize(("n", "batch_size", "steps"), [(10, 4, 3), (12, 4, 3), (3, 8, 1)])
def test_batches_hold_every_row_and_the_last_one_is_filled(n, batch_size, steps):
    _, (X, y, weights) = batches_of(n, batch_size=batch_size)
    assert X.shape == (steps, batch_size, 4) and y.shape == (steps, batch_size, n)
    assert weights.shape == (steps, batch_size)
    assert {X.dtype, y.dtype, weights.dtype} == {np.dtype(np.float32)}
    times = np.bincount(weights.ravel().astype(int) - 1, minlength=n)
    assert times.min() >= 1 and times.max() - times.min() <= 1


def test_without_augmentation_batches_are_the_rows_with_their_labels_and_weights():
    _, (X, y, weights) = batches_of()
    np.testing.assert_array_equal(X, np.tile(weights[:, :, None], (1, 1, 4)))
    np.testing.assert_array_equal(y.argmax(axis=2) + 1, weights)


def test_labels_and_weights_stay_with_their_augmented_rows():
    _, (X, y, weights) = batches_of(noise=0.01, scale_range=0.01)
    np.testing.assert_array_equal(y.argmax(axis=2) + 1, weights)
    np.testing.assert_array_equal(np.rint(X.mean(axis=2)), weights)
    assert not np.array_equal(X, np.tile(weights[:, :, None], (1, 1, 4)))


def test_noise_has_the_given_standard_deviation_in_every_gene():
    _, (X, _, weights) = batches_of(n=4000, n_features=3, batch_size=1000, noise=0.5)
    residual = (X - weights[:, :, None]).reshape(-1, 3)
    np.testing.assert_allclose(residual.std(axis=0), 0.5, rtol=0.05)
    np.testing.assert_allclose(residual.mean(axis=0), 0, atol=0.04)
    assert abs(np.corrcoef(residual.T)[0, 1]) < 0.1


def test_each_row_is_multiplied_by_one_factor_of_the_range():
    _, (X, _, weights) = batches_of(n=2000, batch_size=500, scale_range=0.05)
    factors = X / weights[:, :, None]
    np.testing.assert_allclose(np.ptp(factors, axis=2), 0, atol=1e-6)
    assert 0.95 - 1e-6 <= factors.min() < 0.951 and 1.049 < factors.max() <= 1.05 + 1e-6


def test_every_epoch_has_another_order_and_the_rows_themselves_stay_as_they_are():
    from genestrata.models.network_training import make_batches

    X, y = draw()
    kept, random = X.copy(), np.random.default_rng(0)
    parameters = {"batch_size": 7, "noise": 1.0, "scale_range": 0.1}
    weights = np.arange(len(X), dtype=np.float32)
    first, second = (make_batches(X, np.eye(3, dtype=np.float32)[y], weights, parameters, random) for _ in range(2))
    assert not np.array_equal(first[2], second[2])
    np.testing.assert_array_equal(X, kept)


# Watched rows


def test_watched_rows_are_a_share_of_every_class_and_depend_on_the_seed():
    y = np.repeat([0, 1, 2], [40, 20, 10])
    watched = choose_watched(y, None, 0.15, 0)
    assert np.bincount(y[watched]).tolist() == [6, 3, 2]
    np.testing.assert_array_equal(choose_watched(y, None, 0.15, 0), watched)
    assert not np.array_equal(choose_watched(y, None, 0.15, 1), watched)


def test_at_least_two_rows_of_a_class_are_left_to_train_on():
    y = np.repeat([0, 1, 2, 3], [1, 2, 3, 20])
    for seed in range(20):
        watched = choose_watched(y, None, 0.5, seed)
        assert np.bincount(y[watched], minlength=4).tolist() == [0, 0, 1, 10]


def test_nothing_is_watched_with_a_share_of_nothing():
    assert not choose_watched(np.repeat([0, 1], 50), None, 0.0, 0).any()


def test_groups_are_watched_whole_or_not_at_all():
    y = np.repeat([0, 1], 30)
    groups = np.array([f"patient{number // 3}" for number in range(60)], dtype=object)
    for seed in range(20):
        watched = choose_watched(y, groups, 0.2, seed)
        assert np.bincount(y[watched], minlength=2).tolist() == [6, 6]
        assert not set(groups[watched]) & set(groups[~watched])


def test_nothing_is_watched_where_a_class_would_lose_its_only_group():
    # The second class occurs in one group only, which the first class may draw.
    y = np.array([0] * 10 + [1])
    groups = np.array([f"patient{number}" for number in range(10)] + ["patient0"], dtype=object)
    masks = [choose_watched(y, groups, 0.3, seed) for seed in range(30)]
    assert {int(watched.sum()) for watched in masks} == {0, 3}
    assert not any(watched[[0, 10]].any() for watched in masks)


def test_watched_rows_are_never_augmented_and_all_others_are(monkeypatch):
    X, y = draw()
    watched = choose_watched(y, None, QUICK["watched_share"], 0)
    trainer, seen = trainer_of("dense"), []
    run_epoch = trainer.run_epoch
    monkeypatch.setattr(
        trainer, "run_epoch", lambda rows, *more: seen.append((rows, more[-1].copy())) or run_epoch(rows, *more)
    )
    history = fit("dense", X, y).history
    assert len(seen) == len(history) and 0 < watched.sum() < len(y)
    for rows, rows_watched in seen:
        np.testing.assert_array_equal(rows_watched, X[watched])
        distance = np.linalg.norm(rows.reshape(-1, 1, FEATURES) - X, axis=2)
        # The default noise is 1 per gene: every row is moved.
        assert distance.min() > 0.1
    assert not np.array_equal(seen[0][0], seen[1][0])


def test_rows_in_training_batches_are_the_rows_that_are_not_watched(monkeypatch):
    X, y = draw()
    watched = choose_watched(y, None, 0.2, 0)
    options = {"noise": 0.0, "scale_range": 0.0, "watched_share": 0.2, "epochs": 1}
    trainer, seen = trainer_of("dense", **options), []
    logs = {"loss": 1.0, "accuracy": 0.0}
    monkeypatch.setattr(
        trainer, "run_epoch", lambda rows, *more: seen.append(rows) or (dict(logs), np.full((watched.sum(), 3), 1 / 3))
    )
    fit("dense", X, y, **options)
    trained_on = {row.tobytes() for row in seen[0].reshape(-1, FEATURES)}
    assert trained_on == {row.tobytes() for row in X[~watched]}


# Class weights


def recall_of_rare_class(X, y, X_test, y_test):
    predicted = fit("dense", X, y).predict_proba(X_test).argmax(axis=1)
    return (predicted[y_test == 2] == 2).mean()


def test_class_weights_raise_the_recall_of_a_rare_class(monkeypatch):
    X, y = draw((80, 80, 10), effect=1.2)
    X_test, y_test = draw((100, 100, 200), effect=1.2, seed=1)
    balanced = recall_of_rare_class(X, y, X_test, y_test)
    monkeypatch.setattr("sklearn.utils.class_weight.compute_sample_weight", lambda kind, y: np.ones(len(y)))
    assert balanced > recall_of_rare_class(X, y, X_test, y_test) + 0.15


# Stopping and learning rate


def watched_loss(model, X, y, watched):
    """Weighted log loss of the watched rows, as the history holds it."""
    probabilities = model.predict_proba(X[watched])[np.arange(watched.sum()), y[watched]]
    return np.average(-np.log(probabilities), weights=compute_sample_weight("balanced", y)[watched])


@pytest.mark.parametrize("overrides", [{}, {"patience": 100, "noise": 0.0}])
def test_network_has_the_weights_of_its_best_epoch(overrides):
    # Rows that say nothing of their class, so that training only overfits.
    X, y = draw(effect=0.0)
    model = fit("dense", X, y, **overrides)
    history = model.history
    best, patience = history["val_loss"].idxmin(), (QUICK | overrides)["patience"]
    assert len(history) == min(best + patience + 1, QUICK["epochs"])
    assert history["val_loss"].iloc[-1] > history["val_loss"][best] + 0.01
    watched = choose_watched(y, None, QUICK["watched_share"], 0)
    assert watched_loss(model, X, y, watched) == pytest.approx(history["val_loss"][best], rel=1e-4)


def test_history_has_one_row_per_epoch():
    history = fit("dense", *draw()).history
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert history.columns.tolist() == columns
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history[["accuracy", "val_accuracy"]].stack().between(0, 1).all()
    assert history["val_accuracy"].iloc[-1] > 0.9


def test_learning_rate_is_halved_on_a_plateau_down_to_its_floor():
    history = fit("dense", *draw(), **STILL).history
    np.testing.assert_allclose(history["learning_rate"], [1e-20, 1e-20, 5e-21, 3e-21, 3e-21], rtol=1e-5)
    assert history["val_loss"].nunique() == 1


def test_without_watched_rows_the_training_loss_stops_the_training():
    X, y = draw((2, 2, 2))
    history = fit("dense", X, y, **STILL).history
    assert history.columns.tolist() == ["epoch", "loss", "accuracy", "learning_rate"]
    # The loss varies with the noise, because only the watched rows go without it.
    assert len(history) == history["loss"].idxmin() + STILL["patience"] + 1 < STILL["epochs"]


def test_classes_too_small_to_watch_are_learnt_all_the_same():
    X, y = draw((2, 2, 2), effect=6.0)
    model = fit("dense", X, y)
    assert "val_loss" not in model.history
    assert (model.predict_proba(X).argmax(axis=1) == y).mean() > 0.8


def test_published_training_reaches_the_optimizer_and_the_callbacks(monkeypatch):
    import keras

    from genestrata.models import network_training

    def untrained(network):
        return lambda X, y, weights, watched: ({"loss": 1.0, "accuracy": 0.5}, np.full((len(watched), 3), 1 / 3))

    monkeypatch.setattr(network_training, "compile_epoch", untrained)
    called = {}
    for name in ("EarlyStopping", "ReduceLROnPlateau"):

        def record(monitor, *, name=name, **options):
            called[name] = {"monitor": monitor} | options
            return keras.callbacks.Callback()

        monkeypatch.setattr(keras.callbacks, name, record)
    options = {"preset": "published", "watched_share": 0.25}
    settings = parameter_grid("dense", options)[0] | {"epochs": 1}
    X, y = draw()
    history = fit_network("dense", X, y, settings, 0, 1).history
    trainer = networks.trainer("dense", FEATURES, CLASSES, json.dumps(settings, sort_keys=True))
    assert type(trainer.network.optimizer) is keras.optimizers.Adam
    assert history["learning_rate"].tolist() == pytest.approx([1e-4])
    assert type(trainer.network.loss) is keras.losses.CategoricalCrossentropy
    assert called["EarlyStopping"] == {
        "monitor": "val_accuracy",
        "mode": "max",
        "patience": 25,
        "restore_best_weights": True,
    }
    plateau = called["ReduceLROnPlateau"]
    assert (plateau["factor"], plateau["patience"], plateau["min_lr"]) == (0.5, 12, 1e-6)


# Seeds and reuse


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_gives_the_same_network_to_the_byte_and_folds_compile_it_once(name):
    # Settings of no other test, so that the first fit is the one that compiles.
    own = {"epochs": 4, "patience": 4}
    trainer, traced = trainer_of(name, **own), []
    step = trainer.network.train_step
    trainer.network.train_step = lambda data: traced.append(1) or step(data)
    X, y = draw()
    fresh = fit(name, X, y, **own)
    expected, steps = fresh.predict_proba(X).tobytes(), len(traced)
    assert steps > 0
    other = fit(name, X, y, seed=1, **own)
    fewer = fit(name, X[:-9], y[:-9], **own)
    assert expected not in {other.predict_proba(X).tobytes(), fewer.predict_proba(X).tobytes()}
    again = fit(name, X, y, **own)
    assert again.predict_proba(X).tobytes() == expected
    assert again.history.equals(fresh.history)
    # What later fits do to the shared network leaves an earlier one alone.
    assert fresh.predict_proba(X).tobytes() == expected
    assert len(traced) == steps


def test_a_diverged_fit_leaves_nothing_behind_for_the_next():
    X, y = draw()
    expected = fit("dense", X, y).predict_proba(X).tobytes()
    with pytest.raises(DivergedError, match=r"^epoch 1: the loss is nan$"):
        fit("dense", np.full_like(X, np.nan), y)
    assert fit("dense", X, y).predict_proba(X).tobytes() == expected


def test_a_far_too_large_learning_rate_diverges():
    X, y = draw()
    with pytest.raises(DivergedError, match=r"^epoch \d+: the loss is "):
        fit("dense", X, y, learning_rate=1e30)
