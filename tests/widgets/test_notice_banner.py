"""The banner: a sentence and buttons, which stay what they are while the sentence changes."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from widgets.notice_banner import NoticeAction, NoticeBanner

ACTIONS = (NoticeAction("again", "Compute again", "Compute it anew"), NoticeAction("details", "Details…"))
SENTENCE = "Outdated: 3 images were changed since the activations were computed."


@pytest.fixture
def banner(qtbot: QtBot) -> Iterator[NoticeBanner]:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    banner = NoticeBanner("warning")
    layout.addWidget(banner)
    layout.addStretch(1)
    window.resize(800, 200)
    with qtbot.waitExposed(window):
        window.show()
    yield banner


def test_it_is_there_only_with_something_to_say(banner: NoticeBanner) -> None:
    assert not banner.isVisible()
    banner.show_notice(SENTENCE, ACTIONS)
    assert banner.isVisible()
    assert (banner.text(), banner.accessibleName()) == (SENTENCE, SENTENCE)
    banner.show_notice("")
    assert not banner.isVisible()


def test_a_button_says_its_key_by_mouse_and_keyboard(banner: NoticeBanner, qtbot: QtBot) -> None:
    banner.show_notice(SENTENCE, ACTIONS)
    assert banner.keys() == ("again", "details")
    assert banner.button("again").toolTip() == "Compute it anew"
    with qtbot.waitSignal(banner.action_requested) as caught:
        QTest.mouseClick(banner.button("details"), Qt.MouseButton.LeftButton)
    assert caught.args == ["details"]
    banner.button("again").setFocus()
    with qtbot.waitSignal(banner.action_requested) as caught:
        QTest.keyClick(banner.button("again"), Qt.Key.Key_Space)
    assert caught.args == ["again"]


def test_what_cannot_be_done_now_is_disabled(banner: NoticeBanner) -> None:
    banner.show_notice("Partial.", [NoticeAction("refresh", "Refresh", enabled=False)])
    assert not banner.button("refresh").isEnabled()
    banner.show_notice("Partial, 5 new.", [NoticeAction("refresh", "Refresh")])
    assert banner.button("refresh").isEnabled()


def test_a_button_that_stays_keeps_the_focus(banner: NoticeBanner, qtbot: QtBot) -> None:
    banner.show_notice(SENTENCE, ACTIONS)
    button = banner.button("details")
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    banner.show_notice("Another sentence.", [NoticeAction("locate", "Locate…"), *ACTIONS[1:]])
    assert banner.keys() == ("locate", "details")
    assert banner.button("details") is button
    assert button.hasFocus()


def test_where_it_is_narrow_the_buttons_stand_below_the_text(banner: NoticeBanner, qtbot: QtBot) -> None:
    banner.show_notice(SENTENCE, ACTIONS)
    button, text = banner.button("again"), banner._sentence

    def below() -> bool:
        return button.mapTo(banner, button.rect().topLeft()).y() >= text.geometry().bottom()

    qtbot.waitUntil(lambda: not below())
    banner.window().resize(380, 300)
    qtbot.waitUntil(below)
    assert banner.rect().contains(button.mapTo(banner, button.rect().bottomRight()))
    assert text.height() >= text.heightForWidth(text.width())


def test_a_sentence_is_shown_as_it_is(banner: NoticeBanner) -> None:
    banner.show_notice("The file <b>net</b>.py was changed.")
    assert banner._sentence.textFormat() == Qt.TextFormat.PlainText
