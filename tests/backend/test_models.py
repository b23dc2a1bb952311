import re
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from backend.demo import concept_network
from backend.errors import ModelError
from backend.models import (
    LayerReader,
    LoadedModel,
    ModelSource,
    Preprocessing,
    list_layers,
    load_model,
    normalise,
    prepare_for_inference,
    torchvision_names,
)
from backend.networks.published_weights import weights_cache
from backend.networks.torchvision_import import import_torchvision
from tests.backend.small_networks import torchvision_network

REAL = (
    Path(__file__).parents[3] / "shared" / "real"
)  # measured data beside the repository, not shipped with it


@pytest.fixture
def no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def offline(*_arguments: object, **_named: object) -> None:
        raise URLError("no connection")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return weights_cache()


def _saved(network: nn.Module, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return str(path)


def test_the_names_are_those_of_classification_models() -> None:
    names = torchvision_names()
    assert {"inception_v3", "mobilenet_v2", "vit_b_16", "maxvit_t", "mnasnet1_0"} <= set(names)
    assert not {
        "fcn_resnet50",
        "r3d_18",
        "raft_large",
        "fasterrcnn_resnet50_fpn",
        "quantized_resnet18",
    } & set(names)
    assert list(names) == sorted(names)


def test_a_model_from_a_file_has_its_weights_and_runs(tmp_path: Path) -> None:
    network = torchvision_network("squeezenet1_1")
    source = ModelSource("squeezenet1_1", _saved(network, tmp_path / "mine.pth"))
    model = load_model(source)
    assert isinstance(model, LoadedModel)
    assert model.source == source
    assert model.preprocessing == Preprocessing()
    assert model.class_names is not None
    assert (len(model.class_names), model.class_names[0]) == (1000, "tench")
    assert not model.module.training
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    batch = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.module(batch), network(batch))


def test_the_hash_belongs_to_the_contents(tmp_path: Path) -> None:
    network = torchvision_network("squeezenet1_1")
    one = load_model(ModelSource("squeezenet1_1", _saved(network, tmp_path / "one.pth")))
    other = load_model(ModelSource("squeezenet1_1", _saved(nn.DataParallel(network), tmp_path / "other.pt")))
    assert one.weights_sha256 == other.weights_sha256
    assert len(one.weights_sha256) == 64
    with torch.no_grad():
        network.classifier[1].bias[3] += 1
    changed = load_model(ModelSource("squeezenet1_1", _saved(network, tmp_path / "changed.pth")))
    assert changed.weights_sha256 != one.weights_sha256


def test_another_input_size_scales_the_resized_side(tmp_path: Path) -> None:
    weights = _saved(torchvision_network("squeezenet1_1"), tmp_path / "mine.pth")
    preprocessing = load_model(ModelSource("squeezenet1_1", weights, 112)).preprocessing
    assert (preprocessing.input_size, preprocessing.resize_size) == (112, 128)


def test_weights_of_another_number_of_classes_are_taken(tmp_path: Path) -> None:
    network = torchvision_network("squeezenet1_1", num_classes=7)
    model = load_model(ModelSource("squeezenet1_1", _saved(network, tmp_path / "seven.pth")))
    assert model.module(torch.zeros(1, 3, 64, 64)).shape == (1, 7)
    assert model.class_names is None


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    weights = _saved(torchvision_network("shufflenet_v2_x0_5"), tmp_path / "shuffle.pth")
    with pytest.raises(
        ModelError, match=r"shuffle\.pth' holds weights of another architecture than squeezenet1_1"
    ):
        load_model(ModelSource("squeezenet1_1", weights))


def test_published_weights_come_from_torchs_cache(no_connection: Path) -> None:
    network = torchvision_network("squeezenet1_1")
    _saved(network, no_connection / "squeezenet1_1-b8a52dc0.pth")
    for weights in (None, "IMAGENET1K_V1"):
        model = load_model(ModelSource("squeezenet1_1", weights))
        assert torch.equal(model.module.features[0].weight, network.features[0].weight)


def test_the_default_set_is_torchvisions_and_a_file_of_a_set_is_prepared_for_as_that_set(
    no_connection: Path,
) -> None:
    network = torchvision_network("mobilenet_v2")
    newer = _saved(network, no_connection / "mobilenet_v2-7ebf99e0.pth")
    assert load_model(ModelSource("mobilenet_v2")).preprocessing.resize_size == 232
    assert load_model(ModelSource("mobilenet_v2", newer)).preprocessing.resize_size == 232
    mine = _saved(network, no_connection / "mine.pth")
    assert load_model(ModelSource("mobilenet_v2", mine)).preprocessing.resize_size == 256


def test_absent_weights_without_a_connection_are_a_sentence(no_connection: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(ModelSource("inception_v3"))
    for part in ("inception_v3_google-0cc3c7bd.pth", str(no_connection), "--weights FILE", "no connection"):
        assert part in str(caught.value)


def test_a_model_that_does_not_exist_is_named_with_its_neighbours() -> None:
    with pytest.raises(ModelError, match="no model 'mobilnet_v2'; did you mean 'mobilenet_v2'"):
        load_model(ModelSource("mobilnet_v2"))
    with pytest.raises(ModelError, match=r"no model 'zzz'\. Models are"):
        load_model(ModelSource("zzz"))


def test_a_model_of_one_input_size_refuses_others() -> None:
    with pytest.raises(ModelError, match="vit_b_32 takes images of 224 × 224 pixels only, not 96 × 96"):
        load_model(ModelSource("vit_b_32", "any.pth", 96))


def test_googlenet_comes_without_auxiliary_heads_and_normalises_as_published(tmp_path: Path) -> None:
    network = torchvision_network("googlenet", init_weights=False, aux_logits=True, transform_input=True)
    model = load_model(ModelSource("googlenet", _saved(network, tmp_path / "with_heads.pth")))
    assert not any(name.startswith("aux") for name, _ in model.module.named_modules())
    batch = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.module(batch), network(batch))
    network.aux1 = network.aux2 = None
    without = load_model(ModelSource("googlenet", _saved(network, tmp_path / "without_heads.pth")))
    assert without.weights_sha256 == model.weights_sha256


def test_a_densenet_file_with_outdated_names_is_read(tmp_path: Path) -> None:
    network = torchvision_network("densenet121")
    outdated = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): tensor
        for name, tensor in network.state_dict().items()
        if "num_batches_tracked" not in name
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in outdated
    torch.save(outdated, tmp_path / "densenet121-a639ec97.pth")
    model = load_model(ModelSource("densenet121", str(tmp_path / "densenet121-a639ec97.pth")))
    batch = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.module(batch), network(batch))


FACTORY = """
import torch
from torch import nn

def build():
    module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    return module.double().train(), dict(mean=[0.5], std=[0.5], input_size=16)

def lazy():
    return nn.Sequential(nn.LazyConv2d(4, 3))
"""


def test_a_python_file_runs_only_when_allowed(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text(FACTORY)
    source = ModelSource(f"{file}:build")
    with pytest.raises(ModelError, match="needs your confirmation"):
        load_model(source)
    model = load_model(source, allow_code=True)
    assert model.preprocessing == Preprocessing(16, 16, (0.5,), (0.5,), channels=1)
    assert not model.module.training
    assert model.module[0].weight.dtype == torch.float32
    assert not model.module[0].weight.requires_grad
    assert [info.output_shape for info in list_layers(model)] == [(4, 14, 14)] * 2
    with pytest.raises(ModelError, match="lazy modules"):
        load_model(ModelSource(f"{file}:lazy"), allow_code=True)


def test_the_demo_network_loads_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    monkeypatch.setattr(concept_network, "load_network", lambda: network)
    model = load_model(ModelSource("demo"))
    assert model.preprocessing == concept_network.PREPROCESSING
    assert model.class_names == tuple(concept_network.CLASS_NAMES)
    assert model.module[0].weight is network[0].weight
    assert load_model(ModelSource("demo", input_size=32)).preprocessing.input_size == 32


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
def test_normalised_pixels_equal_torchvisions(convert: Callable[[np.ndarray], object]) -> None:
    import_torchvision()
    from torchvision import transforms

    preprocessing = Preprocessing(8, 8)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    expected = torch.stack(
        [
            transforms.Compose(
                [transforms.ToTensor(), transforms.Normalize(preprocessing.mean, preprocessing.std)]
            )(Image.fromarray(image))
            for image in pixels
        ]
    )
    before = pixels.copy()
    values = normalise(convert(pixels), preprocessing)  # type: ignore[arg-type]
    assert torch.equal(values, expected)
    assert values.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(pixels, before)


def test_grey_pixels_are_normalised() -> None:
    pixels = np.full((2, 4, 4, 1), 51, dtype=np.uint8)
    values = normalise(pixels, Preprocessing(4, 4, (0.1,), (0.5,), channels=1))
    assert values.shape == (2, 1, 4, 4)
    torch.testing.assert_close(values, torch.full((2, 1, 4, 4), 0.2))


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real weights in ../shared/real")
def test_real_weights_load_and_their_fused_layers_give_the_same_values() -> None:
    model = load_model(ModelSource("mobilenet_v2", str(REAL / "mobilenet_v2_imagenet.safetensors"), 96))
    prepared = prepare_for_inference(model, ["features.18"])
    assert not any(isinstance(module, nn.BatchNorm2d) for module in prepared.modules())
    batch = torch.rand(4, 3, 96, 96, generator=torch.Generator().manual_seed(1)) * 4 - 2
    expected = LayerReader(model.module, ["features.18"]).read(batch)["features.18"]
    values = LayerReader(prepared, ["features.18"]).read(batch)["features.18"]
    assert values.shape == (4, 1280)
    assert expected.max() > 1
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-4 * float(expected.max()))
