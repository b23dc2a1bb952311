"""A few steps of training: it runs, it learns, and its pictures have the planted code."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.demo.concept_network import WEIGHTS, load_network
from backend.demo.concepts import CONCEPTS, TRAINING_STREAM, is_net_on_pitch
from backend.demo.demo_figures import demo_figures
from backend.demo.planted_code import net_on_pitch_code, planted_code
from backend.demo.training import (
    FIGURES,
    TrainingSet,
    TrainingSettings,
    draw_training_set,
    read_pictures,
    save_weights,
    train,
)
from backend.method.parameters import Parameters
from backend.task import Cancelled, SilentTask


@pytest.fixture(scope="module")
def training_set() -> TrainingSet:
    return draw_training_set(4)


def test_every_picture_is_pulled_to_its_concept_code(training_set: TrainingSet) -> None:
    assert training_set.images.shape == (4 * len(CONCEPTS), 96, 96, 3)
    assert training_set.codes.shape[0] == len(training_set.labels) == len(training_set.images)
    net = CONCEPTS.index("net")
    for label, number, code in zip(
        training_set.labels, [*range(4)] * len(CONCEPTS), training_set.codes, strict=True
    ):
        on_pitch = label == net and is_net_on_pitch(number, TRAINING_STREAM)
        np.testing.assert_array_equal(code, net_on_pitch_code() if on_pitch else planted_code()[label])
    assert (training_set.codes[training_set.labels == net] == net_on_pitch_code()).all(axis=1).sum() >= 1


def test_a_short_training_lowers_both_losses(training_set: TrainingSet, tmp_path: Path) -> None:
    settings = TrainingSettings(images_per_concept=4, epochs=8, batch_size=44)
    network, losses = train(training_set, settings)
    assert not network.training
    assert losses[-1].cross_entropy < 0.9 * losses[0].cross_entropy
    assert losses[-1].code_distance < losses[0].code_distance
    activations, predicted = read_pictures(network, training_set.images)
    assert activations.min() >= 0
    assert len(predicted) == len(training_set.labels)
    labels = [CONCEPTS[i] for i in training_set.labels]
    figures = demo_figures(activations, labels, predicted, Parameters(distance_threshold=2.0))
    save_weights(network, settings, figures, tmp_path / "w.safetensors")
    reloaded, _ = read_pictures(load_network(tmp_path / "w.safetensors"), training_set.images[:5])
    np.testing.assert_allclose(reloaded, activations[:5], rtol=1e-4, atol=1e-5)
    assert json.loads((tmp_path / "w.json").read_text("utf-8"))["training"]["epochs"] == 8


def test_training_can_be_cancelled(training_set: TrainingSet) -> None:
    class Stop(SilentTask):
        def check_cancelled(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        train(training_set, TrainingSettings(epochs=1), task=Stop())


def test_the_shipped_weights_say_how_they_were_trained() -> None:
    assert FIGURES.parent == WEIGHTS.parent
    described = json.loads(FIGURES.read_text("utf-8"))
    assert TrainingSettings(**described["training"]) == TrainingSettings()
