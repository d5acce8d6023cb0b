"""Which GPUs a job may use."""

import os


def hide_gpus_unless_granted(granted: int) -> None:
    """Hide all GPUs from the libraries of a job whose resources hold none; to be called before they are imported."""
    if not granted:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
