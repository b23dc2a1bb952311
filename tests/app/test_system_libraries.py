from pathlib import Path

import pytest

from app import system_libraries

LDD = """#!/bin/sh
echo "	linux-vdso.so.1 (0x00007ffd)"
echo "	libEGL.so.1 => not found"
echo "	libxcb-cursor.so.0 => not found"
echo "	libQt6DBus.so.6 => not found"
echo "	libz.so.1 => /lib/libz.so.1 (0x00007f)"
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that stands before the system's own on the search path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    _program(folder / "ldd", LDD)
    return folder


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_missing_libraries_are_those_the_loader_does_not_find(commands: Path, tmp_path: Path) -> None:
    missing = system_libraries.missing_libraries([tmp_path / "libQt6Gui.so.6", tmp_path / "libqxcb.so"])
    assert missing == ("libEGL.so.1", "libxcb-cursor.so.0")
    assert system_libraries.packages_for([*missing, "libodd.so.3"]) == ("libegl1", "libxcb-cursor0")


def test_the_installed_qt_brings_its_window_and_x11_plugin() -> None:
    names = {path.name for path in system_libraries.qt_binaries()}
    assert {"libQt6Gui.so.6", "libqxcb.so", "libqoffscreen.so"} <= names


def test_they_are_installed_where_that_is_allowed(
    commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    _program(
        commands / "apt-get",
        f'#!/bin/sh\necho "$@" >> {log}\n[ "$1" = install ] && rm {commands}/ldd\nexit 0\n',
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert system_libraries.main() == 0
    assert log.read_text().splitlines() == ["update", "install -y libegl1 libxcb-cursor0"]
    assert "Installing" in capsys.readouterr().err


def test_without_the_right_to_install_the_exact_command_is_printed(
    commands: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _program(commands / "apt-get", "#!/bin/sh\nexit 0\n")
    _program(commands / "sudo", "#!/bin/sh\nexit 1\n")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert system_libraries.main() == 1
    assert (
        "sudo apt-get update && sudo apt-get install -y libegl1 libxcb-cursor0\n" in capsys.readouterr().err
    )
