"""The welcome page: three actions, recent projects and drops, with real events."""

from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from widgets.welcome.prism_banner import PrismBanner
from widgets.welcome.recent_projects import when_text
from widgets.welcome.welcome_page import RecentProject, WelcomePage

APPLES = RecentProject(Path("/home/ada/apples.prism"), datetime(2026, 11, 3, 9, 5))
GONE = RecentProject(Path("/media/disk/old.prism"), datetime(2026, 8, 1), missing=True)


@pytest.fixture
def page(qtbot: QtBot) -> WelcomePage:
    page = WelcomePage()
    qtbot.addWidget(page)
    page.resize(1280, 740)
    page.set_recent([APPLES, GONE])
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    return page


@pytest.mark.parametrize(
    ("card", "signal"),
    [
        ("demo_card", "demo_requested"),
        ("new_card", "new_requested"),
        ("open_card", "open_requested"),
    ],
)
def test_actions_by_mouse_and_keyboard(page: WelcomePage, qtbot: QtBot, card: str, signal: str) -> None:
    button = getattr(page, card)
    with qtbot.waitSignal(getattr(page, signal)):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    button.setFocus()
    with qtbot.waitSignal(getattr(page, signal)):
        QTest.keyClick(button, Qt.Key.Key_Space)
    assert button.accessibleDescription()


def test_a_focused_card_looks_different(page: WelcomePage) -> None:
    page.demo_card.setFocus()
    without = page.new_card.grab().toImage()
    page.new_card.setFocus()
    assert page.new_card.grab().toImage() != without


def test_a_recent_project_opens_with_a_click_once(page: WelcomePage) -> None:
    opened: list[str] = []
    page.recent_requested.connect(opened.append)
    place = page.recent_list.visualItemRect(page.recent_list.item(0)).center()
    QTest.mouseClick(page.recent_list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened == [str(APPLES.path)]


def test_recent_projects_with_the_keyboard(page: WelcomePage) -> None:
    opened: list[str] = []
    removed: list[str] = []
    page.recent_requested.connect(opened.append)
    page.recent_removed.connect(removed.append)
    page.recent_list.setFocus()
    page.recent_list.setCurrentRow(1)
    QTest.keyClick(page.recent_list, Qt.Key.Key_Return)
    QTest.keyClick(page.recent_list, Qt.Key.Key_Delete)
    assert opened == removed == [str(GONE.path)]
    assert page.recent_list.count() == 1


def test_the_menu_of_a_recent_project(page: WelcomePage) -> None:
    removed: list[str] = []
    page.recent_removed.connect(removed.append)
    item = page.recent_list.item(0)
    next(a for a in page.recent_list.menu_of(item).actions() if "Remove" in a.text()).trigger()
    assert removed == [str(APPLES.path)]


def test_a_missing_project_says_so(page: WelcomePage) -> None:
    item = page.recent_list.item(1)
    assert "Not there any more" in item.toolTip()
    assert "not found" in str(item.data(Qt.ItemDataRole.AccessibleTextRole))


def test_no_recent_projects(page: WelcomePage) -> None:
    page.set_recent([])
    assert not page.recent_list.isVisible()
    assert page._no_recent.isVisible()


def test_when_a_project_was_opened() -> None:
    now = datetime(2026, 11, 4, 0, 30)
    assert when_text(datetime(2026, 11, 4, 0, 5), now) == "today, 00:05"
    assert when_text(datetime(2026, 11, 3, 23, 59), now) == "yesterday, 23:59"
    assert when_text(datetime(2026, 11, 1), now) == "1 Nov 2026"
    assert when_text(None, now) == ""


def test_busy_takes_the_actions_out_of_reach(page: WelcomePage, qtbot: QtBot) -> None:
    page.set_busy("Drawing the demo's images")
    with qtbot.assertNotEmitted(page.demo_requested):
        QTest.mouseClick(page.demo_card, Qt.MouseButton.LeftButton)
    page.set_busy(None)
    with qtbot.waitSignal(page.demo_requested):
        QTest.mouseClick(page.demo_card, Qt.MouseButton.LeftButton)


def test_the_bar_shows_the_true_share(page: WelcomePage) -> None:
    page.set_busy("Opening the demo")
    assert page._busy_bar.maximum() == 0  # how much there is to do is not known
    page.set_busy("Opening the demo", 30, 120)
    assert page._busy_bar.value() / page._busy_bar.maximum() == 0.25


@pytest.mark.parametrize("width", [400, 820])
def test_no_ray_of_the_banner_is_cut_at_its_edge(qtbot: QtBot, width: int) -> None:
    banner = PrismBanner()
    qtbot.addWidget(banner)
    banner.resize(width, banner.sizeHint().height())
    picture = banner.grab().toImage()
    for y in (0, picture.height() - 1):
        assert {picture.pixel(x, y) for x in range(picture.width())} == {picture.pixel(0, y)}


def _drop(page: WelcomePage, *paths: Path) -> bool:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys)
    enter.ignore()
    QApplication.sendEvent(page, enter)
    if enter.isAccepted():
        drop = QDropEvent(QPointF(9, 9), Qt.DropAction.CopyAction, mime, buttons, keys)
        QApplication.sendEvent(page, drop)
    return enter.isAccepted()


def test_a_dropped_project_opens(page: WelcomePage, tmp_path: Path, qtbot: QtBot) -> None:
    project = tmp_path / "apples.prism"
    project.mkdir()
    (project / "project.sqlite").write_bytes(b"")
    opened: list[str] = []
    page.recent_requested.connect(opened.append)
    assert _drop(page, project)
    assert _drop(page, project / "project.sqlite")
    assert opened == [str(project), str(project)]


def test_a_dropped_folder_is_taken_for_images(page: WelcomePage, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.images_dropped) as signal:
        assert _drop(page, tmp_path)
    assert signal.args == [str(tmp_path)]


def test_what_is_no_folder_is_not_taken(page: WelcomePage, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("")
    assert not _drop(page, file)
    assert not _drop(page, tmp_path, tmp_path)
    assert not _drop(page, tmp_path / "nothing")
    page.set_busy("Preparing")
    assert not _drop(page, tmp_path)
