"""The precision ``fast``: when there is one, how near it comes to float32, and that float32 stays apart."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from backend.activations import precision
from backend.activations.inference import Inference
from backend.activations.precision import fast_unavailable_reason, require_precision
from backend.errors import ExtractionError
from backend.networks.bfloat16_weights import with_bfloat16_weights
from backend.networks.torchvision_import import import_torchvision
from tests.backend.small_networks import WithBranches, loaded, torchvision_network

# Of bfloat16: half the distance of two values, relative to them.
ROUNDING = 2.0**-8


@pytest.fixture
def bfloat16(monkeypatch):
    """Every processor can compute in it, most of them slowly."""
    monkeypatch.setattr(precision, "_instructions", lambda: {"avx512_bf16": True})


def small_vision_transformer():
    torch.manual_seed(0)
    transformer = import_torchvision().models.VisionTransformer
    return transformer(64, patch_size=16, num_layers=3, num_heads=4, hidden_dim=64, mlp_dim=128)


def pixels(size=64, n=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


def read(model, layer, which, images, **options):
    inference = Inference(model, [layer], n_workers=1, precision=which, device=torch.device("cpu"), **options)
    (found,) = inference.read_decoded([images], (layer,))
    return found[layer]


@pytest.mark.parametrize(
    ("instructions", "available"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True, "avx512_bf16": False}, True),
        ({"bf16": True}, True),
        ({"avx2": True, "avx512_f": True, "avx512_vnni": True}, False),
        ({"avx512_bf16": False, "amx_bf16": False}, False),
        ({}, False),
    ],
)
def test_the_processor_must_compute_in_bfloat16(monkeypatch, instructions, available):
    monkeypatch.setattr(precision, "_instructions", lambda: instructions)
    reason = fast_unavailable_reason("cpu")
    if available:
        assert reason == ""
        require_precision("fast", "cpu")
    else:
        assert "this processor does not compute in bfloat16" in reason
        with pytest.raises(ExtractionError, match=r"does not compute in bfloat16.*Choose “float32”"):
            require_precision("fast", "cpu")
    require_precision("float32", "cpu")


@pytest.mark.usefixtures("bfloat16")
def test_a_build_without_onednn_has_no_fast(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert "no oneDNN" in fast_unavailable_reason("cpu")


def test_there_is_no_other_precision():
    with pytest.raises(ExtractionError, match="no precision 'float16': choose 'float32' or 'fast'"):
        require_precision("float16", "cpu")


def test_what_this_processor_has_is_found():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        flags = cpuinfo.read_text().split()
        assert bool(precision._instructions().get("avx512_bf16")) == ("avx512_bf16" in flags)
        assert bool(precision._instructions().get("amx_bf16")) == ("amx_bf16" in flags)


class TestValues:
    @pytest.mark.usefixtures("bfloat16")
    def test_a_convolution_is_rounded_to_bfloat16_and_pooled_in_float32(self):
        torch.manual_seed(0)
        model = loaded(nn.Sequential(nn.Conv2d(3, 16, 1)), 32)
        images = pixels(32)
        fast = read(model, "0", "fast", images).astype(np.float64)
        inputs = (images / 255 - 0.5) / 0.25  # (B, H, W, 3)
        weights = model.module[0].weight.double().numpy()[:, :, 0, 0]
        bias = model.module[0].bias.double().numpy()
        exact = inputs @ weights.T + bias
        # Input, weight and output are rounded once each.
        allowed = 2.5 * ROUNDING * (np.abs(inputs) @ np.abs(weights).T + np.abs(bias))
        error = np.abs(fast - exact.mean(axis=(1, 2)))
        assert (error <= allowed.mean(axis=(1, 2))).all()
        # It is bfloat16 indeed: float32 would be a thousand times nearer.
        assert error.max() > 1e-5
        assert np.abs(read(model, "0", "float32", images) - exact.mean(axis=(1, 2))).max() < 1e-6
        # And what is pooled is no longer rounded to the 8 bits of bfloat16.
        assert (torch.from_numpy(fast).to(torch.bfloat16).double().numpy() != fast).mean() > 0.9

    @pytest.mark.usefixtures("bfloat16")
    @pytest.mark.parametrize(
        ("build", "layer"),
        [
            (partial(torchvision_network, "mobilenet_v2"), "features.18"),
            (small_vision_transformer, "encoder.layers.encoder_layer_1"),
            (partial(torchvision_network, "swin_t"), "features.1"),
        ],
    )
    def test_networks_come_near_their_float32(self, build, layer):
        model = loaded(build())
        images = pixels()
        reference = read(model, layer, "float32", images)
        fast = read(model, layer, "fast", images)
        assert fast.dtype == np.float32
        error = np.linalg.norm(fast - reference) / np.linalg.norm(reference)
        assert 1e-5 < error < 0.03

    @pytest.mark.usefixtures("bfloat16")
    def test_batch_norms_that_cannot_be_fused_work_too(self):
        torch.manual_seed(0)
        model = loaded(WithBranches())
        reference, fast = (read(model, "head", one, pixels()) for one in ("float32", "fast"))
        assert 0 < np.abs(fast - reference).max() < 0.05 * np.abs(reference).max()

    @pytest.mark.usefixtures("bfloat16")
    def test_float32_stays_as_it_is_byte_for_byte(self):
        model = loaded(torchvision_network("mobilenet_v2"))
        before = {name: value.numpy().tobytes() for name, value in model.module.state_dict().items()}
        plain = Inference(model, ["features.7"], n_workers=1, device=torch.device("cpu"))
        (first,) = plain.read_decoded([pixels()], ("features.7",))
        read(model, "features.7", "fast", pixels())
        (second,) = plain.read_decoded([pixels()], ("features.7",))
        named = read(model, "features.7", "float32", pixels())
        assert first["features.7"].tobytes() == second["features.7"].tobytes() == named.tobytes()
        assert {n: v.numpy().tobytes() for n, v in model.module.state_dict().items()} == before
        assert not torch.is_autocast_enabled("cpu")

    @pytest.mark.usefixtures("bfloat16")
    def test_the_number_of_workers_changes_nothing(self):
        model = loaded(torchvision_network("mobilenet_v2"))
        batches = [pixels(seed=seed) for seed in range(6)]
        one, three = (
            Inference(
                model, ["features.7"], n_workers=n, precision="fast", device=torch.device("cpu")
            ).read_decoded(batches, ("features.7",))
            for n in (1, 3)
        )
        assert [x["features.7"].tobytes() for x in one] == [x["features.7"].tobytes() for x in three]


class TestRoundedWeights:
    def test_they_are_rounded_to_nearest_in_a_copy(self):
        model = torchvision_network("mobilenet_v2")
        rounded = with_bfloat16_weights(model)
        weight, original = rounded.features[0][0].weight, model.features[0][0].weight
        assert (weight.dtype, original.dtype) == (torch.bfloat16, torch.float32)
        error = (weight.float() - original).abs() / original.abs()
        assert 0 < error.max() <= ROUNDING
        # What is not multiplied is shared.
        norm = "features.0.1.running_mean"
        assert rounded.state_dict()[norm].data_ptr() == model.state_dict()[norm].data_ptr()

    @pytest.mark.parametrize(
        "name", ["mobilenet_v2", "densenet121", "squeezenet1_1", "shufflenet_v2_x0_5", "resnet18"]
    )
    def test_rounding_them_once_is_rounding_them_on_every_pass(self, name):
        model = torchvision_network(name).requires_grad_(False)
        batch = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(model(batch), with_bfloat16_weights(model)(batch))

    def test_weights_that_a_hook_computes_are_left_to_it(self):
        layer = nn.Conv2d(3, 4, 1)
        layer.register_forward_pre_hook(lambda module, _: module.weight.data.mul_(0.5))
        rounded = with_bfloat16_weights(nn.Sequential(layer))
        assert rounded[0].weight.dtype == torch.float32

    def test_a_network_that_cannot_be_copied_stays(self):
        class Single(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Conv2d(3, 4, 1)

            def __deepcopy__(self, memo):
                raise TypeError("there is one only")

        model = Single()
        assert with_bfloat16_weights(model) is model

    @pytest.mark.usefixtures("bfloat16")
    def test_a_network_that_needs_its_weights_in_float32_gets_them(self):
        class Numeric(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Linear(1, 1)
                self.head = nn.Conv2d(3, 4, 1)

            def forward(self, images):
                # NumPy has no bfloat16.
                return self.head(images) * float(self.scale.weight.numpy().sum())

        torch.manual_seed(0)
        model = loaded(Numeric(), 32)
        reference, fast = (read(model, "head", one, pixels(32)) for one in ("float32", "fast"))
        assert 0 < np.abs(fast - reference).max() < 0.05 * np.abs(reference).max()
