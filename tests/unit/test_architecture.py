"""Layers of a saved network: what is read from its file, what is drawn, and files that are none."""

import json
import sys
import zipfile

import pytest

from genestrata.architecture import layer_rows, plot_layers, read_architecture
from genestrata.errors import InputError

SMALL = {"embedding": 5, "filters": [6], "kernel": [3], "pool": [2], "units": [4, 3], "dropout": 0.25}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small network, untrained, and its file."""
    from genestrata.models.backend import start_backend
    from genestrata.models.bilstm import SETTINGS, build
    from genestrata.models.tokens import n_tokens

    # TensorFlow takes its threads before the first network only, which other tests need.
    start_backend(1)
    network = build(n_tokens("codon"), 3, SETTINGS | SMALL)
    path = tmp_path_factory.mktemp("network") / "final.keras"
    network.save(path)
    return network, path


def test_number_of_weights_is_that_of_the_network(saved):
    network, path = saved
    assert read_architecture(path)[1] == network.count_params()


def test_configuration_builds_the_same_network_anew(saved):
    import keras

    network, path = saved
    config = json.loads(json.dumps(read_architecture(path)[0]))
    again = keras.saving.deserialize_keras_object(config)
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in network.weights]
    assert type(again) is type(network)


def test_layers_are_listed_in_order_with_what_tells_them_apart(saved):
    assert [row for row in layer_rows(read_architecture(saved[1])[0]) if row[1]] == [
        ("Embedding", "input dim 66, output dim 5"),
        ("Conv1D", "filters 6, kernel size 3, activation relu"),
        ("MaxPooling1D", "strides 2, pool size 2"),
        ("Bidirectional LSTM", "units 4, activation tanh"),
        ("Dropout", "rate 0.25"),
        ("Bidirectional LSTM", "units 3, activation tanh"),
        ("Dropout", "rate 0.25"),
        ("Dense", "units 3, activation softmax"),
    ]


def test_nothing_of_the_network_is_run(saved, monkeypatch):
    """A network library takes seconds to start, and a file of a stranger's might ask for anything."""
    for module in ("keras", "tensorflow"):
        monkeypatch.setitem(sys.modules, module, None)
    config, _ = read_architecture(saved[1])
    assert layer_rows(config)


def cut(path, content):
    path.write_bytes(content[: len(content) // 2])


def without_weights(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")


def without_json(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "layers")


def not_an_archive(path, content):
    path.write_bytes(b"keras")


@pytest.mark.parametrize("damage", [cut, without_weights, without_json, not_an_archive])
def test_damaged_file_is_one_line_that_names_it(saved, tmp_path, damage):
    path = tmp_path / "bad.keras"
    damage(path, saved[1].read_bytes())
    with pytest.raises(InputError) as caught:
        read_architecture(path)
    assert str(caught.value).startswith(f"{path}: not a readable network: ")
    assert "\n" not in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nope\.keras: not a readable network"):
        read_architecture(tmp_path / "nope.keras")


def test_picture_shows_every_layer_its_settings_and_the_title(saved, tmp_path):
    rows = layer_rows(read_architecture(saved[1])[0])
    plot_layers(rows, "BiLSTM: 1,234 weights", tmp_path / "layers", "SIMULATED data")
    text = (tmp_path / "layers.svg").read_text()
    for part in (*(part for row in rows for part in row if part), "BiLSTM: 1,234 weights", "SIMULATED data"):
        assert part in text
    assert (tmp_path / "layers.png").read_bytes().startswith(b"\x89PNG")
