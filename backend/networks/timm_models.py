"""Models of the optional package timm: their names, building them, and how their images are prepared."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn

from backend.did_you_mean import did_you_mean
from backend.errors import ModelError
from backend.networks.model_source import TIMM_PREFIX, Crop, ModelSource, Preprocessing
from backend.networks.published_weights import published_weights_file
from backend.networks.torchvision_import import import_torchvision
from backend.networks.weights_file import load_weights, other_number_of_classes, read_state_dict
from backend.task import Task

_CROPS: Final[dict[str, Crop]] = {"center": "center", "squash": "squash", "border": "pad"}
_PUBLISHED_FILE: Final = "model.safetensors"


def timm_is_installed() -> bool:
    """Return whether timm is there; does not import it."""
    return importlib.util.find_spec("timm") is not None


@lru_cache(maxsize=1)
def timm_names() -> tuple[str, ...]:
    """Return the names of timm's models, each with the prefix ``timm:``, sorted; imports timm.

    A name may have the tag of a published set of weights appended (``"timm:resnet50.a1_in1k"``).

    Raises
    ------
    ModelError
        If timm is not installed, or cannot be imported.
    """
    return tuple(sorted(TIMM_PREFIX + name for name in _timm("timm:NAME").list_models()))


def load_timm(source: ModelSource, task: Task) -> tuple[nn.Module, Preprocessing, tuple[str, ...] | None]:
    """Build one of timm's models and load its weights; images are prepared as the model's own data say.

    A weights file with another number of classes than the published one is taken as it is, and one with
    names of the original authors is converted where timm knows how.

    Returns
    -------
    module, preprocessing, class_names
        ``class_names`` is None if they are unknown.

    Raises
    ------
    ModelError
        If timm is not installed, there is no such model, its weights cannot be had, or they are another
        architecture's.
    """
    name = source.architecture.removeprefix(TIMM_PREFIX)
    timm = _timm(source.architecture)
    published = _published(timm, name)
    own_size = published.input_size[-1]
    if published.fixed_input_size and source.input_size not in (None, own_size):
        raise ModelError(
            f"{source.architecture} takes images of {own_size} × {own_size} pixels only, "
            f"not {source.input_size} × {source.input_size}; leave its input size as it is."
        )
    path = Path(source.weights) if source.weights is not None else _published_file(published, name, task)
    task.progress(0, 0, f"Loading {source.architecture}")
    module = _with_weights(timm, name, read_state_dict(path), published.num_classes, str(path))
    preprocessing = timm_preprocessing(timm, module, name)
    n_classes = getattr(module, "num_classes", None)
    class_names = _class_names(timm, module) if n_classes == published.num_classes else None
    return module, preprocessing.with_input_size(source.input_size), class_names


def timm_preprocessing(timm: Any, module: nn.Module, name: str) -> Preprocessing:
    """Return how timm prepares images for one of its models.

    Parameters
    ----------
    timm
        The package.
    module
        One of its models.
    name
        The model's name, for errors.

    Raises
    ------
    ModelError
        If images are prepared in a way that is not known here, or are no squares.
    """
    data = timm.data.resolve_model_data_config(module)
    channels, height, width = data["input_size"]
    if height != width:
        raise ModelError(
            f"{TIMM_PREFIX}{name} takes images of {height} × {width} pixels; only squares are read."
        )
    if data["crop_mode"] not in _CROPS:
        raise ModelError(f"{TIMM_PREFIX}{name} cuts images out in an unknown way ('{data['crop_mode']}').")
    return Preprocessing(
        input_size=height,
        resize_size=math.floor(height / data["crop_pct"]),
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        interpolation=data["interpolation"],
        channels=channels,
        crop=_CROPS[data["crop_mode"]],
    )


def _timm(architecture: str) -> Any:
    if not timm_is_installed():
        raise ModelError(
            f"'{architecture}' is a model of the package timm, which is not installed; install it "
            "(python -m pip install timm), or choose one of torchvision's models."
        )
    import_torchvision()  # which timm imports in its turn
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError, OSError) as error:
        raise ModelError(f"timm cannot be imported ({error}); install it anew.") from error


def _published(timm: Any, name: str) -> Any:
    """Return what timm has on a model and its published weights."""
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        known = (TIMM_PREFIX + one for one in timm.list_models())
        raise ModelError(f"There is no model '{TIMM_PREFIX}{name}'{did_you_mean(TIMM_PREFIX + name, known)}")
    try:
        published = timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        sets = [one.partition(".")[2] for one in timm.list_pretrained(architecture)]
        raise ModelError(
            f"timm has no weights '{tag}' of {architecture}; it has {', '.join(sets) or 'none'}."
        ) from error
    return published or timm.models.PretrainedCfg()


def _built(timm: Any, name: str, n_classes: int, **arguments: Any) -> nn.Module:
    try:
        module = timm.create_model(name, num_classes=n_classes, **{"pretrained": False, **arguments})
    except Exception as error:  # whatever a model's constructor raises
        raise ModelError(f"timm cannot build {name}: {error}") from error
    assert isinstance(module, nn.Module)
    return module


def _with_weights(
    timm: Any, name: str, state: OrderedDict[str, Tensor], n_classes: int, origin: str
) -> nn.Module:
    module = _built(timm, name, n_classes)
    other = other_number_of_classes(module, state, n_classes)
    if other is not None:
        module = _built(timm, name, other)
    try:
        load_weights(module, state, model=TIMM_PREFIX + name, origin=origin)
    except ModelError as error:
        try:
            # timm knows how to convert files with the names of a model's original authors.
            module = _built(
                timm, name, n_classes, pretrained=True, pretrained_cfg_overlay={"state_dict": state}
            )
        except ModelError:
            raise error from None
        for description in (getattr(module, "pretrained_cfg", {}), getattr(module, "default_cfg", {})):
            description.pop("state_dict", None)
    return module


def _published_file(published: Any, name: str, task: Task) -> Path:
    hub = importlib.import_module("huggingface_hub")
    if not published.hf_hub_id:
        if isinstance(published.url, str) and published.url:
            return published_weights_file(published.url, model=TIMM_PREFIX + name, task=task)
        raise ModelError(f"timm publishes no weights of {name}; give a file of your own (--weights FILE).")
    file_name = published.hf_hub_filename or _PUBLISHED_FILE
    cached = hub.try_to_load_from_cache(published.hf_hub_id, file_name)
    if isinstance(cached, str):
        return Path(cached)
    own_name = f"{published.hf_hub_id.replace('/', '--')}--{file_name}"
    url = hub.hf_hub_url(published.hf_hub_id, file_name)
    return published_weights_file(url, model=TIMM_PREFIX + name, file_name=own_name, task=task)


def _class_names(timm: Any, module: nn.Module) -> tuple[str, ...] | None:
    subset = timm.data.infer_imagenet_subset(module)
    if not subset:
        return None
    names = timm.data.ImageNetInfo(subset)
    return tuple(names.index_to_description(index) for index in range(names.num_classes()))
