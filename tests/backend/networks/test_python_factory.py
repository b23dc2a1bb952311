import sys
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from backend.errors import ModelError
from backend.images import preprocess_image
from backend.models import load_model, normalise
from backend.networks.model_source import IMAGENET_MEAN, ModelSource, Preprocessing
from backend.networks.python_factory import load_python_factory

GOOD = """
    import torch
    from torch import nn
    torch.manual_seed(7)

    def build():
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
"""


def _write(folder: Path, contents: str, name: str = "net.py") -> Path:
    file = folder / name
    file.write_text(dedent(contents))
    return file


def test_a_confirmed_file_gives_its_module_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file = _write(tmp_path, GOOD)
    path_before, modules_before = list(sys.path), dict(sys.modules)
    module, preprocessing = load_python_factory(ModelSource(f"{file}:build"), allow_code=True)
    assert isinstance(module[0], nn.Conv2d)
    assert (preprocessing.input_size, preprocessing.resize_size, preprocessing.mean) == (
        224,
        256,
        IMAGENET_MEAN,
    )
    assert sys.path == path_before
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.py"]
    assert all(sys.modules[name] is module for name, module in modules_before.items())


def test_a_callable_may_be_an_attribute_of_a_class(tmp_path: Path) -> None:
    file = _write(tmp_path, "from torch import nn\nclass Nets:\n    small = nn.ReLU\n")
    module, _ = load_python_factory(ModelSource(f"{file}:Nets.small"), allow_code=True)
    assert isinstance(module, nn.ReLU)


def test_without_confirmation_nothing_runs(tmp_path: Path) -> None:
    file = _write(
        tmp_path, "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\ndef build(): ...\n"
    )
    with pytest.raises(ModelError, match="needs your confirmation"):
        load_python_factory(ModelSource(f"{file}:build"), allow_code=False)
    assert not (tmp_path / "ran").exists()


def test_neighbours_can_be_imported_and_classes_defined(tmp_path: Path) -> None:
    _write(tmp_path, "WIDTH = 6\n", "neighbour_of_the_net.py")
    file = _write(
        tmp_path,
        """
        from dataclasses import dataclass
        from neighbour_of_the_net import WIDTH
        from torch import nn

        @dataclass
        class Settings:
            width: int = WIDTH

        class Net(nn.Module):
            def __init__(self, settings):
                super().__init__()
                self.layer = nn.Conv2d(1, settings.width, 3)

        def build():
            return Net(Settings())
        """,
    )
    module, _ = load_python_factory(ModelSource(f"{file}:build"), allow_code=True)
    assert module.layer.out_channels == 6
    del sys.modules["neighbour_of_the_net"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["neighbour_of_the_net.py", "net.py"]


@pytest.mark.parametrize(
    "body",
    [
        "return net, dict(mean=0.5, std=[0.25], input_size=32, channels=1)",
        "net.preprocessing = dict(mean=[0.5], std=[0.25], input_size=32); return net",
        "net.preprocessing = Preprocessing(32, 32, (0.5,), (0.25,), channels=1); return net",
    ],
)
def test_the_preprocessing_that_comes_with_the_module_is_used(tmp_path: Path, body: str) -> None:
    file = _write(
        tmp_path,
        f"""
        from torch import nn
        from backend.networks.model_source import Preprocessing

        def build():
            net = nn.Conv2d(1, 2, 3)
            {body}
        """,
    )
    _, preprocessing = load_python_factory(ModelSource(f"{file}:build", input_size=48), allow_code=True)
    assert preprocessing == Preprocessing(48, 48, (0.5,), (0.25,), channels=1)


def test_every_part_of_the_preprocessing_can_be_said(tmp_path: Path) -> None:
    """A network for 32 × 32 grey images of 12 bits, seen whole."""
    file = _write(
        tmp_path,
        """
        from torch import nn

        def build():
            return nn.Conv2d(1, 2, 3), {
                "input_size": 32, "resize_size": 36, "mean": 0.1, "std": 0.2, "channels": 1,
                "interpolation": "bicubic", "crop": "pad", "grey_scaling": "twelve_bit",
            }
        """,
    )
    model = load_model(ModelSource(f"{file}:build"), allow_code=True)
    assert model.preprocessing == Preprocessing(
        32, 36, (0.1,), (0.2,), "bicubic", channels=1, crop="pad", grey_scaling="twelve_bit"
    )
    Image.fromarray(np.full((18, 36), 2047, np.uint16)).save(tmp_path / "a.png")
    batch = normalise(preprocess_image(tmp_path / "a.png", model.preprocessing)[None], model.preprocessing)
    assert batch.shape == (1, 1, 32, 32)
    torch.testing.assert_close(batch[0, 0, 16], torch.full((32,), (127 / 255 - 0.1) / 0.2))
    torch.testing.assert_close(batch[0, 0, 0], torch.full((32,), (26 / 255 - 0.1) / 0.2))  # 0.1 in 8 bits
    chosen = load_model(ModelSource(f"{file}:build", grey_scaling="min_max"), allow_code=True)
    assert chosen.preprocessing.grey_scaling == "min_max"


def test_an_attribute_of_another_meaning_is_left_alone(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        """
        from torch import nn

        def build():
            net = nn.Module()
            net.preprocessing = nn.Identity()
            return net
        """,
    )
    assert load_python_factory(ModelSource(f"{file}:build"), allow_code=True)[1] == Preprocessing()


@pytest.mark.parametrize(
    ("contents", "name", "message"),
    [
        (
            "def build():\n    x = 1\n    raise ValueError('no such width')\n",
            "build",
            r"ValueError: no such width \(line 3\)",
        ),
        ("import sys\ndef build():\n    sys.exit('bye')\n", "build", r"failed: SystemExit: bye \(line 3\)"),
        ("x = 1\n\ny = x / 0\n", "build", r"failed: ZeroDivisionError: division by zero \(line 3\)"),
        ("import not_a_module_at_all\n", "build", "No module named 'not_a_module_at_all'"),
        ("def build(:\n", "build", r"not a Python file that can run: SyntaxError.*\(line 1\)"),
        ("def build(): ...\n", "biuld", r"no callable 'biuld'; did you mean 'build'\?"),
        ("build = 3\n", "build", "no callable 'build'"),
        ("def build(): return 3\n", "build", r"returned a int, not a torch\.nn\.Module"),
        (
            "def build(width): ...\n",
            "build",
            r"TypeError: build\(\) missing 1 required positional argument: 'width'",
        ),
        ("from torch import nn\ndef build(): return nn.ReLU(), 3\n", "build", "second must be a mapping"),
        (
            "from torch import nn\ndef build(): return nn.ReLU(), {'size': 3}\n",
            "build",
            "Preprocessing has no 'size'",
        ),
        (
            "from torch import nn\ndef build(): return nn.ReLU(), {'crop': 'corner'}\n",
            "build",
            "crop must be one of center, squash, pad, not 'corner'",
        ),
        (
            "from torch import nn\ndef build(): return nn.ReLU(), {'std': 0}\n",
            "build",
            "std must be positive",
        ),
        ("\0", "build", "not a Python file"),
    ],
)
def test_what_is_wrong_with_the_users_file_is_said(
    tmp_path: Path, contents: str, name: str, message: str
) -> None:
    file = _write(tmp_path, contents)
    with pytest.raises(ModelError, match=message):
        load_python_factory(ModelSource(f"{file}:{name}"), allow_code=True)


def test_a_missing_file_and_a_missing_name_are_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        load_python_factory(ModelSource(f"{tmp_path / 'absent.py'}:build"), allow_code=True)
    with pytest.raises(ModelError, match="Say which callable"):
        load_python_factory(ModelSource(str(_write(tmp_path, GOOD))), allow_code=True)


def test_a_weights_file_is_loaded_into_what_the_callable_returns(tmp_path: Path) -> None:
    file = _write(tmp_path, GOOD)
    weights = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    torch.save(weights.state_dict(), tmp_path / "w.pt")
    source = ModelSource(f"{file}:build", str(tmp_path / "w.pt"))
    module, _ = load_python_factory(source, allow_code=True)
    assert torch.equal(module[0].weight, weights[0].weight)
    torch.save(nn.Conv2d(3, 4, 3).state_dict(), tmp_path / "w.pt")
    with pytest.raises(ModelError, match="another architecture"):
        load_python_factory(source, allow_code=True)
