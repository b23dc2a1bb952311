"""The entry point: what opens a window, what is a command, and what happens without a display."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import app.application
import app.command_line
from app.__main__ import EXIT_NO_DISPLAY, main
from app.display import has_display


@pytest.fixture
def opened(monkeypatch):
    """Stand in for the window and the command line, and note what was asked of them."""
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    calls = []
    monkeypatch.setattr(app.application, "run", lambda demo=False: calls.append(("window", demo)) or 0)
    monkeypatch.setattr(app.command_line, "main", lambda argv: calls.append(("command", list(argv))) or 5)
    return calls


def test_no_arguments_open_the_window(opened):
    assert main([]) == 0
    assert opened == [("window", False)]


@pytest.mark.parametrize(
    "arguments", [["info", "x.prism"], ["demo"], ["demo", "--report", "out"], ["--help"]]
)
def test_everything_else_is_a_command_with_its_own_exit_status(opened, arguments):
    assert main(arguments) == 5
    assert opened == [("command", arguments)]


def test_without_a_display_one_sentence_and_its_exit_status():
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    ran = subprocess.run(
        [sys.executable, "-m", "app"], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == EXIT_NO_DISPLAY
    assert ran.stdout == ""
    assert len(ran.stderr.strip().splitlines()) == 1
    assert "demo --report" in ran.stderr


@pytest.mark.parametrize(
    ("environment", "platform", "there"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":4711"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({"QT_QPA_PLATFORM": "vnc:size=800x600"}, "linux", True),
        ({"QT_QPA_PLATFORM": "xcb"}, "linux", False),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_where_a_window_can_be_opened(environment, platform, there):
    assert has_display(environment, platform) is there


def test_the_window_opens_and_commands_run_without_any_console(opened, monkeypatch):
    # As a window program of Windows is started.
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    monkeypatch.setattr(app.application, "run", lambda: sys.stdout.flush() or sys.stderr.flush() or 7)
    assert main([]) == 7
    for stream in (sys.stdout, sys.stderr):
        assert stream.name == os.devnull
        stream.close()


@pytest.mark.parametrize(("table", "name"), [("gui-scripts", "neuronprism"), ("scripts", "neuronprism-cli")])
def test_there_is_a_program_with_and_one_without_a_console(table, name):
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    section = pyproject.partition(f"[project.{table}]")[2].partition("\n[")[0]
    assert f'{name} = "app.__main__:main"' in section.splitlines()
