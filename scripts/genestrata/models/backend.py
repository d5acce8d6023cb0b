"""The library that runs networks, TensorFlow unless KERAS_BACKEND names another: the one place that knows it."""

import logging
import os
from collections.abc import Callable
from typing import Any

# Keras and TensorFlow read these when they are imported; 3 silences TensorFlow's complaints about absent GPUs.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

logger = logging.getLogger(__name__)

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
