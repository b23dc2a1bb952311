"""The entry point: the window without arguments, else the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from app.processor_threads import wait_without_spinning
from app.standard_streams import open_missing_streams

NO_DISPLAY = (
    "There is no display to open a window on: work without one by commands "
    "(“neuronprism --help”; the demo is “neuronprism demo --report demo-report”)."
)
EXIT_NO_DISPLAY = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run Neuron Prism.

    Parameters
    ----------
    argv
        Arguments without the program's name; default: those of the process.

    Returns
    -------
    int
        Exit status: 0, or as the command line says; 3 where a window was asked for without any display.
    """
    wait_without_spinning()
    open_missing_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments:
        return _run_window()
    from app.command_line import main as run_command

    return run_command(arguments)


def _run_window() -> int:
    from app.application import run
    from app.display import has_display

    if not has_display(os.environ, sys.platform):
        print(NO_DISPLAY, file=sys.stderr)
        return EXIT_NO_DISPLAY
    return run()


if __name__ == "__main__":
    sys.exit(main())
