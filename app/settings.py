"""What the application remembers between two starts: geometry, appearance and recent projects."""

from datetime import datetime
from pathlib import Path
from typing import get_args

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from widgets.theme import Scheme
from widgets.welcome.welcome_page import RecentProject

ORGANISATION = "Neuron Prism"
APPLICATION = "Neuron Prism"
MAX_RECENT = 10
SCHEMES: tuple[str, ...] = get_args(Scheme)


class Settings(QObject):
    """Typed access to ``QSettings``. A value that cannot be read counts as never having been set.

    Signals
    -------
    recent_changed()
    """

    recent_changed = Signal()

    def __init__(self, store: QSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store if store is not None else QSettings(ORGANISATION, APPLICATION)

    def bytes(self, key: str) -> QByteArray:
        """Return a saved geometry or state, empty if there is none."""
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_bytes(self, key: str, value: QByteArray) -> None:
        """Save a geometry or state."""
        self._store.setValue(key, value)

    def flag(self, key: str, default: bool) -> bool:
        """Return a yes or no."""
        value = self._store.value(key)
        if isinstance(value, str):  # the file formats of some platforms keep text only
            return {"true": True, "false": False}.get(value.lower(), default)
        return value if isinstance(value, bool) else default

    def set_flag(self, key: str, value: bool) -> None:
        """Save a yes or no."""
        self._store.setValue(key, value)

    def number(self, key: str, default: int) -> int:
        """Return a whole number."""
        value = self._store.value(key)
        try:
            return int(value) if isinstance(value, (int, str)) else default
        except ValueError:
            return default

    def set_number(self, key: str, value: int) -> None:
        """Save a whole number."""
        self._store.setValue(key, value)

    @property
    def scheme(self) -> Scheme:
        """Appearance: "system", "light" or "dark"."""
        value = self._store.value("appearance/scheme")
        return value if value in SCHEMES else "system"

    @scheme.setter
    def scheme(self, value: Scheme) -> None:
        self._store.setValue("appearance/scheme", value)

    def recent_projects(self) -> tuple[RecentProject, ...]:
        """Return the projects opened before, newest first."""
        found = []
        for path_text, opened_text in zip(
            self._list("recent/paths"), self._list("recent/opened"), strict=False
        ):
            path = Path(path_text)
            found.append(RecentProject(path, _moment(opened_text), missing=not path.is_dir()))
        return tuple(found)

    def add_recent(self, path: Path, opened: datetime | None = None) -> None:
        """Put a project at the head of the list."""
        moment = (opened or datetime.now()).isoformat(timespec="seconds")
        kept = [(r.path, r.opened) for r in self.recent_projects() if r.path != path]
        entries = [(path, moment), *((p, o.isoformat() if o else "") for p, o in kept)][:MAX_RECENT]
        self._set_recent(entries)

    def remove_recent(self, path: Path | str) -> None:
        """Take a project off the list."""
        kept = [(r.path, r.opened) for r in self.recent_projects() if r.path != Path(path)]
        self._set_recent([(p, o.isoformat() if o else "") for p, o in kept])

    def clear_recent(self) -> None:
        """Forget every project."""
        self._set_recent([])

    def _set_recent(self, entries: list[tuple[Path, str]]) -> None:
        self._store.setValue("recent/paths", [str(path) for path, _ in entries])
        self._store.setValue("recent/opened", [opened for _, opened in entries])
        self.recent_changed.emit()

    def _list(self, key: str) -> list[str]:
        value = self._store.value(key)
        if isinstance(value, str):  # a list of one comes back as its only element
            return [value]
        return [str(item) for item in value] if isinstance(value, (list, tuple)) else []


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
