"""Export from the window: where it goes, what is in it, and trouble on the way."""

import numpy as np
import pytest
from PySide6.QtWidgets import QMessageBox
from safetensors import safe_open

from app.jobs.export_jobs import folder_name
from tests.app.planted_project import LAYER
from widgets.error_dialog import ErrorDialog


def visible(window, kind):
    return [widget for widget in window.findChildren(kind) if widget.isVisible()]


def test_the_neuron_on_show_is_exported_with_the_names_typed_so_far(qtbot, opened, tmp_path):
    opened.session.names.set_name(0, "apples")
    opened.projects.exports.export_to(tmp_path, layer=LAYER, neurons=(0,))
    qtbot.waitUntil(lambda: bool(visible(opened, QMessageBox)), timeout=30_000)
    (box,) = visible(opened, QMessageBox)
    folder = tmp_path / "planted mixed neuron 0 export"
    assert str(folder) in box.text()
    assert "2 concept vectors of 1 neuron" in box.text()
    (file,) = folder.glob("concept_vectors.*.safetensors")
    with safe_open(file, "np") as vectors:
        (key,) = [key for key in vectors.keys() if vectors.get_tensor(key).ndim == 2]  # noqa: SIM118
        found = vectors.get_tensor(key)
    expected = np.stack([concept.vector for concept in opened.session.split.concepts])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert "apples" in (folder / "members.csv").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(qtbot, opened, tmp_path):
    (tmp_path / "a file").write_text("")
    opened.projects.exports.export_to(tmp_path / "a file")
    qtbot.waitUntil(lambda: bool(visible(opened, ErrorDialog)), timeout=30_000)
    assert "a file" in visible(opened, ErrorDialog)[0]._sentence.text()


@pytest.mark.parametrize(
    ("layer", "neurons", "name"),
    [
        (None, None, "demo export"),
        ("Mixed_7b", (35,), "demo Mixed_7b neuron 35 export"),
        ("a/b:c", (1,), "demo a_b_c neuron 1 export"),
    ],
)
def test_each_export_has_a_folder_of_its_own(layer, neurons, name):
    assert folder_name("demo", layer, neurons) == name
