"""torchvision's published weights: from torch's cache, or downloaded into it."""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.request
import uuid
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlparse

import torch

from backend.errors import ModelError
from backend.task import SilentTask, Task

_HASH_IN_NAME: Final = re.compile(r"-([0-9a-f]{8,})\.")
_TIMEOUT: Final = 20.0  # seconds without an answer
_CHUNK: Final = 1 << 18  # bytes
_MEGABYTE: Final = 1_000_000


def weights_cache() -> Path:
    """Return the folder in which torch keeps downloaded weights (below ``TORCH_HOME`` if that is set)."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def published_weights_file(
    url: str, *, model: str, file_name: str | None = None, task: Task | None = None
) -> Path:
    """Return the file of a published set of weights, downloading it if it is not in the cache.

    Parameters
    ----------
    url
        Where the file is published. If its name holds the first digits of its SHA-256, they are checked.
    model
        The model's name, for messages.
    file_name
        Name in the cache, if other than that where it is published.

    Raises
    ------
    ModelError
        If it is not in the cache and cannot be downloaded, or what arrives is not what was published.
    Cancelled
        If the task was asked to stop; nothing half-downloaded remains.
    """
    cached = weights_cache() / (file_name or PurePosixPath(urlparse(url).path).name)
    if cached.is_file():
        return cached
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        _download(url, cached, f"Downloading the weights of {model}", task or SilentTask())
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise ModelError(
            f"The published weights of {model} are not on this machine and cannot be downloaded ({reason}). "
            f"Connect to the internet, or put the file '{cached.name}' into the folder '{cached.parent}', "
            "or give weights of your own (--weights FILE)."
        ) from error
    return cached


def _download(url: str, destination: Path, message: str, task: Task) -> None:
    digest = hashlib.sha256()
    partial = destination.with_name(f"{destination.name}.{uuid.uuid4().hex}.part")
    try:
        with partial.open("xb") as file, urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            done = 0
            while chunk := answer.read(_CHUNK):
                task.check_cancelled()
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                task.progress(done // _MEGABYTE, total // _MEGABYTE, f"{message} (megabytes)")
            if done < total:
                raise ValueError(f"only {done} of {total} bytes arrived")
        expected = _HASH_IN_NAME.search(destination.name)
        if expected and not digest.hexdigest().startswith(expected[1]):
            raise ValueError("what arrived is damaged: its SHA-256 is not the published one")
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)
