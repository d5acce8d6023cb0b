"""Fetching a published file: mirror first, checked by sha256, retried with back-off, written atomically."""

import logging
import shutil
from pathlib import Path

import pooch
import requests

from genestrata.errors import InputError
from genestrata.files import atomic_path, share

logger = logging.getLogger(__name__)

# Further attempts after a failed one; pooch waits 1, 2, … seconds before them.
RETRIES = 2
TIMEOUT_SECONDS = 60


def fetch(folder: str, url: str | None, sha256: str, mirror: str, output: str | Path) -> None:
    """Write `output` from `<mirror>/<folder>/<its name>` if a mirror is given and has it, else from `url`.

    url : None for a table that only a mirror holds; without a mirror such a table is built from published files. A
    mirror is a folder or a URL prefix. Raises InputError, leaving nothing behind, when no place has the file or the
    file found has another checksum.
    """
    output = Path(output)
    mirrored = [f"{mirror.rstrip('/')}/{folder}/{output.name}"] if mirror else []
    failures = []
    for place in (*mirrored, *([url] if url else [])):
        try:
            if place.startswith(("http://", "https://")):
                _download(place, sha256, output)
            else:
                _copy(place, sha256, output)
            logger.info("%s: taken from %s, sha256 %s", output.name, place, sha256)
            return
        except (OSError, requests.RequestException) as error:
            response = getattr(error, "response", None)
            status = None if response is None else f"HTTP status {response.status_code}"
            reason = status or getattr(error, "strerror", None) or type(error).__name__
            logger.warning("%s: not at %s: %s", output.name, place, error)
            failures.append(f"{place} ({reason})")
        except ValueError as error:
            raise InputError(
                f"{output.name}: wrong checksum of the file at {place}: {str(error).rstrip('.')}. "
                "The copy is damaged or another version: replace it, or correct sha256 in the study file if you "
                "trust it"
            ) from None
    if not url:
        raise InputError(
            f"{output.name}: could not be fetched from {failures[0]}; give a mirror that holds {folder}/{output.name}, "
            "or none (mirror=''): it is then built from the published files of each sample"
        )
    raise InputError(
        f"{output.name}: could not be fetched from {' nor from '.join(failures)}; check the network, or give a folder "
        f"that holds {folder}/{output.name}: --config data=public mirror=PATH"
    )


def _download(url: str, sha256: str, output: Path) -> None:
    """Download with a progress bar; raises ValueError for a wrong checksum, else RequestException or OSError."""
    manager = pooch.create(
        path=output.parent, base_url="", registry={output.name: f"sha256:{sha256}"}, retry_if_failed=RETRIES
    )
    manager.urls[output.name] = url
    manager.fetch(output.name, downloader=pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT_SECONDS))
    share(output)


def _copy(path: str, sha256: str, output: Path) -> None:
    """Copy from a folder; raises ValueError for a wrong checksum, OSError for the rest."""
    with atomic_path(output) as temporary:
        shutil.copyfile(path, temporary)
        found = pooch.file_hash(str(temporary), alg="sha256")
        if found != sha256:
            raise ValueError(f"expected sha256 {sha256}, found {found}")
