"""The import form: what it asks, what it shows of the answers, and when Import can be pressed."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt

from backend.networks.model_source import ModelSource
from widgets.import_activations.import_choices import ArrayFound, ImportExamination
from widgets.import_activations.import_form import ImportForm

MAPS = ArrayFound("maps", "maps: 5 × 3 × 2 × 2, float32", "", True)
VECTORS = ArrayFound("vectors", "vectors: 5 × 3, float16", "", False)
FLAT = ArrayFound("flat", "flat: 3, float32", "has one axis (3)", False)
LISTED = tuple((str(row), f"a/{row}.png", "found" if row else "not there") for row in range(5))
SOUND = ImportExamination(
    (VECTORS, MAPS, FLAT), "vectors", False, "5 images × 3 neurons, float16.", LISTED, "5 images.", 1_234_000
)


@pytest.fixture
def form(qtbot, tmp_path):
    form = ImportForm("birds", tmp_path / "photos")
    qtbot.addWidget(form)
    form.resize(1000, 700)
    form.show()
    form.set_destination_folder(tmp_path)
    form.asked = []
    form.examination_requested.connect(form.asked.append)
    return form


def type_path(qtbot, edit, text):
    edit.line.setFocus()
    edit.line.clear()
    qtbot.keyClicks(edit.line, str(text))
    qtbot.keyClick(edit.line, Qt.Key.Key_Return)


def fill(qtbot, form, tmp_path, found=SOUND):
    """Type what a new project needs, and answer."""
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        type_path(qtbot, form.activations_section.file_edit, tmp_path / "acts.npz")
        qtbot.keyClicks(form.layer_edit, "layer4")
    form.set_examination(found)


def test_nothing_can_be_imported_before_a_file_is_chosen(form):
    assert not form.import_button.isEnabled()
    assert form.missing_label.text() == "Choose a file of activations."


def test_what_is_typed_is_asked_about_once_typing_pauses(qtbot, form, tmp_path):
    fill(qtbot, form, tmp_path)
    assert form.asked[-1].activations == tmp_path / "acts.npz"
    assert form.asked[-1].layer == "layer4"
    assert len(form.asked) <= 2
    type_path(qtbot, form.images_section.list_edit, "/lists/all.csv")
    type_path(qtbot, form.images_section.folder_edit, "/photos")
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        type_path(qtbot, form.names_edit, "/names.txt")
    choice = form.asked[-1]
    assert (choice.image_list, choice.images) == (Path("/lists/all.csv"), Path("/photos"))
    assert choice.neuron_names == Path("/names.txt")


def test_the_answer_is_shown_and_import_hands_everything_over(qtbot, form, tmp_path):
    fill(qtbot, form, tmp_path)
    section = form.activations_section
    assert section.array_box.isVisible()
    assert section.array_box.currentText() == VECTORS.title
    assert not section.array_box.is_allowed("flat")
    assert section.shape_label.text() == SOUND.shape_text
    assert not section.pooling_box.isVisible()
    table = form.images_section.table
    texts = [[table.item(row, column).text() for column in range(3)] for row in range(5)]
    assert texts == [list(row) for row in LISTED]
    assert "1.2 MB on disk" in form.size_label.text()
    with qtbot.waitSignal(form.accepted, timeout=1000) as accepted:
        qtbot.mouseClick(form.import_button, Qt.MouseButton.LeftButton)
    (request,) = accepted.args
    assert request.destination == tmp_path / "acts.prism"
    assert request.network is None
    assert (request.choice.array, request.choice.pooling) == ("vectors", None)


def test_feature_maps_ask_for_their_pooling(qtbot, form, tmp_path):
    fill(qtbot, form, tmp_path)
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        form.activations_section.array_box.setFocus()
        qtbot.keyClick(form.activations_section.array_box, Qt.Key.Key_Down)
    assert form.asked[-1].array == "maps"
    assert not form.import_button.isEnabled()
    form.set_examination(ImportExamination(SOUND.arrays, "maps", True, "maps", LISTED, "5 images.", 10))
    assert form.activations_section.pooling_box.isVisible()
    assert form.request().choice.pooling == "mean"
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        form.activations_section.pooling_box.setFocus()
        qtbot.keyClick(form.activations_section.pooling_box, Qt.Key.Key_Down)
    assert form.asked[-1].pooling == "max"


@pytest.mark.parametrize("field", ["activations", "images", "layer"])
def test_an_error_stands_under_its_field_and_forbids_the_import(qtbot, form, tmp_path, field):
    errors = {field: "Something is wrong here."}
    fill(qtbot, form, tmp_path, ImportExamination(SOUND.arrays, "vectors", False, "", (), "5", 10, errors))
    for name, section in form._sections.items():
        assert section.error() == errors.get(name, "")
    assert not form.import_button.isEnabled()
    assert form.missing_label.text() == "Put right what is marked."
    form.set_examination(SOUND)
    assert form.import_button.isEnabled()


def test_a_change_takes_the_answer_back(qtbot, form, tmp_path):
    fill(qtbot, form, tmp_path)
    assert form.import_button.isEnabled()
    qtbot.keyClicks(form.layer_edit, "x")
    assert not form.import_button.isEnabled()
    assert form.missing_label.text() == "Looking at the files…"


def test_each_missing_thing_is_named(qtbot, form, tmp_path):
    fill(qtbot, form, tmp_path, ImportExamination(SOUND.arrays, "vectors", False, "", (), "", 10))
    assert form.missing_label.text() == "Choose the list of images."
    form.layer_edit.clear()
    form.set_examination(SOUND)
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        pass
    form.set_examination(SOUND)
    assert form.missing_label.text() == "Give the layer a name."
    qtbot.keyClicks(form.layer_edit, "l")
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        pass
    form.set_examination(SOUND)
    form.destination_section.name_edit.clear()
    assert form.missing_label.text() == "Give the project a name."


def test_a_layer_for_the_open_project_needs_no_place_and_no_folder(qtbot, form, tmp_path):
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        left = QPoint(8, form.into_open_button.height() // 2)
        qtbot.mouseClick(form.into_open_button, Qt.MouseButton.LeftButton, pos=left)
    fill(qtbot, form, tmp_path)
    assert not form.destination_section.isVisible()
    assert not form.images_section.folder_edit.isEnabled()
    assert str(tmp_path / "photos") in form.images_section.folder_edit.line.placeholderText()
    request = form.request()
    assert (request.destination, request.choice.into_open, request.choice.images) == (None, True, None)


def test_without_an_open_project_there_is_no_choice_of_place(qtbot):
    form = ImportForm()
    qtbot.addWidget(form)
    form.show()
    assert not form.into_open_button.isVisible()
    assert form.destination_section.isVisible()


class TestNetwork:
    @pytest.fixture
    def named(self, qtbot, form, tmp_path):
        """The form complete but for a network, which is being named."""
        fill(qtbot, form, tmp_path)
        form.tried = []
        form.trial_requested.connect(form.tried.append)
        with qtbot.waitSignal(form.networks_requested, timeout=1000):
            form.network_check.setFocus()
            qtbot.keyClick(form.network_check, Qt.Key.Key_Space)
        form.set_torchvision_names(["resnet18", "resnet50"])
        assert form.missing_label.text() == "Choose a network."
        with qtbot.waitSignal(form.trial_requested, timeout=5000):
            qtbot.keyClicks(form.model_section.name_box.lineEdit(), "resnet18")
        return form

    def test_it_is_tried_before_anything_can_be_imported(self, named):
        assert named.tried[-1].network.source == ModelSource("resnet18")
        assert not named.import_button.isEnabled()
        assert named.missing_label.text() == "Trying the network…"
        named.set_agreement("resnet18 gives these: cosine 1.0.")
        assert named.import_button.isEnabled()
        assert "cosine 1.0" in named.network_section.message.text()
        assert named.request().network.source == ModelSource("resnet18")

    def test_one_that_disagrees_is_refused_under_its_field(self, named):
        named.set_error("network", "It does not give these: cosine 0.3.")
        assert "cosine 0.3" in named.network_section.error()
        assert not named.import_button.isEnabled()
        assert len(named.tried) == 1  # the same network is not tried over and over

    def test_another_layer_is_tried_anew(self, qtbot, named):
        named.set_agreement("agrees")
        with qtbot.waitSignal(named.examination_requested, timeout=5000):
            qtbot.keyClicks(named.layer_edit, "2")
        assert not named.import_button.isEnabled()
        named.set_examination(SOUND)
        assert named.tried[-1].choice.layer == "layer42"

    def test_without_it_the_import_goes_on(self, qtbot, named):
        named.set_error("network", "It does not give these.")
        qtbot.keyClick(named.network_check, Qt.Key.Key_Space)
        assert named.import_button.isEnabled()
        assert named.request().network is None


def test_every_control_has_a_tooltip_and_a_name(form):
    controls = [
        form.activations_section.file_edit.line,
        form.activations_section.array_box,
        form.activations_section.pooling_box,
        form.images_section.list_edit.line,
        form.images_section.folder_edit.line,
        form.layer_edit,
        form.names_edit.line,
    ]
    for control in controls:
        assert control.toolTip(), control
        assert control.accessibleName(), control
    for button in (form.network_check, form.into_open_button, form.new_button, form.import_button):
        assert button.toolTip()
        assert button.text()
