"""What is remembered between two starts, read back by another store on the same file."""

from datetime import datetime

import pytest
from PySide6.QtCore import QByteArray, QSettings

from app.settings import MAX_RECENT, Settings


@pytest.fixture
def reopened(tmp_path, qapp):
    """Return a function that opens the settings anew, as another start would."""

    def open_again():
        return Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))

    return open_again


def test_the_newest_project_comes_first_and_each_once(reopened, tmp_path):
    settings = reopened()
    for name in ("a", "b", "a"):
        settings.add_recent(tmp_path / name, datetime(2026, 1, 2, 3, 4, 5))
    recent = reopened().recent_projects()
    assert [project.path.name for project in recent] == ["a", "b"]
    assert recent[0].opened == datetime(2026, 1, 2, 3, 4, 5)


def test_a_single_project_survives_the_file(reopened, tmp_path):
    reopened().add_recent(tmp_path / "only one")
    assert [project.path for project in reopened().recent_projects()] == [tmp_path / "only one"]


def test_the_list_is_bounded(reopened, tmp_path):
    settings = reopened()
    for number in range(MAX_RECENT + 5):
        settings.add_recent(tmp_path / str(number))
    assert len(settings.recent_projects()) == MAX_RECENT
    assert settings.recent_projects()[0].path.name == str(MAX_RECENT + 4)


def test_projects_that_are_gone_are_marked(reopened, tmp_path):
    (tmp_path / "here").mkdir()
    settings = reopened()
    settings.add_recent(tmp_path / "gone")
    settings.add_recent(tmp_path / "here")
    assert [project.missing for project in settings.recent_projects()] == [False, True]


def test_removing_and_clearing(reopened, tmp_path):
    settings = reopened()
    settings.add_recent(tmp_path / "a")
    settings.add_recent(tmp_path / "b")
    settings.remove_recent(tmp_path / "a")
    assert [project.path.name for project in reopened().recent_projects()] == ["b"]
    settings.clear_recent()
    assert reopened().recent_projects() == ()


def test_everyone_hears_of_a_change(reopened, tmp_path, qtbot):
    settings = reopened()
    with qtbot.waitSignal(settings.recent_changed):
        settings.add_recent(tmp_path)


@pytest.mark.parametrize("scheme", ["light", "dark", "system"])
def test_the_appearance_returns(reopened, scheme):
    reopened().scheme = scheme
    assert reopened().scheme == scheme


def test_flags_and_geometry_return(reopened):
    settings = reopened()
    settings.set_flag("on", True)
    settings.set_flag("off", False)
    settings.set_bytes("geometry", QByteArray(b"\x00\x01where"))
    again = reopened()
    assert again.flag("on", False) is True
    assert again.flag("off", True) is False
    assert again.flag("never set", True) is True
    assert again.bytes("geometry") == QByteArray(b"\x00\x01where")
    assert again.bytes("never set").isEmpty()


def test_nonsense_in_the_file_counts_as_never_set(reopened):
    settings = reopened()
    store = settings._store
    store.setValue("appearance/scheme", "purple")
    store.setValue("on", "perhaps")
    store.setValue("geometry", 7)
    store.setValue("recent/paths", ["/somewhere"])
    store.setValue("recent/opened", ["yesterday"])
    again = reopened()
    assert again.scheme == "system"
    assert again.flag("on", True) is True
    assert again.bytes("geometry").isEmpty()
    assert again.recent_projects()[0].opened is None
