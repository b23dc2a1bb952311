"""The demo project on a few pictures: made, continued, opened again; and its report."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.demo import demo_project
from backend.demo.concept_network import LAYER, load_network
from backend.demo.concepts import CONCEPTS
from backend.demo.demo_project import TOUR, TOUR_NEURON, ensure_demo_project
from backend.demo.demo_report import write_demo_report
from backend.demo.planted_code import APPLE_AND_PITCH_NEURON
from backend.demo.training import read_pictures
from backend.errors import ModelError, ProjectError
from backend.image_files.image_preprocessing import preprocess_image
from backend.task import Cancelled, SilentTask

PER_CONCEPT = 2
N_IMAGES = PER_CONCEPT * len(CONCEPTS)


class CancelWhen(SilentTask):
    """Cancels as soon as a message contains a word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.messages: list[str] = []

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.messages.append(message)

    def check_cancelled(self) -> None:
        if any(self.word in message for message in self.messages):
            raise Cancelled


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_project, "PICTURES_PER_CONCEPT", PER_CONCEPT)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_project, "PICTURES_PER_CONCEPT", PER_CONCEPT)
        ensure_demo_project(folder).close()
    return folder


def test_activations_are_the_networks(demo: Path) -> None:
    with ensure_demo_project(demo) as project:
        assert project.n_images == N_IMAGES
        assert sorted(set(project.image_labels)) == list(CONCEPTS)
        assert project.suggestion(LAYER) is not None
        assert project.layer(LAYER).complete
        stored = np.array(project.activations(LAYER)[:20])
        pixels = np.stack(
            [preprocess_image(project.image_path(row), project.preprocessing) for row in range(20)]
        )
    expected, _ = read_pictures(load_network(), pixels)
    np.testing.assert_allclose(stored, expected, rtol=1e-3, atol=1e-4)


def test_the_tour_begins_with_apples_and_pitches_and_names_no_concept(demo: Path) -> None:
    assert TOUR_NEURON == APPLE_AND_PITCH_NEURON
    with ensure_demo_project(demo) as project:
        assert project.neuron_names(LAYER) == {stop.neuron: stop.title for stop in TOUR}
        assert project.named_concepts() == ()
    shown = " ".join(stop.title + stop.text for stop in TOUR)
    assert not [name for name in CONCEPTS if name in shown.split()]


def test_what_the_user_changed_stays(tmp_path: Path) -> None:
    with ensure_demo_project(tmp_path) as project:
        project.set_neuron_name(LAYER, TOUR_NEURON, "mine")
    with ensure_demo_project(tmp_path) as project:
        assert project.neuron_names(LAYER)[TOUR_NEURON] == "mine"


@pytest.mark.parametrize("moment", ["Drawing", "Loading"])
def test_a_cancelled_run_is_continued(tmp_path: Path, moment: str) -> None:
    with pytest.raises(Cancelled):
        ensure_demo_project(tmp_path, task=CancelWhen(moment))
    with ensure_demo_project(tmp_path) as project:
        assert project.n_images == N_IMAGES
        assert project.layer(LAYER).complete
        assert np.isfinite(project.activations(LAYER)).all()


def test_a_lost_picture_is_drawn_again(demo: Path) -> None:
    lost = demo / "pictures" / "web" / "web-0001.jpg"
    before = lost.read_bytes()
    lost.unlink()
    ensure_demo_project(demo).close()
    assert lost.read_bytes() == before


def test_another_versions_demo_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_demo_project(tmp_path).close()
    monkeypatch.setattr(demo_project, "WORLD_VERSION", demo_project.WORLD_VERSION + 1)
    with pytest.raises(ProjectError, match="another folder"):
        ensure_demo_project(tmp_path)


def test_a_finished_demo_opens_without_torch(demo: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from backend.demo import demo_project as d\n"
        f"d.PICTURES_PER_CONCEPT = {PER_CONCEPT}\n"
        "p = d.ensure_demo_project(Path(sys.argv[1])); p.close()\n"
        "print(sorted({'torch', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(demo)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_report_has_figures_beside_targets(demo: Path, tmp_path: Path) -> None:
    report = write_demo_report(tmp_path / "report", demo_folder=demo)
    text: list[str] = []

    class Text(HTMLParser):
        def handle_data(self, data: str) -> None:
            text.append(data)

    Text().feed(report.read_text("utf-8"))
    shown = " ".join(text)
    assert "planted" in shown
    assert "check the tool, and not the method" in shown
    figures = json.loads((tmp_path / "report" / "figures.json").read_text("utf-8"))
    assert figures["images"] == N_IMAGES
    for target in figures["targets"]:
        assert target["required"] in shown
        assert target["measured"] in shown
    for stop in TOUR:
        assert f"Neuron {stop.neuron}" in shown
    # With two pictures of each concept no neuron can fill its top 100 with one: said, not hidden.
    missed = [target for target in figures["targets"] if not target["reached"]]
    assert "Monosemantic neurons that stay one cluster" in [target["name"] for target in missed]
    assert "missed" in shown


def test_accuracy_in_the_report_is_that_of_the_whole_network(demo: Path, tmp_path: Path) -> None:
    write_demo_report(tmp_path, demo_folder=demo)
    with ensure_demo_project(demo) as project:
        pixels = np.stack(
            [preprocess_image(project.image_path(r), project.preprocessing) for r in range(N_IMAGES)]
        )
        labels = project.image_labels
    batch = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.25
    with torch.inference_mode():
        right = np.mean(
            [CONCEPTS[i] == n for i, n in zip(load_network()(batch).argmax(1), labels, strict=True)]
        )
    assert json.loads((tmp_path / "figures.json").read_text("utf-8"))["accuracy"] == pytest.approx(right)


def test_without_the_network_nothing_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_project, "WEIGHTS", tmp_path / "absent.safetensors")
    with pytest.raises(ModelError, match=r"absent\.safetensors\. Install Neuron Prism again"):
        ensure_demo_project(tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []
