"""The grid of pictures, driven by mouse and keys."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QDesktopServices,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QPalette,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QToolTip

from tests.widgets.picture_files import make_band, make_items, make_loader, row_color
from widgets.images.image_delegate import short_reason
from widgets.images.image_grid import ImageBand, ImageGrid, ImageItem
from widgets.images.image_menu import picture_menu
from widgets.images.thumbnails import ThumbnailLoader

LEFT = Qt.MouseButton.LeftButton
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def loader(qapp):
    loader = make_loader()
    yield loader
    loader.shutdown()


@pytest.fixture
def grid(loader, qtbot, tmp_path):
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.resize(420, 460)
    grid.set_thumbnail_size(64)
    grid.set_bands([make_band(tmp_path, 0, range(10)), make_band(tmp_path, 1, range(20, 26), "pitches")])
    with qtbot.waitExposed(grid):
        grid.show()
    return grid


def centre(grid: ImageGrid, index: int) -> QPoint:
    return grid._view.visualRect(grid._model.index(index)).center()


def header(grid: ImageGrid, band: int) -> QPoint:
    box = grid._view.geometry_of_bands().header_box(band, grid._view.verticalOffset())
    return grid._view.viewport_rect(box).center()


def click(grid: ImageGrid, index: int, modifiers=NONE) -> None:
    QTest.mouseClick(grid._view.viewport(), LEFT, modifiers, centre(grid, index))


def shown(grid: ImageGrid) -> QImage:
    return grid._view.viewport().grab().toImage()


def test_pictures_appear_in_their_own_colours(grid, qtbot):
    def painted() -> bool:
        image = shown(grid)
        return all(
            QColor(*row_color(row)).rgb() == image.pixelColor(centre(grid, index) - QPoint(0, 12)).rgb()
            for index, row in ((0, 0), (3, 3), (10, 20))
        )

    qtbot.waitUntil(painted)


def test_headers_show_the_colour_of_their_band(grid):
    image = shown(grid)
    box = grid._view.viewport_rect(grid._view.geometry_of_bands().header_box(1))
    assert image.pixelColor(box.left() + 5, box.center().y()) == QColor("#c03010")


def test_click_ctrl_and_shift_select_rows_of_the_dataset(grid, qtbot):
    selected = []
    grid.rows_selected.connect(selected.append)
    click(grid, 2)
    click(grid, 11, CTRL)
    assert selected == [(2,), (2, 21)]
    click(grid, 2, CTRL)
    assert selected[-1] == (21,)
    click(grid, 3)
    click(grid, 11, SHIFT)
    assert selected[-1] == (*range(3, 10), 20, 21)


def test_a_rubber_band_selects_what_it_meets(grid):
    selected = []
    grid.rows_selected.connect(selected.append)
    view = grid._view.viewport()
    first = grid._view.visualRect(grid._model.index(0))
    start = first.topLeft() - QPoint(3, 3)
    end = centre(grid, 1)
    QTest.mousePress(view, LEFT, NONE, start)
    QTest.mouseMove(view, start + QPoint(20, 20))
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, LEFT, NONE, end)
    assert selected[-1] == (0, 1)


def test_header_click_selects_its_band_and_names_its_key(grid):
    keys, selected = [], []
    grid.band_activated.connect(keys.append)
    grid.rows_selected.connect(selected.append)
    QTest.mouseClick(grid._view.viewport(), LEFT, NONE, header(grid, 1))
    assert keys == [1]
    assert selected == [tuple(range(20, 26))]
    QTest.mouseClick(grid._view.viewport(), LEFT, CTRL, header(grid, 0))
    assert set(selected[-1]) == {*range(10), *range(20, 26)}


def test_setting_rows_is_silent_and_marks_every_place_of_an_image(loader, qtbot, tmp_path):
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.set_bands([make_band(tmp_path, 0, [1, 2, 3]), make_band(tmp_path, 1, [3, 4])])
    selected = []
    grid.rows_selected.connect(selected.append)
    grid.set_selected_rows({3, 99})
    assert selected == []
    assert grid.selected_rows() == (3,)
    assert grid._view.selected_items() == [2, 3]


def test_arrow_keys_move_and_escape_clears(grid):
    selected = []
    grid.rows_selected.connect(selected.append)
    click(grid, 0)
    QTest.keyClick(grid._view, Qt.Key.Key_Right)
    assert selected[-1] == (1,)
    QTest.keyClick(grid._view, Qt.Key.Key_Right, SHIFT)
    assert selected[-1] == (1, 2)
    QTest.keyClick(grid._view, Qt.Key.Key_End)
    assert selected[-1] == (25,)
    QTest.keyClick(grid._view, Qt.Key.Key_Escape)
    assert selected[-1] == ()


def test_hover_names_the_row_and_leaving_takes_it_back(grid):
    rows = []
    grid.row_hovered.connect(rows.append)
    view = grid._view.viewport()
    QTest.mouseMove(view, centre(grid, 4))
    QTest.mouseMove(view, header(grid, 0))
    assert rows == [4, -1]


def test_tooltip_has_file_and_class(grid):
    QApplication.sendEvent(
        grid._view.viewport(),
        QHelpEvent(QEvent.Type.ToolTip, centre(grid, 4), grid._view.viewport().mapToGlobal(centre(grid, 4))),
    )
    assert QToolTip.text() == "4.png\nclass 1"


def test_a_broken_picture_is_a_placeholder_with_its_reason(loader, qtbot, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no picture")
    item = ImageItem(7, broken, "1.0", "broken.jpg")
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.resize(300, 200)
    with qtbot.waitSignal(loader.ready):
        grid.set_bands([ImageBand(0, "apples", QColor("red"), "A", (item,))])
        grid.show()
    tip = grid._model.data(grid._model.index(0), Qt.ItemDataRole.ToolTipRole)
    assert tip.startswith("broken.jpg\n")
    assert "cannot identify" in tip
    grid.grab()


def test_double_click_and_enter_open_the_picture_and_arrows_move_on(grid, qtbot):
    opened, selected = [], []
    grid.row_activated.connect(opened.append)
    grid.rows_selected.connect(selected.append)
    QTest.mouseDClick(grid._view.viewport(), LEFT, NONE, centre(grid, 1))
    assert opened == [1]
    viewer = grid._viewer
    assert viewer.isVisible() and viewer.current_row() == 1
    QTest.keyClick(viewer, Qt.Key.Key_Right)
    assert viewer.current_row() == 2
    assert selected[-1] == (2,)
    QTest.keyClick(viewer, Qt.Key.Key_Escape)
    assert not viewer.isVisible()
    click(grid, 12)
    QTest.keyClick(grid._view, Qt.Key.Key_Return)
    assert opened == [1, 22] and viewer.current_row() == 22


def test_space_previews_and_closes(grid):
    opened = []
    grid.row_activated.connect(opened.append)
    click(grid, 5)
    QTest.keyClick(grid._view, Qt.Key.Key_Space)
    assert grid._viewer.isVisible() and grid._viewer.current_row() == 5
    assert grid.selected_rows() == (5,)
    QTest.keyClick(grid._viewer, Qt.Key.Key_Space)
    assert not grid._viewer.isVisible()
    assert opened == []


def wheel(widget, modifiers, delta: int) -> None:
    point = QPointF(widget.rect().center())
    QApplication.sendEvent(
        widget,
        QWheelEvent(
            point,
            QPointF(widget.mapToGlobal(point.toPoint())),
            QPoint(0, 0),
            QPoint(0, delta),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def test_ctrl_wheel_and_slider_change_the_size(grid, qtbot):
    sizes = []
    grid.thumbnail_size_changed.connect(sizes.append)
    wheel(grid._view.viewport(), CTRL, 120)
    assert sizes == [80] and grid.thumbnail_size() == 80
    assert grid._slider._slider.value() == 10
    grid._slider._slider.setValue(15)
    assert sizes == [80, 120] and grid.thumbnail_size() == 120
    for _ in range(40):
        wheel(grid._view.viewport(), CTRL, -120)
    assert grid.thumbnail_size() == 32
    sizes.clear()
    grid.set_thumbnail_size(100)
    assert sizes == [] and grid.thumbnail_size() == 100


def test_the_wheel_alone_scrolls(grid):
    grid.set_thumbnail_size(160)
    before = grid._view.verticalOffset()
    wheel(grid._view.viewport(), NONE, -120)
    assert grid._view.verticalOffset() > before


def test_new_bands_keep_selection_and_place(grid, tmp_path):
    grid.set_thumbnail_size(120)
    click(grid, 1)
    grid._view.verticalScrollBar().setValue(200)
    emitted = []
    grid.rows_selected.connect(emitted.append)
    grid.set_bands([make_band(tmp_path, 0, range(5, 26)), make_band(tmp_path, 1, range(0, 5))])
    assert grid.selected_rows() == (1,)
    assert grid.current_row() == 1
    assert grid._view.verticalOffset() == 200
    assert emitted == []


def test_scrolling_to_bands_and_rows(grid):
    grid.set_thumbnail_size(200)
    grid.scroll_to_band(1)
    top = grid._view.geometry_of_bands().header_box(1).y
    assert grid._view.verticalOffset() == min(top, grid._view.verticalScrollBar().maximum())
    grid.scroll_to_row(0)
    assert grid._view.visualRect(grid._model.index(0)).top() >= 0
    grid.scroll_to_band(77)


def test_messages_and_empty_bands(grid, qtbot):
    grid.set_message("Neuron 7 is dead.")
    assert grid._empty.isVisible() and grid._empty.text() == "Neuron 7 is dead."
    assert grid.bands() == ()
    grid.set_bands([ImageBand(0, "nothing", QColor("red"), "A", ())])
    assert grid._view.isVisible()
    QTest.keyClick(grid._view, Qt.Key.Key_Right)
    QTest.keyClick(grid._view, Qt.Key.Key_Space)
    grid.set_bands(())
    assert grid._empty.isVisible()


def test_only_what_is_in_sight_is_decoded(loader, qtbot, tmp_path):
    path = make_items(tmp_path, [0])[0].path
    items = tuple(ImageItem(i, path.with_name(f"no_{i}.png"), "", "") for i in range(30_000))
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.resize(500, 400)
    asked = []
    loader.ready.connect(asked.append)
    grid.set_bands([ImageBand(0, "all", QColor("red"), "A", items)])
    grid.show()
    bar = grid._view.verticalScrollBar()
    qtbot.waitUntil(lambda: loader.n_waiting == 0 and len(asked) > 5)
    first = len(asked)
    assert first < 100
    for value in range(0, bar.maximum(), bar.maximum() // 40):
        bar.setValue(value)
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: str(items[-1].path) in asked)
    qtbot.waitUntil(lambda: loader.n_waiting == 0)
    assert len(asked) < 40 * first


def test_a_hidden_grid_asks_for_nothing(loader, qtbot, tmp_path):
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.set_bands([make_band(tmp_path, 0, range(10))])
    QApplication.processEvents()
    assert loader.n_waiting == 0 and loader.used_bytes == 0


def ask_for_menu(grid, point: QPoint, reason=QContextMenuEvent.Reason.Mouse) -> None:
    port = grid._view.viewport()
    QApplication.sendEvent(port, QContextMenuEvent(reason, point, port.mapToGlobal(point)))
    popup = QApplication.activePopupWidget()
    if popup is not None:
        popup.close()


def test_context_menu_offers_actions_and_lets_others_add(grid, qtbot):
    requests = []

    def add(menu: QMenu, rows: object) -> None:
        requests.append((rows, [action.text().split("\t")[0] for action in menu.actions() if action.text()]))

    grid.menu_requested.connect(add)
    click(grid, 2)
    click(grid, 3, CTRL)
    ask_for_menu(grid, centre(grid, 3))
    ask_for_menu(grid, centre(grid, 7))
    assert requests[0][0] == (3, 2)
    assert "Copy 2 paths" in requests[0][1]
    assert requests[1] == ((7,), ["Open large", "Copy picture", "Copy path", "Show in its folder"])
    assert grid.selected_rows() == (7,)
    ask_for_menu(grid, header(grid, 0))
    assert len(requests) == 2
    QTest.keyClick(grid._view, Qt.Key.Key_Home)
    ask_for_menu(grid, centre(grid, 7), QContextMenuEvent.Reason.Keyboard)
    assert requests[2][0] == (0,)


def test_copying_a_picture_and_a_path(grid, qtbot):
    item = grid._model.item(4)
    grid._clipboard.copy_paths([item])
    assert QGuiApplication.clipboard().text() == str(item.path)
    grid._clipboard.copy_picture(item)
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().mimeData().hasImage())
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (40, 30)
    assert image.pixelColor(3, 3) == QColor(*row_color(4))


def test_another_palette_is_painted_at_once(grid, qtbot):
    light = shown(grid).pixelColor(2, grid._view.viewport().height() - 2)
    palette = QPalette(grid.palette())
    palette.setColor(QPalette.ColorRole.Base, QColor("#101010"))
    palette.setColor(QPalette.ColorRole.Text, QColor("#f0f0f0"))
    grid.setPalette(palette)
    dark = shown(grid).pixelColor(2, grid._view.viewport().height() - 2)
    assert dark == QColor("#101010") and dark != light


def test_accessible_text_names_file_caption_and_concept(grid):
    text = grid._model.data(grid._model.index(11), Qt.ItemDataRole.AccessibleTextRole)
    assert text == "21.png, 21.0, pitches"
    assert grid._view.accessibleName()


def test_scrolling_through_tens_of_thousands_keeps_the_cache_bounded(qtbot, tmp_path):
    n, n_bands, maximum = 40_000, 8, 4 * 1024 * 1024
    shown_size = 64

    def draw(path: Path, size: int) -> np.ndarray:
        if path.stem.endswith("7"):
            raise OSError("moved away")
        return np.full((size, size, 3), int(path.stem) % 256, np.uint8)

    loader = ThumbnailLoader(draw, n_threads=2, maximum_bytes=maximum)
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.resize(700, 600)
    grid.set_thumbnail_size(shown_size)
    per_band = n // n_bands
    grid.set_bands(
        [
            ImageBand(
                band,
                f"band {band}",
                QColor("#c03010"),
                "A",
                tuple(
                    ImageItem(i, tmp_path / f"{i}.png", "", "")
                    for i in range(band * per_band, (band + 1) * per_band)
                ),
            )
            for band in range(n_bands)
        ]
    )
    with qtbot.waitExposed(grid):
        grid.show()
    view, bar = grid._view, grid._view.verticalScrollBar()
    one = shown_size * shown_size * 4
    seen = set()
    for value in [*range(0, bar.maximum(), bar.maximum() // 60), bar.maximum()]:
        bar.setValue(value)
        qtbot.waitUntil(
            lambda: all(
                loader.cached_exactly(grid._model.item(i).path, shown_size) is not None
                or loader.failure(grid._model.item(i).path) == "moved away"
                for i in view.visible_items()
            )
        )
        seen.update(view.visible_items())
        assert loader.used_bytes <= maximum
        assert len(loader._pixmaps) <= maximum // one
        assert sum(map(len, loader._sizes_here.values())) == len(loader._pixmaps)
    assert len(seen) > 3 * (maximum // one), "far more was seen than the cache can hold"
    assert max(seen) == n - 1
    loader.shutdown()


def test_the_reason_stands_on_the_placeholder_where_there_is_room(loader, qtbot, tmp_path):
    gone = tmp_path / "gone.png"
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.resize(400, 300)
    with qtbot.waitSignal(loader.ready):
        grid.set_bands([ImageBand(0, "apples", QColor("red"), "A", (ImageItem(7, gone, "", ""),))])
        grid.show()

    def painted_rows(size, share):
        """Return how many rows of the tile below a share of its height hold anything but its ground."""
        grid.set_thumbnail_size(size)
        cell = grid._view.visualRect(grid._model.index(0))
        image = shown(grid)
        ground = image.pixelColor(cell.left() + 8, cell.top() + 8)
        rows = range(cell.top() + 5 + int(share * size), cell.top() + size)
        return sum(
            any(image.pixelColor(x, y) != ground for x in range(cell.left() + 8, cell.left() + size, 2))
            for y in rows
        )

    assert painted_rows(64, 0.75) == 0, "the sign alone"
    assert painted_rows(160, 0.52) > 10


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("The image '/a/b.jpg' is no longer there.", "The image is no longer there."),
        ("'/a/b.jpg' is no image.", "Is no image."),
        ("/a/b.jpg: it is damaged.", ": it is damaged."),
        ("", ""),
    ],
)
def test_a_reason_on_a_placeholder_does_not_name_the_file(reason, text):
    assert short_reason(reason, Path("/a/b.jpg")) == text


def test_the_folder_of_a_page_is_that_of_its_file(grid, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    folder = tmp_path / "stacks#page=2"
    items = [
        ImageItem(1, Path(f"{folder / 'stack.tif'}#page=3"), "", ""),
        ImageItem(2, folder / "plain.png", "", ""),
    ]
    for item in items:
        menu = picture_menu([item], grid._clipboard, lambda: None, grid)
        (show,) = [action for action in menu.actions() if action.text() == "Show in its folder"]
        show.trigger()
    assert opened == [str(folder)] * 2
