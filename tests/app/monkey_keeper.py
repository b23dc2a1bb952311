"""Keeps a window open for the monkey: answers file dialogs, closes and reopens, and looks at what is left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

from app.main_window import MainWindow
from backend.project import Project
from tests.app.fault_watch import FaultWatch, Leftovers
from tests.app.monkey import Monkey

CLOSING_CHANCE = 1 / 900
"""Of an event to be followed by the window's closing."""

OPENING_LIMIT_MS = 20_000
HOMELESS_LIMIT = 60
"""Events on the welcome page before the project is opened again."""


class FileDialogs:
    """Answers every file dialog at once and opens none: a random one would wander about the disk and delete.

    Parameters
    ----------
    folder
        What is written goes here; None: every dialog is cancelled.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._n = 0
        self._patches = ExitStack()

    def __enter__(self) -> FileDialogs:

        def open_nothing(dialog: QFileDialog) -> None:  # a function, so that it becomes a method
            self._open(dialog)

        for name, answer in (
            ("open", open_nothing),
            ("getSaveFileName", self._save_name),
            ("getOpenFileName", lambda *_: ("", "")),
            ("getExistingDirectory", lambda *_: self._text()),
        ):
            static = answer if name == "open" else staticmethod(answer)
            self._patches.enter_context(patch.object(QFileDialog, name, static))
        open_url = patch.object(QDesktopServices, "openUrl", staticmethod(lambda _link: True))
        self._patches.enter_context(open_url)
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def _text(self, suffix: str = "") -> str:
        """Return every other time a new place, else none: the user cancelled."""
        self._n += 1
        return "" if self._folder is None or self._n % 2 else str(self._folder / f"{self._n}{suffix}")

    def _save_name(self, _parent: object, _title: str, suggestion: str, *_: object) -> tuple[str, str]:
        return self._text(Path(suggestion).suffix), ""

    def _open(self, dialog: QFileDialog) -> None:
        chosen = self._text()
        if chosen:
            Path(chosen).mkdir()
            dialog.fileSelected.emit(chosen)
        dialog.deleteLater()


class Keeper:
    """Lets a monkey at the window for a number of events.

    Parameters
    ----------
    make_window
        Makes the window as the application does; called again after each closing, with the same settings.
    project
        The project to play with.
    """

    def __init__(
        self, make_window: Callable[[], MainWindow], project: Path, monkey: Monkey, watch: FaultWatch
    ) -> None:
        self._make_window, self._project, self._monkey, self._watch = make_window, project, monkey, watch
        self._homeless = 0
        self._dialogs = 0
        self.n_windows = 0
        watch.context = lambda: "\n".join(["After:", *monkey.recent])
        # Timers of its own, made before it looks at what there is.
        self._next = QTimer(interval=0)
        self._poll = QTimer(interval=5)
        self._limit = QTimer(singleShot=True, interval=OPENING_LIMIT_MS)
        for timer in (self._next, self._poll, self._limit):
            timer.start()
        self._leftovers = Leftovers()
        self._open_window()

    def play(self, n_events: int, report: Callable[[int], None] = lambda done: None) -> None:
        """Let the monkey do so much, and close the window at the end; ``report`` hears of each event."""
        application = QApplication.instance()
        quits = application.quitOnLastWindowClosed()
        application.setQuitOnLastWindowClosed(False)
        loop, done = QEventLoop(), count(1)

        def step() -> None:
            self._keep_open()
            self._monkey.act()
            so_far = next(done)
            report(so_far)
            if so_far >= n_events:
                loop.quit()

        self._next.timeout.connect(step)
        loop.exec()
        self._next.timeout.disconnect(step)
        self.close_window()
        self._monkey.stop()
        application.setQuitOnLastWindowClosed(quits)

    def _keep_open(self) -> None:
        """Open what the monkey has closed, and close now and then what it has left open."""
        if not self._window.isVisible() or self._monkey.chance(CLOSING_CHANCE):
            self.close_window()
            self._open_window()
        elif self._window.isMinimized():
            self._window.showNormal()
        self._homeless = self._homeless + 1 if self._window.session.project is None else 0
        if self._homeless > HOMELESS_LIMIT:
            self._homeless = 0
            self._open_project()

    def _open_window(self) -> None:
        self._window = self._make_window()
        self.n_windows += 1
        self._window.show()
        self._open_project()

    def _open_project(self) -> None:
        """Open the project and wait for its first neuron."""
        for dialog in self._window.findChildren(QDialog):
            dialog.reject()
        loop = QEventLoop()

        def look() -> None:
            if self._window.session.analysis is not None:
                loop.quit()

        self._poll.timeout.connect(look)
        self._limit.timeout.connect(loop.quit)
        self._window.projects.open(self._project)
        self._poll.start()
        self._limit.start()
        loop.exec()
        self._poll.timeout.disconnect(look)
        self._limit.timeout.disconnect(loop.quit)

    def close_window(self) -> None:
        """Close the window, and note what it leaves behind."""
        window = self._window
        for popup in iter(QApplication.activePopupWidget, None):
            popup.close()
        dialogs = [dialog for dialog in window.findChildren(QDialog) if not isinstance(dialog, QFileDialog)]
        window.close()
        if not window.shut_down_cleanly or window.threads.any_alive:
            self._watch.note("A worker thread outlived the window.")
        kinds = sorted({type(dialog).__name__ for dialog in dialogs if not dialog.isVisible()})
        del dialogs
        self._watch_dialogs(kinds, window)
        window.deleteLater()
        del window, self._window
        left = self._leftovers.since()
        for text in left:
            self._watch.note(f"Left behind by the window: {text}")

    def _watch_dialogs(self, kinds: list[str], window: MainWindow) -> None:
        for kind in kinds:
            n = sum(type(dialog).__name__ == kind for dialog in window.findChildren(QDialog))
            if n > 4:  # one each of dendrogram, two grids and embedding
                self._watch.note(f"{n} dialogs of the kind {kind} are still in memory.")


def project_problems(path: Path, activations: dict[str, bytes], *, unit: float = 1e-4) -> list[str]:
    """Open the project anew and return what is wrong with it.

    Parameters
    ----------
    activations
        The bytes of each file below the project's ``activations`` before the monkey came.
    """
    problems = []
    with Project.open(path) as project:
        n_images = project.n_images
        check = project._database.query("PRAGMA quick_check")
        if check != [("ok",)]:
            problems.append(f"quick_check: {check}")
        for concept in project.named_concepts(None):
            norm = float(np.linalg.norm(concept.vector))
            if abs(norm - 1) > unit:
                problems.append(f"{concept.name!r}: its vector has the norm {norm}")
            if not concept.name.strip() and not concept.notes.strip():
                problems.append(f"a concept of neuron {concept.neuron} has neither name nor notes")
            if not concept.member_images or not all(0 <= row < n_images for row in concept.member_images):
                problems.append(f"{concept.name!r}: its members are {concept.member_images}")
        for layer in project.layers:
            for neuron, adjustments in project.adjustments(layer.name).items():
                if not 0 <= neuron < layer.n_neurons or not adjustments:
                    problems.append(f"neuron {neuron} of {layer.name} is adjusted by nothing")
        if not all(0 <= row < n_images for row in project.excluded_images):
            problems.append(f"images are excluded that are none: {sorted(project.excluded_images)}")
    now = activation_bytes(path)
    problems += [f"{name} has changed" for name, content in activations.items() if now.get(name) != content]
    return problems


def activation_bytes(path: Path) -> dict[str, bytes]:
    """Return the content of each of a project's activation files."""
    folder = path / "activations"
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.npy")}
