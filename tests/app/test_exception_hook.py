"""An exception that nobody caught becomes a dialog, from whichever thread it came."""

import sys
import threading

import pytest
from PySide6.QtCore import QCoreApplication, QThread
from PySide6.QtWidgets import QWidget

from app.exception_hook import ExceptionReporter
from widgets.error_dialog import ErrorDialog


@pytest.fixture
def window(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    return widget


def raised(sentence):
    try:
        raise RuntimeError(sentence)
    except RuntimeError:
        return sys.exc_info()


def dialogs(window):
    return [dialog for dialog in window.findChildren(ErrorDialog) if dialog.isVisible()]


def texts(dialog):
    return " ".join(label.text() for label in dialog.findChildren(type(dialog._sentence)))


def test_it_is_shown_with_its_kind_and_text(window):
    ExceptionReporter(window).report(*raised("the prism broke"))
    (dialog,) = dialogs(window)
    assert "RuntimeError: the prism broke" in texts(dialog)


def test_further_ones_do_not_pile_up(window):
    reporter = ExceptionReporter(window)
    for number in range(5):
        reporter.report(*raised(str(number)))
    assert len(dialogs(window)) == 1
    dialogs(window)[0].reject()
    reporter.report(*raised("later"))
    assert len(dialogs(window)) == 1


def test_from_another_thread_the_dialog_opens_in_the_gui_thread(qtbot, window):
    reporter = ExceptionReporter(window)
    thread = threading.Thread(target=lambda: reporter.report(*raised("elsewhere")))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(dialogs(window)) == 1, timeout=2000)
    assert dialogs(window)[0].thread() is QCoreApplication.instance().thread() is QThread.currentThread()


def test_ctrl_c_is_left_to_python(window, capsys):
    ExceptionReporter(window).report(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert dialogs(window) == []
    assert "KeyboardInterrupt" in capsys.readouterr().err
