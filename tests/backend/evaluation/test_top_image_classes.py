"""Classes among top images, against counting by hand."""

from collections import Counter

import numpy as np
import pytest

import backend.evaluation.top_image_classes as module
from backend.evaluation.top_image_classes import top_image_classes
from backend.neuron_index_builder import NeuronIndexBuilder
from backend.task import Cancelled


def make_index(activations, k):
    builder = NeuronIndexBuilder(activations.shape[1], k)
    builder.update(0, activations)
    return builder.finish()


@pytest.fixture
def activations():
    values = np.random.default_rng(4).normal(0.3, 1, (300, 23)).astype(np.float32)
    values = np.maximum(values, 0)
    values[:, 7] = 0
    values[5:, 8] = 0
    return values


@pytest.fixture
def labels():
    classes = ["tench", "apple", None, "Zebra", "crab apple"]
    return tuple(classes[number] for number in np.random.default_rng(5).integers(0, 5, 300))


def expected(activations, labels, n_top, k):
    """Count with Python's own sorting, image by image."""
    found = {name: [] for name in sorted({label for label in labels if label is not None})}
    for neuron in range(activations.shape[1]):
        order = sorted(range(len(labels)), key=lambda row: (-activations[row, neuron], row))[:n_top]
        counts = Counter(labels[row] for row in order if activations[row, neuron] > 0)
        for name in found:
            if counts[name]:
                found[name].append((-counts[name], neuron))
    return {name: [(neuron, -count) for count, neuron in sorted(pairs)[:k]] for name, pairs in found.items()}


@pytest.mark.parametrize("at_once", [1 << 22, 9])
@pytest.mark.parametrize(("n_top", "k"), [(40, 5), (1, 3), (60, 50)])
def test_the_neurons_where_a_class_is_most_frequent(activations, labels, n_top, k, at_once, monkeypatch):
    monkeypatch.setattr(module, "_COUNTED_AT_ONCE", at_once)
    found = top_image_classes(make_index(activations, 60), labels, n_top, k=k)
    truth = expected(activations, labels, n_top, k)
    assert list(found.classes) == list(truth)
    for number, name in enumerate(found.classes):
        kept = found.neurons[number] >= 0
        pairs = list(
            zip(found.neurons[number][kept].tolist(), found.counts[number][kept].tolist(), strict=True)
        )
        assert pairs == truth[name]
        assert not found.counts[number][~kept].any()
    assert not found.neurons.flags.writeable


def test_no_more_top_images_than_the_index_holds(activations, labels):
    index = make_index(activations, 20)
    assert top_image_classes(index, labels, 100).n_top == 20


def test_images_without_classes_give_none(activations):
    found = top_image_classes(make_index(activations, 20), [None] * 300, 10)
    assert found.classes == () and found.neurons.shape[0] == 0


def test_it_can_be_cancelled(activations, labels):
    class Task:
        def progress(self, done, total, message=""):
            pass

        def partial(self, result):
            pass

        def check_cancelled(self):
            raise Cancelled

    with pytest.raises(Cancelled):
        top_image_classes(make_index(activations, 20), labels, 10, task=Task())
