"""Random input to the whole application on the demo project, with real workers, networks and exports.

    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.monkey --events 20000 --seed 0

Ends with status 1 and the faults, each with what was done before it, if anything went wrong: an exception
anywhere, a warning of Qt, a thread, timer or window left behind, or a project that is not whole afterwards.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from app.garbage_collection import GarbageCollector
from app.main_window import MainWindow
from app.settings import Settings
from app.warm_up import WarmUp
from backend.demo.demo_project import ensure_demo_project
from backend.thread_pools import search_without_locks
from tests.app.fault_watch import FaultWatch
from tests.app.monkey import Monkey
from tests.app.monkey_keeper import FileDialogs, Keeper, activation_bytes, project_problems
from widgets.theme import apply_scheme

REPORTED_EVERY = 2000


def play(n_events: int, seed: int, project: Path, scratch: Path) -> tuple[list[str], int]:
    """Let the monkey at a project; returns the faults and how many windows it went through."""
    settings = Settings(QSettings(str(scratch / "settings.ini"), QSettings.Format.IniFormat))
    exports = scratch / "exports"
    exports.mkdir()
    before = activation_bytes(project)

    def make_window() -> MainWindow:
        window = MainWindow(settings)
        WarmUp(window)
        return window

    monkey = Monkey(seed)
    start = time.perf_counter()
    with FileDialogs(exports), FaultWatch() as watch:
        keeper = Keeper(make_window, project, monkey, watch)

        told = 0

        def report(done: int) -> None:
            nonlocal told
            for fault in watch.faults[told:]:
                print(f"\nBefore event {done + 1}: {fault}", flush=True)
            told = len(watch.faults)
            if done % REPORTED_EVERY == 0:
                seconds = time.perf_counter() - start
                print(f"{done:6d} events, {seconds:4.0f} s, {len(watch.faults)} faults", flush=True)

        keeper.play(n_events, report)
    return watch.faults + project_problems(project, before), keeper.n_windows


def main() -> int:
    """Make the demo project, copy nothing of the user's, and let the monkey play."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--demo", type=Path, help="folder of a demo made before, to be copied")
    choice = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for variable in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            os.environ[variable] = str(scratch)
        application = QApplication([])
        search_without_locks()
        apply_scheme(application, "light")
        collector = GarbageCollector(application)
        folder = scratch / "Neuron Prism" / "demo-1"
        if choice.demo is not None:
            shutil.copytree(choice.demo, folder)
        ensure_demo_project(folder).close()
        faults, n_windows = play(choice.events, choice.seed, folder / "Demo.prism", scratch)
        collector.stop()
    print(f"{choice.events} events, seed {choice.seed}, {n_windows} windows: {len(faults)} faults")
    for fault in faults:
        print(f"\n{fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
