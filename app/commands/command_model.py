"""The network that a command names, loaded once its Python file may run."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backend.activations.distributed.ranks import find_rank
from backend.errors import ModelError
from backend.image_files.grey_scaling import GreyScaling
from backend.networks.model_source import ModelSource
from backend.task import Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel

_WEIGHTS_SUFFIXES = {".pth", ".pt", ".safetensors"}


def model_source(
    model: str, weights: str | None, size: int | None, grey_scaling: GreyScaling | None = None
) -> ModelSource:
    """Return the source of a network as a project keeps it: with absolute paths."""
    source = ModelSource(model, absolute_weights(weights), size, grey_scaling)
    if source.python_file is None:
        return source
    architecture = f"{source.python_file.expanduser().absolute()}:{source.python_callable}"
    return replace(source, architecture=architecture.removesuffix(":"))


def absolute_weights(weights: str | None) -> str | None:
    """Return a weights file's absolute path; torchvision's names of published weights stay as they are."""
    if weights is None:
        return None
    path = Path(weights).expanduser()
    return str(path.absolute()) if path.suffix in _WEIGHTS_SUFFIXES or path.exists() else weights


def load_confirmed(
    source: ModelSource, *, allow_code: bool, task: Task, download: bool = True
) -> LoadedModel:
    """Load a network; one that comes from a Python file only if that may run.

    Parameters
    ----------
    allow_code
        Whether that was said on the command line; else it is asked where someone can answer.
    download
        As :func:`backend.models.load_model` has it.

    Raises
    ------
    ModelError
        If it cannot be loaded, or its Python file may not run.
    """
    from backend.models import load_model

    if source.is_python_factory and not allow_code:
        _require_consent(source)
        allow_code = True
    task.progress(0, 0, "Loading the network")
    return load_model(source, allow_code=allow_code, download=download, task=task)


def _require_consent(source: ModelSource) -> None:
    file = source.python_file
    # Of several processes that a launcher started, none can ask for all.
    if sys.stdin is None or not sys.stdin.isatty() or find_rank(os.environ) is not None:
        raise ModelError(
            f"The network comes from the Python file {file}, which can do anything that you can: give "
            "--yes-run-code if you know where it comes from."
        )
    print(
        f"The network comes from the Python file {file}, which can do anything that you can. Run it? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise ModelError(f"The Python file {file} was not run, so there is no network.")
