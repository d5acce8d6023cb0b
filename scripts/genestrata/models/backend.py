"""The library that runs networks, TensorFlow unless KERAS_BACKEND names another: the one place that knows it."""

import functools
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from genestrata.models.tokens import pad

# Keras and TensorFlow read these when they are imported; 3 silences TensorFlow's complaints about absent GPUs.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

logger = logging.getLogger(__name__)

# Lengths to which sequences are padded where each costs a compilation grow by this factor.
LENGTH_RATIO = 1.25

_started: list[int] = []


def start_backend(threads: int) -> None:
    """Give TensorFlow its threads and a GPU if the process sees one, before the first network.

    TensorFlow takes these settings once in a process, so that the first call counts and later ones do nothing.
    TensorFlow by itself ignores OMP_NUM_THREADS, takes all cores and all memory of every GPU. On a GPU networks compute
    in mixed precision (Micikevicius et al. 2018, ICLR); on the CPU results repeat for a seed.
    """
    if _started:
        return
    _started.append(threads)
    import keras

    # Fits are seeded one by one; this is for what draws from no seed of its own.
    keras.utils.set_random_seed(0)
    if keras.config.backend() != "tensorflow":
        return
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")[:1]
    tf.config.set_visible_devices(gpus, "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    if gpus:
        tf.config.experimental.set_memory_growth(gpus[0], True)
        keras.mixed_precision.set_global_policy("mixed_float16")
    else:
        tf.config.experimental.enable_op_determinism()
    # It warns of a new trace for every number of genes, although each network is traced once.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logger.info("TensorFlow %s: %d threads, %d GPU", tf.__version__, threads, len(gpus))


def job_threads() -> int:
    """Threads of this job as Snakemake hands them down, 1 outside of one."""
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


def compile_epoch(network: Any) -> Callable:
    """A function (X, y, weights, watched) -> (logs, probabilities of watched): one epoch, then a prediction.

    network : compiled keras.Model; X, y, weights : batches of one epoch, (steps, batch, ...) float32. On TensorFlow the
    whole epoch is one compiled call, which spares the cost of starting each step from Python; other backends take the
    steps one by one.
    """
    import keras

    if keras.config.backend() != "tensorflow":

        def epoch(X, y, weights, watched):
            for batch in zip(X, y, weights, strict=True):
                logs = network.train_on_batch(*batch, return_dict=True)
            return logs, network.predict_on_batch(watched)

        return epoch

    import tensorflow as tf

    def float_input(*shape: int | None) -> Any:
        return tf.TensorSpec((None, *shape), tf.float32)

    row, n_classes = network.input_shape[1:], network.output_shape[-1]

    # The signature leaves the number of rows open, so that folds of other sizes reuse the trace.
    @tf.function(
        input_signature=[
            float_input(None, *row),
            float_input(None, n_classes),
            float_input(None),
            float_input(*row),
        ]
    )
    def compiled_epoch(X, y, weights, watched):
        for step in tf.range(tf.shape(X)[0] - 1):
            network.train_step((X[step], y[step], weights[step]))
        logs = network.train_step((X[-1], y[-1], weights[-1]))
        return logs, network(watched, training=False)

    def epoch(X, y, weights, watched):
        logs, probabilities = compiled_epoch(X, y, weights, watched)
        return {name: float(value) for name, value in logs.items()}, probabilities.numpy()

    return epoch


def compile_steps(network: Any) -> Callable:
    """`compile_epoch` for sequences: X, y and weights are lists of batches, whose rows are tokens and differ in length.

    A step is one compiled call that serves every length; watched : tokens of each row.
    """
    import keras

    predict = compile_prediction(network)
    if keras.config.backend() != "tensorflow":
        step = functools.partial(network.train_on_batch, return_dict=True)
    else:
        import tensorflow as tf

        signature = [
            tf.TensorSpec((None, None), tf.int32),
            tf.TensorSpec((None, network.output_shape[-1]), tf.float32),
            tf.TensorSpec((None,), tf.float32),
        ]
        step = tf.function(lambda *batch: network.train_step(batch), input_signature=signature)

    def epoch(X, y, weights, watched):
        for rows, *targets in zip(X, y, weights, strict=True):
            logs = step(pad_for_backend(rows), *targets)
        return {name: float(value) for name, value in logs.items()}, predict(watched)

    return epoch


def compile_prediction(network: Any, size: int = 256) -> Callable:
    """A function from the tokens of n rows to probabilities (n, n_classes) float32, `size` rows of similar length at a
    time."""
    import keras

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec((None, None), tf.int32)]
        run = tf.function(lambda tokens: network(tokens, training=False), input_signature=signature)
    else:
        run = network.predict_on_batch

    def predict(rows):
        probabilities = np.zeros((len(rows), network.output_shape[-1]), dtype=np.float32)
        order = np.argsort([len(row) for row in rows], kind="stable")
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            probabilities[batch] = run(pad_for_backend([rows[row] for row in batch]))
        return probabilities

    return predict


def pad_for_backend(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Tokens of a batch (n, length) int32, padded to its longest row; where the backend compiles every length anew, to
    the next of a few lengths."""
    import keras

    longest = max(map(len, rows))
    if keras.config.backend() != "tensorflow":
        longest = round(LENGTH_RATIO ** np.ceil(np.log(longest) / np.log(LENGTH_RATIO)))
    return pad(rows, longest)


def run_lstm(x: Any, mask: Any, kernel: Any, recurrent: Any, bias: Any, backwards: bool) -> tuple[Any, Any] | None:
    """All steps of an LSTM in one operation: outputs (n, length, units), in the order in which they are read, and the
    last one (n, units). None where the backend has no such operation or Keras' own is as good.

    x : (n, length, features) float32; mask : (n, length) bool, True at the first steps of each row, or None; kernel,
    recurrent, bias : as in keras.layers.LSTM; backwards : read each row from its end.
    """
    import keras

    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    if x.dtype != tf.float32 or tf.config.get_visible_devices("GPU"):
        return None
    steps = tf.shape(x)[1]
    lengths = tf.fill(tf.shape(x)[:1], steps) if mask is None else tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    # Of a row read backwards its padding must still come last.
    if backwards:
        x = tf.reverse_sequence(x, lengths, seq_axis=1, batch_axis=0)
    x = tf.transpose(x, (1, 0, 2))
    units = recurrent.shape[0]
    nothing = tf.zeros((tf.shape(x)[1], units))

    def gates(weights: Any) -> Any:
        # Keras puts the gate of the input, of forgetting, the new cell and the gate of the output side by side; this
        # operation (and its gradient, but not that of its second version) has the new cell second.
        entry, forgetting, cell, exit = tf.split(weights, 4, axis=-1)
        return tf.concat([entry, cell, forgetting, exit], axis=-1)

    outputs = tf.raw_ops.BlockLSTM(
        seq_len_max=tf.cast(steps, tf.int64),
        x=x,
        cs_prev=nothing,
        h_prev=nothing,
        w=gates(tf.concat([kernel, recurrent], axis=0)),
        wci=tf.zeros(units),
        wcf=tf.zeros(units),
        wco=tf.zeros(units),
        b=gates(tf.convert_to_tensor(bias)),
        forget_bias=0.0,
        cell_clip=0.0,
    ).h
    outputs = tf.transpose(outputs, (1, 0, 2))
    last = tf.gather(outputs, tf.maximum(lengths - 1, 0), axis=1, batch_dims=1)
    if backwards:
        outputs = tf.reverse(tf.reverse_sequence(outputs, lengths, seq_axis=1, batch_axis=0), axis=[1])
    return outputs, last


def compile_gradient(network: Any) -> tuple[Callable, np.ndarray]:
    """A function (tokens, embedded, class) -> (probabilities of the class, their gradients) of a network that begins
    with an embedding, and the table of that embedding, (n_tokens, size) float32.

    tokens : (n, length) int32, all present; embedded, and the gradients : (n, length, size) float32. Raises
    RuntimeError on a backend other than TensorFlow.
    """
    import keras

    require_tensorflow("attributions of tokens")
    import tensorflow as tf

    layer = next(layer for layer in network.layers if isinstance(layer, keras.layers.Embedding))
    rest = keras.Model([network.input, layer.output], network.output)
    signature = [
        tf.TensorSpec((None, None), tf.int32),
        tf.TensorSpec((None, None, layer.output_dim), tf.float32),
        tf.TensorSpec((), tf.int32),
    ]

    @tf.function(input_signature=signature)
    def compiled_gradient(tokens, embedded, code):
        with tf.GradientTape() as tape:
            tape.watch(embedded)
            probabilities = rest([tokens, embedded], training=False)[:, code]
        return probabilities, tape.gradient(probabilities, embedded)

    def gradient(tokens, embedded, code):
        return tuple(part.numpy() for part in compiled_gradient(tokens, embedded, code))

    return gradient, keras.ops.convert_to_numpy(layer.embeddings)


def compile_class_gradient(network: Any) -> Callable:
    """A function (points, codes) -> gradients, like points, of each row's probability of its own class.

    points : (n, ...) float32 as the network takes them; codes : (n,) int32, a class for each row. One pass serves rows
    of different classes, because no row's probability depends on another row. Raises RuntimeError on a backend other
    than TensorFlow.
    """
    require_tensorflow("gradients of a network")
    import tensorflow as tf

    n_classes = network.output_shape[-1]
    signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32), tf.TensorSpec((None,), tf.int32)]

    @tf.function(input_signature=signature)
    def compiled_gradient(points, codes):
        # Only the points are watched, so that no gradient of a weight is computed or kept.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(points)
            own = tf.reduce_sum(network(points, training=False) * tf.one_hot(codes, n_classes))
        return tape.gradient(own, points)

    def gradient(points, codes):
        return compiled_gradient(points, codes).numpy()

    return gradient


def require_tensorflow(what: str) -> None:
    """Raise RuntimeError if Keras runs on another backend."""
    import keras

    if keras.config.backend() != "tensorflow":
        raise RuntimeError(f"{what} need TensorFlow, KERAS_BACKEND is {keras.config.backend()}")
