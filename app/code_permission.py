"""Leave to run a Python file of the user: asked once for each file and start, naming the file."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.questions import ask
from backend.networks.model_source import ModelSource


class CodePermission:
    """Remembers which Python files the user allowed to run since the start.

    A changed file is another file: its time of modification and size belong to the leave.
    """

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self._allowed: set[tuple[str, int, int]] = set()

    def allow(self, source: ModelSource) -> None:
        """Note that the user already confirmed this source's file."""
        key = _fingerprint(source)
        if key is not None:
            self._allowed.add(key)

    def is_allowed(self, source: ModelSource) -> bool:
        """Whether loading this source may run its code (true if it runs none)."""
        return not source.is_python_factory or _fingerprint(source) in self._allowed

    def request(self, source: ModelSource, then: Callable[[], None]) -> None:
        """Call ``then`` if the source may be loaded, after asking where that is needed."""
        if self.is_allowed(source):
            then()
            return

        def allowed() -> None:
            self.allow(source)
            then()

        ask(
            self._parent,
            "Run this Python file?",
            f"The network of this project comes from the Python file\n{source.python_file}",
            details="Running it gives its code the same rights as you have. "
            "Run it only if you know where it comes from.",
            accept="Run this file",
            on_accept=allowed,
            warning=True,
        )


def _fingerprint(source: ModelSource) -> tuple[str, int, int] | None:
    path = source.python_file
    if path is None:
        return None
    try:
        status = path.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), status.st_mtime_ns, status.st_size)
