"""Logging of a job into the file that its rule declares."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from genestrata.errors import InputError

logger = logging.getLogger("genestrata")


@contextlib.contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Send log records, warnings and exceptions to `path`; an InputError ends the job with its message alone."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        filename=path,
        filemode="w",
        encoding="utf-8",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    try:
        yield
    except InputError as error:
        logger.error("%s", error)
        sys.exit(f"error: {error}")
    except Exception:
        logger.exception("stopped by an unexpected error")
        raise
