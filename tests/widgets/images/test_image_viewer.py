"""The large view of a picture."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.widgets.picture_files import make_items, make_loader, row_color
from widgets.images.image_grid import ImageItem
from widgets.images.image_viewer import ImageViewer


@pytest.fixture
def loader(qapp):
    loader = make_loader()
    yield loader
    loader.shutdown()


@pytest.fixture
def viewer(loader, qtbot, tmp_path):
    viewer = ImageViewer(loader)
    qtbot.addWidget(viewer)
    viewer.resize(500, 460)
    viewer.show_items(make_items(tmp_path, range(4)), 1)
    qtbot.waitUntil(viewer._canvas.has_picture)
    return viewer


def middle_colour(viewer: ImageViewer) -> QColor:
    return viewer._canvas.grab().toImage().pixelColor(viewer._canvas.rect().center())


def test_shows_the_picture_with_caption_and_details(viewer):
    assert middle_colour(viewer) == QColor(*row_color(1))
    assert viewer._caption.text() == "1.0"
    assert viewer._details.text() == "1.png\nclass 1"
    assert viewer._place.text() == "2 of 4"


def test_arrows_go_to_the_next_and_stop_at_the_ends(viewer, qtbot):
    rows = []
    viewer.row_shown.connect(rows.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Home):
        QTest.keyClick(viewer, key)
    assert rows == [2, 3, 2, 0]
    qtbot.waitUntil(lambda: middle_colour(viewer) == QColor(*row_color(0)))
    assert not viewer._previous.isEnabled()
    viewer._next.click()
    assert viewer.current_row() == 1


def test_keys_zoom_and_zero_fits(viewer):
    fitting = viewer.zoom()
    QTest.keyClick(viewer, Qt.Key.Key_Plus)
    assert viewer.zoom() == pytest.approx(fitting * 1.25)
    QTest.keyClick(viewer, Qt.Key.Key_Minus)
    QTest.keyClick(viewer, Qt.Key.Key_Minus)
    assert viewer.zoom() == pytest.approx(fitting / 1.25)
    QTest.keyClick(viewer, Qt.Key.Key_0)
    assert viewer.zoom() == pytest.approx(fitting)
    assert viewer._zoom.text() == f"{fitting * 100:.0f} %"


def test_the_wheel_zooms_where_the_pointer_is(viewer):
    canvas = viewer._canvas
    at = QPointF(canvas.width() * 0.7, canvas.height() * 0.4)
    rect = canvas._picture_rect()
    before = ((at.x() - rect.x()) / rect.width(), (at.y() - rect.y()) / rect.height())
    for _ in range(3):
        QApplication.sendEvent(
            canvas,
            QWheelEvent(
                at,
                QPointF(canvas.mapToGlobal(at.toPoint())),
                QPoint(0, 0),
                QPoint(0, 120),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            ),
        )
    rect = canvas._picture_rect()
    after = ((at.x() - rect.x()) / rect.width(), (at.y() - rect.y()) / rect.height())
    assert after == pytest.approx(before, abs=1e-6)


def test_dragging_pans_but_never_loses_the_picture(viewer):
    canvas = viewer._canvas
    for _ in range(5):
        QTest.keyClick(viewer, Qt.Key.Key_Plus)
    start = canvas.rect().center()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(canvas, start + QPoint(60, 0))
    moved = canvas._picture_rect().x()
    QTest.mouseMove(canvas, start + QPoint(5000, 0))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    assert moved != canvas._picture_rect().x()
    assert canvas._picture_rect().x() <= 1
    assert canvas._picture_rect().right() >= canvas.width() - 1


def test_a_broken_picture_says_why(loader, qtbot, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG no")
    items = (*make_items(tmp_path, [0]), ImageItem(5, broken, "", "broken.png"))
    viewer = ImageViewer(loader)
    qtbot.addWidget(viewer)
    viewer.show_items(items, 1)
    qtbot.waitUntil(lambda: "cannot identify" in viewer.failure_text())
    viewer.grab()
    QTest.keyClick(viewer, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: viewer.failure_text() == "")


def test_escape_and_space_close(viewer):
    QTest.keyClick(viewer, Qt.Key.Key_Escape)
    assert not viewer.isVisible()
    viewer.show()
    QTest.keyClick(viewer, Qt.Key.Key_Space)
    assert not viewer.isVisible()


def test_no_such_picture(viewer, tmp_path):
    with pytest.raises(IndexError):
        viewer.show_items(make_items(tmp_path, [0]), 3)
    with pytest.raises(IndexError):
        viewer.show_items((), 0)
