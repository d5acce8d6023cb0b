"""Starting the library that runs networks: TensorFlow, unless KERAS_BACKEND names another."""

import logging
import os

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
