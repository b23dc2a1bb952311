import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from backend.errors import ModelError
from backend.networks.torchvision_import import import_torchvision
from backend.networks.weights_file import (
    load_weights,
    other_number_of_classes,
    read_state_dict,
    weights_sha256,
)


def _network(n_channels: int = 4, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, n_channels, 3), nn.BatchNorm2d(n_channels), nn.Flatten(), nn.LazyLinear(5)
    )


def _built(n_channels: int = 4, seed: int = 0) -> nn.Module:
    network = _network(n_channels, seed)
    network(torch.randn(2, 3, 5, 5))
    return network


def _same(left: nn.Module, right: nn.Module) -> bool:
    ours, theirs = left.state_dict(), right.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours if "num_batches" not in name)


@pytest.mark.parametrize(
    "save",
    [
        lambda state, path: torch.save(state, path.with_suffix(".pth")),
        lambda state, path: torch.save({"epoch": 3, "state_dict": state, "lr": 0.1}, path.with_suffix(".pt")),
        lambda state, path: torch.save({"model": state}, path.with_suffix(".pth")),
        lambda state, path: torch.save(
            {f"module.{k}": v for k, v in state.items()}, path.with_suffix(".pth")
        ),
        lambda state, path: torch.save(
            {"model_state_dict": {f"_orig_mod.module.{k}": v for k, v in state.items()}},
            path.with_suffix(".ckpt"),
        ),
        lambda state, path: save_file(dict(state), path.with_suffix(".safetensors")),
        lambda state, path: save_file(
            {k: v for k, v in state.items() if "num_batches" not in k}, path.with_suffix(".SAFETENSORS")
        ),
    ],
)
def test_weights_come_back_from_every_form_of_file(
    tmp_path: Path, save: Callable[[dict[str, Tensor], Path], None]
) -> None:
    trained, fresh = _built(seed=1), _built(seed=2)
    save(trained.state_dict(), tmp_path / "weights")
    (path,) = tmp_path.iterdir()
    assert not _same(trained, fresh)
    load_weights(fresh, read_state_dict(path), model="net", origin=str(path))
    assert _same(trained, fresh)
    assert weights_sha256(trained) == weights_sha256(fresh)


def test_a_name_beginning_with_module_is_kept_where_the_network_has_it() -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Linear(2, 2)

    trained, fresh = Wrapped(), Wrapped()
    load_weights(fresh, trained.state_dict(), model="net", origin="file")
    assert torch.equal(trained.module.weight, fresh.module.weight)


def test_versions_of_entries_survive_a_wrappers_prefix() -> None:
    """MNASNet refuses to load without the version that its files carry."""
    models = import_torchvision().models
    trained, fresh = models.mnasnet0_5(weights=None), models.mnasnet0_5(weights=None)
    wrapped = nn.DataParallel(trained).state_dict()
    assert wrapped._metadata["module"] == {"version": 2}
    load_weights(fresh, wrapped, model="mnasnet0_5", origin="file")
    assert _same(trained, fresh)
    load_weights(fresh, dict(trained.state_dict()), model="mnasnet0_5", origin="file")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("0.bias"), r"another architecture than net: 1 missing \(0\.bias\)\."),
        (lambda s: s.update(extra=torch.zeros(1)), r"1 unexpected \(extra\)\."),
        (lambda s: s.update({"3.bias": torch.zeros(7)}), r"1 of another shape \(3\.bias: 7 instead of 5\)"),
        (lambda s: s.update({"1.weight": torch.tensor(1.0)}), r"1\.weight: a number instead of 4"),
        (lambda s: s.clear(), r"8 missing \(0\.weight, 0\.bias, 1\.weight, …\)"),
    ],
)
def test_weights_of_another_architecture_are_refused_with_what_differs(
    change: Callable[[dict[str, Tensor]], object], message: str
) -> None:
    state = dict(_built().state_dict())
    change(state)
    with pytest.raises(ModelError, match=message):
        load_weights(_built(), state, model="net", origin="w.pth")


def test_long_lists_of_differences_are_cut() -> None:
    state = {f"layer{i}.weight": torch.zeros(1) for i in range(9)}
    with pytest.raises(ModelError, match=r"8 missing \(0\.weight, 0\.bias, 1\.weight, …\), 9 unexpected"):
        load_weights(_built(), state, model="net", origin="w.pth")


class _RunsCode:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("ran"),))


def test_a_file_that_would_run_code_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": torch.zeros(1), "x": _RunsCode()}, "w.pth")
    with pytest.raises(ModelError, match="could run code"):
        read_state_dict("w.pth")
    Path("p.pth").write_bytes(pickle.dumps(_RunsCode(), protocol=2))
    with pytest.raises(ModelError, match="could run code"):
        read_state_dict("p.pth")
    assert not Path("ran").exists()


def test_unreadable_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"There is no weights file '.*absent\.pth'"):
        read_state_dict(tmp_path / "absent.pth")
    with pytest.raises(ModelError, match="There is no weights file"):
        read_state_dict(tmp_path)
    good = tmp_path / "good.pth"
    torch.save({"weight": torch.zeros(1000)}, good)
    contents = good.read_bytes()
    for name, damaged in {
        "truncated.pth": contents[: len(contents) // 2],
        "empty.pth": b"",
        "text.pth": b"not weights",
        "pickle_of_nothing.pth": b"\x80\x02.",
        "pickle_without_a_stack.pth": b"\x80\x02R.",
        "pickle_of_an_unknown_memo.pth": b"\x80\x02h\x05.",
        "pickle_that_is_cut.pth": b"\x80\x02X\xff",
        **{f"random{i}.pth": np.random.default_rng(i).bytes(200) for i in range(200)},
        **{f"random_pickle{i}.pth": b"\x80\x02" + np.random.default_rng(i).bytes(50) for i in range(200)},
        "empty.safetensors": b"",
        "text.safetensors": b"not weights at all, and longer than eight bytes",
    }.items():
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(ModelError, match=name):
            read_state_dict(tmp_path / name)
    for name, holds in {"list.pth": [1, 2], "numbers.pth": {"a": 1}, "nothing.pth": {}}.items():
        torch.save(holds, tmp_path / name)
        with pytest.raises(ModelError, match="no tensors by name"):
            read_state_dict(tmp_path / name)


def test_the_hash_is_that_of_names_types_shapes_and_bytes_in_order() -> None:
    network = nn.Linear(2, 1)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[1.0, 2.0]]))
        network.bias.copy_(torch.tensor([3.0]))
    expected = hashlib.sha256()
    expected.update(b"bias|torch.float32|(1,)|\x00\x00\x40\x40")
    expected.update(b"weight|torch.float32|(1, 2)|\x00\x00\x80\x3f\x00\x00\x00\x40")
    assert weights_sha256(network) == expected.hexdigest()
    with torch.no_grad():
        network.bias.add_(1e-6)
    assert weights_sha256(network) != expected.hexdigest()


def test_the_hash_takes_numbers_without_axes_and_other_memory_formats() -> None:
    network = _built()
    network.register_buffer("scale", torch.tensor(2.0))
    before = weights_sha256(network)
    network.to(memory_format=torch.channels_last)
    assert weights_sha256(network) == before


def test_another_number_of_classes_is_told_from_another_architecture() -> None:
    network, state = _built(), dict(_built().state_dict())
    assert other_number_of_classes(network, state, 5) is None
    n_features = state["3.weight"].shape[1]
    state["3.weight"], state["3.bias"] = torch.zeros(9, n_features), torch.zeros(9)
    assert other_number_of_classes(network, state, 5) == 9
    state["3.weight"] = torch.zeros(9, n_features + 1)
    assert other_number_of_classes(network, state, 5) is None
    assert other_number_of_classes(network, dict(_built(n_channels=6).state_dict()), 5) is None
