"""torchvision's classification models: their names, building them, and how their images are prepared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlparse

from torch import nn

from backend.did_you_mean import did_you_mean
from backend.errors import ModelError
from backend.networks.model_source import ModelSource, Preprocessing
from backend.networks.published_weights import published_weights_file, weights_cache
from backend.networks.torchvision_import import import_torchvision
from backend.networks.weights_file import load_weights, other_number_of_classes, read_state_dict
from backend.task import Task

_DEFAULT_N_CLASSES: Final = 1000
# Argument by which the builder of a model that takes one input size only is told that size.
_FIXED_SIZE_ARGUMENTS: Final = {"vit_": "image_size", "maxvit": "input_size"}
# With published weights torchvision turns on its models' own change of normalisation, so that every model
# takes the same input; initial weights need not be drawn because all are loaded.
_BUILDER_ARGUMENTS: Final = {
    "inception_v3": {"transform_input": True, "aux_logits": False, "init_weights": False},
    "googlenet": {"transform_input": True, "aux_logits": False, "init_weights": False},
}
_AUXILIARY_HEADS: Final = {"inception_v3": ("AuxLogits.",), "googlenet": ("aux1.", "aux2.")}


@dataclass(frozen=True)
class _PublishedSet:
    """One of torchvision's published sets of weights of a model."""

    url: str
    preprocessing: Preprocessing
    categories: tuple[str, ...] | None

    @property
    def file_name(self) -> str:
        return PurePosixPath(urlparse(self.url).path).name


@lru_cache(maxsize=1)
def torchvision_names() -> tuple[str, ...]:
    """Return the names of torchvision's classification models, sorted; imports torchvision.

    Raises
    ------
    ModelError
        If torchvision cannot be imported.
    """
    models = import_torchvision().models
    return tuple(models.list_models(module=models))


def load_torchvision(
    source: ModelSource, task: Task, *, download: bool = True
) -> tuple[nn.Module, Preprocessing, tuple[str, ...] | None]:
    """Build a torchvision classification model and load its weights.

    A weights file whose name is that of a published set is prepared for as that set is, any other file as the
    model's first published set. A file with another number of classes than the published 1000 is taken as it
    is. Auxiliary classifiers (Inception, GoogLeNet), which evaluation does not run, are left away.

    Without ``download`` published weights are taken only if they are on this machine; random ones stand in
    for them, with which the layers and their sizes are the same.

    Returns
    -------
    module, preprocessing, class_names
        ``class_names`` is None if they are unknown.

    Raises
    ------
    ModelError
        If there is no such model, its weights cannot be had, or they are another architecture's.
    """
    name = source.architecture
    sets = _published_sets(name)
    published, path = _chosen_weights(source, sets, task, download=download)
    preprocessing = published.preprocessing
    if _fixed_size_argument(name) and source.input_size not in (None, preprocessing.input_size):
        raise ModelError(
            f"{name} takes images of {preprocessing.input_size} × {preprocessing.input_size} pixels only, "
            f"not {source.input_size} × {source.input_size}; leave its input size as it is."
        )
    task.progress(0, 0, f"Loading {name}")
    n_classes = len(published.categories) if published.categories else _DEFAULT_N_CLASSES
    own = preprocessing.with_input_size(source.input_size)
    if path is None:
        return _build(name, n_classes, preprocessing.input_size), own, published.categories
    auxiliary = _AUXILIARY_HEADS.get(name, ())
    state = read_state_dict(path)
    for entry in [entry for entry in state if entry.removeprefix("module.").startswith(auxiliary or "\0")]:
        del state[entry]
    module = _build(name, n_classes, preprocessing.input_size)
    other = other_number_of_classes(module, state, n_classes)
    if other is not None:
        module = _build(name, other, preprocessing.input_size)
    load_weights(module, state, model=name, origin=str(path))
    return module, own, None if other else published.categories


def _published_sets(name: str) -> dict[str, _PublishedSet]:
    if name not in torchvision_names():
        raise ModelError(
            f"There is no model '{name}'{did_you_mean(name, torchvision_names())} Models are torchvision's "
            "classification models by name, timm's (timm:NAME), or a Python file and a callable in it "
            "(FILE.py:CALLABLE)."
        )
    members = import_torchvision().models.get_model_weights(name)
    return {
        member.name: _PublishedSet(
            member.url,
            _published_preprocessing(member.transforms()),
            tuple(member.meta["categories"]) if member.meta.get("categories") else None,
        )
        for member in members  # in order of publication; the default is an alias of one of them
    }


def _published_preprocessing(transforms: Any) -> Preprocessing:
    return Preprocessing(
        input_size=transforms.crop_size[0],
        resize_size=transforms.resize_size[0],
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        interpolation=transforms.interpolation.value,
    )


def _chosen_weights(
    source: ModelSource, sets: dict[str, _PublishedSet], task: Task, *, download: bool
) -> tuple[_PublishedSet, Path | None]:
    """Return a published set, and the weights' file; None if it is neither here nor to be downloaded."""
    name, weights = source.architecture, source.weights
    if weights is None or (weights in sets and not Path(weights).exists()):
        default: str = import_torchvision().models.get_model_weights(name).DEFAULT.name
        published = sets[weights or default]
        if not download and not (weights_cache() / published.file_name).is_file():
            return published, None
        return published, published_weights_file(published.url, model=name, task=task)
    path = Path(weights)
    by_file_name = {published.file_name: published for published in sets.values()}
    return by_file_name.get(path.name, next(iter(sets.values()))), path


def _build(name: str, n_classes: int, input_size: int) -> nn.Module:
    arguments: dict[str, Any] = {"num_classes": n_classes, **_BUILDER_ARGUMENTS.get(name, {})}
    size_argument = _fixed_size_argument(name)
    if size_argument == "image_size":
        arguments["image_size"] = input_size
    elif size_argument == "input_size":
        arguments["input_size"] = (input_size, input_size)
    module = import_torchvision().models.get_model(name, weights=None, **arguments)
    assert isinstance(module, nn.Module)
    return module


def _fixed_size_argument(name: str) -> str | None:
    return next(
        (argument for start, argument in _FIXED_SIZE_ARGUMENTS.items() if name.startswith(start)), None
    )
