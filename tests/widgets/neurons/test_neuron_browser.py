"""The neuron browser with real keys and clicks; order and filter checked against plain Python."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from backend.neurons import NeuronStatistics
from widgets.images.thumbnails import ThumbnailLoader
from widgets.neurons.neuron_browser import NeuronBrowser, NeuronTable
from widgets.neurons.neuron_table_model import Column, NeuronTableModel

N = 300
RNG = np.random.default_rng(3)
MAXIMUM = RNG.gamma(2.0, 1.5, N).astype(np.float32)
MAXIMUM[[5, 250]] = 0
MAXIMUM[17] = MAXIMUM[18]
ACTIVE = np.where(MAXIMUM > 0, RNG.random(N), 0).astype(np.float32)
STATISTICS = NeuronStatistics(MAXIMUM, MAXIMUM / 9, MAXIMUM / 4, ACTIVE, 2600)
CONCEPTS = RNG.integers(-1, 5, N)
NAMES = {3: "apples", 40: "Coral", 41: "barrels"}
RED = (200, 30, 40)


def _decode(path: Path, size: int) -> NDArray[np.uint8]:
    if "broken" in path.name:
        raise OSError("The file is truncated.")
    picture = np.zeros((size, size, 3), dtype=np.uint8)
    picture[:] = RED
    return picture


def _table(**changes: object) -> NeuronTable:
    values: dict[str, object] = {
        "statistics": STATISTICS,
        "n_concepts": CONCEPTS,
        "names": NAMES,
        "top_paths": lambda neuron: tuple(Path(f"{neuron}-{rank}.png") for rank in range(4)),
    }
    return NeuronTable(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def loader(qtbot: QtBot) -> Iterator[ThumbnailLoader]:
    loader = ThumbnailLoader(_decode)
    yield loader
    loader.shutdown()


@pytest.fixture
def browser(qtbot: QtBot, loader: ThumbnailLoader) -> NeuronBrowser:
    browser = NeuronBrowser(loader)
    qtbot.addWidget(browser)
    browser.resize(460, 500)
    browser.set_table(_table())
    with qtbot.waitExposed(browser):
        browser.show()
    browser.activateWindow()
    return browser


def _shown(browser: NeuronBrowser) -> list[int]:
    return [browser.model.neuron(row) for row in range(browser.model.rowCount())]


def _text(browser: NeuronBrowser, neuron: int, column: Column) -> str:
    row = browser.model.row(neuron)
    assert row is not None
    return str(browser.model.index(row, column).data())


def _click_header(browser: NeuronBrowser, column: Column) -> None:
    header = browser.table_view.horizontalHeader()
    x = header.sectionViewportPosition(column) + 12
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, header.height() // 2))


def test_each_cell_says_what_is_known(browser: NeuronBrowser) -> None:
    known = int(np.flatnonzero((CONCEPTS >= 0) & (MAXIMUM > 0))[0])
    unknown = int(np.flatnonzero((CONCEPTS < 0) & (MAXIMUM > 0))[0])
    assert _text(browser, 3, Column.NAME) == "apples"
    assert _text(browser, 3, Column.MAXIMUM) == f"{MAXIMUM[3]:.3f}"
    assert _text(browser, known, Column.CONCEPTS) == str(CONCEPTS[known])
    assert _text(browser, unknown, Column.CONCEPTS) == "—"
    assert _text(browser, 5, Column.MAXIMUM) == "dead"
    assert _text(browser, 5, Column.MEAN) == "–"
    tooltip = browser.model.index(5, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "none of 2,600 images activates it" in tooltip


@pytest.mark.parametrize(
    ("column", "key"),
    [
        (Column.MAXIMUM, lambda n: float(MAXIMUM[n])),
        (Column.ACTIVE, lambda n: float(ACTIVE[n])),
        (Column.NEURON, lambda n: n),
    ],
)
def test_sorting_is_that_of_python(browser: NeuronBrowser, column: Column, key: object) -> None:
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        browser.table_view.sortByColumn(column, order)
        reverse = order == Qt.SortOrder.DescendingOrder
        assert _shown(browser) == sorted(range(N), key=key, reverse=reverse)  # type: ignore[call-overload]


def test_what_is_not_known_comes_last_in_both_directions(browser: NeuronBrowser) -> None:
    unknown = [n for n in range(N) if CONCEPTS[n] < 0]
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        browser.table_view.sortByColumn(Column.CONCEPTS, order)
        assert _shown(browser)[-len(unknown) :] == unknown
        browser.table_view.sortByColumn(Column.NAME, order)
        assert set(_shown(browser)[:3]) == {3, 40, 41}
    browser.table_view.sortByColumn(Column.NAME, Qt.SortOrder.AscendingOrder)
    assert _shown(browser)[:3] == [3, 41, 40]


def test_a_click_on_a_header_sorts_large_first_and_keeps_the_choice(
    browser: NeuronBrowser, qtbot: QtBot
) -> None:
    browser.select_neuron(33)
    with qtbot.assertNotEmitted(browser.neuron_selected):
        _click_header(browser, Column.MAXIMUM)
    assert MAXIMUM[_shown(browser)[0]] == MAXIMUM.max()
    current = browser.table_view.currentIndex()
    assert browser.model.neuron(current.row()) == 33
    assert browser.table_view.visualRect(current).intersects(browser.table_view.viewport().rect())


def test_images_have_no_order(browser: NeuronBrowser) -> None:
    _click_header(browser, Column.MAXIMUM)
    before = _shown(browser)
    _click_header(browser, Column.IMAGES)
    assert _shown(browser) == before
    assert browser.table_view.horizontalHeader().sortIndicatorSection() == Column.MAXIMUM


def test_arrow_keys_choose_at_once(browser: NeuronBrowser, qtbot: QtBot) -> None:
    browser.select_neuron(10)
    browser.table_view.setFocus()
    chosen: list[int] = []
    browser.neuron_selected.connect(chosen.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_End, Qt.Key.Key_Home):
        QTest.keyClick(browser.table_view, key)
    assert chosen == [11, 12, 11, N - 1, 0]
    assert browser.selected_neuron() == 0


def test_the_focus_alone_chooses_nothing(browser: NeuronBrowser, qtbot: QtBot) -> None:
    browser.filter_edit.setFocus()
    with qtbot.assertNotEmitted(browser.neuron_selected):
        browser.table_view.setFocus()
    assert browser.selected_neuron() is None


def test_a_click_chooses(browser: NeuronBrowser, qtbot: QtBot) -> None:
    place = browser.table_view.visualRect(browser.model.index(4, Column.MAXIMUM)).center()
    with qtbot.waitSignal(browser.neuron_selected) as signal:
        QTest.mouseClick(browser.table_view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert signal.args == [4]


def test_choosing_from_outside_is_silent_and_scrolls(browser: NeuronBrowser, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(browser.neuron_selected):
        browser.select_neuron(280)
    index = browser.table_view.currentIndex()
    assert browser.model.neuron(index.row()) == 280
    assert browser.table_view.viewport().rect().contains(browser.table_view.visualRect(index).center())
    browser.select_neuron(None)
    assert not browser.table_view.selectionModel().hasSelection()


def test_typing_filters_and_keeps_the_choice(browser: NeuronBrowser, qtbot: QtBot) -> None:
    browser.select_neuron(23)
    with qtbot.assertNotEmitted(browser.neuron_selected):
        QTest.keyClicks(browser.filter_edit, "2")
        assert _shown(browser) == [n for n in range(N) if str(n).startswith("2")]
        assert browser.model.neuron(browser.table_view.currentIndex().row()) == 23
        QTest.keyClicks(browser.filter_edit, "9")
        assert browser.selected_neuron() == 23
        assert not browser.table_view.selectionModel().hasSelection()
        QTest.keyClick(browser.filter_edit, Qt.Key.Key_Escape)
    assert browser.filter_edit.text() == ""
    assert browser.model.neuron(browser.table_view.currentIndex().row()) == 23
    assert browser.count_label.text() == "300"


def test_enter_goes_to_the_neuron_that_was_typed(browser: NeuronBrowser, qtbot: QtBot) -> None:
    _click_header(browser, Column.MAXIMUM)
    QTest.keyClicks(browser.filter_edit, "4")
    with qtbot.waitSignal(browser.neuron_selected) as signal:
        QTest.keyClick(browser.filter_edit, Qt.Key.Key_Return)
    assert signal.args == [4]
    assert browser.table_view.hasFocus()


def test_down_goes_from_the_filter_to_the_list(browser: NeuronBrowser, qtbot: QtBot) -> None:
    browser.focus_filter()
    QTest.keyClicks(browser.filter_edit, "coral")
    with qtbot.waitSignal(browser.neuron_selected) as signal:
        QTest.keyClick(browser.filter_edit, Qt.Key.Key_Down)
    assert signal.args == [40]


def test_a_filter_that_cannot_be_understood_says_so_and_changes_nothing(
    browser: NeuronBrowser, qtbot: QtBot
) -> None:
    QTest.keyClicks(browser.filter_edit, "max>2")
    before = _shown(browser)
    browser.filter_edit.setText("max>2 foo>1")
    qtbot.waitUntil(browser.filter_message.isVisible, timeout=2000)
    assert "There is no column “foo”" in browser.filter_message.text()
    assert _shown(browser) == before
    for _ in range(6):
        QTest.keyClick(browser.filter_edit, Qt.Key.Key_Backspace)
    assert not browser.filter_message.isVisible()


def test_enter_on_a_filter_that_cannot_be_understood_says_so_at_once(browser: NeuronBrowser) -> None:
    QTest.keyClicks(browser.filter_edit, "concepts>")
    assert not browser.filter_message.isVisible()
    QTest.keyClick(browser.filter_edit, Qt.Key.Key_Return)
    assert "as in concepts>1" in browser.filter_message.text()
    assert browser.filter_edit.hasFocus()


def test_no_match_offers_to_clear_the_filter(browser: NeuronBrowser) -> None:
    QTest.keyClicks(browser.filter_edit, "concepts>99")
    assert browser.clear_button.isVisible()
    assert not browser.table_view.isVisible()
    QTest.mouseClick(browser.clear_button, Qt.MouseButton.LeftButton)
    assert browser.table_view.isVisible()
    assert len(_shown(browser)) == N


def test_a_name_is_written_in_place(browser: NeuronBrowser, qtbot: QtBot) -> None:
    browser.select_neuron(7)
    browser.table_view.setFocus()
    QTest.keyClick(browser.table_view, Qt.Key.Key_F2)
    editor = browser.table_view.findChild(QLineEdit)
    assert editor is not None
    QTest.keyClicks(editor, "mushrooms")
    with qtbot.waitSignal(browser.neuron_renamed) as signal:
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert signal.args == [7, "mushrooms"]
    assert _text(browser, 7, Column.NAME) == "mushrooms"


def test_a_name_from_outside_is_silent(browser: NeuronBrowser, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(browser.neuron_renamed):
        browser.set_name(8, "hats")
        browser.set_name(3, "")
    assert _text(browser, 8, Column.NAME) == "hats"
    assert _text(browser, 3, Column.NAME) == ""
    QTest.keyClicks(browser.filter_edit, "hats")
    assert _shown(browser) == [8]


def test_concept_counts_arrive_one_by_one_and_at_once(browser: NeuronBrowser) -> None:
    browser.set_concept_count(0, 9)
    assert _text(browser, 0, Column.CONCEPTS) == "9"
    browser.set_concept_counts(np.full(N, 2))
    assert _text(browser, 0, Column.CONCEPTS) == "2"
    with pytest.raises(ValueError, match="300 neurons"):
        browser.set_concept_counts([1, 2])
    assert CONCEPTS[0] != 9


def test_thumbnails_appear(browser: NeuronBrowser, qtbot: QtBot) -> None:
    place = browser.table_view.visualRect(browser.model.index(0, Column.IMAGES))

    def is_drawn() -> bool:
        shot = browser.table_view.viewport().grab(place).toImage()
        return shot.pixelColor(18, shot.height() // 2) == QColor(*RED)

    qtbot.waitUntil(is_drawn, timeout=3000)


class _Paints(QObject):
    """Notes which part of a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.rects: list[QRect] = []
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.rects.append(event.rect())
        return False


def test_only_the_cell_of_a_picture_that_came_is_painted_anew(qtbot: QtBot) -> None:
    go_on = {"here": threading.Event(), "elsewhere": threading.Event()}

    def decode(path: Path, size: int) -> NDArray[np.uint8]:
        assert go_on.get(path.stem, go_on["here"]).wait(5)
        return _decode(path, size)

    loader = ThumbnailLoader(decode, n_threads=2)
    browser = NeuronBrowser(loader)
    qtbot.addWidget(browser)
    browser.resize(460, 500)
    browser.set_table(_table(top_paths=lambda neuron: (Path("here.png"),) if neuron == 3 else ()))
    with qtbot.waitExposed(browser):
        browser.show()
    view = browser.table_view
    qtbot.waitUntil(lambda: browser._delegate._awaited == {"here.png": {3}})
    loader.request(Path("elsewhere.png"), 48, client=loader)
    QApplication.processEvents()
    paints = _Paints(view.viewport())
    with qtbot.waitSignal(loader.ready):
        go_on["elsewhere"].set()
    QApplication.processEvents()
    assert paints.rects == []
    with qtbot.waitSignal(loader.ready):
        go_on["here"].set()
    qtbot.waitUntil(lambda: bool(paints.rects))
    cell = view.visualRect(browser.model.index(3, Column.IMAGES))
    assert paints.rects == [cell]
    shot = view.viewport().grab(cell).toImage()
    assert shot.pixelColor(18, shot.height() // 2) == QColor(*RED)
    loader.shutdown()


def test_other_counts_paint_their_column_alone(browser: NeuronBrowser, qtbot: QtBot) -> None:
    view = browser.table_view
    browser.set_table(_table(top_paths=lambda neuron: ()))  # no picture comes in between
    QApplication.processEvents()
    view.viewport().repaint()
    paints = _Paints(view.viewport())
    browser.set_concept_counts(np.full(N, 7))
    qtbot.waitUntil(lambda: bool(paints.rects))
    header = view.horizontalHeader()
    left, width = header.sectionViewportPosition(Column.CONCEPTS), header.sectionSize(Column.CONCEPTS)
    assert paints.rects == [QRect(left, 0, width, view.viewport().height())]
    assert {_text(browser, neuron, Column.CONCEPTS) for neuron in range(N)} == {"7", "–"}


def test_a_broken_image_and_a_dead_neuron_draw_no_picture(
    browser: NeuronBrowser, loader: ThumbnailLoader, qtbot: QtBot
) -> None:
    asked: list[int] = []

    def paths(neuron: int) -> tuple[Path, ...]:
        asked.append(neuron)
        return (Path("broken.png"),)

    browser.set_table(_table(top_paths=paths))
    qtbot.waitUntil(lambda: loader.failure(Path("broken.png")) is not None, timeout=3000)
    browser.grab()
    assert 5 not in asked
    assert 6 in asked


def test_empty_and_loading_states(browser: NeuronBrowser) -> None:
    browser.set_loading("Reading the activations…")
    assert browser.empty_state.title() == "Reading the activations…"
    assert not browser.filter_edit.isEnabled()
    browser.set_table(None, empty_text="Extract a layer first.")
    assert browser.empty_state.isVisible()
    assert browser.empty_state.text() == "Extract a layer first."
    browser.set_table(_table())
    assert browser.table_view.isVisible()


def test_another_layer_keeps_the_filter_and_finds_the_neuron_again(browser: NeuronBrowser) -> None:
    QTest.keyClicks(browser.filter_edit, "max>1")
    browser.select_neuron(int(np.argmax(MAXIMUM)))
    doubled = NeuronStatistics(MAXIMUM * 2, MAXIMUM, MAXIMUM, ACTIVE, 2600)
    browser.set_table(_table(statistics=doubled))
    assert _shown(browser) == [n for n in range(N) if MAXIMUM[n] * 2 > 1]
    assert browser.model.neuron(browser.table_view.currentIndex().row()) == int(np.argmax(MAXIMUM))


def test_the_names_fit_a_panel_of_usual_width(browser: NeuronBrowser, qtbot: QtBot) -> None:
    browser.resize(344, 500)
    header, view = browser.table_view.horizontalHeader(), browser.table_view
    qtbot.waitUntil(lambda: view.viewport().width() < 344)
    end = header.sectionViewportPosition(Column.NAME) + header.sectionSize(Column.NAME)
    assert end <= view.viewport().width()
    assert not any(view.isColumnHidden(column) for column in Column)


def test_columns_can_be_hidden_and_come_back_with_the_state(
    browser: NeuronBrowser, loader: ThumbnailLoader, qtbot: QtBot
) -> None:
    menu = browser.column_menu()
    mean = next(action for action in menu.actions() if action.text() == "Mean")
    mean.trigger()
    assert browser.table_view.isColumnHidden(Column.MEAN)
    browser.table_view.sortByColumn(Column.MAXIMUM, Qt.SortOrder.DescendingOrder)
    again = NeuronBrowser(loader)
    qtbot.addWidget(again)
    again.set_table(_table())
    assert again.restore_state(browser.save_state())
    assert again.table_view.isColumnHidden(Column.MEAN)
    assert _shown(again) == _shown(browser)


def test_a_layer_without_statistics_yet_is_no_error(browser: NeuronBrowser) -> None:
    nothing = np.zeros(0, dtype=np.float32)
    browser.set_table(
        NeuronTable(NeuronStatistics(nothing, nothing, nothing, nothing, 0), np.zeros(0, dtype=np.int64))
    )
    assert browser.empty_state.isVisible()


def test_what_cells_are_drawn_from() -> None:
    model = NeuronTableModel()
    model.set_table(_table())
    assert model.share_of_maximum(int(np.argmax(MAXIMUM))) == 1.0
    assert model.share_of_maximum(3) == pytest.approx(float(MAXIMUM[3] / MAXIMUM.max()))
    assert [path.name for path in model.paths(3)] == ["3-0.png", "3-1.png", "3-2.png"]
    assert model.paths(5) == ()
    assert model.is_dead(5)
    assert not model.flags(model.index(3, Column.MAXIMUM)) & Qt.ItemFlag.ItemIsEditable
    assert not model.setData(model.index(3, Column.MAXIMUM), "5")
