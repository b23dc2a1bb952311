"""What is dropped on the window, with real drag and drop events."""

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMessageBox

import app.new_project_dialog
from app.new_project_dialog import NewProjectDialog
from widgets.drop_frame import DropFrame


@pytest.fixture(autouse=True)
def no_network_names(monkeypatch):
    for name in ("list_torchvision_names", "list_timm_names"):
        monkeypatch.setattr(app.new_project_dialog, name, lambda task: ())
    monkeypatch.setattr(app.new_project_dialog, "why_no_fast_precision", lambda task: "")


def drop(widget, *urls):
    """Drag urls (or paths) over a widget and drop them; returns whether they were taken."""
    data = QMimeData()
    data.setUrls([url if isinstance(url, QUrl) else QUrl.fromLocalFile(str(url)) for url in urls])
    action, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier
    enter = QDragEnterEvent(QPoint(9, 9), action, data, buttons, keys.NoModifier)
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        dropped = QDropEvent(QPointF(9, 9), action, data, buttons, keys.NoModifier)
        QApplication.sendEvent(widget, dropped)
    return enter.isAccepted()


def visible(window, kind):
    return [widget for widget in window.findChildren(kind) if widget.isVisible()]


def notice(window):
    (box,) = visible(window, QMessageBox)
    return box


def press(qtbot, box, label):
    (button,) = [button for button in box.buttons() if button.text().replace("&", "") == label]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_folder_of_images_begins_a_project(qtbot, window, planted):
    assert drop(window, planted.parent / "images")
    (dialog,) = visible(window, NewProjectDialog)
    qtbot.waitUntil(lambda: dialog.form.images_section.n_chosen > 0, timeout=20_000)
    assert dialog.form.images_section.choice().folder == planted.parent / "images"


def test_it_does_so_while_a_project_is_open(opened, planted):
    assert drop(opened, planted.parent / "images")
    (dialog,) = visible(opened, NewProjectDialog)
    assert dialog.form.images_section.choice().folder == planted.parent / "images"


@pytest.mark.parametrize("inside", ["", "project.sqlite"])
def test_a_project_opens_also_by_its_file(qtbot, window, project_path, inside):
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        assert drop(window, project_path / inside)
    assert window.session.project.path == project_path


def test_a_single_image_is_refused_with_the_offer_of_its_folder(qtbot, window, planted):
    folder = planted.parent / "images" / "red"
    assert drop(window, folder / "00.png")
    assert visible(window, NewProjectDialog) == []
    box = notice(window)
    assert "“00.png” is a single image." in box.text()
    assert "Drop a project" in box.text()
    press(qtbot, box, "Use its folder")
    (dialog,) = visible(window, NewProjectDialog)
    assert dialog.form.images_section.choice().folder == folder


def test_other_things_are_refused_with_what_can_be_dropped(qtbot, window, tmp_path):
    (tmp_path / "net.pth").write_bytes(b"")
    for urls, says in (
        ((tmp_path / "net.pth",), "“net.pth” is neither a project nor a folder of images."),
        ((tmp_path, tmp_path), "2 files or folders were dropped at once."),
        ((QUrl("https://example.org/birds.zip"),), "What was dropped is not on this computer."),
        ((tmp_path / "gone",), "What was dropped is not on this computer."),
    ):
        assert drop(window, *urls)
        box = notice(window)
        assert box.text().startswith(f"{says} Drop a project")
        assert [button.text() for button in box.buttons()] == ["Close"]
        press(qtbot, box, "Close")
    assert visible(window, NewProjectDialog) == []


def test_text_is_not_taken(window):
    data = QMimeData()
    data.setText("birds")
    enter = QDragEnterEvent(
        QPoint(9, 9),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


def test_the_images_section_is_framed_while_something_is_dragged_over_it(window, planted):
    window.projects.new_project()
    (dialog,) = visible(window, NewProjectDialog)
    section = dialog.form.images_section
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(planted))])
    keys = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(section, QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, *keys))
    (frame,) = visible(dialog, DropFrame)
    assert frame.geometry().contains(section.geometry())
    assert frame.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    QApplication.sendEvent(section, QDragLeaveEvent())
    assert visible(dialog, DropFrame) == []


def test_the_images_section_of_the_dialog_takes_a_folder(qtbot, window, planted, tmp_path):
    window.projects.new_project()
    (dialog,) = visible(window, NewProjectDialog)
    section = dialog.form.images_section
    assert drop(section, planted.parent / "images")
    qtbot.waitUntil(lambda: section.n_chosen > 0, timeout=20_000)
    assert drop(section, planted.parent / "images" / "red" / "00.png")
    assert section.message.text() == "00.png is a file: drop the folder that the images are in."
    assert section.error() == ""
    assert section.choice().folder == planted.parent / "images"
    assert drop(section, tmp_path, planted)
    assert "Drop one folder" in section.message.text()
    line = section.folder_edit.line
    assert drop(line, planted.parent / "images" / "red" / "00.png")
    assert section.message.text().startswith("00.png is a file")
    assert section.choice().folder == planted.parent / "images"
    assert drop(line, tmp_path)
    assert section.choice().folder == tmp_path
