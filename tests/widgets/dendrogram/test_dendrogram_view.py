"""The dendrogram, driven by mouse and keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QPalette, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from scipy.cluster.hierarchy import linkage

from backend.method.hierarchy import Hierarchy
from tests.widgets.picture_files import make_loader, row_color, write_picture
from widgets.dendrogram.dendrogram_view import DendrogramView
from widgets.palette import concept_color

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
# Leaves 0 1 2 3 4; (1,3) at 1, (0,4) at 2, ((1,3),2) at 3, all at 5: slots 0 4 1 3 2.
HAND = np.array([[1, 3, 1.0, 2], [0, 4, 2.0, 2], [5, 2, 3.0, 3], [6, 7, 5.0, 5]])


class Heard:
    """Everything a view says."""

    def __init__(self, view: DendrogramView) -> None:
        self.dragging: list[float] = []
        self.committed: list[float] = []
        self.cancelled: list[float] = []
        self.selected: list[list[int]] = []
        self.hovered: list[int] = []
        self.activated: list[int] = []
        self.menus: list[list[int]] = []
        view.threshold_dragging.connect(self.dragging.append)
        view.threshold_committed.connect(self.committed.append)
        view.threshold_cancelled.connect(self.cancelled.append)
        view.subtree_selected.connect(lambda leaves: self.selected.append(leaves.tolist()))
        view.leaf_hovered.connect(self.hovered.append)
        view.leaf_activated.connect(self.activated.append)
        view.subtree_menu_requested.connect(lambda leaves, where: self.menus.append(leaves.tolist()))


def show(qtbot, hierarchy: Hierarchy | None, threshold: float, thumbnails=None) -> DendrogramView:
    view = DendrogramView(thumbnails)
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.set_hierarchy(hierarchy)
    view.set_threshold(threshold)
    with qtbot.waitExposed(view):
        view.show()
    view.setFocus()
    return view


@pytest.fixture
def view(qtbot):
    return show(qtbot, Hierarchy(HAND.copy(), 5), 4.0)


@pytest.fixture
def heard(view):
    return Heard(view)


@pytest.fixture
def random_view(qtbot):
    points = np.random.default_rng(2).normal(size=(60, 5))
    return show(qtbot, Hierarchy(linkage(points, "ward"), 60), 6.0)


def port(view: DendrogramView):
    return view._plot.viewport()


def at(view: DendrogramView, slot: float, height: float) -> QPoint:
    """Return the pixel of a place in the tree."""
    place = view._plot._view.mapFromView(QPointF(slot, view._state.height_to_axis(height)))
    return view._plot.mapFromScene(view._plot._view.mapToScene(place))


def strip(view: DendrogramView, slot: float) -> QPoint:
    plot = view._plot
    x = plot._view.mapFromView(QPointF(slot, 0)).x()
    return plot.mapFromScene(plot._strip.mapToScene(QPointF(x, plot._strip.rect().height() / 2)))


def axis(view: DendrogramView, height: float) -> QPoint:
    return QPoint(20, at(view, 0, height).y())


def image(view: DendrogramView) -> QImage:
    return port(view).grab().toImage()


def has_colour(view: DendrogramView, point: QPoint, color: QColor) -> bool:
    """Tell whether a line of this colour passes within two pixels of a point."""
    picture = image(view)
    return any(
        picture.pixelColor(point.x() + dx, point.y() + dy).rgb() == color.rgb()
        for dx in range(-2, 3)
        for dy in range(-2, 3)
    )


# --- the line ---------------------------------------------------------------------------------------


def test_dragging_the_line_follows_and_release_commits(view, heard):
    QTest.mousePress(port(view), LEFT, NONE, at(view, 1.5, 4.0))
    QTest.mouseMove(port(view), at(view, 1.5, 2.5))
    assert view.is_dragging()
    assert heard.dragging[-1] == pytest.approx(2.5, abs=0.02)
    assert heard.committed == []
    assert view.n_clusters() == 3
    QTest.mouseMove(port(view), at(view, 1.5, 1.5))
    QTest.mouseRelease(port(view), LEFT, NONE, at(view, 1.5, 1.5))
    assert heard.committed == [heard.dragging[-1]] == [view.threshold()]
    assert view.threshold() == pytest.approx(1.5, abs=0.02)
    assert view.n_clusters() == 4


def test_a_press_within_four_pixels_does_not_make_the_line_jump(view, heard):
    press = at(view, 1.5, 4.0) + QPoint(0, 4)
    QTest.mousePress(port(view), LEFT, NONE, press)
    QTest.mouseMove(port(view), press + QPoint(30, 0))
    QTest.mouseRelease(port(view), LEFT, NONE, press + QPoint(30, 0))
    assert view.threshold() == pytest.approx(4.0, abs=0.02)


def test_the_grip_is_large_enough_and_takes_hold(view, heard):
    grip = view._plot._line.grip_rect()
    assert grip.height() >= 9 and grip.width() >= 9
    press = view._plot.mapFromScene(view._plot._view.mapToScene(grip.topLeft() + QPointF(2, 2)))
    QTest.mousePress(port(view), LEFT, NONE, press)
    QTest.mouseMove(port(view), press - QPoint(0, 40))
    QTest.mouseRelease(port(view), LEFT, NONE, press - QPoint(0, 40))
    assert len(heard.committed) == 1 and heard.committed[0] > 4.0


def test_a_press_on_the_axis_moves_the_line_there(view, heard):
    QTest.mousePress(port(view), LEFT, NONE, axis(view, 2.4))
    assert heard.dragging[-1] == pytest.approx(2.4, abs=0.02)
    QTest.mouseMove(port(view), axis(view, 3.4))
    QTest.mouseRelease(port(view), LEFT, NONE, axis(view, 3.4))
    assert heard.committed == [pytest.approx(3.4, abs=0.02)]


@pytest.mark.parametrize("way", ["escape", "right button"])
def test_a_drag_can_be_given_up(view, heard, way):
    QTest.mousePress(port(view), LEFT, NONE, at(view, 1.5, 4.0))
    QTest.mouseMove(port(view), at(view, 1.5, 1.5))
    if way == "escape":
        QTest.keyClick(view._plot, Qt.Key.Key_Escape)
    else:
        QTest.mousePress(port(view), RIGHT, NONE, at(view, 1.5, 1.5))
        QTest.mouseRelease(port(view), RIGHT, NONE, at(view, 1.5, 1.5))
    assert heard.cancelled == [4.0] and view.threshold() == 4.0
    QTest.mouseMove(port(view), at(view, 1.5, 2.5))
    QTest.mouseRelease(port(view), LEFT, NONE, at(view, 1.5, 2.5))
    assert heard.committed == [] and view.threshold() == 4.0


def test_the_cursor_tells_what_can_be_dragged(view):
    for point in (at(view, 1.5, 4.0), axis(view, 2.0)):
        QTest.mouseMove(port(view), point)
        assert port(view).cursor().shape() == Qt.CursorShape.SizeVerCursor
    QTest.mouseMove(port(view), at(view, 3.25, 3.0))
    assert port(view).cursor().shape() == Qt.CursorShape.PointingHandCursor


def test_the_count_is_exact_on_below_and_above_every_merge(random_view):
    heights = random_view._state.merge_heights
    for height in heights:
        for d in (np.nextafter(height, 0), height, np.nextafter(height, np.inf)):
            random_view.set_threshold(float(d))
            assert random_view.n_clusters() == 1 + int(np.sum(heights >= d))


def test_a_threshold_beyond_the_axis_is_shown_at_its_edge_and_can_be_fetched(view, heard):
    view.set_threshold(250.0)
    assert view._plot._line.grip_rect().top() >= 0
    view.grab()
    grip = view._plot._line.grip_rect().center()
    press = view._plot.mapFromScene(view._plot._view.mapToScene(grip))
    QTest.mousePress(port(view), LEFT, NONE, press)
    QTest.mouseMove(port(view), at(view, 2, 2.5))
    QTest.mouseRelease(port(view), LEFT, NONE, at(view, 2, 2.5))
    assert heard.committed == [pytest.approx(2.5, abs=0.03)]


def test_setting_the_threshold_is_silent_and_waits_for_a_drag(view, heard):
    view.set_threshold(2.5)
    assert view.threshold() == 2.5
    QTest.mousePress(port(view), LEFT, NONE, at(view, 1.5, 2.5))
    view.set_threshold(4.5)
    assert view.threshold() == 2.5
    QTest.mouseRelease(port(view), LEFT, NONE, at(view, 1.5, 2.5))
    assert heard.dragging == []


# --- keys -------------------------------------------------------------------------------------------


def test_page_keys_walk_from_merge_to_merge(view, heard):
    counts = []
    for _ in range(4):
        QTest.keyClick(view._plot, Qt.Key.Key_PageDown)
        counts.append(view.n_clusters())
    assert counts == [3, 4, 5, 5]
    for _ in range(5):
        QTest.keyClick(view._plot, Qt.Key.Key_PageUp)
        counts.append(view.n_clusters())
    assert counts[4:] == [4, 3, 2, 1, 1]
    assert heard.committed == heard.dragging and len(heard.committed) == 7


def test_arrows_step_by_round_numbers(view, heard):
    QTest.keyClick(view._plot, Qt.Key.Key_Up)
    assert view.threshold() == 4.05
    QTest.keyClick(view._plot, Qt.Key.Key_Down)
    QTest.keyClick(view._plot, Qt.Key.Key_Down)
    assert view.threshold() == 3.95
    QTest.keyClick(view._plot, Qt.Key.Key_Up, SHIFT)
    assert view.threshold() == 4.45
    view.set_threshold(3.9731)
    QTest.keyClick(view._plot, Qt.Key.Key_Up)
    assert view.threshold() == 4.0
    view.set_threshold(0.02)
    QTest.keyClick(view._plot, Qt.Key.Key_Down)
    assert view.threshold() == 0.0


def test_a_held_key_drags_and_its_release_commits(view, heard):
    QTest.keyPress(view._plot, Qt.Key.Key_Up)
    QTest.keyPress(view._plot, Qt.Key.Key_Up)
    assert heard.dragging == [4.05, 4.1] and heard.committed == []
    QTest.keyRelease(view._plot, Qt.Key.Key_Up)
    assert heard.committed == [4.1]


def test_escape_gives_a_held_key_up(view, heard):
    QTest.keyPress(view._plot, Qt.Key.Key_Up)
    QTest.keyClick(view._plot, Qt.Key.Key_Escape)
    QTest.keyRelease(view._plot, Qt.Key.Key_Up)
    assert heard.cancelled == [4.0] and heard.committed == []


def test_home_takes_all_apart_and_end_joins_all(view, heard):
    QTest.keyClick(view._plot, Qt.Key.Key_Home)
    assert view.n_clusters() == 5
    QTest.keyClick(view._plot, Qt.Key.Key_End)
    assert view.n_clusters() == 1
    assert len(heard.committed) == 2


def test_focus_is_seen(view):
    corner = QPoint(1, port(view).height() // 2)
    view._plot.setFocus()
    focused = image(view).pixelColor(corner)
    view._bar._threshold.setFocus()
    assert image(view).pixelColor(corner) != focused


# --- selecting --------------------------------------------------------------------------------------


def test_click_selects_a_subtree_ctrl_toggles_shift_adds(view, heard):
    QTest.mouseClick(port(view), LEFT, NONE, at(view, 3.25, 3.0))
    QTest.mouseClick(port(view), LEFT, SHIFT, at(view, 0.5, 2.0))
    QTest.mouseClick(port(view), LEFT, CTRL, at(view, 2.5, 1.0))
    QTest.mouseClick(port(view), LEFT, CTRL, at(view, 2.5, 1.0))
    assert heard.selected == [[1, 2, 3], [0, 1, 2, 3, 4], [0, 2, 4], [0, 1, 2, 3, 4]]
    QTest.keyClick(view._plot, Qt.Key.Key_Escape)
    assert heard.selected[-1] == [] and view.selected_leaves().tolist() == []


def test_a_stem_belongs_to_the_subtree_below_it(view, heard):
    QTest.mouseClick(port(view), LEFT, NONE, at(view, 3.25, 4.6))
    assert heard.selected == [[1, 2, 3]]


def test_a_click_inside_a_subtree_selects_the_smallest_around_it(view, heard):
    QTest.mouseClick(port(view), LEFT, NONE, at(view, 2.5, 0.5))
    assert heard.selected == [[1, 3]]


def test_a_click_on_the_strip_selects_a_leaf_and_above_the_root_nothing(view, heard):
    QTest.mouseClick(port(view), LEFT, NONE, strip(view, 3))
    assert heard.selected == [[3]]
    QTest.mouseClick(port(view), LEFT, NONE, at(view, 1.0, 5.3))
    assert heard.selected == [[3], []]


def test_a_double_click_on_a_leaf_opens_it(view, heard):
    QTest.mouseDClick(port(view), LEFT, NONE, strip(view, 1))
    assert heard.activated == [4]


def test_setting_leaves_is_silent_and_seen(view, heard):
    before = image(view)
    view.set_selected_leaves(np.array([1, 3]))
    assert heard.selected == []
    assert view.selected_leaves().tolist() == [1, 3]
    point = at(view, 2.5, 0.5)
    assert image(view).pixelColor(point) != before.pixelColor(point)


def ask_for_menu(view, point: QPoint, reason=QContextMenuEvent.Reason.Mouse) -> None:
    event = QContextMenuEvent(reason, point, port(view).mapToGlobal(point))
    QApplication.sendEvent(port(view), event)


def test_right_click_offers_the_subtree_or_all_that_is_selected(view, heard):
    ask_for_menu(view, at(view, 3.25, 3.0))
    ask_for_menu(view, at(view, 1.0, 5.3))
    assert heard.menus == [[1, 2, 3]]
    view.set_selected_leaves(np.array([0, 1, 3]))
    ask_for_menu(view, at(view, 2.5, 1.0))
    ask_for_menu(view, at(view, 0.5, 2.0))
    assert heard.menus[1:] == [[0, 1, 3], [0, 4]]


def test_the_menu_key_offers_what_is_selected(view, heard):
    ask_for_menu(view, at(view, 3.25, 3.0), QContextMenuEvent.Reason.Keyboard)
    assert heard.menus == []
    view.set_selected_leaves(np.array([2, 4]))
    ask_for_menu(view, at(view, 3.25, 3.0), QContextMenuEvent.Reason.Keyboard)
    assert heard.menus == [[2, 4]]


def test_hovering_tells_size_height_cluster_and_purity(view, heard):
    view.set_leaf_classes(["apple", "net", "net", "net", None])
    QTest.mouseMove(port(view), at(view, 3.25, 3.0))
    assert QToolTip.text() == "3 images merged at height 3\nCluster A\nAll of class net"
    QTest.mouseMove(port(view), at(view, 1.875, 5.0))
    lines = (
        "5 images merged at height 5",
        "2 clusters at the threshold",
        "Mostly class net: 3 of 5 images (60 %)",
    )
    assert QToolTip.text().split("\n") == list(lines)


def test_hovering_a_leaf_names_it(view, heard):
    view.set_hierarchy(Hierarchy(HAND.copy(), 5), [f"image {i}" for i in range(5)])
    view.set_leaf_labels(np.array([1, 0, -1, 0, -2]))
    QTest.mouseMove(port(view), strip(view, 2))
    assert heard.hovered[-1] == 1
    assert QToolTip.text() == "image 1\nMerged at height 1\nConcept A"
    QTest.mouseMove(port(view), strip(view, 4))
    assert "Outlier" in QToolTip.text()
    QTest.mouseMove(port(view), strip(view, 1))
    assert heard.hovered[-1] == 4 and "dropped" in QToolTip.text()
    QTest.mouseMove(port(view), at(view, 1.875, 5.0))
    assert heard.hovered[-1] == -1


# --- colours ----------------------------------------------------------------------------------------


def test_subtrees_below_the_line_have_their_clusters_colour_and_keep_it(view):
    a, b = concept_color(0), concept_color(1)
    assert has_colour(view, at(view, 3.6, 3.0), a)
    assert has_colour(view, at(view, 0.5, 2.0), b)
    assert has_colour(view, at(view, 3.25, 3.4), a)  # a stem, as far as the line
    assert not has_colour(view, at(view, 3.25, 4.7), a)
    view.set_threshold(2.5)
    # The larger part {1, 3} keeps the colour of {1, 2, 3}; the single leaf 2 takes the next one.
    assert has_colour(view, at(view, 2.5, 1.0), a)
    assert has_colour(view, at(view, 0.5, 2.0), b)
    assert has_colour(view, at(view, 4.0, 1.5), concept_color(2))
    assert not has_colour(view, at(view, 3.6, 3.0), a)


def test_final_labels_are_told_by_colour_and_by_shape(view):
    view.set_leaf_labels(np.array([1, 0, -1, 0, -2]), np.array([2, 0]))
    picture, x = image(view), [strip(view, slot).x() for slot in range(5)]
    y = strip(view, 0).y() - 6

    def colours(slot: int) -> set[int]:
        width = x[1] - x[0]
        return {
            picture.pixelColor(x[slot] + dx, y + dy).rgb()
            for dx in range(-width // 3, width // 3)
            for dy in range(0, 12)
        }

    assert concept_color(0).rgb() in colours(0)
    assert concept_color(2).rgb() in colours(2) and concept_color(2).rgb() in colours(3)
    outlier, dropped = colours(4), colours(1)
    assert concept_color(-1).rgb() in outlier and concept_color(0).rgb() not in outlier
    assert outlier != dropped


def test_old_labels_step_back_until_new_ones_come(view):
    labels = np.array([1, 0, 0, 0, 1])
    view.set_leaf_labels(labels)
    point = QPoint(strip(view, 2).x() + 30, at(view, 0, 0).y() + 8)
    strong = image(view).pixelColor(point)
    view.set_threshold(2.5)
    pale = image(view).pixelColor(point)
    assert strong == concept_color(0) and pale != strong
    view.set_leaf_labels(labels, threshold=2.5)
    assert image(view).pixelColor(point) == strong


def test_another_palette_is_painted_at_once(view):
    view.set_leaf_labels(np.array([1, 0, 0, 0, 1]))
    light = image(view).pixelColor(at(view, 1.2, 4.6))
    step = QPoint(round(view._counts.x_of(0.5)), round(view._counts.plot_rect().bottom()) - 3)
    under_the_staircase = view._counts.grab().toImage().pixelColor(step)
    kept = QPoint(strip(view, 2).x() + 30, at(view, 0, 0).y() + 8)
    original = QPalette(QApplication.palette())
    dark = QPalette(original)
    for role, color in ((QPalette.ColorRole.Base, "#101010"), (QPalette.ColorRole.Text, "#f0f0f0")):
        dark.setColor(role, QColor(color))
    try:
        QApplication.setPalette(dark)
        QApplication.processEvents()
        assert image(view).pixelColor(at(view, 1.2, 4.6)) == QColor("#101010") != light
        assert has_colour(view, at(view, 3.6, 3.0), concept_color(0, dark=True))
        assert image(view).pixelColor(kept) == concept_color(0, dark=True)
        dark_step = view._counts.grab().toImage().pixelColor(step)
        assert dark_step.lightness() < 100 < under_the_staircase.lightness()
    finally:
        QApplication.setPalette(original)


# --- zoom, log, numbers -----------------------------------------------------------------------------


def wheel(view: DendrogramView, point: QPoint, delta: int, modifiers=NONE) -> None:
    QApplication.sendEvent(
        port(view),
        QWheelEvent(
            QPointF(point),
            QPointF(port(view).mapToGlobal(point)),
            QPoint(0, 0),
            QPoint(0, delta),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def shown_slots(view: DendrogramView) -> float:
    (left, right), _ = view._plot._view.viewRange()
    return right - left


def test_the_wheel_zooms_into_the_leaves_and_heights_stay(random_view):
    _, heights = random_view._plot._view.viewRange()
    point = at(random_view, 45, 3.0)
    wheel(random_view, point, 120)
    wheel(random_view, point, 120)
    assert shown_slots(random_view) == pytest.approx(60 / 1.25**2)
    assert at(random_view, 45, 3.0).x() == pytest.approx(point.x(), abs=1)
    assert random_view._plot._view.viewRange()[1] == heights
    (left, _), _ = random_view._plot._view.viewRange()
    wheel(random_view, point, -120, SHIFT)
    assert random_view._plot._view.viewRange()[0][0] > left
    for _ in range(30):
        wheel(random_view, point, -120)
    assert shown_slots(random_view) == pytest.approx(60)


def test_keys_and_buttons_zoom(random_view):
    QTest.keyClick(random_view._plot, Qt.Key.Key_Plus, CTRL)
    assert shown_slots(random_view) == pytest.approx(48)
    QTest.keyClick(random_view._plot, Qt.Key.Key_Minus, CTRL)
    assert shown_slots(random_view) == pytest.approx(60)
    random_view._bar._zoom[2].click()
    random_view._bar._zoom[2].click()
    QTest.keyClick(random_view._plot, Qt.Key.Key_Left)
    QTest.keyClick(random_view._plot, Qt.Key.Key_0, CTRL)
    assert random_view._plot._view.viewRange()[0] == pytest.approx([-0.5, 59.5])


def test_dragging_the_ground_pans_and_selects_nothing(random_view):
    heard = Heard(random_view)
    random_view._plot.zoom_leaves(4)
    (before, _), _ = random_view._plot._view.viewRange()
    start = QPoint(300, 60)
    QTest.mousePress(port(random_view), LEFT, NONE, start)
    QTest.mouseMove(port(random_view), start - QPoint(40, 0))
    QTest.mouseMove(port(random_view), start - QPoint(80, 0))
    QTest.mouseRelease(port(random_view), LEFT, NONE, start - QPoint(80, 0))
    assert random_view._plot._view.viewRange()[0][0] > before
    assert heard.selected == []


def test_the_wheel_over_the_axis_zooms_into_heights(random_view):
    wheel(random_view, axis(random_view, 3.0), 120)
    low, high = random_view._plot._view.viewRange()[1]
    whole = random_view._state.axis_range
    assert high - low == pytest.approx((whole[1] - whole[0]) / 1.25)
    assert shown_slots(random_view) == pytest.approx(60)


def test_log_height_keeps_places_and_drags(view, heard):
    view.set_log_height(True)
    assert at(view, 0, 2.0).y() - at(view, 0, 4.0).y() == pytest.approx(
        at(view, 0, 1.0).y() - at(view, 0, 2.0).y(), abs=1
    )
    QTest.mousePress(port(view), LEFT, NONE, at(view, 1.5, 4.0))
    QTest.mouseMove(port(view), at(view, 1.5, 1.5))
    QTest.mouseRelease(port(view), LEFT, NONE, at(view, 1.5, 1.5))
    assert heard.committed == [pytest.approx(1.5, abs=0.02)]
    changed = []
    view.log_height_changed.connect(changed.append)
    view._bar._log.click()
    assert changed == [False] and not view.is_log_height()


def test_boxes_show_and_set_the_same_number(view, heard):
    assert (view._bar._threshold.value(), view._bar._clusters.value()) == (4.0, 2)
    view._bar._clusters.setValue(3)
    assert view.n_clusters() == 3 and heard.committed == [2.3]
    assert view._bar._threshold.value() == view.threshold() == 2.3
    view._bar._threshold.setValue(5.0)
    assert heard.committed[-1] == 5.0 and view._bar._clusters.value() == 2
    view._bar._threshold.setValue(5.5)
    assert view._bar._clusters.value() == 1


# --- strip of counts --------------------------------------------------------------------------------


def test_plateaus_are_the_exact_counts(view):
    assert view._counts.plateaus() == [
        (5.0, pytest.approx(5.6), 1),
        (3.0, 5.0, 2),
        (2.0, 3.0, 3),
        (1.0, 2.0, 4),
        (0.0, 1.0, 5),
    ]


def test_the_threshold_can_be_dragged_in_the_strip(view, heard):
    counts = view._counts
    y = counts.height() // 2
    QTest.mousePress(counts, LEFT, NONE, QPoint(round(counts.x_of(2.5)), y))
    assert heard.dragging[-1] == pytest.approx(2.5, abs=0.02)
    QTest.mouseMove(counts, QPoint(round(counts.x_of(1.5)), y))
    assert view.n_clusters() == 4 and view._bar._clusters.value() == 4
    QTest.mouseRelease(counts, LEFT, NONE, QPoint(round(counts.x_of(1.5)), y))
    assert heard.committed == [pytest.approx(1.5, abs=0.02)]
    QTest.mousePress(counts, LEFT, NONE, QPoint(round(counts.x_of(4.0)), y))
    QTest.keyClick(counts, Qt.Key.Key_Escape)
    QTest.mouseRelease(counts, LEFT, NONE, QPoint(round(counts.x_of(4.0)), y))
    assert heard.cancelled == [pytest.approx(1.5, abs=0.02)] and len(heard.committed) == 1


# --- table ------------------------------------------------------------------------------------------


def cells(view: DendrogramView) -> list[list[str]]:
    model = view._table.model()
    return [[model.index(r, c).data() for c in range(model.columnCount())] for r in range(model.rowCount())]


def test_the_table_tells_the_same(view):
    view._bar._table.click()
    assert view._table.isVisible()
    assert cells(view) == [
        ["5", "5", "2 + 3", "apart"],
        ["3", "3", "2 + 1", "cluster A"],
        ["2", "2", "1 + 1", "cluster B"],
        ["1", "2", "1 + 1", "in A"],
    ]
    view.set_threshold(2.5)
    assert [row[3] for row in cells(view)] == ["apart", "apart", "cluster B", "cluster A"]


def test_rows_select_subtrees_and_enter_sets_the_threshold(view, heard):
    view.set_table_shown(True)
    view._table.selectRow(1)
    assert heard.selected == [[1, 2, 3]]
    view.set_selected_leaves(np.array([0, 4]))
    rows = [index.row() for index in view._table.selectionModel().selectedRows()]
    assert rows == [2] and len(heard.selected) == 1
    view._table.setCurrentIndex(view._table.model().index(3, 0))
    QTest.keyClick(view._table, Qt.Key.Key_Return)
    assert view.n_clusters() == 4 and heard.committed == [1.1]


def test_a_table_out_of_sight_is_old_but_never_wrong(view, heard):
    view.set_table_shown(True)
    view._table.selectRow(3)
    view.set_table_shown(False)
    view.set_hierarchy(Hierarchy(HAND[:1] * [0, 0, 1, 1] + [0, 1, 0, 0], 2))
    view.set_leaf_classes(["a", "b"])
    heard.selected.clear()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_PageUp):
        QTest.keyClick(view._table, key)
    assert heard.selected == [] and heard.committed == []
    view.set_table_shown(True)
    assert cells(view) == [["1", "2", "1 + 1", "cluster A", "50 %", "a (1 of 2)"]]


# --- states -----------------------------------------------------------------------------------------


def test_without_a_tree_it_says_what_to_do(qtbot):
    view = show(qtbot, None, 15.0)
    assert view.message() == "Choose a neuron."
    view.set_message("Neuron 7 is dead: no image activates it.")
    assert view.message() == "Neuron 7 is dead: no image activates it."
    view.set_hierarchy(Hierarchy(HAND.copy(), 5))
    assert view.message() == "" and view._plot.isVisible()
    view.set_hierarchy(Hierarchy(np.empty((0, 4)), 1))
    assert "single image" in view.message()
    view.set_hierarchy(Hierarchy(np.empty((0, 4)), 0))
    assert view.message() == "Choose a neuron."
    for key in (Qt.Key.Key_PageUp, Qt.Key.Key_Up, Qt.Key.Key_Plus):
        QTest.keyClick(view._plot, key)
    assert view.threshold() == 15.0


def test_images_that_are_all_identical(qtbot):
    view = show(qtbot, Hierarchy(linkage(np.zeros((6, 2)), "ward"), 6), 1.0)
    for log in (True, False):
        view.set_log_height(log)
        view.grab()
    assert view.n_clusters() == 1
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_Home):
        QTest.keyClick(view._plot, key)
        assert view.n_clusters() == 6 and view.threshold() == 0.0
    view.grab()


def test_another_tree_ends_a_drag_and_forgets_the_rest(view, heard):
    view.set_leaf_labels(np.array([1, 0, -1, 0, -2]))
    view.set_selected_leaves(np.array([1]))
    QTest.mousePress(port(view), LEFT, NONE, at(view, 1.5, 4.0))
    view.set_hierarchy(Hierarchy(linkage(np.random.default_rng(0).normal(size=(9, 2)), "average"), 9))
    assert not view.is_dragging()
    assert view.selected_leaves().tolist() == []
    QTest.mouseMove(port(view), at(view, 1.5, 0.5))
    QTest.mouseRelease(port(view), LEFT, NONE, at(view, 1.5, 0.5))
    assert heard.committed == []
    view.grab()


def test_leaves_show_their_pictures_when_there_is_room(qtbot, tmp_path):
    loader = make_loader()
    points = np.random.default_rng(2).normal(size=(60, 5))
    view = show(qtbot, Hierarchy(linkage(points, "ward"), 60), 6.0, loader)
    paths = [write_picture(tmp_path / f"{i}.png", row_color(i), (32, 32)) for i in range(59)]
    view.set_leaf_paths([*paths, tmp_path / "missing.png"])
    assert view._plot._strip.thumbnail_size == 0 and loader.used_bytes == 0
    view._plot.zoom_leaves(6, 30)
    size = view._plot._strip.thumbnail_size
    assert size >= 40
    visible = view._plot._strip.visible_slots()
    assert len(visible) < 14
    slot = visible[len(visible) // 2]
    leaf = int(view._state.layout.order[slot])

    def painted() -> bool:
        rect = view._plot._strip.rect()
        point = strip(view, slot)
        below = QPoint(point.x(), point.y() + int(rect.height() / 2) - 10)
        return image(view).pixelColor(below) == QColor(*row_color(leaf))

    qtbot.waitUntil(painted)
    loader.shutdown()


def test_accessible_names_tell_the_state(view):
    assert view._plot.accessibleName() == "Dendrogram"
    assert view._plot.accessibleDescription() == "2 clusters at the distance threshold 4"
    for child in (view._bar._threshold, view._bar._clusters, view._counts, view._table):
        assert child.accessibleName()


@pytest.mark.parametrize("n_leaves", [2, 3, 1000])
def test_trees_of_any_size_are_painted(qtbot, n_leaves):
    points = np.random.default_rng(2).normal(size=(n_leaves, 5))
    view = show(qtbot, Hierarchy(linkage(points, "ward"), n_leaves), 1.0)
    view.set_leaf_labels(np.arange(n_leaves) % 40 - 2)
    for threshold in (0.0, 0.5, 3.0, 1e9):
        view.set_threshold(threshold)
        view.grab()
    view._plot.zoom_leaves(1000)
    assert shown_slots(view) == pytest.approx(min(4, n_leaves))
    view.grab()
