"""The network that was loaded last, so that one after another visualisation does not load it anew."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backend.networks.model_source import ModelSource
from backend.task import Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel


class ModelCache:
    """Keeps one loaded network. Used by jobs, in their worker thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[object, ...] | None = None
        self._loaded: LoadedModel | None = None

    def load(self, source: ModelSource, *, allow_code: bool, task: Task) -> LoadedModel:
        """Return the network, loading it unless it is the last one and its files are unchanged.

        Another rule for grey values is only another preprocessing of the same network.

        Raises
        ------
        ModelError
            As :func:`backend.models.load_model` does.
        """
        from backend.models import load_model

        network = replace(source, grey_scaling=None)
        key = (network, *(_modified(path) for path in (source.python_file, source.weights)))
        with self._lock:
            if self._loaded is None or key != self._key:
                self._loaded = None  # free the old network before the new one takes its memory
                self._loaded = load_model(network, allow_code=allow_code, task=task)
                self._key = key
            loaded = self._loaded
        preprocessing = loaded.preprocessing.with_grey_scaling(source.grey_scaling)
        return replace(loaded, preprocessing=preprocessing, source=source)

    def clear(self) -> None:
        """Forget the network."""
        with self._lock:
            self._loaded = self._key = None


def _modified(path: Path | str | None) -> int:
    """Return a file's time of modification in ns, 0 without such a file."""
    if path is None:
        return 0
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0
