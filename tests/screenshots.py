"""Pictures of the window and of each panel on the demo project, to be looked at.

    QT_QPA_PLATFORM=offscreen python -m tests.screenshots --out DIR

Light and dark at 1280 × 800; then on a screen of 3840 × 2160 at 200 %, and at 300 %, in processes of their
own, since a scale holds for a whole process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.main_window import MainWindow

LIMIT_MS = 120_000


@dataclass(frozen=True)
class Screen:
    """A size of the window and the scale at which it is drawn.

    Attributes
    ----------
    name
        Ends the names of its pictures.
    width, height
        Of the window, in device-independent pixels.
    scale
        Physical pixels to one of them.
    """

    name: str
    width: int
    height: int
    scale: float


SCREENS = (
    Screen("1280x800", 1280, 800, 1.0),
    Screen("4k-200", 1920, 1080, 2.0),
    Screen("300", 1280, 720, 3.0),
)


def picture_all(window: MainWindow, out: Path, suffix: str) -> None:
    """Write a picture of each view of the window, and of each of its panels by itself."""
    for name, widget in _views(window):
        _settle(window)
        widget.grab().save(str(out / f"{name}-{suffix}.png"))
        print(f"{name}-{suffix}.png", flush=True)


def _views(window: MainWindow) -> Iterator[tuple[str, QWidget]]:
    """Bring one view after the other on screen."""
    workspace, dendrogram = window.workspace, window.workspace.dendrogram
    for tab, name in (
        (workspace.members, "window"),
        (workspace.max_projecting, "max-projecting"),
        (workspace.embedding, "embedding"),
        (workspace.visualization, "visualisation"),
    ):
        workspace.tabs.setCurrentWidget(tab)
        yield name, window
    workspace.tabs.setCurrentWidget(workspace.members)
    yield "neurons", window.neuron_panel
    yield "concepts", window.concept_panel
    yield "dendrogram", dendrogram
    dendrogram.set_table_shown(True)
    yield "dendrogram-table", dendrogram
    dendrogram.set_table_shown(False)
    yield "members", workspace.members
    yield from _dialogs(window)
    yield from _empty_states(window)


def _dialogs(window: MainWindow) -> Iterator[tuple[str, QWidget]]:
    from PySide6.QtWidgets import QDialog

    openers: dict[str, Callable[[], object]] = {
        "guide": window.show_guide,
        "shortcuts": window.show_shortcuts,
        "about": window.show_about,
        "new-project": window.projects.new_project,
        "import": window.projects.imports.import_activations,
        "information": window.projects.show_information,
    }
    for name, open_dialog in openers.items():
        before = set(map(id, window.findChildren(QDialog)))
        open_dialog()
        (dialog,) = [dialog for dialog in window.findChildren(QDialog) if id(dialog) not in before]
        yield name, dialog
        dialog.reject()


def _empty_states(window: MainWindow) -> Iterator[tuple[str, QWidget]]:
    window.show_problem(
        "The file concepts.csv could not be written: there is no room left. Free some and try again."
    )
    from widgets.error_dialog import ErrorDialog

    dialog = window.findChild(ErrorDialog)
    if dialog is not None:
        yield "error", dialog
        dialog.reject()
    window.projects.close_project()
    yield "welcome", window


def _settle(window: MainWindow) -> None:
    """Let jobs end and thumbnails come, as far as they do within a second of silence."""
    from tests.benchmarks.opened_window import run_until, settle

    settle(300)
    threads = window.threads
    all_threads = (threads.interactive, threads.aside, threads.embedding, threads.long_work)
    run_until(
        lambda: not window.thumbnails.n_waiting and all(thread.running is None for thread in all_threads),
        LIMIT_MS,
    )
    settle(300)


def take(screen: Screen, schemes: list[str], out: Path) -> None:
    """Take all pictures for one screen, in this process."""
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from app.garbage_collection import GarbageCollector
    from app.main_window import MainWindow
    from app.settings import Settings
    from backend.thread_pools import search_without_locks
    from tests.benchmarks.opened_window import close_dialogs, waiting_for
    from widgets.theme import apply_scheme

    application = QApplication([])
    search_without_locks()
    collector = GarbageCollector(application)
    for scheme in schemes:
        apply_scheme(application, scheme)  # type: ignore[arg-type]
        settings = Settings(QSettings(str(out / f".{scheme}.ini"), QSettings.Format.IniFormat))
        window = MainWindow(settings)
        window.resize(screen.width, screen.height)
        window.show()
        with waiting_for(window.session.analysis_changed, LIMIT_MS):
            window.projects.open_demo()
        close_dialogs(window)
        picture_all(window, out, f"{scheme}-{screen.name}")
        close_dialogs(window)
        window.close()
        (out / f".{scheme}.ini").unlink(missing_ok=True)
    collector.stop()


def main() -> int:
    """Take the pictures for every screen, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--screen", choices=[screen.name for screen in SCREENS], action="append")
    parser.add_argument("--scheme", choices=["light", "dark"], action="append")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    choice = parser.parse_args()
    screens = [screen for screen in SCREENS if choice.screen is None or screen.name in choice.screen]
    schemes = choice.scheme or ["light", "dark"]
    choice.out.mkdir(parents=True, exist_ok=True)
    if choice.here:
        take(screens[0], schemes, choice.out)
        return 0
    with tempfile.TemporaryDirectory() as data:
        for screen in screens:
            environment = {"XDG_DATA_HOME": data, "XDG_CONFIG_HOME": data, **os.environ}
            environment["QT_SCALE_FACTOR"] = str(screen.scale)
            command = [sys.executable, "-m", "tests.screenshots", "--here", "--out", str(choice.out)]
            command += ["--screen", screen.name]
            for scheme in schemes:
                command += ["--scheme", scheme]
            subprocess.run(command, env=environment, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
