"""The command line: the same backend as the window, without Qt."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence

from app.command_parser import build_parser
from app.processor_threads import wait_without_spinning
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
    _write_any_character()
    try:
        arguments = build_parser(_COMMANDS).parse_args(argv)
        status = int(arguments.run(arguments))
        sys.stdout.flush()
        return status
    except SystemExit as stop:
        # argparse has said what is wrong, or has shown its help.
        return stop.code if isinstance(stop.code, int) else EXIT_ERROR
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR


def _write_any_character() -> None:
    """Escape what a terminal's encoding lacks, instead of failing on a file name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _demo(arguments: argparse.Namespace) -> int:
    from app.command_demo import run_demo

    return run_demo(arguments)


def _layers(arguments: argparse.Namespace) -> int:
    from app.command_layers import run_layers

    return run_layers(arguments)


def _extract(arguments: argparse.Namespace) -> int:
    from app.command_extract import run_extract

    return run_extract(arguments)


def _analyse(arguments: argparse.Namespace) -> int:
    from app.command_analyse import run_analyse

    return run_analyse(arguments)


def _export(arguments: argparse.Namespace) -> int:
    from app.command_export import run_export

    return run_export(arguments)


def _info(arguments: argparse.Namespace) -> int:
    from app.command_info import run_info

    return run_info(arguments)


# Each command imports what it needs when it runs, so that the help does not wait for torch.
_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "layers": _layers,
    "extract": _extract,
    "analyse": _analyse,
    "export": _export,
    "info": _info,
}
