"""The command line: the same backend as the window, without Qt."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from app.commands.command_parser import build_parser
from app.processor_threads import wait_without_spinning
from app.standard_streams import open_missing_streams
from backend.errors import NeuronPrismError
from backend.task import Cancelled

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        Arguments without the program's name; default: those of the process.

    Returns
    -------
    int
        Exit status: 0 done, 1 an error that one sentence on standard error tells, 2 wrong usage, 130
        interrupted.
    """
    wait_without_spinning()
    open_missing_streams()
    _write_any_character()
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except NeuronPrismError as error:
        print(f"neuronprism: {error}", file=sys.stderr)
        return EXIT_ERROR
    except (KeyboardInterrupt, Cancelled):
        print(
            "neuronprism: Interrupted. What was finished is kept: continue with the same command.",
            file=sys.stderr,
        )
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output (a pager, head) has seen enough; the interpreter's last flush must not fail.
        _discard_output()
        return EXIT_ERROR
    except OSError as error:
        print(f"neuronprism: {_unforeseen(error)}", file=sys.stderr)
        _discard_output()
        return EXIT_ERROR


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = build_parser(_COMMANDS).parse_args(argv)
        return int(arguments.run(arguments))
    except SystemExit as stop:
        # argparse has said what is wrong, or has shown its help.
        return stop.code if isinstance(stop.code, int) else EXIT_ERROR


def _unforeseen(error: OSError) -> str:
    """Say what the system refused, where no command foresaw it (its output on a full disk, say)."""
    where = f" ({error.filename})" if error.filename else ""
    return (
        f"The system refused a file or the output of this command{where}: {error.strerror or error}. "
        "See to it and give the command again."
    )


def _discard_output() -> None:
    """Let what is still to be written to standard output go nowhere, where it can fail no more."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):
        # It is no file of the system's, so nothing is left to be flushed to one.
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output)
    os.close(nowhere)


def _write_any_character() -> None:
    """Escape what a terminal's encoding lacks, instead of failing on a file name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _demo(arguments: argparse.Namespace) -> int:
    from app.commands.command_demo import run_demo

    return run_demo(arguments)


def _layers(arguments: argparse.Namespace) -> int:
    from app.commands.command_layers import run_layers

    return run_layers(arguments)


def _extract(arguments: argparse.Namespace) -> int:
    from app.commands.command_extract import run_extract

    return run_extract(arguments)


def _import(arguments: argparse.Namespace) -> int:
    from app.commands.command_import import run_import

    return run_import(arguments)


def _analyse(arguments: argparse.Namespace) -> int:
    from app.commands.command_analyse import run_analyse

    return run_analyse(arguments)


def _export(arguments: argparse.Namespace) -> int:
    from app.commands.command_export import run_export

    return run_export(arguments)


def _info(arguments: argparse.Namespace) -> int:
    from app.commands.command_info import run_info

    return run_info(arguments)


# Each command imports what it needs when it runs, so that the help does not wait for torch.
_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "layers": _layers,
    "extract": _extract,
    "import": _import,
    "analyse": _analyse,
    "export": _export,
    "info": _info,
}
