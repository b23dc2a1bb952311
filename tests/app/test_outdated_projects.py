"""Images and networks that changed are noticed, marked and computed again; trouble is survived."""

import errno
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox

from app.changed_files_dialog import ChangedFilesDialog
from app.project_dialog import ProjectDialog
from backend.activations import store
from backend.project import Project
from tests.app.slow_extraction import BatchGate, new_project
from tests.app.tiny_network import TINY_LAYER
from widgets.error_dialog import ErrorDialog

CHANGED, GONE = "red/03.png", "blue/05.png"


@pytest.fixture
def images(planted, tmp_path):
    """Images of one's own."""
    return shutil.copytree(planted.parent / "images", tmp_path / "images")


@pytest.fixture
def extracted(tmp_path, images):
    """A project whose layer was extracted from these images by a network in a Python file."""
    from backend.activations.extraction import extract
    from backend.models import load_model

    path = new_project(tmp_path, images)
    with Project.open(path) as project:
        extract(project, load_model(project.model_source, allow_code=True))
    return path


def visible(window, kind):
    return [widget for widget in window.findChildren(kind) if widget.isVisible()]


def answer(qtbot, window, label):
    qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
    (box,) = visible(window, QMessageBox)
    (button,) = [b for b in box.buttons() if b.text().replace("&", "") == label]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    return box


def press(qtbot, banner, key):
    qtbot.mouseClick(banner.button(key), Qt.MouseButton.LeftButton)


def open_and_check(qtbot, window, path):
    """Open a project, and wait until its files were looked at."""
    with qtbot.waitSignals(
        [window.session.analysis_changed, window.session.freshness_changed], timeout=30_000
    ):
        window.projects.open(path)
    qtbot.waitUntil(lambda: window.session.freshness is not None, timeout=20_000)


def change(images):
    Image.new("RGB", (32, 32), "white").save(images / CHANGED)


def touch(file):
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))


class TestImages:
    def test_a_project_that_is_as_it_was_has_no_banner(self, qtbot, window, extracted):
        open_and_check(qtbot, window, extracted)
        assert not window.notices.outdated.isVisible()
        assert "outdated" not in window.workspace.title.text()

    def test_changed_images_are_marked_and_computed_again(self, qtbot, window, extracted, images):
        before = np.load(extracted / "activations" / f"{TINY_LAYER}.npy")
        change(images)
        open_and_check(qtbot, window, extracted)
        session, banner = window.session, window.notices.outdated
        assert banner.isVisible()
        assert banner.text() == "Outdated: 1 image was changed since the activations were computed."
        assert banner.keys() == ("again", "details")
        assert "outdated" in window.workspace.title.text()
        row = session.project.image_paths.index(CHANGED)
        neuron = int(np.argmin([list(session.layer.index.top(n, 90).images).index(row) for n in range(8)]))
        if neuron != session.neuron:
            with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
                session.show_neuron(neuron)
        (item,) = [
            item for band in window.workspace.members.bands() for item in band.items if item.row == row
        ]
        assert item.badge == "!"
        assert "Outdated: the file was changed" in item.tooltip
        with qtbot.waitSignal(session.layer_refreshed, timeout=60_000):
            press(qtbot, banner, "again")
            answer(qtbot, window, "Run this file")
        qtbot.waitUntil(lambda: not banner.isVisible(), timeout=20_000)
        assert session.neuron == neuron
        assert "outdated" not in window.workspace.title.text()
        now = np.array(session.layer.activations)
        assert np.flatnonzero((now != before).any(axis=1)).tolist() == [row]
        top = session.layer.index.top(neuron, 90).images
        assert top.tolist() == np.argsort(-now[:, neuron], kind="stable").tolist()

    def test_images_that_are_gone_can_be_located_or_left_out(self, qtbot, window, extracted, images):
        (images / GONE).unlink()
        open_and_check(qtbot, window, extracted)
        banner = window.notices.outdated
        assert banner.text() == "Outdated: 1 image is gone since the activations were computed."
        assert banner.keys() == ("locate", "again", "details")
        with qtbot.waitSignal(window.projects.extraction.ended, timeout=60_000):
            press(qtbot, banner, "again")
            answer(qtbot, window, "Run this file")
        answer(qtbot, window, "Close")
        qtbot.waitUntil(lambda: not banner.isVisible(), timeout=20_000)
        assert [image.path for image in window.session.project.skipped_images()] == [GONE]

    def test_a_folder_that_is_away_is_said_and_found_again(self, qtbot, window, extracted, images):
        away = images.rename(images.with_name("away"))
        open_and_check(qtbot, window, extracted)
        banner = window.notices.outdated
        answer(qtbot, window, "Not now")
        assert "is not there at present" in banner.text()
        assert not banner.text().startswith("Outdated")
        assert banner.keys() == ("locate", "details")
        window.projects.relocate(away)
        qtbot.waitUntil(lambda: not banner.isVisible(), timeout=20_000)

    def test_the_details_list_every_file(self, qtbot, window, extracted, images):
        change(images)
        (images / GONE).unlink()
        open_and_check(qtbot, window, extracted)
        press(qtbot, window.notices.outdated, "details")
        (dialog,) = visible(window, ChangedFilesDialog)
        assert dialog.files == [
            (CHANGED, "changed since the activations were computed"),
            (GONE, "not there any more"),
        ]
        assert dialog.table.rowCount() == 2
        dialog.reject()
        window.projects.show_information()
        (about,) = visible(window, ProjectDialog)
        assert window.session.freshness.brief in [label.text() for label in about.findChildren(QLabel)]

    def test_what_is_only_read_cannot_be_computed_again(self, qtbot, window, extracted, images):
        change(images)
        with qtbot.waitSignals(
            [window.session.analysis_changed, window.session.freshness_changed], timeout=30_000
        ):
            window.projects.open(extracted, read_only=True)
        qtbot.waitUntil(window.notices.outdated.isVisible, timeout=20_000)
        assert window.notices.outdated.keys() == ("details",)


class TestContent:
    def check(self, qtbot, window):
        window.menus.actions["check_content"].trigger()
        return answer(qtbot, window, "Close").text()

    def test_contents_are_put_on_record_and_a_touched_file_is_the_same(
        self, qtbot, window, extracted, images
    ):
        open_and_check(qtbot, window, extracted)
        assert "The content of 90 images is on record from now on" in self.check(qtbot, window)
        touch(images / CHANGED)
        window.projects.freshness.check()
        qtbot.waitUntil(window.notices.outdated.isVisible, timeout=20_000)
        text = self.check(qtbot, window)
        assert text == "The content of 90 images was compared with what was read. None changed."
        assert not window.notices.outdated.isVisible()
        window.projects.freshness.check()
        qtbot.waitUntil(lambda: window.threads.aside.running is None, timeout=20_000)
        assert not window.notices.outdated.isVisible()

    def test_a_change_behind_an_old_date_is_found(self, qtbot, window, extracted, images):
        open_and_check(qtbot, window, extracted)
        self.check(qtbot, window)
        file = images / CHANGED
        status, data = file.stat(), bytearray(file.read_bytes())
        data[-20] ^= 1
        file.write_bytes(data)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        window.projects.freshness.check()
        qtbot.waitUntil(lambda: window.threads.aside.running is None, timeout=20_000)
        assert not window.notices.outdated.isVisible()
        window.menus.actions["check_content"].trigger()
        qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
        assert window.notices.outdated.text().startswith("Outdated: 1 image was changed")
        answer(qtbot, window, "Show which")
        (dialog,) = visible(window, ChangedFilesDialog)
        assert [path for path, _ in dialog.files] == [CHANGED]


class TestNetwork:
    @pytest.fixture
    def network_file(self, extracted):
        return extracted.parent / "tiny_network.py"

    def compare(self, qtbot, window):
        with qtbot.waitSignal(window.threads.long_work.job_ended, timeout=60_000):
            press(qtbot, window.notices.outdated, "compare")
            answer(qtbot, window, "Run this file")

    def test_a_changed_file_that_makes_the_same_network_is_taken(
        self, qtbot, window, extracted, network_file
    ):
        network_file.write_text(network_file.read_text() + "# a remark\n")
        open_and_check(qtbot, window, extracted)
        banner = window.notices.outdated
        assert "the Python file tiny_network.py was changed" in banner.text()
        assert banner.keys() == ("compare", "details")
        self.compare(qtbot, window)
        assert answer(qtbot, window, "Close").windowTitle() == "The network is the same"
        qtbot.waitUntil(lambda: not banner.isVisible(), timeout=20_000)

    def test_another_network_is_named_and_everything_computed_again_with_it(
        self, qtbot, window, extracted, network_file
    ):
        before = np.load(extracted / "activations" / f"{TINY_LAYER}.npy")
        # The same weights, used otherwise.
        network_file.write_text(network_file.read_text().replace("nn.ReLU(), nn.Conv", "nn.Tanh(), nn.Conv"))
        open_and_check(qtbot, window, extracted)
        window.session.neuron_names.rename(window.session.neuron, "stripes")
        banner = window.notices.outdated
        self.compare(qtbot, window)
        qtbot.waitUntil(lambda: "everything" in banner.keys(), timeout=20_000)  # noqa: SIM118
        assert f"its activations at layer {TINY_LAYER}" in banner.text()
        press(qtbot, banner, "everything")
        with qtbot.waitSignal(window.projects.extraction.ended, timeout=60_000):
            answer(qtbot, window, "Compute again")
        qtbot.waitUntil(lambda: not banner.isVisible(), timeout=20_000)
        qtbot.waitUntil(lambda: not np.array_equal(window.session.layer.activations, before), timeout=20_000)
        assert window.session.project.neuron_names(TINY_LAYER) == {window.session.neuron: "stripes"}

    def test_its_file_is_found_again_elsewhere(self, qtbot, window, extracted, network_file, tmp_path):
        moved = network_file.rename(tmp_path / "moved.py")
        other = tmp_path / "other.py"
        other.write_text("def build(): ...")
        open_and_check(qtbot, window, extracted)
        banner = window.notices.outdated
        assert banner.text() == "The Python file tiny_network.py is not there at present."
        assert banner.keys() == ("locate_network", "details")
        assert "outdated" not in window.workspace.title.text()
        press(qtbot, banner, "locate_network")
        (dialog,) = visible(window, QFileDialog)
        dialog.reject()
        window.projects.freshness.relocate_network("python", other)
        qtbot.waitUntil(lambda: bool(visible(window, ErrorDialog)), timeout=20_000)
        (dialog,) = visible(window, ErrorDialog)
        assert "another content" in dialog._sentence.text()
        dialog.reject()
        window.projects.freshness.relocate_network("python", moved)
        qtbot.waitUntil(lambda: not banner.isVisible(), timeout=20_000)
        assert window.session.project.model_source.architecture == f"{moved}:build"

    def test_changed_images_are_not_mixed_with_those_of_another_network(
        self, qtbot, window, extracted, network_file, images
    ):
        network_file.write_text(network_file.read_text().replace("manual_seed(0)", "manual_seed(1)"))
        change(images)
        open_and_check(qtbot, window, extracted)
        press(qtbot, window.notices.outdated, "again")
        answer(qtbot, window, "Run this file")
        qtbot.waitUntil(lambda: bool(visible(window, ErrorDialog)), timeout=60_000)
        assert "Compute everything again" in visible(window, ErrorDialog)[0]._sentence.text()
        assert window.session.project.layer(TINY_LAYER).complete


class TestTrouble:
    @pytest.fixture
    def gate(self, monkeypatch, images):
        gate = BatchGate(monkeypatch, images)
        yield gate
        gate.open()

    @pytest.fixture
    def running(self, qtbot, window, tmp_path, images, gate):
        """The window with an extraction that has two blocks on disk."""
        window.projects.open(new_project(tmp_path, images))
        answer(qtbot, window, "Continue")
        answer(qtbot, window, "Run this file")
        gate.allow(2)
        qtbot.waitUntil(lambda: window.session.project.layers != (), timeout=60_000)
        qtbot.waitUntil(lambda: window.session.project.layers[0].n_done >= 32, timeout=60_000)
        return window

    def wait_sentence(self, qtbot, window):
        qtbot.waitUntil(lambda: bool(visible(window, ErrorDialog)), timeout=60_000)
        (dialog,) = visible(window, ErrorDialog)
        sentence = dialog._sentence.text()
        dialog.reject()
        return sentence

    def finish(self, qtbot, window):
        """Continue from the page that the window shows now."""
        assert window.stack.currentWidget() is window.unfinished
        assert window.unfinished.action_button.text() == "Continue extraction"
        with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
            qtbot.mouseClick(window.unfinished.action_button, Qt.MouseButton.LeftButton)
        assert window.session.project.skipped_images() == ()
        assert np.isfinite(window.session.layer.activations).all()
        assert window.session.layer.n_rows == 90

    def test_a_drive_that_is_unplugged(self, qtbot, running, gate, images):
        away = images.rename(images.with_name("away"))
        gate.open()
        assert "connect its drive" in self.wait_sentence(qtbot, running)
        away.rename(images)
        self.finish(qtbot, running)

    def test_a_full_disk(self, qtbot, running, gate, monkeypatch):
        def full(file_descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(store.os, "fsync", full)
            gate.open()
            assert "the disk is full" in self.wait_sentence(qtbot, running)
        assert "the disk is full" in running.unfinished.text()
        self.finish(qtbot, running)
