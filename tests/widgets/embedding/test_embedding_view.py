"""The embedding view, driven by mouse and keys on points whose places were computed by hand."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

import widgets.embedding.embedding_canvas
from tests.widgets.embedding.planted_points import (
    BLUE,
    PLACES,
    RED,
    ROWS,
    crowd_of,
    make_embedding,
    make_groups,
    pixel,
    pixel_of,
)
from tests.widgets.picture_files import make_loader
from widgets.embedding.embedding_view import EmbeddingView
from widgets.images.image_viewer import ImageViewer

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
APPLES, PITCHES = {0, 1, 2, 3, 4}, {5, 6, 7}


@pytest.fixture(autouse=True)
def jump(monkeypatch):
    """Let points jump, except where a test is about their motion."""
    monkeypatch.setattr(widgets.embedding.embedding_canvas, "prefers_reduced_motion", lambda: True)


@pytest.fixture
def view(qtbot, tmp_path):
    loader = make_loader()
    embedding_view = EmbeddingView(loader)
    qtbot.addWidget(embedding_view)
    embedding_view.resize(700, 420)
    embedding_view.set_points(make_groups(tmp_path), ROWS, make_embedding(), "mixed · neuron 3")
    with qtbot.waitExposed(embedding_view):
        embedding_view.show()
    embedding_view.sent = []
    embedding_view.rows_selected.connect(embedding_view.sent.append)
    yield embedding_view
    loader.shutdown()


@pytest.fixture
def crowded(view, tmp_path):
    """The view with points so near each other that they are signs and not pictures."""
    view.set_points(*crowd_of(tmp_path))
    return view


def draw_lasso(plot, corners, modifiers=NONE, release=True):
    """Drag around corners given in the plane."""
    path = [pixel(plot, *corner) for corner in corners]
    QTest.mousePress(plot, LEFT, modifiers, path[0])
    for place in path[1:]:
        QTest.mouseMove(plot, place)
    if release:
        QTest.mouseRelease(plot, LEFT, modifiers, path[-1])


def turn_wheel(plot, place, steps, modifiers=NONE):
    event = QWheelEvent(
        QPointF(place),
        plot.mapToGlobal(QPointF(place)),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(plot, event)


class TestLasso:
    def test_it_selects_exactly_what_lies_inside(self, view):
        # A square from (−1, −1) to (3, 9): rows 0, 2 and 3; row 1 at (0, 10) and row 4 at (4, 5) are outside.
        draw_lasso(view.plot, [(-1, -1), (3, -1), (3, 9), (-1, 9)])
        assert view.sent == [(0, 2, 3)]
        assert view.selected_rows() == (0, 2, 3)

    def test_a_bay_is_outside(self, view):
        # A U around the apples' corners whose bay, from x = 1 on, holds rows 2, 3 and 4.
        u = [(-1, -1), (6, -1), (6, 1), (1, 1), (1, 9), (6, 9), (6, 11), (-1, 11)]
        draw_lasso(view.plot, u)
        assert set(view.sent[-1]) == {0, 1}

    def test_where_it_crosses_itself_all_that_it_goes_around_is_inside(self, view):
        # Twice around row 4 in one stroke.
        twice = [(3, 4), (5, 4), (5, 6), (3, 6), (3, 3.5), (5.5, 3.5), (5.5, 6.5), (3, 6.5)]
        draw_lasso(view.plot, twice)
        assert view.sent == [(4,)]

    def test_ctrl_toggles_and_shift_adds(self, view):
        around_pitches = [(17, -1), (21, -1), (21, 11), (17, 11)]
        draw_lasso(view.plot, [(-1, -1), (3, -1), (3, 9), (-1, 9)])
        draw_lasso(view.plot, around_pitches, SHIFT)
        assert set(view.selected_rows()) == {0, 2, 3} | PITCHES
        draw_lasso(view.plot, [(-1, -1), (21, -1), (21, 11), (-1, 11)], CONTROL)
        assert set(view.selected_rows()) == {1, 4, 8}

    def test_around_nothing_it_selects_nothing(self, view):
        view.set_selected_rows({0, 5})
        draw_lasso(view.plot, [(6, 1), (9, 1), (9, 3), (6, 3)])
        assert view.sent == [()]

    def test_esc_and_the_right_button_give_it_up(self, view, qtbot):
        corners = [(-1, -1), (3, -1), (3, 9), (-1, 9)]
        draw_lasso(view.plot, corners, release=False)
        qtbot.keyClick(view.plot, Qt.Key.Key_Escape)
        QTest.mouseRelease(view.plot, LEFT, NONE, pixel(view.plot, *corners[-1]))
        draw_lasso(view.plot, corners, release=False)
        QTest.mousePress(view.plot, RIGHT, NONE, pixel(view.plot, 10, 2))
        QTest.mouseRelease(view.plot, LEFT, NONE, pixel(view.plot, *corners[-1]))
        QTest.mouseRelease(view.plot, RIGHT, NONE, pixel(view.plot, 10, 2))
        assert view.sent == []
        assert not view.plot.is_busy()

    def test_other_points_that_come_meanwhile_end_it(self, view, tmp_path):
        draw_lasso(view.plot, [(-1, -1), (3, -1), (3, 9)], release=False)
        view.set_points(make_groups(tmp_path), ROWS[::-1], make_embedding(ROWS[::-1]))
        QTest.mouseRelease(view.plot, LEFT, NONE, pixel(view.plot, 3, 9))
        assert view.sent == []


class TestClick:
    def test_a_click_selects_a_point_and_one_on_the_ground_nothing(self, view, qtbot):
        qtbot.mouseClick(view.plot, LEFT, pos=pixel_of(view.plot, 7))
        assert view.sent == [(7,)]
        qtbot.mouseClick(view.plot, LEFT, pos=pixel(view.plot, 13, 2))
        assert view.sent == [(7,), ()]

    def test_ctrl_toggles_and_shift_adds(self, view, qtbot):
        qtbot.mouseClick(view.plot, LEFT, pos=pixel_of(view.plot, 0))
        qtbot.mouseClick(view.plot, LEFT, SHIFT, pixel_of(view.plot, 8))
        assert view.selected_rows() == (0, 8)
        qtbot.mouseClick(view.plot, LEFT, CONTROL, pixel_of(view.plot, 0))
        qtbot.mouseClick(view.plot, LEFT, CONTROL, pixel_of(view.plot, 5))
        assert view.selected_rows() == (5, 8)

    def test_ctrl_on_the_ground_changes_nothing(self, view, qtbot):
        view.set_selected_rows({3})
        qtbot.mouseClick(view.plot, LEFT, CONTROL, pixel(view.plot, 13, 2))
        assert view.sent == []
        assert view.selected_rows() == (3,)

    def test_a_double_click_opens_the_image(self, view, qtbot):
        with qtbot.waitSignal(view.row_activated) as caught:
            qtbot.mouseDClick(view.plot, LEFT, pos=pixel_of(view.plot, 6))
        assert caught.args == [6]
        assert view.findChild(ImageViewer).current_row() == 6

    def test_setters_send_nothing(self, view, tmp_path):
        view.set_selected_rows({0, 1})
        view.set_points(make_groups(tmp_path), ROWS, make_embedding(shift=(5, 5)))
        view.set_message("Gone.")
        assert view.sent == []


class TestPointing:
    def test_the_tooltip_tells_file_class_and_concept(self, view, qtbot, monkeypatch):
        said = []
        monkeypatch.setattr(
            widgets.embedding.embedding_plot.QToolTip,
            "showText",
            lambda where, text, *rest: said.append(text),
        )
        with qtbot.waitSignal(view.row_hovered) as caught:
            qtbot.mouseMove(view.plot, pixel_of(view.plot, 7))
        assert caught.args == [7]
        assert said == ["7.png\nclass 1\npitches"]
        with qtbot.waitSignal(view.row_hovered) as caught:
            qtbot.mouseMove(view.plot, pixel(view.plot, 13, 2))
        assert caught.args == [-1]

    def test_the_picture_of_a_point_is_asked_for(self, view, qtbot):
        path = view._state.items[7].path
        qtbot.mouseMove(view.plot, pixel_of(view.plot, 7))
        qtbot.waitUntil(lambda: view._thumbnails.cached(path, 112) is not None, timeout=5000)


class TestZoom:
    def test_the_wheel_zooms_around_the_pointer(self, view):
        place = pixel_of(view.plot, 7)
        before = view.plot.shown_pixels()
        turn_wheel(view.plot, place, 3)
        after = view.plot.shown_pixels()
        factor = np.ptp(after[:, 0]) / np.ptp(before[:, 0])
        assert factor == pytest.approx(1.25**3)
        np.testing.assert_allclose(after[7], before[7], atol=2)
        turn_wheel(view.plot, place, -3)
        np.testing.assert_allclose(view.plot.shown_pixels(), before, atol=1)

    def test_keys_and_buttons_zoom_and_fit(self, view, qtbot):
        fitted = view.plot.shown_pixels()
        smaller, fit, larger = view.bar.zoom_buttons
        view.plot.setFocus()
        qtbot.keyClick(view.plot, Qt.Key.Key_Plus)
        qtbot.mouseClick(larger, LEFT)
        assert np.ptp(view.plot.shown_pixels()[:, 0]) == pytest.approx(1.25**2 * np.ptp(fitted[:, 0]))
        qtbot.keyClick(view.plot, Qt.Key.Key_0)
        np.testing.assert_allclose(view.plot.shown_pixels(), fitted)
        qtbot.keyClick(view.plot, Qt.Key.Key_Minus)
        qtbot.mouseClick(smaller, LEFT)
        assert np.ptp(view.plot.shown_pixels()[:, 0]) == pytest.approx(np.ptp(fitted[:, 0]) / 1.25**2)
        qtbot.mouseClick(fit, LEFT)
        np.testing.assert_allclose(view.plot.shown_pixels(), fitted)

    def test_the_middle_button_pans_and_so_does_the_left_one_if_asked(self, view, qtbot):
        turn_wheel(view.plot, pixel_of(view.plot, 8), 6)
        for button in (MIDDLE, LEFT):
            if button == LEFT:
                qtbot.mouseClick(view.bar.pan_button, LEFT)
            before = view.plot.shown_pixels()
            QTest.mousePress(view.plot, button, NONE, QPoint(300, 150))
            QTest.mouseMove(view.plot, QPoint(330, 140))
            QTest.mouseMove(view.plot, QPoint(340, 130))
            QTest.mouseRelease(view.plot, button, NONE, QPoint(340, 130))
            np.testing.assert_allclose(view.plot.shown_pixels() - before, np.tile([40, -20], (9, 1)))
        assert view.sent == []

    def test_points_become_pictures_when_there_is_room(self, crowded, qtbot):
        view = crowded
        assert view.plot.tile_size == 0
        turn_wheel(view.plot, pixel_of(view.plot, 4), 20)
        assert view.plot.tile_size >= 96
        path = view._state.items[4].path
        size = view.plot.tile_size
        qtbot.waitUntil(lambda: view._thumbnails.cached_exactly(path, size) is not None, timeout=5000)
        far = view._state.items[-1].path
        assert view._thumbnails.cached_exactly(far, size) is None
        qtbot.mouseClick(view.plot, LEFT, pos=pixel_of(view.plot, 4) + QPoint(30, 30))
        assert view.sent == [(4,)]

    def test_the_view_stays_when_only_the_groups_change_and_fits_other_points(self, view, tmp_path):
        turn_wheel(view.plot, pixel_of(view.plot, 4), 4)
        zoomed = view.plot.shown_pixels()
        groups = make_groups(tmp_path)
        view.set_points(groups[::-1], ROWS, view.embedding())
        np.testing.assert_allclose(view.plot.shown_pixels(), zoomed)
        view.set_points(groups, ROWS, make_embedding())
        assert (view.plot.shown_pixels() > 0).all()


class TestKeys:
    @pytest.fixture(autouse=True)
    def focus(self, view):
        view.plot.setFocus()

    def test_arrows_go_from_point_to_point(self, view, qtbot):
        qtbot.mouseClick(view.plot, LEFT, pos=pixel_of(view.plot, 4))
        qtbot.keyClick(view.plot, Qt.Key.Key_Right)
        assert view.sent[-1] == (8,)
        qtbot.keyClick(view.plot, Qt.Key.Key_Right, SHIFT)
        assert view.sent[-1] == (7, 8)
        qtbot.keyClick(view.plot, Qt.Key.Key_Down, CONTROL)
        assert view.selected_rows() == (7, 8)
        qtbot.keyClick(view.plot, Qt.Key.Key_Space, CONTROL)
        assert set(view.selected_rows()) == {5, 7, 8}

    def test_the_first_arrow_begins_with_the_strongest_image(self, view, qtbot):
        qtbot.keyClick(view.plot, Qt.Key.Key_Right)
        assert view.sent == [(0,)]

    def test_ctrl_a_and_esc(self, view, qtbot):
        qtbot.keyClick(view.plot, Qt.Key.Key_A, CONTROL)
        assert view.sent[-1] == ROWS
        qtbot.keyClick(view.plot, Qt.Key.Key_Escape)
        assert view.sent[-1] == ()

    @pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space])
    def test_enter_and_space_open_the_image(self, view, qtbot, key):
        qtbot.mouseClick(view.plot, LEFT, pos=pixel_of(view.plot, 5))
        with qtbot.waitSignal(view.row_activated) as caught:
            qtbot.keyClick(view.plot, key)
        assert caught.args == [5]

    def test_the_point_gone_to_comes_into_sight(self, view, qtbot):
        qtbot.mouseClick(view.plot, LEFT, pos=pixel_of(view.plot, 4))
        turn_wheel(view.plot, pixel_of(view.plot, 4), 12)
        x, _ = view.plot.shown_pixels()[8]
        assert x > view.plot.width()
        qtbot.keyClick(view.plot, Qt.Key.Key_Right)
        x, y = view.plot.shown_pixels()[8]
        assert 0 < x < view.plot.width()
        assert 0 < y < view.plot.height()

    def test_a_screen_reader_hears_where_it_is(self, view, qtbot):
        qtbot.mouseClick(view.plot, LEFT, pos=pixel_of(view.plot, 5))
        text = view.plot.accessibleDescription()
        assert "9 images" in text
        assert "1 selected" in text
        assert "5.png, pitches" in text


class TestLooks:
    def test_kept_points_have_their_colour_and_outliers_are_hollow(self, crowded):
        view = crowded
        picture = view.plot.grab().toImage()
        colors = [picture.pixelColor(pixel_of(view.plot, row) - QPoint(0, 5)) for row in (4, 7)]
        assert colors == [BLUE, RED]
        ground = view.palette().base().color()
        assert picture.pixelColor(pixel_of(view.plot, 8)) == ground

    def test_a_selected_point_has_a_ring(self, crowded):
        view = crowded
        before = view.plot.grab().toImage()
        view.set_selected_rows({7})
        after = view.plot.grab().toImage()
        accent = np.array(view.palette().accent().color().getRgb())
        beside = pixel_of(view.plot, 7) + QPoint(round(view.plot.sign_diameter / 2), 0)

        def has_accent(picture):
            colors = [picture.pixelColor(beside + QPoint(x, 0)).getRgb() for x in range(7)]
            return (np.abs(np.array(colors) - accent).max(axis=1) < 16).any()

        assert has_accent(after)
        assert not has_accent(before)

    def test_the_legend_lists_who_has_points(self, view, qtbot, tmp_path):
        assert [entry.text() for entry in view.legend.entries()] == ["apples  5", "pitches  3", "Outliers  1"]
        rows = tuple(row for row in ROWS if row < 5)
        view.set_points(make_groups(tmp_path), rows, make_embedding(rows))
        assert [entry.text() for entry in view.legend.entries()] == ["apples  5"]
        with qtbot.waitSignal(view.group_chosen) as caught:
            qtbot.mouseClick(view.legend.entries()[0], LEFT)
        assert caught.args == [0]

    def test_points_glide_to_their_places_where_things_may_move(self, view, qtbot, tmp_path, monkeypatch):
        monkeypatch.setattr(widgets.embedding.embedding_canvas, "prefers_reduced_motion", lambda: False)
        before = view.plot.shown_pixels()
        rows = ROWS[::-1]
        places = make_embedding(rows)
        mirrored = type(places)("umap", 0, places.settings, places.positions * np.float32([-1, 1]))
        view.set_points(make_groups(tmp_path), rows, mirrored)
        assert view.plot.is_moving()
        np.testing.assert_allclose(view.plot.shown_pixels(), before[::-1], atol=20)
        qtbot.waitUntil(lambda: not view.plot.is_moving(), timeout=5000)
        # Row 0 was at the left and is at the right.
        np.testing.assert_allclose(view.plot.shown_pixels()[-1], np.array(before[5]), atol=1e-6)

    def test_they_jump_for_who_wants_no_motion(self, view, tmp_path):
        view.set_points(make_groups(tmp_path), ROWS, make_embedding(shift=(3, 3)))
        assert not view.plot.is_moving()


class TestStates:
    def test_a_message_instead_of_points(self, view):
        view.set_message("Neuron 5 is dead.")
        assert view.message() == "Neuron 5 is dead."
        assert view.rows() == ()
        assert not view.plot.isVisible()

    def test_what_is_prepared_is_said_over_the_points(self, view):
        view.set_preparing("Preparing UMAP…")
        assert view._preparing.isVisible()
        view.set_preparing("")
        assert not view._preparing.isVisible()

    def test_a_problem_stands_above_the_points_or_in_their_place(self, view, tmp_path):
        view.set_preparing("Preparing UMAP…")
        view.set_problem("UMAP cannot be loaded.")
        assert view.problem() == "UMAP cannot be loaded."
        assert view.rows() == ROWS
        assert view.preparing() == ""
        view.set_message("")
        view.set_problem("There is no room.")
        assert view.message() == "There is no room."
        view.set_points(make_groups(tmp_path), ROWS, make_embedding())
        assert view.problem() == ""

    def test_the_status_says_how_many_and_by_which_method(self, view):
        view.set_selected_rows({1, 2})
        assert view._status.text() == "9 images · 2 selected · UMAP, 15 neighbours, min_dist 0.1, seed 0"

    def test_mouse_and_keys_do_no_harm_without_points(self, view, qtbot):
        view.set_points((), (), make_embedding(()))
        qtbot.mouseClick(view.plot, LEFT, pos=QPoint(100, 100))
        qtbot.mouseMove(view.plot, QPoint(120, 80))
        turn_wheel(view.plot, QPoint(50, 50), 2)
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_A, Qt.Key.Key_0, Qt.Key.Key_Escape):
            qtbot.keyClick(view.plot, key)
        assert view.sent == []

    def test_one_point(self, view, qtbot, tmp_path):
        view.set_points(make_groups(tmp_path), (0,), make_embedding((0,)))
        middle = QPoint(view.plot.width() // 2, view.plot.height() // 2)
        qtbot.mouseClick(view.plot, LEFT, pos=middle)
        assert view.sent == [(0,)]


class TestMenu:
    @pytest.fixture
    def menu(self, view, qtbot):
        menus = []
        yield menus
        for shown in view.findChildren(QMenu):
            shown.close()

    def open_menu(self, view, place):
        view.plot.menu_requested.emit(view.plot.point_at(QPointF(place)), view.plot.mapToGlobal(place))
        return view.findChildren(QMenu)[-1]

    def test_on_a_point_it_is_for_the_selected_images(self, view, menu):
        rows = []
        view.menu_requested.connect(lambda _menu, for_rows: rows.append(for_rows))
        view.set_selected_rows({0, 7})
        shown = self.open_menu(view, pixel_of(view.plot, 7))
        assert rows == [(7, 0)]
        texts = [action.text() for action in shown.actions()]
        assert "Copy 2 paths" in texts
        assert "Save the embedding as a picture…" in texts

    def test_on_another_point_it_selects_that_first(self, view, menu):
        view.set_selected_rows({0, 1})
        self.open_menu(view, pixel_of(view.plot, 7))
        assert view.sent == [(7,)]

    def test_on_the_ground_it_is_for_the_picture(self, view, menu):
        shown = self.open_menu(view, pixel(view.plot, 13, 2))
        texts = [action.text().partition("\t")[0] for action in shown.actions() if action.text()]
        assert texts == [
            "Show all images",
            "Copy the embedding as a picture",
            "Save the embedding as a picture…",
        ]
        assert view.sent == []


def test_places_used_here_are_those_painted(view):
    expected = np.array([[p.x(), p.y()] for p in (pixel_of(view.plot, row) for row in PLACES)])
    np.testing.assert_allclose(view.plot.shown_pixels(), expected, atol=0.51)


def test_a_low_view_leaves_its_room_to_the_points(view):
    assert view.legend.isVisible()
    view.resize(700, 9 * view.fontMetrics().height())
    assert not view.legend.isVisible()
    assert not view._status.isVisible()
    assert view.plot.isVisible()


def test_keys_show_the_picture_of_where_they_are_and_the_pointer_that_under_it(crowded, qtbot):
    plot = crowded.plot
    qtbot.mouseClick(plot, LEFT, pos=pixel_of(plot, 4))
    plot.setFocus()
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot._previewed() == plot._state.current
    qtbot.mouseMove(plot, pixel_of(plot, 7))
    assert plot._previewed() == 7
    qtbot.mouseMove(plot, pixel(plot, 13, 5))
    assert plot._previewed() == -1
