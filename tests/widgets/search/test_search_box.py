"""The search box and its list, driven by keys and mouse."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from widgets.search.search_box import SearchBox
from widgets.search.search_results import SearchGroup, SearchHit

GROUPS = (
    SearchGroup("Neurons", (SearchHit("n35", "Neuron 35", "mixed"), SearchHit("n350", "Neuron 350")), 12),
    SearchGroup("Concepts", (SearchHit("apples", "apples", "deep · neuron 3"),)),
)


@pytest.fixture
def page(qtbot):
    """A window with another line and the box."""
    page = QWidget()
    page.other = QLineEdit()
    page.box = SearchBox()
    layout = QVBoxLayout(page)
    layout.addWidget(page.box)
    layout.addWidget(page.other)
    layout.addStretch(1)
    page.resize(700, 500)
    qtbot.addWidget(page)
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.other.setFocus()
    return page


@pytest.fixture
def box(page):
    box = page.box
    box.query_changed.connect(lambda query: box.set_results(GROUPS if query else ()))
    return box


def keys(box, *pressed):
    for key in pressed:
        QTest.keyClick(box, key)


def current(box):
    hit = box.results.current_hit()
    return hit.target if hit is not None else None


def test_typing_asks_and_shows_groups_under_the_box(page, box):
    asked = []
    box.query_changed.connect(asked.append)
    box.start()
    assert not box.is_list_shown()
    QTest.keyClicks(box, " 35 ")
    assert asked == ["", "3", "35", "35"]
    assert box.is_list_shown() and box.hasFocus()
    model = box.results.results
    shown = [model.index(row).data() for row in range(model.rowCount())]
    assert shown == ["Neurons", "Neuron 35", "Neuron 350", "and 12 more", "Concepts", "apples"]
    assert box._popup.geometry().top() >= box.mapTo(page, box.rect().bottomLeft()).y()
    assert page.rect().contains(box._popup.geometry())


def test_arrows_move_over_hits_alone_and_enter_chooses(box):
    chosen = []
    box.chosen.connect(chosen.append)
    box.start()
    QTest.keyClicks(box, "3")
    assert current(box) == "n35", "the best is chosen at once"
    keys(box, Qt.Key.Key_Down, Qt.Key.Key_Down)
    assert current(box) == "apples"
    keys(box, Qt.Key.Key_Down)
    assert current(box) == "apples", "the end"
    keys(box, Qt.Key.Key_PageUp)
    assert current(box) == "n35"
    keys(box, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert chosen == ["n350"]
    assert not box.is_list_shown()


def test_choosing_gives_the_focus_back(page, box):
    box.start()
    QTest.keyClicks(box, "3")
    keys(box, Qt.Key.Key_Enter)
    assert page.other.hasFocus()


def test_escape_closes_the_list_and_then_gives_the_focus_back(page, box):
    box.start()
    QTest.keyClicks(box, "3")
    keys(box, Qt.Key.Key_Escape)
    assert not box.is_list_shown() and box.hasFocus() and box.text() == "3"
    keys(box, Qt.Key.Key_Down)
    assert box.is_list_shown(), "the arrow opens it again"
    keys(box, Qt.Key.Key_Escape, Qt.Key.Key_Escape)
    assert page.other.hasFocus()


def test_a_click_chooses_and_a_click_on_a_heading_does_not(box):
    chosen = []
    box.chosen.connect(chosen.append)
    box.start()
    QTest.keyClicks(box, "3")
    view = box.results

    def click(row):
        place = view.visualRect(view.results.index(row)).center()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)

    click(0)
    click(3)
    assert chosen == [] and box.is_list_shown()
    click(5)
    assert chosen == ["apples"]


def test_leaving_the_box_closes_the_list(page, box):
    box.start()
    QTest.keyClicks(box, "3")
    QTest.mouseClick(page.other, Qt.MouseButton.LeftButton)
    assert not box.is_list_shown()


def test_nothing_to_search_for_shows_nothing(box):
    box.start()
    QTest.keyClicks(box, "3")
    box.clear()
    assert not box.is_list_shown()
    QTest.keyClicks(box, "  ")
    assert not box.is_list_shown()
    keys(box, Qt.Key.Key_Return)


def test_a_remark_alone_is_shown_and_cannot_be_chosen(box):
    chosen = []
    box.chosen.connect(chosen.append)
    box.query_changed.connect(lambda query: box.set_results((), "Nothing fits"))
    box.start()
    QTest.keyClicks(box, "x")
    assert box.is_list_shown() and current(box) is None
    keys(box, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert chosen == []


def test_answers_that_come_later_do_not_open_the_list_elsewhere(page, box):
    box.start()
    QTest.keyClicks(box, "3")
    page.other.setFocus()
    box.set_results(GROUPS)
    assert not box.is_list_shown()


def test_a_small_window_keeps_the_list_inside(page, box, qtbot):
    many = SearchGroup("Neurons", tuple(SearchHit(n, f"Neuron {n}", "mixed") for n in range(60)))
    box.query_changed.connect(lambda query: box.set_results((many,)))
    box.start()
    QTest.keyClicks(box, "3")
    page.resize(300, 200)
    qtbot.waitUntil(lambda: page.rect().contains(box._popup.geometry()))
    for _ in range(70):
        keys(box, Qt.Key.Key_Down)
    view = box.results
    assert current(box) == 59
    assert view.viewport().rect().intersects(view.visualRect(view.currentIndex()))


def test_screen_readers_hear_what_enter_would_choose(box):
    box.start()
    QTest.keyClicks(box, "3")
    assert box.accessibleDescription() == "Neuron 35, mixed, Neurons"
    keys(box, Qt.Key.Key_Down, Qt.Key.Key_Down)
    assert box.accessibleDescription() == "apples, deep · neuron 3, Concepts"
