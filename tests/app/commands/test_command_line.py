"""The command line itself: help, usage, exit status, what it imports."""

import errno
import io
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from app.command_line import main
from app.commands.command_parser import build_parser, whole_numbers
from tests.app.commands.toy_world import ALL_COMMANDS, sentence


def test_layers_are_listed_with_their_sizes(world, capsys):
    assert main(["layers", f"{world / 'net.py'}:make", "--yes-run-code", "--quiet"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.strip().splitlines()]
    assert [line[0] for line in lines] == ["0", "1", "2", "3"]
    assert lines[1] == ["1", "ReLU", "6×32×32", "6", "neurons;", "mean,", "max"]
    assert lines[3] == ["3", "Linear", "2", "2", "neurons"]


def test_the_demo_without_a_display_writes_its_report_instead(tmp_path, capsys, monkeypatch):
    import app.display
    from backend.demo import demo_report

    asked = []
    monkeypatch.setattr(app.display, "has_display", lambda *_: False)
    monkeypatch.setattr(
        demo_report, "write_demo_report", lambda folder, task: asked.append(folder) or folder / "report.html"
    )
    assert main(["demo"]) == 0
    captured = capsys.readouterr()
    assert asked == [Path("demo-report")]
    assert captured.out.strip() == str(Path("demo-report") / "report.html")
    assert len(captured.err.strip().splitlines()) == 1
    assert main(["demo", "--report", str(tmp_path)]) == 0
    assert asked[1] == tmp_path
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("command", ["", *ALL_COMMANDS])
def test_help_has_examples(capsys, command):
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"neuronprism {command}" in text.partition("examples:")[2]


@pytest.mark.parametrize(
    "words", [[], ["nosuch"], ["analyse", "x"], ["info"], ["analyse", "x", "--layer", "a", "--neuron", "b"]]
)
def test_wrong_usage_is_status_2(capsys, words):
    assert main(words) == 2
    assert "usage:" in capsys.readouterr().err


def test_the_examples_are_understood():
    parser = build_parser(dict.fromkeys(ALL_COMMANDS, print))
    n_examples = 0
    for command in ALL_COMMANDS:
        epilog = parser.parse_args(MINIMAL[command]).parser.epilog
        for line in epilog.replace("\\\n", " ").splitlines():
            if line.strip().startswith("neuronprism"):
                words = shlex.split(line.partition("|")[0].partition("     ")[0])
                assert parser.parse_args(words[1:]).command == command
                n_examples += 1
    assert n_examples >= 15


MINIMAL = {
    "demo": ["demo"],
    "layers": ["layers", "m"],
    "extract": ["extract", "p"],
    "import": ["import", "p"],
    "analyse": ["analyse", "p", "--layer", "l", "--neuron", "0"],
    "export": ["export", "p", "--out", "o"],
    "info": ["info", "p"],
}


def test_help_waits_for_neither_qt_nor_torch():
    code = (
        "import sys; from app.command_line import main; main(['analyse', '--help']);"
        "sys.exit(len({'torch', 'PySide6', 'sklearn', 'torchvision'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.returncode == 0


def test_commands_need_no_qt(world):
    code = (
        "import sys; from app.command_line import main;"
        f"main(['analyse', {str(world / 'toy.prism')!r}, '--layer', '1', '--neuron', '0', '--quiet']);"
        "sys.exit('PySide6' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.returncode == 0
    assert "neuron 0" in ran.stdout


def test_a_reader_that_has_seen_enough_is_no_failure_to_tell(world):
    read_end, write_end = os.pipe()
    os.close(read_end)
    words = [sys.executable, "-m", "app", "info", str(world / "toy.prism"), "--json"]
    ran = subprocess.run(words, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert ran.returncode == 1
    assert ran.stderr == ""


class FullDisk(io.RawIOBase):
    """Standard output into a file on a full disk: it fails when the buffer is emptied."""

    def __init__(self, descriptor):
        self._descriptor = descriptor

    def fileno(self):
        return self._descriptor

    def writable(self):
        return True

    def write(self, content):
        if os.fstat(self._descriptor).st_rdev == Path(os.devnull).stat().st_rdev:
            return os.write(self._descriptor, content)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_output_that_finds_no_room_is_one_sentence(world, tmp_path, capsys, monkeypatch, options):
    with (tmp_path / "output").open("wb") as file:
        output = io.TextIOWrapper(io.BufferedWriter(FullDisk(file.fileno())), encoding="utf-8")
        monkeypatch.setattr(sys, "stdout", output)
        assert main(["info", str(world / "toy.prism"), *options]) == 1
        output.flush()  # as the interpreter does at its end: what is left fails no more
    assert "No space left on device" in sentence(capsys)


def test_without_a_console_a_command_runs_and_fails_by_its_status_alone(world, tmp_path, monkeypatch):
    for words, status in (
        (["info", str(world / "toy.prism")], 0),
        (["analyse", str(world / "toy.prism"), "--layer", "1", "--neuron", "0", "--json", "-"], 0),
        (["export", str(world / "toy.prism"), "--out", str(tmp_path), "--neurons", "0"], 0),
        (["info", str(tmp_path / "nothing")], 1),
        (["nosuch"], 2),
    ):
        with monkeypatch.context() as context:
            context.setattr(sys, "stdout", None)
            context.setattr(sys, "stderr", None)
            assert main(words) == status
            sys.stdout.close()
            sys.stderr.close()


@pytest.mark.parametrize("words", ["3-1", "0-99999999999", "0-999999,2000000", "5-", "-5", "1-2-3"])
def test_ranges_that_name_no_neurons_or_far_too_many_are_wrong_usage(capsys, words):
    assert main(["export", "p", "--out", "o", f"--neurons={words}"]) == 2
    assert "--neurons" in capsys.readouterr().err


def test_neurons_are_taken_in_their_order_and_once():
    assert whole_numbers("7, 3-5,4,7-7") == (7, 3, 4, 5)
    assert len(whole_numbers("0-999998,5,999999")) == 1_000_000


def test_progress_goes_to_standard_error_alone(toy, capsys):
    assert main(["extract", str(toy), "--layers", "0", "--yes-run-code"]) == 0
    captured = capsys.readouterr()
    assert "Extracting 0" in captured.err
    assert "Extracting" not in captured.out


@pytest.mark.parametrize("command", ["analyse", "export"])
def test_help_gives_the_defaults(capsys, command):
    assert main([command, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "number of top images (default: 100)" in text
    assert "units of merge height (default: suggested for the layer)" in text
    parameters = text.partition("parameters of the method:")[2].partition("examples:")[0]
    assert parameters.count("(default: ") >= 11


def test_layers_are_listed_without_the_published_weights(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert main(["layers", "mobilenet_v2", "--quiet"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "1280 neurons" in lines["features.18"]
    assert not (tmp_path / "hub").exists()
