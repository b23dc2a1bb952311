"""Whether the desktop's wish for less motion is heard."""

import pytest
from PySide6.QtCore import QStandardPaths

from widgets.motion import prefers_reduced_motion


@pytest.fixture
def settings_folder(tmp_path, monkeypatch, qapp):
    monkeypatch.delenv("GTK_ENABLE_ANIMATIONS", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _location: str(tmp_path))
    return tmp_path


def test_by_default_things_move(settings_folder):
    assert not prefers_reduced_motion()


@pytest.mark.parametrize(("factor", "reduced"), [("0", True), ("0.0", True), ("0.5", False), ("much", False)])
def test_kde(settings_folder, factor, reduced):
    (settings_folder / "kdeglobals").write_text(f"[KDE]\nAnimationDurationFactor={factor}\n")
    assert prefers_reduced_motion() is reduced


@pytest.mark.parametrize(("value", "reduced"), [("0", True), ("false", True), ("1", False), ("true", False)])
@pytest.mark.parametrize("version", [3, 4])
def test_gtk(settings_folder, version, value, reduced):
    folder = settings_folder / f"gtk-{version}.0"
    folder.mkdir()
    (folder / "settings.ini").write_text(f"[Settings]\ngtk-enable-animations={value}\n")
    assert prefers_reduced_motion() is reduced


def test_environment(settings_folder, monkeypatch):
    monkeypatch.setenv("GTK_ENABLE_ANIMATIONS", "0")
    assert prefers_reduced_motion()
