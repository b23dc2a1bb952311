"""Loading a model and everything that is done with one: its layers, reading them, its input.

The steps have modules of their own; this one loads, and gathers the names that the rest of the program uses.
"""

from __future__ import annotations

import torch
from torch import nn

from backend.errors import ModelError
from backend.networks.batch_norm_fusion import prepare_for_inference
from backend.networks.layer_listing import choose_poolings, list_layers
from backend.networks.layer_reader import LayerReader
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import LayerInfo, ModelSource, Preprocessing
from backend.networks.normalisation import normalise
from backend.networks.python_factory import load_python_factory
from backend.networks.timm_models import load_timm, timm_is_installed, timm_names
from backend.networks.torchvision_models import load_torchvision, torchvision_names
from backend.networks.weights_file import load_weights, read_state_dict, weights_sha256
from backend.task import SilentTask, Task

__all__ = [
    "LayerInfo",
    "LayerReader",
    "LoadedModel",
    "ModelSource",
    "Preprocessing",
    "choose_poolings",
    "list_layers",
    "load_model",
    "normalise",
    "prepare_for_inference",
    "timm_is_installed",
    "timm_names",
    "torchvision_names",
]


def load_model(
    source: ModelSource, *, allow_code: bool = False, download: bool = True, task: Task | None = None
) -> LoadedModel:
    """Load a model: one of torchvision or timm, what a Python file of the user returns, or the demo network.

    Parameters
    ----------
    source
        Which model, with which weights, input size and rule for grey values.
    allow_code
        Whether the user confirmed that ``source.python_file`` may run; the other kinds of source run no code.
    download
        Whether published weights that are not on this machine are downloaded. If not, torchvision's models
        get random ones: enough to list layers, not to extract them.
    task
        Is told of a download's progress and can stop it.

    Returns
    -------
    LoadedModel
        In evaluation mode, float32, on the processor, parameters frozen.

    Raises
    ------
    ModelError
        If there is no such model, or none at all (activations computed elsewhere), its weights are absent,
        damaged or another architecture's, a Python file was not confirmed or fails, or the input size does
        not suit the model.
    Cancelled
        If the task was asked to stop.
    """
    task = task or SilentTask()
    if source.is_imported:
        raise ModelError(
            "The activations of this project were computed elsewhere, and no network is known to give them: "
            "name it first (neuronprism import PROJECT --layer LAYER --model MODEL, or “Import activations…” "
            "in the window)."
        )
    class_names: tuple[str, ...] | None = None
    if source.is_demo:
        module, preprocessing, class_names = _load_demo(source)
    elif source.is_python_factory:
        module, preprocessing = load_python_factory(source, allow_code=allow_code)
    elif source.is_timm:
        module, preprocessing, class_names = load_timm(source, task)
    else:
        module, preprocessing, class_names = load_torchvision(source, task, download=download)
    task.check_cancelled()
    preprocessing = preprocessing.with_grey_scaling(source.grey_scaling)
    module = _frozen(module, source)
    return LoadedModel(module, preprocessing, weights_sha256(module), source, class_names)


def _load_demo(source: ModelSource) -> tuple[nn.Module, Preprocessing, tuple[str, ...]]:
    from backend.demo import concept_network

    module = concept_network.load_network()
    if source.weights is not None:
        load_weights(module, read_state_dict(source.weights), model="the demo network", origin=source.weights)
    preprocessing = concept_network.PREPROCESSING.with_input_size(source.input_size)
    return module, preprocessing, tuple(concept_network.CLASS_NAMES)


def _frozen(module: nn.Module, source: ModelSource) -> nn.Module:
    if any(torch.nn.parameter.is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
        raise ModelError(
            f"'{source.architecture}' has lazy modules whose sizes are not known yet; "
            "run it once on an example input before returning it."
        )
    return module.eval().float().cpu().requires_grad_(False)
