"""The three networks: their layers, probabilities, files, SHAP values, threads, and the backends they run on."""

import ast
import importlib.util
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import yaml

from genestrata.errors import InputError
from genestrata.explaining import network_effects
from genestrata.gpus import hide_gpus_unless_granted
from genestrata.models import load_module, parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.networks import PUBLISHED_TRAINING, TRAINING, NetworkClassifier, fit_network
from genestrata.models.storage import FittedModel, copy_model, load_network

# Those of the stack of three that was published together, and all.
STACKED = ["dense", "cnn", "lstm"]
NAMES = [*STACKED, "cnn_2d"]
FEATURES, CLASSES = 12, 3
SMALL = {"dense": {"epochs": 20, "learning_rate": 0.02}} | {name: {"epochs": 2} for name in ("cnn", "lstm", "cnn_2d")}
PUBLISHED = {
    "dense": [
        ("Dense", 256, "relu"),
        ("BatchNormalization",),
        ("Dropout", 0.4),
        ("Dense", 128, "relu"),
        ("BatchNormalization",),
        ("Dropout", 0.3),
        ("Dense", 6, "softmax"),
    ],
    "cnn": [
        ("Reshape", (100, 1)),
        ("Conv1D", 64, (5,), (1,), "relu"),
        ("BatchNormalization",),
        ("MaxPooling1D", (2,), (2,)),
        ("Dropout", 0.3),
        ("Conv1D", 128, (3,), (1,), "relu"),
        ("BatchNormalization",),
        ("GlobalAveragePooling1D",),
        ("Dropout", 0.4),
        ("Dense", 64, "relu"),
        ("BatchNormalization",),
        ("Dense", 6, "softmax"),
    ],
    "lstm": [
        ("Reshape", (100, 1)),
        ("ZeroPadding1D", (0, 28)),
        ("Reshape", (32, 4)),
        ("LSTM", 128, True),
        ("BatchNormalization",),
        ("Dropout", 0.3),
        ("LSTM", 64, False),
        ("BatchNormalization",),
        ("Dropout", 0.4),
        ("Dense", 32, "relu"),
        ("Dense", 6, "softmax"),
    ],
    "cnn_2d": [
        ("Reshape", (95, 1)),
        ("ZeroPadding1D", (0, 5)),
        ("Reshape", (10, 10, 1)),
        *(("Conv2D", 32, (3, 3), (1, 1), "linear"), ("BatchNormalization",), ("ReLU",)),
        *(("Conv2D", 64, (3, 3), (1, 1), "linear"), ("BatchNormalization",), ("ReLU",)),
        ("MaxPooling2D", (2, 2), (2, 2)),
        *(("Conv2D", 128, (3, 3), (1, 1), "linear"), ("BatchNormalization",), ("ReLU",)),
        *(("Conv2D", 256, (3, 3), (1, 1), "linear"), ("BatchNormalization",), ("ReLU",)),
        ("MaxPooling2D", (2, 2), (2, 2)),
        ("Dropout", 0.2),
        ("Flatten",),
        *(("Dense", 512, "linear"), ("BatchNormalization",), ("ReLU",)),
        ("Dropout", 0.2),
        ("Dense", 6, "softmax"),
    ],
}
# A square with places left over.
PUBLISHED_GENES = {"cnn_2d": 95}
# The only functions that may name TensorFlow.
TENSORFLOW_PLACES = {
    ("backend", name)
    for name in (
        "compile_class_gradient",
        "compile_epoch",
        "compile_gradient",
        "compile_prediction",
        "compile_steps",
        "run_lstm",
        "start_backend",
    )
}


def draw(rows=14, effect=3.0, seed=0):
    """Rows of three classes, each around its own mean in its own column."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(CLASSES), rows)
    X = random.normal(size=(len(y), FEATURES))
    X[np.arange(len(y)), y] += effect
    return X.astype(np.float32), y


@pytest.fixture(scope="module", autouse=True)
def started():
    """TensorFlow takes its threads before the first network only."""
    start_backend(1)


@pytest.fixture(scope="module")
def fitted():
    """Each network fitted, in a model with a class that training did not see."""
    X, y = draw()
    columns = [f"g{number}" for number in range(FEATURES)]
    models = {}
    for name in NAMES:
        estimator = fit_network(name, X, y, parameter_grid(name, SMALL[name])[0], 0, 1)
        mean, scale = np.linspace(-1, 1, FEATURES), np.linspace(1, 2, FEATURES)
        models[name] = FittedModel(estimator, columns, mean, scale, list("ABCD"), [0, 1, 3], {"k": FEATURES})
    return models


@pytest.fixture
def python(repository):
    """Run code in a process of its own, because threads, precision and backend are set once per process; returns the
    JSON that it prints last."""

    def run(code, **environment):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=repository / "scripts",
            env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def describe(layer):
    """What a published description says of a layer."""
    kind = type(layer).__name__
    if kind == "Dense":
        return kind, layer.units, layer.activation.__name__
    if kind.startswith("Conv"):
        return kind, layer.filters, layer.kernel_size, layer.strides, layer.activation.__name__
    if kind.startswith("MaxPooling"):
        return kind, layer.pool_size, layer.strides
    if kind == "LSTM":
        return kind, layer.units, layer.return_sequences
    shown = {"Dropout": "rate", "Reshape": "target_shape", "ZeroPadding1D": "padding"}
    return (kind, getattr(layer, shown[kind])) if kind in shown else (kind,)


# Layers


@pytest.mark.parametrize("name", NAMES)
def test_preset_builds_the_published_layers(name):
    settings = parameter_grid(name, {"preset": "published"})[0]
    network = load_module(name).build(PUBLISHED_GENES.get(name, 100), 6, settings)
    assert [describe(layer) for layer in network.layers] == PUBLISHED[name]


@pytest.mark.parametrize("name", STACKED)
def test_preset_of_the_stack_trains_as_published(name):
    settings = parameter_grid(name, {"preset": "published"})[0]
    expected = {
        "learning_rate": 1e-4,
        "epochs": 150,
        "batch_size": 16,
        "noise": 0.005,
        "scale_range": 0.01,
        "monitor": "accuracy",
        "patience": 25,
        "plateau_patience": 12,
        "smallest_learning_rate": 1e-6,
        "label_smoothing": 0.0,
    }
    assert {key: settings[key] for key in expected} == expected == PUBLISHED_TRAINING


def test_preset_of_the_picture_trains_as_published():
    from genestrata.models.network_training import make_optimizer

    settings = parameter_grid("cnn_2d", {"preset": "published"})[0]
    optimizer = make_optimizer(settings, 1)
    assert (type(optimizer).__name__, optimizer.rho) == ("RMSprop", 0.9)
    schedule = optimizer.get_config()["learning_rate"]["config"]
    assert (schedule["initial_learning_rate"], schedule["decay_steps"], schedule["decay_rate"]) == (1e-4, 1, 0.01)
    expected = {
        "epochs": 50,
        "batch_size": 64,
        "watched_share": 0.1,
        "noise": 0,
        "scale_range": 0,
        "gene_order": "file",
    }
    assert {key: settings[key] for key in expected} == expected
    # All epochs are run, at a learning rate that nothing else changes.
    assert settings["patience"] is settings["plateau_patience"] is None


def test_picture_is_written_row_by_row():
    import keras

    network = load_module("cnn_2d").build(7, 2, parameter_grid("cnn_2d", {})[0])
    reshaped = [layer for layer in network.layers if type(layer).__name__ == "Reshape"][-1]
    picture = keras.ops.convert_to_numpy(keras.Model(network.inputs, reshaped.output)(np.arange(1.0, 8.0)[None]))
    assert picture[0, :, :, 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 0, 0]]


def test_decay_lowers_the_learning_rate_step_by_step():
    X, y = draw()
    settings = parameter_grid("cnn_2d", {"preset": "published", "epochs": 3, "filters": [2] * 4, "units": [2]})[0]
    history = fit_network("cnn_2d", X, y, settings, 0, 1).history
    # One step an epoch: 64 rows are more than there are.
    np.testing.assert_allclose(history["learning_rate"], 1e-4 / (1 + 0.01 * np.arange(1, 4)), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_own_parameters_change_the_preset_and_the_preset_changes_no_default(name):
    module, defaults = load_module(name), dict(load_module(name).SETTINGS)
    settings = parameter_grid(name, {"preset": "published", "epochs": 7})[0]
    assert settings == defaults | module.PRESETS["published"] | {"epochs": 7}
    assert "preset" not in settings and set(TRAINING) <= set(defaults)
    assert parameter_grid(name, {}) == [defaults] and defaults["epochs"] == 150


@pytest.mark.parametrize("preset", [{}, {"preset": "published"}])
@pytest.mark.parametrize("n_features", [5, 33])
@pytest.mark.parametrize("name", NAMES)
def test_network_takes_any_number_of_genes_and_gives_probabilities(name, n_features, preset):
    # 5 is less than the steps of the LSTM, 33 no multiple of them.
    network = load_module(name).build(n_features, 4, parameter_grid(name, preset)[0])
    X = np.random.default_rng(0).normal(size=(7, n_features))
    probabilities = NetworkClassifier(network).predict_proba(X)
    assert probabilities.shape == (7, 4) and probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert probabilities.min() >= 0 and np.ptp(probabilities, axis=0).min() > 0


@pytest.mark.parametrize(
    ("name", "n_features", "chunks"), [("lstm", 33, (16, 3)), ("lstm", 32, (16, 2)), ("lstm", 5, (5, 1))]
)
def test_lstm_reads_neighbouring_genes_together(name, n_features, chunks):
    import keras

    network = load_module(name).build(n_features, 3, parameter_grid(name, {})[0])
    first = next(number for number, layer in enumerate(network.layers) if type(layer).__name__ == "LSTM")
    row = np.arange(1, n_features + 1, dtype=np.float32)
    read = keras.Sequential(network.layers[:first])(row[None])
    filled = np.append(row, np.zeros(np.prod(chunks) - n_features))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(read)[0], filled.reshape(chunks))


def test_summary_and_direction_of_the_lstm_can_be_chosen():
    def kinds(**overrides):
        network = load_module("lstm").build(20, 3, parameter_grid("lstm", overrides)[0])
        return [type(layer).__name__ for layer in network.layers if "Reshape" not in type(layer).__name__][-4:]

    assert kinds(summary="last", bidirectional=True)[-3:] == ["Bidirectional", "Dropout", "Dense"]
    assert kinds(summary="average") == ["LSTM", "GlobalAveragePooling1D", "Dropout", "Dense"]
    assert kinds(summary="flatten") == ["LSTM", "Flatten", "Dropout", "Dense"]


@pytest.mark.parametrize("name", NAMES)
def test_schema_and_code_have_the_same_parameters(name, repository):
    schema = yaml.safe_load((repository / "resources/schemas/study.schema.yaml").read_text())
    module, properties = load_module(name), schema["$defs"][name]["properties"]
    assert set(properties) == set(module.SETTINGS) | {"preset"}
    assert set(properties["preset"]["enum"]) == set(module.PRESETS)
    assert all(set(preset) <= set(module.SETTINGS) for preset in module.PRESETS.values())


# Independence of TensorFlow


def imports_of(tree, inside=None):
    """(imported name, function around it) of a module; names imported from a package with the package in front."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", inside) for alias in node.names)
        else:
            function = node.name if inside is None and isinstance(node, ast.FunctionDef) else inside
            yield from imports_of(node, function)


def test_layers_and_training_name_tensorflow_only_where_it_is_started_and_compiled(repository):
    scripts = repository / "scripts"
    waiting = [f"genestrata.models.{name}" for name in NAMES]
    places, seen = set(), set()
    while waiting:
        path = scripts / (waiting.pop().replace(".", "/") + ".py")
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        for name, function in imports_of(ast.parse(path.read_text())):
            if name.split(".")[0] == "tensorflow" or name.startswith("keras.src"):
                places.add((path.stem, function))
            waiting += [name, name.rpartition(".")[0]]
    assert {path.stem for path in seen} >= {*NAMES, "networks", "network_training", "backend"}
    assert places == TENSORFLOW_PLACES


def test_modules_that_name_networks_are_read_without_keras_or_tensorflow(python):
    modules = [*(f"models.{name}" for name in NAMES), "models.storage", "explaining", "training"]
    code = "".join(f"import genestrata.{module}\n" for module in modules)
    code += "import json, sys; print(json.dumps(sorted({'keras', 'tensorflow', 'torch'} & set(sys.modules))))"
    assert python(code) == []


# Prediction and files


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_those_of_the_keras_network(name, fitted):
    estimator, X = fitted[name].estimator, draw(rows=4, seed=1)[0]
    assert estimator.classes_.tolist() == [0, 1, 2]
    np.testing.assert_allclose(estimator.predict_proba(X), estimator.network.predict(X, verbose=0), atol=1e-6)


def test_network_learns_its_classes(fitted):
    X, y = draw(seed=1)
    assert (fitted["dense"].predict_standardised(X)[:, [0, 1, 3]].argmax(axis=1) == y).mean() > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_saved_network_predicts_the_same(name, fitted, tmp_path):
    model = fitted[name]
    size = model.save(tmp_path / "model")
    loaded = FittedModel.load(tmp_path / "model")
    raw = np.random.default_rng(1).normal(size=(9, FEATURES))
    raw[2, 3] = np.nan
    assert loaded.predict_proba(raw).tobytes() == model.predict_proba(raw).tobytes()
    assert (loaded.features, loaded.classes, loaded.settings) == (model.features, model.classes, {"k": FEATURES})
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["model.json", "model.keras"]
    assert sum(file.stat().st_size for file in files) == size


def test_copied_network_predicts_the_same_and_copying_reads_no_network(fitted, tmp_path):
    fitted["dense"].save(tmp_path / "0")
    copy_model(tmp_path / "0", tmp_path / "final")
    X = draw(seed=1)[0]
    assert FittedModel.load(tmp_path / "final").predict_proba(X).tobytes() == fitted["dense"].predict_proba(X).tobytes()
    (tmp_path / "0.keras").write_bytes(b"nothing of the kind")
    copy_model(tmp_path / "0", tmp_path / "other")
    assert (tmp_path / "other.keras").read_bytes() == b"nothing of the kind"
    assert json.loads((tmp_path / "other.json").read_text())["file"] == "other.keras"


# Files of a stranger


def replace_member(path, member, content):
    """Write another content into a .keras archive, or leave the member out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert member in members
    members |= {member: content}
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in members.items():
            if value is not None:
                archive.writestr(name, value)


def lambda_layer(path):
    import keras

    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2)]).save(path)


def other_layer(path):
    import keras

    keras.Sequential([keras.Input((3,)), keras.layers.GaussianNoise(0.5)]).save(path)


def part_inside_a_layer(path):
    import keras

    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    foreign = {"module": "builtins", "class_name": "function", "config": "system", "registered_name": "function"}
    config["config"]["layers"][-1]["config"]["kernel_initializer"] = foreign
    replace_member(path, "config.json", json.dumps(config))


def part_of_another_module(path):
    import keras

    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["layers"][-1]["module"] = "os"
    replace_member(path, "config.json", json.dumps(config))


@pytest.mark.parametrize(
    ("write", "part"),
    [
        (lambda_layer, "keras.layers.Lambda"),
        (other_layer, "keras.layers.GaussianNoise"),
        (part_inside_a_layer, "builtins.function"),
        (part_of_another_module, "os.Dense"),
    ],
)
def test_parts_that_no_network_holds_are_refused_before_keras_reads_them(write, part, tmp_path, monkeypatch):
    import keras

    write(tmp_path / "model.keras")
    monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: pytest.fail("Keras read the file"))
    with pytest.raises(InputError, match=f"refused, it holds parts that .* never holds: .*{part}$"):
        load_network(tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("member", "content"),
    [
        (None, b"nothing of the kind"),
        ("config.json", None),
        ("config.json", b"{"),
        ("config.json", b"[]"),
        ("config.json", b'{"class_name": ["Dense"], "config": {}}'),
        ("model.weights.h5", b"no weights"),
        ("model.weights.h5", None),
    ],
)
def test_damaged_network_is_refused(member, content, fitted, tmp_path):
    fitted["dense"].save(tmp_path / "model")
    path = tmp_path / "model.keras"
    if member is None:
        path.write_bytes(content)
    else:
        replace_member(path, member, content)
    with pytest.raises(InputError, match=r"model\.keras: (not a readable network|refused)"):
        FittedModel.load(tmp_path / "model")


def test_truncated_network_is_refused(fitted, tmp_path):
    fitted["cnn"].save(tmp_path / "model")
    path = tmp_path / "model.keras"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="not a readable network"):
        FittedModel.load(tmp_path / "model")


# SHAP values


def shap_values(model, Z, background, seed=0):
    """SHAP values of all classes, from 200 draws."""
    explained = np.ones((len(Z), len(model.classes)), dtype=bool)
    return network_effects(model, Z, background, explained, 200, seed).values


@pytest.mark.parametrize("name", NAMES)
def test_shap_of_a_network_adds_up_to_the_change_of_the_probabilities(name, fitted):
    model, (background, _) = fitted[name], draw(rows=8)
    Z = draw(rows=1, seed=1)[0]
    values = shap_values(model, Z, background)
    assert values.shape == (3, FEATURES, 4)
    assert (values[:, :, 2] == 0).all()
    change = model.predict_standardised(Z) - model.predict_standardised(background).mean(axis=0)
    np.testing.assert_allclose(values.sum(axis=1), change, atol=0.15)
    if name == "dense":
        assert np.abs(change).max() > 0.4


def test_shap_of_a_network_depends_on_the_seed_only(fitted):
    background, Z = draw(rows=8)[0], draw(rows=1, seed=1)[0][:1]
    first, again, other = (shap_values(fitted["dense"], Z, background, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(again, first)
    assert not np.array_equal(other, first)


def test_the_gene_of_a_class_has_the_largest_shap_value(fitted):
    background, y = draw(rows=8)
    values = shap_values(fitted["dense"], background[::4], background)
    for label, code in enumerate([0, 1, 3]):
        own = values[y[::4] == label, :, code].mean(axis=0)
        assert own.argmax() == label and own[label] > 0


# Threads, GPUs, precision, backends


def test_gpus_are_hidden_unless_the_job_was_granted_one(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    hide_gpus_unless_granted(1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    hide_gpus_unless_granted(0)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"


def thread_pools():
    import tensorflow as tf

    threading = tf.config.threading
    return [threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()]


def test_tensorflow_takes_the_threads_of_the_job():
    assert thread_pools() == [1, 1]


def test_networks_train_with_more_threads_and_in_mixed_precision_and_are_read_back_in_it(python, fitted, tmp_path):
    X, y = draw(effect=4.0)
    np.savez(tmp_path / "rows.npz", X=X, y=y)
    code = f"""
import json, keras, numpy as np, tensorflow as tf
from genestrata.models import parameter_grid
from genestrata.models.backend import start_backend
from genestrata.models.networks import fit_network
start_backend(2)
threading = tf.config.threading
keras.mixed_precision.set_global_policy("mixed_float16")
rows = np.load({str(tmp_path / "rows.npz")!r})
settings = parameter_grid("dense", {SMALL["dense"]!r})[0]
model = fit_network("dense", rows["X"], rows["y"], settings, 0, 2)
model.network.save({str(tmp_path / "model.keras")!r})
probabilities = model.predict_proba(rows["X"])
print(json.dumps({{
    "threads": [threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()],
    "compute": model.network.layers[1].compute_dtype,
    "weights": str(np.asarray(model.network.get_weights()[0]).dtype),
    "dtype": str(probabilities.dtype),
    "probabilities": probabilities.tolist(),
    "loss": model.history["loss"].tolist(),
}}))
"""
    # The variable says another number, so that it would be seen if TensorFlow followed it.
    found = python(code, OMP_NUM_THREADS="1")
    assert found["threads"] == [2, 2]
    assert (found["compute"], found["weights"], found["dtype"]) == ("float16", "float32", "float64")
    probabilities = np.array(found["probabilities"])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities.argmax(axis=1) == y).mean() > 0.9
    assert found["loss"][-1] < found["loss"][0] / 2
    np.testing.assert_allclose(load_network(tmp_path / "model.keras").predict_proba(X), probabilities, atol=1e-3)


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_networks_run_on_another_backend(backend, python, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    X, y = draw()
    np.savez(tmp_path / "rows.npz", X=X, y=y)
    # As where TensorFlow is not installed.
    code = f"""
import json, sys
sys.modules["tensorflow"] = None
import keras, numpy as np
from genestrata.models import parameter_grid
from genestrata.models.networks import fit_network
rows = np.load({str(tmp_path / "rows.npz")!r})
found = {{"backend": keras.config.backend()}}
for name in {NAMES!r}:
    parts = []
    for watched_share in (0.25, 0.0) if name == "dense" else (0.25,):
        settings = parameter_grid(name, {{"epochs": 2, "watched_share": watched_share}})[0]
        model = fit_network(name, rows["X"], rows["y"], settings, 0, 1)
        parts.append([model.predict_proba(rows["X"]).tolist(), model.history.columns.tolist()])
    found[name] = parts
print(json.dumps(found))
"""
    found = python(code, KERAS_BACKEND=backend)
    assert found.pop("backend") == backend and list(found) == NAMES
    for parts in found.values():
        for (probabilities, columns), is_watched in zip(parts, (True, False), strict=False):
            assert ("val_loss" in columns) == is_watched
            probabilities = np.array(probabilities)
            assert probabilities.shape == (len(y), CLASSES)
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
            assert np.ptp(probabilities, axis=0).min() > 0
