"""Labels that shorten, messages that hide, rows that wrap."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from widgets.flow_layout import FlowLayout
from widgets.labels import ElidedLabel, EmptyState, MessageLabel

PATH = "/data/histology/a-rather-long-folder-name/with/many/levels/mitoses.prism"


def test_a_path_is_whole_in_the_tooltip_while_it_is_cut(qtbot: QtBot) -> None:
    label = ElidedLabel(PATH)
    qtbot.addWidget(label)
    label.resize(120, 20)
    label.show()
    assert label.toolTip() == PATH
    label.resize(label.sizeHint().width() + 10, 20)
    assert label.toolTip() == ""
    label.setText("short")
    assert label.text() == label.accessibleName() == "short"


def test_a_message_is_there_only_with_a_text(qtbot: QtBot) -> None:
    holder = QWidget()
    message = MessageLabel(holder)
    qtbot.addWidget(holder)
    holder.show()
    assert not message.isVisible()
    message.show_message("No such layer.", "warning")
    assert message.isVisible()
    assert message.accessibleName() == "No such layer."
    message.show_message("")
    assert not message.isVisible()


def test_an_empty_state_says_what_and_why(qtbot: QtBot) -> None:
    state = EmptyState("neuron", "No neurons", "Open a project.")
    qtbot.addWidget(state)
    assert state.accessibleName() == "No neurons Open a project."
    state.show_state("layers", "No layers")
    assert (state.title(), state.text()) == ("No layers", "")


def test_a_flow_begins_another_row(qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    flow = FlowLayout(holder, spacing=10)
    labels = [QLabel(str(i)) for i in range(3)]
    for position, label in enumerate(labels):
        label.setFixedSize(100, 30)
        flow.insertWidget(position, label)
    assert flow.heightForWidth(320) == 30
    assert flow.heightForWidth(319) == 30 + 10 + 30
    assert flow.heightForWidth(50) == 3 * 30 + 2 * 10
    flow.setGeometry(QRect(0, 0, 319, 100))
    assert [label.geometry() for label in labels] == [
        QRect(0, 0, 100, 30),
        QRect(110, 0, 100, 30),
        QRect(0, 40, 100, 30),
    ]
    assert flow.count() == 3
    assert flow.itemAt(3) is None
    flow.removeWidget(labels[0])
    assert flow.count() == 2


def test_the_panels_load_without_what_is_slow() -> None:
    code = (
        "import importlib, pkgutil, sys, widgets\n"
        "names = [m.name for m in pkgutil.walk_packages(widgets.__path__, 'widgets.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "assert 'widgets.neurons.neuron_browser' in names\n"
        "print([m for m in ('torch', 'torchvision', 'sklearn', 'lucent', 'sqlite3') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "[]"
