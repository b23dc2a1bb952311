"""``neuronprism demo``: open the demo in the window, or write its report."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from app.commands.command_progress import CommandTask

DEFAULT_REPORT_FOLDER = Path("demo-report")


def run_demo(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if arguments.report is None:
        from app.display import has_display

        if has_display(os.environ, sys.platform):
            from app.application import run

            return run(demo=True)
        print(
            f"There is no display to open a window on, so the demo's report is written to "
            f"{DEFAULT_REPORT_FOLDER} instead.",
            file=sys.stderr,
        )
    return _write_report(arguments.report or DEFAULT_REPORT_FOLDER, quiet=arguments.quiet)


def _write_report(folder: Path, *, quiet: bool) -> int:
    from backend.demo.demo_report import write_demo_report

    task = CommandTask(quiet=quiet)
    with task.interruptible():
        report = write_demo_report(folder, task)
    print(report)
    return 0
