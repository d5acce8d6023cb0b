"""LSTM layers whose steps run in one loop of the backend; the function, the weights and their order stay Keras' own."""

import keras

from genestrata.models.backend import run_lstm


@keras.saving.register_keras_serializable("genestrata")
class FusedLSTM(keras.layers.LSTM):
    """An LSTM over rows that are padded behind their ends, as one operation where the backend has one for the CPU.

    Outputs at padded steps differ from those of Keras' loop, whatever follows must mask them.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """`keras.layers.LSTM.inner_loop`: last output, outputs, states."""
        cell = self.cell
        result = run_lstm(sequences, mask, cell.kernel, cell.recurrent_kernel, cell.bias, self.go_backwards)
        if result is None:
            return super().inner_loop(sequences, initial_state, mask, training)
        outputs, last = result
        # No layer of ours asks for the state of the cell.
        return last, outputs if self.return_sequences else last[:, None], [last, last]


def fuse(network: keras.Model) -> keras.Model:
    """A network of the same layers and weights whose LSTMs are fused."""

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        if not isinstance(layer, keras.layers.Bidirectional):
            return layer.__class__.from_config(layer.get_config())
        config = layer.forward_layer.get_config()
        return keras.layers.Bidirectional(FusedLSTM.from_config(config), name=layer.name)

    fused = keras.models.clone_model(network, clone_function=copy)
    fused.set_weights(network.get_weights())
    return fused
