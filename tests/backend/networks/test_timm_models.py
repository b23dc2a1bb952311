import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from backend.errors import ModelError
from backend.image_files.image_preprocessing import preprocess_image
from backend.models import load_model, timm_names
from backend.networks.batch_norm_fusion import prepare_for_inference
from backend.networks.layer_listing import choose_poolings, example_input, list_layers
from backend.networks.layer_reader import LayerReader
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.networks.normalisation import normalise
from backend.networks.timm_models import timm_preprocessing
from backend.networks.torchvision_import import import_torchvision
from tests.backend.small_networks import outputs_of, with_trained_batch_norm

needs_timm = pytest.mark.skipif(
    importlib.util.find_spec("timm") is None, reason="timm is not installed: pip install neuron-prism[timm]"
)


def _timm() -> ModuleType:
    import_torchvision()
    import timm

    return timm


def _network(name: str, **arguments: object) -> nn.Module:
    torch.manual_seed(0)
    return with_trained_batch_norm(_timm().create_model(name, pretrained=False, **arguments)).eval()


def _loaded(folder: Path, name: str, **arguments: object) -> tuple[LoadedModel, nn.Module]:
    """Save a network of timm with random weights and load it as a user's file."""
    network = _network(name, **arguments)
    torch.save(network.state_dict(), folder / "mine.pth")
    return load_model(ModelSource(f"timm:{name}", str(folder / "mine.pth"))), network


def test_without_timm_a_model_of_it_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None)
    with pytest.raises(
        ModelError, match="'timm:resnet10t' is a model of the package timm, which is not inst"
    ):
        load_model(ModelSource("timm:resnet10t", "mine.pth"))


@needs_timm
def test_names_have_a_prefix_that_keeps_them_apart_from_torchvisions() -> None:
    names = timm_names()
    assert {"timm:resnet50", "timm:vit_base_patch16_224"} <= set(names)
    assert list(names) == sorted(names)
    source = ModelSource("timm:resnet50")
    assert source.is_timm
    assert not source.is_python_factory
    assert not ModelSource("resnet50").is_timm


@needs_timm
def test_a_model_from_a_file_has_its_weights_and_its_own_preprocessing(tmp_path: Path) -> None:
    model, network = _loaded(tmp_path, "test_resnet")
    data = _timm().data.resolve_model_data_config(network)
    expected = Preprocessing(
        input_size=160,
        resize_size=int(160 / data["crop_pct"]),
        mean=data["mean"],
        std=data["std"],
        interpolation=data["interpolation"],
    )
    assert model.preprocessing == expected
    assert model.class_names is not None
    assert (len(model.class_names), model.class_names[0].split(",")[0]) == (1000, "tench")
    batch = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        assert torch.equal(model.module(batch), network(batch))
    smaller = load_model(ModelSource("timm:test_resnet", str(tmp_path / "mine.pth"), 96)).preprocessing
    assert smaller.input_size == 96


@needs_timm
@pytest.mark.parametrize("size", [(300, 190), (120, 200)])
@pytest.mark.parametrize("crop", [("center", 0.875), ("squash", 0.9), ("squash", 1.0), ("border", 1.0)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_images_are_prepared_as_timm_prepares_them(
    tmp_path: Path, size: tuple[int, int], crop: tuple[str, float], interpolation: str
) -> None:
    from timm.data import create_transform

    network = _network("test_resnet")
    network.pretrained_cfg.update(crop_mode=crop[0], crop_pct=crop[1], interpolation=interpolation)
    preprocessing = timm_preprocessing(_timm(), network, "test_resnet")
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    config = _timm().data.resolve_model_data_config(network)
    expected = create_transform(**config, is_training=False)(Image.fromarray(pixels))
    ours = normalise(preprocess_image(tmp_path / "a.png", preprocessing)[None], preprocessing)[0]
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-6)


@needs_timm
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_size": (3, 64, 32)}, "takes images of 64 × 32 pixels; only squares"),
        ({"crop_mode": "spiral"}, "in an unknown way"),
        ({"interpolation": "nearest"}, "interpolation must be one of bilinear, bicubic"),
    ],
)
def test_images_that_cannot_be_prepared_so_are_said(changes: dict[str, object], message: str) -> None:
    network = _network("test_resnet")
    network.pretrained_cfg.update(changes)
    with pytest.raises(ModelError, match=message):
        timm_preprocessing(_timm(), network, "test_resnet")


@needs_timm
@pytest.mark.parametrize(
    ("name", "layers", "poolings"),
    [
        ("test_resnet", ("layer3", "layer2.0.add"), ("mean", "mean")),
        ("test_efficientnet", ("blocks.1", "conv_head", "bn2"), ("mean", "mean", "mean")),
        ("test_vit", ("blocks.2", "blocks.5.mlp", "head"), ("class_token", "class_token", "none")),
        ("test_convnext", ("stages.1", "stages.3.blocks.0.mlp.fc1"), ("mean", "mean")),
    ],
)
def test_layers_are_read_as_plain_hooks_read_them(
    tmp_path: Path, name: str, layers: tuple[str, ...], poolings: tuple[str, ...]
) -> None:
    model, network = _loaded(tmp_path, name, num_classes=7)
    assert model.class_names is None
    listed = {info.name: info for info in list_layers(model)}
    assert tuple(listed[layer].default_pooling for layer in layers) == poolings
    assert tuple(choose_poolings(model, layers).values()) == poolings
    batch = example_input(model.preprocessing, 2, seed=5)
    modules = [layer for layer in layers if layer in dict(network.named_modules())]
    outputs = outputs_of(network, modules, batch)
    for module in (model.module, prepare_for_inference(model, layers)):
        values = LayerReader(module, layers).read(batch)
        for layer in modules:
            output = outputs[layer]
            if output.ndim == 4:
                channels_last = output.shape[1] == output.shape[2] != output.shape[3]
                expected = output.mean(axis=(1, 2) if channels_last else (2, 3))
            else:
                expected = output[:, 0] if output.ndim == 3 else output
            scale = float(np.abs(expected).max())
            assert scale > 1e-4
            np.testing.assert_allclose(values[layer], expected, rtol=0, atol=1e-4 * scale)


@needs_timm
def test_batch_norms_with_an_activation_are_fused_too(tmp_path: Path) -> None:
    model, network = _loaded(tmp_path, "test_efficientnet", num_classes=7)
    prepared = prepare_for_inference(model, ["conv_head", "blocks.1"])
    kept = [path for path, module in prepared.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert len([one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]) > 5
    assert kept == ["bn2"]  # behind conv_head, which is read itself
    assert {path for path, _ in prepared.named_modules()} == {path for path, _ in network.named_modules()}


@needs_timm
def test_tokens_before_the_images_are_those_that_timm_counts() -> None:
    from backend.networks.layer_pooling import prefix_tokens

    for name in ("test_vit", "test_vit2", "test_vit3", "deit_tiny_distilled_patch16_224"):
        network = _timm().create_model(name)
        n_tokens, has_class_token = prefix_tokens(network)
        assert n_tokens == network.num_prefix_tokens
        assert has_class_token == (getattr(network, "cls_token", None) is not None)


@needs_timm
def test_weights_with_other_names_are_converted_where_timm_knows_how(tmp_path: Path) -> None:
    network = _network("test_vit2")
    state = {f"module.{name}": tensor for name, tensor in network.state_dict().items()}
    torch.save({"model": state}, tmp_path / "wrapped.pth")
    model = load_model(ModelSource("timm:test_vit2", str(tmp_path / "wrapped.pth")))
    batch = example_input(model.preprocessing, 1)
    with torch.no_grad():
        assert torch.equal(model.module(batch), network(batch))

    # The authors of ConvNeXt named the depthwise convolution, the norm and the classifier otherwise.
    network = _network("test_convnext")
    convert = (("stem.", "downsample_layers.0."), ("head.fc.", "head."), ("head.norm.", "norm."))
    state = {}
    for name, tensor in network.state_dict().items():
        for ours, theirs in convert:
            name = name.replace(ours, theirs)
        name = name.replace("stages.", "stages.").replace(".blocks.", ".")
        for ours, theirs in (("conv_dw", "dwconv"), ("mlp.fc1", "pwconv1"), ("mlp.fc2", "pwconv2")):
            name = name.replace(ours, theirs)
        for stage in (1, 2, 3):
            name = name.replace(f"stages.{stage}.downsample.", f"downsample_layers.{stage}.")
        state[name] = tensor
    torch.save(state, tmp_path / "authors.pth")
    model = load_model(ModelSource("timm:test_convnext", str(tmp_path / "authors.pth")))
    with torch.no_grad():
        torch.testing.assert_close(model.module(batch), network(batch))
    assert "state_dict" not in model.module.pretrained_cfg


@needs_timm
@pytest.mark.parametrize(
    ("source", "message"),
    [
        (ModelSource("timm:resnet5o", "mine.pth"), r"no model 'timm:resnet5o'; did you mean 'timm:resnet"),
        (ModelSource("timm:", "mine.pth"), "no model 'timm:'"),
        (
            ModelSource("timm:resnet10t.nonsense", "mine.pth"),
            "no weights 'nonsense' of resnet10t; it has c3_in1k",
        ),
        (
            ModelSource("timm:vit_tiny_patch16_224", "mine.pth", 96),
            "takes images of 224 × 224 pixels only, not 96 × 96",
        ),
        (ModelSource("timm:test_resnet", "absent.pth"), "There is no weights file 'absent.pth'"),
        (ModelSource("timm:test_resnet", "mine.pth", 0), "input size must be a whole number"),
    ],
)
def test_what_cannot_be_had_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: ModelSource, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if source.architecture == "timm:test_resnet":
        torch.save(_network("test_resnet").state_dict(), tmp_path / "mine.pth")
    with pytest.raises(ModelError, match=message):
        load_model(source)


@needs_timm
def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    torch.save(_network("test_vit").state_dict(), tmp_path / "vit.pth")
    with pytest.raises(
        ModelError, match=r"vit\.pth' holds weights of another architecture than timm:test_res"
    ):
        load_model(ModelSource("timm:test_resnet", str(tmp_path / "vit.pth")))


@needs_timm
def test_published_weights_without_a_connection_are_a_sentence_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_arguments: object, **_named: object) -> None:
        raise URLError("no connection")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    with pytest.raises(ModelError) as caught:
        load_model(ModelSource("timm:test_resnet"))
    file = "timm--test_resnet.r160_in1k--model.safetensors"
    for part in ("timm:test_resnet", file, str(tmp_path / "hub"), "--weights FILE", "no connection"):
        assert part in str(caught.value)
    from safetensors.torch import save_file

    network = _network("test_resnet")
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), tmp_path / "hub" / "checkpoints" / file)
    batch = torch.randn(1, 3, 160, 160)
    with torch.no_grad():
        assert torch.equal(load_model(ModelSource("timm:test_resnet")).module(batch), network(batch))
