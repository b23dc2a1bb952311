"""The form for a new project: what it asks, what it takes, and when it lets one go on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from backend.networks.model_source import LayerInfo, ModelSource
from widgets.new_project.new_project_form import ImagesChoice, ModelChoice, NewProjectForm, NewProjectRequest
from widgets.quantity_text import bytes_text

NAMES = ("alexnet", "mobilenet_v2", "mobilenet_v3_small", "resnet50")
LAYERS = (
    LayerInfo("features.0", "Conv2d", (16, 112, 112), 16, True),
    LayerInfo("features.18", "Conv2d", (1280, 7, 7), 1280, True),
    LayerInfo("classifier", "Linear", (1000,), None, False, "Its output has no channel axis."),
)


class Asked:
    """What the form asked for, in order."""

    def __init__(self, form: NewProjectForm) -> None:
        self.models: list[ModelChoice | None] = []
        self.images: list[ImagesChoice | None] = []
        self.estimates: list[NewProjectRequest] = []
        self.accepted: list[NewProjectRequest] = []
        form.model_changed.connect(self.models.append)
        form.images_changed.connect(self.images.append)
        form.estimate_requested.connect(self.estimates.append)
        form.accepted.connect(self.accepted.append)


@pytest.fixture
def form(qtbot: QtBot, tmp_path: Path) -> NewProjectForm:
    form = NewProjectForm()
    qtbot.addWidget(form)
    form.resize(1000, 640)
    form.set_torchvision_names(NAMES)
    form.set_destination_folder(tmp_path)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    return form


@pytest.fixture
def asked(form: NewProjectForm) -> Asked:
    return Asked(form)


@pytest.fixture
def wait(qtbot: QtBot) -> Callable[[Callable[[], bool]], None]:
    return lambda condition: qtbot.waitUntil(condition, timeout=3000)


def _choose_network(form: NewProjectForm, name: str = "mobilenet_v2") -> None:
    box = form.model_section.name_box
    box.setFocus()
    line = box.lineEdit()
    assert line is not None
    line.selectAll()
    QTest.keyClicks(line, name)


def _complete(form: NewProjectForm, folder: Path, wait: Callable[[Callable[[], bool]], None]) -> None:
    _choose_network(form)
    wait(lambda: form.model_section.choice() is not None)
    form.model_section._report()
    form.set_layers(LAYERS)
    form.layer_tree.set_checked_layers(["features.18"])
    form.set_images_folder(folder)
    form.set_image_summary(26_000, 1000, 26_000)


def test_the_choice_of_a_network_is_reported_once(
    form: NewProjectForm, asked: Asked, wait: Callable[[Callable[[], bool]], None]
) -> None:
    _choose_network(form)
    wait(lambda: bool(asked.models))
    assert asked.models == [ModelChoice(ModelSource("mobilenet_v2", None, None), allow_code=False)]


def test_a_network_that_torchvision_does_not_have(
    form: NewProjectForm, asked: Asked, wait: Callable[[Callable[[], bool]], None]
) -> None:
    _choose_network(form, "mobile")
    _choose_network(form, "mobilnet")
    wait(lambda: "no classification network “mobilnet”" in form.model_section.error())
    assert asked.models == []
    _choose_network(form, "alexnet")
    wait(lambda: len(asked.models) == 1)
    assert form.model_section.error() == ""


def test_weights_and_input_size_belong_to_the_choice(
    form: NewProjectForm, asked: Asked, wait: Callable[[Callable[[], bool]], None]
) -> None:
    _choose_network(form, "alexnet")
    form.model_section.weights_edit.line.setText(" /nets/mine.pth ")
    QTest.keyClick(form.model_section.weights_edit.line, Qt.Key.Key_Return)
    size = form.model_section.input_size_box
    size.setFocus()
    size.selectAll()
    QTest.keyClicks(size, "96")
    QTest.keyClick(size, Qt.Key.Key_Return)
    wait(lambda: bool(asked.models) and asked.models[-1].source.input_size == 96)  # type: ignore[union-attr]
    assert asked.models[-1] == ModelChoice(ModelSource("alexnet", "/nets/mine.pth", 96))


def test_code_is_run_only_after_it_was_confirmed(
    form: NewProjectForm, asked: Asked, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    file = tmp_path / "nets.py"
    file.write_text("")
    section = form.model_section
    section.python_button.setChecked(True)
    section.file_edit.line.setText(str(file))
    QTest.keyClick(section.file_edit.line, Qt.Key.Key_Return)
    QTest.keyClicks(section.callable_edit, "build")
    section._report()
    assert asked.models == []
    assert "Confirm" in section.missing()
    box = section.trust_box
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert asked.models == [ModelChoice(ModelSource(f"{file}:build", None, None), allow_code=True)]
    other = tmp_path / "other.py"
    other.write_text("")
    section.file_edit.line.setText(str(other))
    QTest.keyClick(section.file_edit.line, Qt.Key.Key_Return)
    assert not section.trust_box.isChecked()
    assert asked.models[-1] is None


def test_a_python_file_that_is_not_there(form: NewProjectForm, tmp_path: Path) -> None:
    section = form.model_section
    section.python_button.setChecked(True)
    section.file_edit.line.setText(str(tmp_path / "gone.py"))
    QTest.keyClick(section.file_edit.line, Qt.Key.Key_Return)
    assert section.error() == f"There is no file {tmp_path / 'gone.py'}."


def test_images_are_looked_for_with_their_undersampling(
    form: NewProjectForm, asked: Asked, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    section = form.images_section
    section.folder_edit.line.setText(str(tmp_path))
    QTest.keyClick(section.folder_edit.line, Qt.Key.Key_Return)
    assert asked.images == [ImagesChoice(tmp_path, None, 0)]
    assert not section.seed_box.isEnabled()
    section.per_class_check.setChecked(True)
    assert asked.images[-1] == ImagesChoice(tmp_path, 130, 0)
    section.seed_box.setFocus()
    QTest.keyClick(section.seed_box, Qt.Key.Key_Up)
    QTest.keyClick(section.seed_box, Qt.Key.Key_Up)
    wait(lambda: asked.images[-1] == ImagesChoice(tmp_path, 130, 2))
    assert len(asked.images) == 3


def test_what_was_found_is_said(form: NewProjectForm, tmp_path: Path) -> None:
    form.set_images_folder(tmp_path)
    form.set_image_summary(26_000, 1000, 13_000, [("a/b.jpg", "The file is truncated.")])
    section = form.images_section
    assert section.summary_label.text() == "26,000 images in 1,000 classes, 13,000 drawn"
    assert section.skipped_button.text() == "1 left out…"
    QTest.mouseClick(section.skipped_button, Qt.MouseButton.LeftButton)
    assert section.skipped_list.isVisible()
    assert section.skipped_list.toPlainText() == "a/b.jpg: The file is truncated."
    form.set_image_summary(1, 0, 1)
    assert section.summary_label.text() == "1 image"
    assert not section.skipped_button.isVisible()


def test_another_folder_forgets_what_was_found(form: NewProjectForm, tmp_path: Path) -> None:
    form.set_images_folder(tmp_path)
    form.set_image_summary(10, 0, 10)
    form.set_images_folder(tmp_path.parent)
    assert form.images_section.summary_label.text() == ""
    assert form.images_section.n_chosen == 0


def test_the_project_can_be_created_when_nothing_is_missing(
    form: NewProjectForm, asked: Asked, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    assert not form.create_button.isEnabled()
    assert form.missing_label.text() == "Choose a network."
    images = tmp_path / "flowers"
    _complete(form, images, wait)
    expected = NewProjectRequest(
        ModelChoice(ModelSource("mobilenet_v2", None, None)),
        ("features.18",),
        ImagesChoice(images),
        tmp_path / "flowers mobilenet_v2.prism",
    )
    assert form.request() == expected
    n_images = form.images_section.n_chosen
    assert form.estimate_label.text().startswith(
        f"{bytes_text(1280 * n_images * 4)} of activations. Measuring"
    )
    measured = replace(expected, destination=Path())
    wait(lambda: asked.estimates == [measured])
    form.set_estimate(133_120_000, 190.0, 140.0)
    assert form.estimate_label.text().startswith(
        "133 MB on disk, about 3 min 10 s at 140 images/s on this computer."
    )
    QTest.mouseClick(form.create_button, Qt.MouseButton.LeftButton)
    assert asked.accepted == [expected]
    assert asked.estimates == [measured]


def test_the_networks_own_input_size_is_named_once_it_is_known(form: NewProjectForm) -> None:
    box = form.model_section.input_size_box
    assert box.text() == "network's own"
    form.set_own_input_size(224)
    assert box.text() == "network's own (224)"
    form.set_own_input_size(None)
    assert box.text() == "network's own"


@pytest.mark.parametrize("field", ["model", "images", "destination"])
def test_an_error_stands_in_the_way_and_can_be_taken_back(
    form: NewProjectForm,
    tmp_path: Path,
    wait: Callable[[Callable[[], bool]], None],
    field: str,
) -> None:
    _complete(form, tmp_path / "flowers", wait)
    form.set_busy(field, True)  # type: ignore[arg-type]
    form.set_error(field, "It went wrong.")  # type: ignore[arg-type]
    assert not form.create_button.isEnabled()
    assert not form._sections[field].is_busy()  # type: ignore[index]
    assert form._sections[field].message.isVisible()  # type: ignore[index]
    form.set_error(field, "")  # type: ignore[arg-type]
    if field == "model":
        form.set_layers(LAYERS)
    assert form.create_button.isEnabled()


def test_an_estimate_that_failed_stands_in_nobodys_way(
    form: NewProjectForm, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    _complete(form, tmp_path / "flowers", wait)
    form.set_error("estimate", "The disk cannot be asked for its size.")
    assert form.create_button.isEnabled()


def test_busy_fields_are_waited_for(
    form: NewProjectForm, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    _complete(form, tmp_path / "flowers", wait)
    form.set_busy("images", True)
    assert form.missing_label.text() == "Looking at the network and the images…"
    assert not form.create_button.isEnabled()
    form.set_busy("images", False)
    assert form.create_button.isEnabled()


def test_a_name_that_is_taken(
    form: NewProjectForm, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    (tmp_path / "taken.prism").mkdir()
    _complete(form, tmp_path / "flowers", wait)
    name = form.destination_section.name_edit
    name.setFocus()
    name.selectAll()
    QTest.keyClicks(name, "taken")
    assert "There is a project “taken”" in form.destination_section.error()
    assert not form.create_button.isEnabled()
    QTest.keyClicks(name, "2")
    assert form.destination_section.error() == ""
    assert form.request().destination == tmp_path / "taken2.prism"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["a/b", "what?", "..", "a:b"])
def test_a_name_that_cannot_be(form: NewProjectForm, name: str) -> None:
    QTest.keyClicks(form.destination_section.name_edit, name)
    assert form.destination_section.error()
    assert form.destination_section.destination() is None


def test_a_name_of_the_users_own_stays(
    form: NewProjectForm, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    QTest.keyClicks(form.destination_section.name_edit, "mine")
    _complete(form, tmp_path / "flowers", wait)
    assert form.request().destination.name == "mine.prism"  # type: ignore[union-attr]


def test_cancel(form: NewProjectForm, qtbot: QtBot) -> None:
    with qtbot.waitSignal(form.cancelled):
        QTest.mouseClick(form.cancel_button, Qt.MouseButton.LeftButton)


def test_layers_checked_come_back_after_the_network_was_read_again(
    form: NewProjectForm, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
) -> None:
    _complete(form, tmp_path / "flowers", wait)
    form.set_layers(())
    form.set_busy("layers", True)
    assert form.layer_tree.checked_layers() == ()
    assert form.layer_tree.empty_state.title() == "Reading the network…"
    form.set_layers(LAYERS)
    assert form.layer_tree.checked_layers() == ("features.18",)
