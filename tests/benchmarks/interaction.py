"""How fast the window answers: every figure that the product allows itself, measured in one run.

    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.interaction --project PROJECT.prism --layer LAYER

``PROJECT`` is looked at in a copy; ``LAYER`` is a layer that it does not have yet, extracted during the
session (without one nothing runs behind it). Without a project only the start and the single steps are timed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from app.main_window import MainWindow
from tests.benchmarks.neuron_choice import choose_neurons, memory_growth
from tests.benchmarks.opened_window import opened_window, run_until
from tests.benchmarks.window_start import measure_starts, report_starts
from tests.benchmarks.window_steps import measure_steps
from tests.benchmarks.working_session import work

PARTS = ("start", "steps", "choice", "memory", "session")
N_WARMING, N_CHOSEN = 10, 60
N_FILLING, N_COUNTED = 150, 200
SWEEP_LIMIT_MS = 300_000


def measure_choice(window: MainWindow, neurons: Sequence[int]) -> None:
    """Choose neurons once the layer's clusters are counted and the first few have been looked at."""
    run_until(lambda: window.threads.aside.running is None, SWEEP_LIMIT_MS)
    choose_neurons(window, neurons[:N_WARMING])
    choose_neurons(window, neurons[N_WARMING : N_WARMING + N_CHOSEN]).report(150)


def measure_memory(window: MainWindow, neurons: Sequence[int]) -> None:
    """Look at neurons until the caches are full, then at 200 more."""
    run_until(lambda: window.threads.aside.running is None, SWEEP_LIMIT_MS)
    before, growth = memory_growth(
        window, neurons[:N_FILLING], neurons[N_FILLING : N_FILLING + N_COUNTED], step=N_COUNTED // 4
    )
    print(
        f"{f'memory growth over {N_COUNTED} neurons':46s} {growth[-1]:6.1f} MiB (at most 50 MiB), "
        f"from {before:.0f} MiB; after each quarter {', '.join(f'{value:.1f}' for value in growth)}"
    )


def measure_session(window: MainWindow, minutes: float) -> None:
    """Work for a while."""
    done = work(window, minutes)
    print(
        f"session: {done.neurons} neurons, {done.drags} drags in {done.seconds:.0f} s; "
        f"extraction beside it for {done.seconds_extracting:.0f} s, {done.images_extracted:,} images"
    )
    done.heartbeat.report()


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--project", type=Path, help="a project with at least 360 neurons in its first layer")
    parser.add_argument("--layer", action="append", default=[], help="a layer that it lacks; repeatable")
    parser.add_argument("--minutes", type=float, default=10, help="of the session; default: 10")
    parser.add_argument("--starts", type=int, default=7, help="fresh processes; default: 7")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure only this; repeatable")
    arguments = parser.parse_args()
    parts = arguments.only or PARTS
    if "start" in parts:
        report_starts(measure_starts(arguments.starts), 1.0)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    if "steps" in parts:
        measure_steps()
    if arguments.project is not None:
        on_project: dict[str, tuple[Sequence[str], Callable[[MainWindow, Sequence[int]], None]]] = {
            "choice": ((), measure_choice),
            "memory": ((), measure_memory),
            "session": (arguments.layer, lambda window, _: measure_session(window, arguments.minutes)),
        }
        for part, (layers, measure) in on_project.items():
            if part in parts:
                with opened_window(arguments.project, unfinished_layers=layers) as window:
                    assert window.session.layer is not None
                    order = np.random.default_rng(0).permutation(window.session.layer.n_neurons)
                    measure(window, order.tolist())
    application.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
