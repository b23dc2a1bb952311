"""The comparison of both precisions: overlaps by hand, on planted data and against plain sets."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from backend.activations import precision
from backend.activations.inference import BatchOfImages, Inference
from backend.activations.precision_check import SAMPLE_IMAGES, check_precision, layer_overlap
from backend.activations.precision_check_result import LayerOverlap, PrecisionCheck, precision_text
from backend.errors import ExtractionError, ModelError
from backend.images import find_images
from backend.task import Cancelled, SilentTask
from tests.backend.small_networks import loaded
from tests.backend.small_projects import network, write_images


@pytest.fixture(autouse=True)
def bfloat16(monkeypatch):
    """Every processor can compute in it, most of them slowly."""
    monkeypatch.setattr(precision, "_instructions", lambda: {"avx512_bf16": True})


@pytest.fixture
def images(tmp_path):
    """48 images of coloured noise."""
    found = find_images(write_images(tmp_path / "images", per_class=16))
    return [found.root / path for path in found.paths]


def columns(*neurons):
    return np.array(neurons, np.float32).T


class TestOverlap:
    def test_by_hand(self):
        float32 = columns([9, 8, 7, 3, 2, 1], [1, 2, 3, 4, 5, 6], [6, 1, 5, 2, 4, 3])
        #                  all three stay      5 and 6 stay         none but the first stays
        fast = columns([9, 7, 8, 3, 2, 1], [7, 2, 3, 1, 5, 6], [6, 5, 1, 5, 1, 1])
        found = layer_overlap("late", float32, fast, 3)
        assert found == LayerOverlap("late", 3, 3, pytest.approx((1 + 2 / 3 + 1 / 3) / 3), 2, 1 / 3)

    def test_neurons_whose_top_images_float32_does_not_tell_apart_do_not_count(self):
        float32 = columns(
            [0, 0, 0, 0, 0],  # dead
            [4, 4, 4, 4, 4],  # constant
            [0, 3, 0, 0, 0],  # active in one image, of a top 2
            [6, 6, 6, 1, 0],  # three share the largest value
            [5, 5, 4, 1, 0],  # two do, and are the top 2
            [1, 2, 3, 4, 5],
        )
        fast = float32[::-1].copy()
        fast[:, 4] = float32[:, 4]
        found = layer_overlap("late", float32, fast, 2)
        assert (found.n_neurons, found.n_ranked) == (6, 2)
        assert (found.mean_overlap, found.worst_neuron, found.worst_overlap) == (0.5, 5, 0.0)

    def test_a_neuron_that_dies_in_fast_loses_all_but_what_ties_give_it_by_place(self):
        float32 = columns([1, 2, 3, 4, 5, 6], [6, 1, 2, 3, 4, 5])
        found = layer_overlap("late", float32, np.zeros_like(float32), 2)
        # The first two images stand for the top 2 of zeros.
        assert (found.mean_overlap, found.worst_neuron, found.worst_overlap) == (0.25, 0, 0.0)

    def test_values_that_are_not_finite_rank_last(self):
        float32 = columns([1, 2, 3, 4])
        assert layer_overlap("late", float32, columns([1, 2, np.nan, np.inf]), 2).mean_overlap == 0.0
        assert layer_overlap("late", float32, columns([1, 2, 3, np.nan]), 2).mean_overlap == 0.5

    def test_a_layer_without_any_order(self):
        dead = np.zeros((5, 3), np.float32)
        found = layer_overlap("late", dead, dead, 2)
        assert found == LayerOverlap("late", 3, 0, None, None, None)
        assert found.sentence == "late: no neuron tells its top images apart in this sample."

    def test_against_plain_sets(self):
        rng = np.random.default_rng(3)
        float32 = np.maximum(rng.normal(size=(90, 40)), 0).astype(np.float32)
        fast = (float32 + rng.normal(scale=0.2, size=float32.shape)).round(1).astype(np.float32)
        found = layer_overlap("late", float32, fast, 7)
        overlaps = []
        for one, other in zip(float32.T.tolist(), fast.T.tolist(), strict=True):
            tops = [
                set(sorted(range(90), key=lambda row, values=values: (-values[row], row))[:7])
                for values in (one, other)
            ]
            overlaps.append(len(tops[0] & tops[1]) / 7)
        assert (found.n_ranked, found.mean_overlap) == (40, pytest.approx(np.mean(overlaps)))
        assert (found.worst_neuron, found.worst_overlap) == (int(np.argmin(overlaps)), min(overlaps))


class TestMeasuring:
    def test_what_bfloat16_cannot_tell_apart_is_found(self, tmp_path):
        """Neuron 0 keeps its order; that of neuron 1 lies below the digits of bfloat16; neuron 2 is dead."""
        paths = []
        for shade in range(64):
            paths.append(tmp_path / f"{shade:02d}.png")
            Image.new("RGB", (8, 8), (3 * shade,) * 3).save(paths[-1])
        convolution = nn.Conv2d(3, 3, 1)
        convolution.weight.data[:] = torch.tensor([1.0, 1.0, 0.0]).view(3, 1, 1, 1)
        convolution.bias.data[:] = torch.tensor([0.0, 4096.0, -1.0])
        model = loaded(nn.Sequential(convolution, nn.ReLU()), 8)
        check = check_precision(model, paths, ["1"], n_workers=2)
        assert (check.n_images, check.top_n) == (64, 4)
        (layer,) = check.layers
        # At 4096 the next value of bfloat16 is 32 away: all images tie, and the darkest come first by place.
        assert layer == LayerOverlap("1", 3, 2, 0.5, 1, 0.0)

    def test_the_overlap_is_that_of_two_extractions(self, images):
        model = network()
        found = {}
        for which in ("float32", "fast"):
            inference = Inference(model, ["early", "late"], {"late": "max"}, precision=which)
            batches = [BatchOfImages(range(len(images)), ("early", "late"))]
            (found[which],) = inference.read(batches, images.__getitem__)
        check = check_precision(model, images, ["early", "late"], {"late": "max"}, n_workers=2)
        assert (check.n_images, check.top_n) == (48, 3)
        for layer in check.layers:
            tops = [
                np.argsort(-found[which].activations[layer.layer], axis=0, kind="stable")[:3]
                for which in ("float32", "fast")
            ]
            overlaps = [
                len({*one.tolist()} & {*other.tolist()}) / 3
                for one, other in zip(tops[0].T, tops[1].T, strict=True)
            ]
            assert layer.n_ranked == len(overlaps)
            assert layer.mean_overlap == pytest.approx(np.mean(overlaps))
            assert layer.worst_overlap == pytest.approx(min(overlaps))
        assert [layer.layer for layer in check.layers] == ["early", "late"]
        assert min(check.float32_images_per_second, check.fast_images_per_second) > 0
        assert check.decoding_images_per_second > 0

    def test_a_sample_is_drawn_by_its_seed_from_all_of_the_images(self, images, monkeypatch):
        import backend.activations.precision_check as module

        read = []
        decode = module.preprocess_image
        monkeypatch.setattr(
            module, "preprocess_image", lambda path, how: (read.append(path), decode(path, how))[1]
        )
        samples = []
        for seed in (0, 0, 1):
            read.clear()
            check = check_precision(network(), images, ["late"], max_images=20, seed=seed, n_workers=1)
            assert check.n_images == 20
            samples.append(list(read))
        assert samples[0] == samples[1] != samples[2]
        assert len(set(samples[0])) == 20
        assert samples[0] == sorted(samples[0])
        assert max(images.index(path) for path in samples[0]) > 30
        assert 256 <= SAMPLE_IMAGES <= 512

    def test_images_that_cannot_be_read_are_left_out(self, images):
        images[3].write_bytes(b"")
        images[7].unlink()
        check = check_precision(network(), images[:18], ["late"], n_workers=2)
        assert (check.n_images, check.top_n) == (16, 1)
        assert check.says_little
        assert check.sentence.endswith("So few images say little.")

    def test_an_order_needs_two_images(self, images):
        images[0].write_bytes(b"")
        with pytest.raises(ExtractionError, match="at least two images, but 1 of them"):
            check_precision(network(), images[:2], ["late"])
        with pytest.raises(ExtractionError, match="none of them could be read"):
            check_precision(network(), images[:1], ["late"])
        with pytest.raises(ExtractionError, match="none of them"):
            check_precision(network(), [], ["late"])

    def test_bad_layers_no_fast_and_cancelling(self, images, monkeypatch):
        with pytest.raises(ModelError, match="no layer 'lat'"):
            check_precision(network(), images, ["lat"])
        with pytest.raises(ExtractionError, match="No layer"):
            check_precision(network(), images, [])

        class Stopping(SilentTask):
            def check_cancelled(self):
                raise Cancelled

        with pytest.raises(Cancelled):
            check_precision(network(), images, ["late"], task=Stopping())
        monkeypatch.setattr(precision, "_instructions", dict)
        with pytest.raises(ExtractionError, match="does not compute in bfloat16"):
            check_precision(network(), images, ["late"])

    def test_images_whose_float32_is_not_finite_do_not_count(self, tmp_path):
        paths = []
        for shade in range(40):
            paths.append(tmp_path / f"{shade:02d}.png")
            Image.new("RGB", (8, 8), (6 * shade,) * 3).save(paths[-1])

        class Diverging(nn.Module):
            def forward(self, maps):
                return torch.where(maps > 1, torch.full_like(maps, torch.inf), maps)

        convolution = nn.Conv2d(3, 2, 1)
        convolution.weight.data[:] = torch.tensor([1 / 3, 1 / 3]).view(2, 1, 1, 1)
        convolution.bias.data[:] = 0.0
        check = check_precision(loaded(nn.Sequential(convolution, Diverging()), 8), paths, ["1"], n_workers=1)
        # Those above 0.75 of white are infinite, which would all tie; the others keep their order.
        assert (check.layers[0].n_ranked, check.layers[0].mean_overlap) == (2, 1.0)


class TestResult:
    CHECK = PrecisionCheck(
        n_images=384,
        top_n=24,
        layers=(
            LayerOverlap("late", 100, 90, 0.9312, 17, 0.75),
            LayerOverlap("early", 4, 4, 0.99999, 2, 23 / 24),
        ),
        float32_images_per_second=20.0,
        fast_images_per_second=50.0,
        decoding_images_per_second=100.0,
    )

    def test_speed_ups(self):
        assert self.CHECK.speed_up == 2.5
        # 10 + 50 ms an image against 10 + 20 ms on the same cores.
        assert self.CHECK.extraction_speed_up == pytest.approx(2.0)
        values = {**self.CHECK.to_dict(), "device": "cuda", "fast_images_per_second": 400.0}
        # Beside a device the cores decode meanwhile, and are what it waits for.
        assert PrecisionCheck.from_dict(values).extraction_speed_up == pytest.approx(5.0)

    def test_it_is_said_in_words(self):
        assert self.CHECK.sentence == (
            "On 384 of these images, this much of each neuron's top 24 stays the same with “fast”: "
            "late: 93.1 % on average, 75.0 % for the worst, neuron 17 (10 of 100 neurons do not count: "
            "silent on too many images, or as strong on several). early: 99.9 % on average, "
            "95.8 % for the worst, neuron 2. "
            "The network runs 2.5 times as fast (20 → 50 images/s), the whole extraction 2.0 times."
        )
        assert precision_text("early", "float32", None) == ""
        assert "not measured" in precision_text("early", "fast", None)
        one = self.CHECK.of_layer("early")
        assert precision_text("early", "fast", one).startswith(
            "early was computed in the precision “fast”. On 384 of these images, this much of each neuron's "
            "top 24 stays the same with “fast”: 99.9 % on average"
        )

    def test_json_and_back(self):
        assert PrecisionCheck.from_dict(json.loads(json.dumps(self.CHECK.to_dict()))) == self.CHECK
        for damaged in ({}, {"layers": []}, {**self.CHECK.to_dict(), "layers": [{"name": "late"}]}):
            with pytest.raises((KeyError, TypeError)):
                PrecisionCheck.from_dict(damaged)

    def test_of_one_layer(self):
        one = self.CHECK.of_layer("early")
        assert [layer.layer for layer in one.layers] == ["early"]
        assert one.speed_up == self.CHECK.speed_up
        assert self.CHECK.of_layer("head") is None
