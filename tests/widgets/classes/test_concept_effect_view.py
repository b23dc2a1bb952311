"""The cards of the concepts' effects on classes, with figures made by hand."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from backend.evaluation.concept_effect_result import ConceptEffect
from widgets.classes.concept_effect_card import WIDTHS, ConceptCard
from widgets.classes.concept_effect_view import ConceptEffectView
from widgets.classes.effect_bars import EffectBars
from widgets.classes.effect_rows import effect_rows, signed_text
from widgets.theme import dark_palette, light_palette

COLOR = QColor("#c02010")
NAMES = ("cat", "dog", "owl", "eel")


def four_classes():
    """Dog is raised and owl lowered beyond the null, cat half as much as dog but within it, eel hardly."""
    return ConceptEffect(
        n_images=20,
        sensitivities=np.array([0.5, 1.0, -0.5, 0.01]),
        positive_shares=np.array([0.75, 1.0, 0.0, 0.5]),
        null_low=np.array([-0.6, -0.25, -0.25, -0.25]),
        null_high=np.array([0.6, 0.25, 0.25, 0.25]),
        n_null=100,
        probabilities=np.array([0.2, 0.6, 0.15, 0.05]),
        probabilities_without=np.array([0.3, 0.1, 0.55, 0.05]),
    )


def many_classes(n):
    values = np.random.default_rng(0).permutation(np.arange(n, dtype=np.float64) - n / 2 + 0.5)
    zeros = np.zeros(n)
    return ConceptEffect(32, values, zeros, zeros, zeros, 100, np.full(n, 1 / n), np.full(n, 1 / n))


@pytest.fixture
def bars(qtbot):
    widget = EffectBars()
    qtbot.addWidget(widget)
    widget.set_rows(effect_rows(four_classes(), NAMES), COLOR)
    widget.resize(500, widget.sizeHint().height())
    widget.show()
    return widget


@pytest.fixture
def view(qtbot):
    widget = ConceptEffectView(32)
    qtbot.addWidget(widget)
    widget.resize(900, 600)
    widget.show()
    return widget


def card(key, title="Apples", size=20):
    return ConceptCard(key, title, COLOR, "A", size)


class TestWhatIsListed:
    def test_few_classes_are_all_listed_by_what_the_concept_does(self):
        rows = effect_rows(four_classes(), NAMES)
        assert [one.name for one in rows.classes] == ["dog", "cat", "eel", "owl"]
        assert [one.beyond_null for one in rows.classes] == [True, False, False, True]
        assert not rows.has_gap

    def test_of_many_classes_the_most_raised_and_the_most_lowered_are_listed(self):
        rows = effect_rows(many_classes(100), [str(number) for number in range(100)])
        expected = [49.5, 48.5, 47.5, 46.5, 45.5, -45.5, -46.5, -47.5, -48.5, -49.5]
        assert [one.sensitivity for one in rows.classes] == expected
        assert (rows.n_before_gap, rows.n_classes, rows.has_gap) == (5, 100, True)

    def test_the_largest_change_of_probability_comes_first(self):
        changes = effect_rows(four_classes(), NAMES).changes
        assert [(one.name, one.text()) for one in changes[:2]] == [
            ("dog", "60 % → 10 %"),
            ("owl", "15 % → 55 %"),
        ]

    def test_values_have_a_true_minus_sign(self):
        assert [signed_text(value) for value in (0.123, -0.123, 0.0)] == ["+0.123", "−0.123", "0"]


class TestBars:
    def test_bars_are_as_long_as_the_figures(self, bars):
        dog, cat, eel, owl = (bars.bar_rect(row) for row in range(4))
        assert cat.width() == pytest.approx(dog.width() / 2)
        assert owl.width() == pytest.approx(dog.width() / 2)
        assert eel.width() == pytest.approx(dog.width() / 100)

    def test_raised_classes_go_right_from_zero_and_lowered_ones_left(self, bars):
        dog, owl = bars.bar_rect(0), bars.bar_rect(3)
        assert dog.left() == pytest.approx(owl.right())
        assert owl.left() < owl.right() < dog.right()

    def test_the_null_lies_around_zero_on_the_same_scale(self, bars):
        dog, null = bars.bar_rect(0), bars.null_rect(0)
        assert null.width() == pytest.approx(dog.width() / 2)
        assert null.center().x() == pytest.approx(dog.left())

    def test_nothing_is_drawn_over_names_or_figures(self, bars):
        for row in range(4):
            place = bars.bar_rect(row).united(bars.null_rect(row))
            assert 0.36 * bars.width() <= place.left()
            assert place.right() < bars.width() - bars.fontMetrics().horizontalAdvance("+0.500100 %")

    def test_a_bar_beyond_the_null_is_filled_and_one_within_is_hollow(self, bars):
        image = bars.grab().toImage()
        dog, cat = bars.bar_rect(0), bars.bar_rect(1)
        assert image.pixelColor(round(dog.right()) - 8, round(dog.center().y())) == COLOR
        assert image.pixelColor(round(cat.right()) - 8, round(cat.center().y())) != COLOR

    def test_the_keys_walk_along_the_classes_and_say_each(self, qtbot, bars):
        bars.setFocus()
        for _ in range(2):
            qtbot.keyClick(bars, Qt.Key.Key_Down)
        assert bars.current_row() == 1
        said = bars.accessibleName()
        assert "raises “cat” by 0.500 logits per unit of activation, within the 95 %" in said
        assert "in 75 % of 20 images" in said
        qtbot.keyClick(bars, Qt.Key.Key_Up)
        qtbot.keyClick(bars, Qt.Key.Key_Up)
        assert bars.current_row() == 0

    def test_effects_that_are_all_zero_can_be_drawn(self, qtbot, bars):
        zeros = np.zeros(3)
        bars.set_rows(effect_rows(ConceptEffect(1, *[zeros] * 4, 100, zeros, zeros), "abc"), COLOR)
        assert not bars.grab().isNull()
        assert bars.bar_rect(0).width() == 0


class TestView:
    def test_it_asks_for_a_neuron_at_first(self, view):
        assert "Choose a neuron" in view.message()

    def test_a_card_waits_and_is_filled(self, view):
        view.set_cards([(card(3), None)])
        assert view.card(3).waiting() == "Being computed…"
        rows = effect_rows(four_classes(), NAMES)
        view.set_cards([(card(3), rows)])
        assert view.card(3).rows() is rows
        assert view.card(3).waiting() == ""
        assert "Without the concept “dog”: 60 % → 10 %" in view.card(3).accessibleDescription()

    def test_cards_go_with_their_concepts(self, view):
        rows = effect_rows(four_classes(), NAMES)
        view.set_cards([(card(1, "one"), rows), (card(2, "two"), rows)])
        view.set_cards([(card(2, "two"), None)])
        assert view.concepts() == (2,)
        assert view.card(2).title() == "two"

    def test_cards_stand_side_by_side_where_there_is_room(self, qtbot, view):
        rows = effect_rows(four_classes(), NAMES)
        view.set_cards([(card(1), rows), (card(2), rows)])
        first, second = view.card(1), view.card(2)
        qtbot.waitUntil(lambda: second.x() > first.x())
        assert second.y() == first.y()
        assert WIDTHS[0] <= first.width() == second.width()
        view.resize(500, 600)
        qtbot.waitUntil(lambda: second.y() > first.y())

    def test_the_card_that_the_keys_go_to_has_a_stronger_frame(self, qtbot, view):
        view.set_cards([(card(1), effect_rows(four_classes(), NAMES))])
        view.activateWindow()
        qtbot.waitUntil(lambda: view.card(1).height() > 100)
        one = view.card(1)
        frame = lambda: one.grab().toImage().pixelColor(1, one.height() // 2)  # noqa: E731
        before = frame()
        one.bars.setFocus()
        qtbot.waitUntil(one.bars.hasFocus)
        assert frame() != before

    def test_a_message_offers_what_can_be_done(self, qtbot, view):
        view.set_message("It is in a file.", "No network", "Run it…")
        with qtbot.waitSignal(view.action_requested):
            qtbot.mouseClick(view.empty_state.action_button, Qt.MouseButton.LeftButton)

    @pytest.mark.parametrize("palette", [light_palette, dark_palette])
    def test_a_card_stands_on_the_ground_of_its_scheme(self, qtbot, view, palette):
        view.setPalette(palette())
        view.set_cards([(card(1), effect_rows(four_classes(), NAMES))])
        qtbot.waitUntil(lambda: view.card(1).height() > 100)
        image = view.card(1).grab().toImage()
        assert image.pixelColor(8, image.height() // 2) == palette().base().color()
