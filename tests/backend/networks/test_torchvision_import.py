import importlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.errors import ModelError
from backend.networks.torchvision_import import import_torchvision


def test_models_transforms_and_feature_extraction_work_in_a_new_process() -> None:
    """Also where torchvision's compiled operators do not fit the installed torch."""
    code = """
from concurrent.futures import ThreadPoolExecutor
from backend.networks.torchvision_import import import_torchvision

with ThreadPoolExecutor(4) as pool:
    modules = list(pool.map(lambda _: import_torchvision(), range(4)))
assert len(set(map(id, modules))) == 1
import torch, torchvision
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.transforms import Normalize
assert torchvision is modules[0]
assert torch.ops.torchvision.nms is not None
extractor = create_feature_extractor(torchvision.models.squeezenet1_1(weights=None), ["features.3"])
assert extractor(torch.zeros(1, 3, 32, 32))["features.3"].shape == (1, 128, 7, 7)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_importing_again_gives_the_same_module() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(import_torchvision).result() is import_torchvision()


@pytest.mark.parametrize(
    "error", [ImportError("No module named 'torchvision'"), RuntimeError("operator x is missing")]
)
def test_a_torchvision_that_cannot_be_imported_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_name: str) -> None:
        raise error

    import_torchvision()
    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(
        ModelError, match=r"torchvision cannot be imported \(.*install the torchvision that belongs"
    ):
        import_torchvision()
