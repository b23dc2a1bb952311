"""Leave to run a Python file: asked with the file's name, once, and again when the file changes."""

import os

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from app.code_permission import CodePermission
from backend.networks.model_source import ModelSource


@pytest.fixture
def owner(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    return widget


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "network.py"
    file.write_text("def build(): ...\n")
    return ModelSource(f"{file}:build")


def question(owner):
    return owner.findChild(QMessageBox)


def press(qtbot, owner, label):
    (button,) = [button for button in question(owner).buttons() if button.text().replace("&", "") == label]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_torchvision_model_needs_no_leave(owner):
    went_on = []
    CodePermission(owner).request(ModelSource("mobilenet_v2"), lambda: went_on.append(True))
    assert went_on == [True]
    assert question(owner) is None


def test_the_question_names_the_file_and_waits_for_the_answer(qtbot, owner, source):
    went_on = []
    permission = CodePermission(owner)
    permission.request(source, lambda: went_on.append(True))
    assert str(source.python_file) in question(owner).text()
    assert went_on == []
    press(qtbot, owner, "Run this file")
    assert went_on == [True]
    assert permission.is_allowed(source)


def test_cancelling_runs_nothing_and_allows_nothing(qtbot, owner, source):
    went_on = []
    permission = CodePermission(owner)
    permission.request(source, lambda: went_on.append(True))
    assert question(owner).defaultButton().text().replace("&", "") == "Cancel"
    press(qtbot, owner, "Cancel")
    assert went_on == []
    assert not permission.is_allowed(source)


def test_it_is_asked_once_until_the_file_changes(owner, source):
    permission = CodePermission(owner)
    permission.allow(source)
    assert permission.is_allowed(source)
    source.python_file.write_text("def build(): return 'something else'\n")
    os.utime(source.python_file, ns=(1, 1))
    assert not permission.is_allowed(source)
