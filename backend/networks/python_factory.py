"""A model from a Python file of the user: running the file, and reading what its callable returns."""

from __future__ import annotations

import hashlib
import operator
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from backend.did_you_mean import did_you_mean
from backend.errors import ModelError
from backend.networks.model_source import ModelSource, Preprocessing
from backend.networks.weights_file import load_weights, read_state_dict


def load_python_factory(source: ModelSource, *, allow_code: bool) -> tuple[nn.Module, Preprocessing]:
    """Run a Python file and call the named callable in it, without arguments.

    It returns an ``nn.Module``, or a pair of a module and a mapping that says how its images are prepared.
    Such a mapping (or a :class:`Preprocessing`) may also be the module's attribute ``preprocessing``. Its
    keys, all optional, are the fields of :class:`Preprocessing`; without any, images are prepared as for
    ImageNet (shorter side 256, central 224 × 224).

    Parameters
    ----------
    source
        ``architecture`` is ``"FILE.py:CALLABLE"``. ``weights``, if given, are loaded into the module.
    allow_code
        Whether the user confirmed that this file may run.

    Raises
    ------
    ModelError
        If it was not confirmed; if the file does not exist, is no Python, raises, or has no such callable;
        if the callable raises or returns anything else; if the weights are another architecture's.
    """
    file, name = source.python_file, source.python_callable
    assert file is not None
    if not name:
        raise ModelError(f"Say which callable of '{file}' returns the model: '{file}:CALLABLE'.")
    if not allow_code:
        raise ModelError(
            f"Loading '{source.architecture}' runs the Python file '{file}', which can do anything on this "
            "machine. It needs your confirmation first."
        )
    result = _call(file, name)
    module, preprocessing = _module_and_preprocessing(result, f"{name} in '{file}'")
    if source.weights is not None:
        load_weights(
            module, read_state_dict(source.weights), model=f"'{source.architecture}'", origin=source.weights
        )
    return module, preprocessing.with_input_size(source.input_size)


def _call(file: Path, name: str) -> object:
    with _importable_folder(file.absolute().parent):
        namespace = _run_file(file)
        factory = _attribute(namespace, name)
        if not callable(factory):
            callables = [key for key, value in vars(namespace).items() if callable(value)]
            raise ModelError(
                f"The Python file '{file}' has no callable '{name}'{did_you_mean(name, callables)}"
            )
        try:
            return factory()
        except (Exception, SystemExit) as error:
            raise ModelError(
                f"{name} in the Python file '{file}' failed: {_last_line(error, file)}"
            ) from error


def _attribute(namespace: ModuleType, name: str) -> object:
    try:
        return operator.attrgetter(name)(namespace)
    except AttributeError:
        return None


def _run_file(file: Path) -> ModuleType:
    try:
        contents = file.read_bytes()
    except OSError as error:
        raise ModelError(f"The Python file '{file}' cannot be read: {error.strerror or error}.") from error
    # Compiled here rather than imported, so that nothing is written beside the user's file.
    try:
        code = compile(contents, str(file), "exec")
    except (SyntaxError, ValueError) as error:
        raise ModelError(f"'{file}' is not a Python file that can run: {_last_line(error, file)}") from error
    digest = hashlib.sha256(str(file.absolute()).encode(errors="surrogateescape")).hexdigest()[:12]
    namespace = ModuleType(f"user_model_{digest}")
    namespace.__file__ = str(file.absolute())
    sys.modules[namespace.__name__] = namespace  # dataclasses and pickling look a class's module up there
    try:
        exec(code, vars(namespace))
    except (Exception, SystemExit) as error:
        raise ModelError(f"The Python file '{file}' failed: {_last_line(error, file)}") from error
    return namespace


@contextmanager
def _importable_folder(folder: Path) -> Iterator[None]:
    """Let the file import its neighbours while it runs, and leave no compiled files beside them."""
    entry, write = str(folder), sys.dont_write_bytecode
    sys.path.insert(0, entry)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = write
        if entry in sys.path:
            sys.path.remove(entry)


def _module_and_preprocessing(result: object, where: str) -> tuple[nn.Module, Preprocessing]:
    described: object = None
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], nn.Module):
        result, described = result
        if not isinstance(described, (Mapping, Preprocessing)):
            raise ModelError(
                f"{where} returned a module and a {type(described).__name__}; the second must be a mapping "
                "that describes the preprocessing (mean, std, input_size, …)."
            )
    if not isinstance(result, nn.Module):
        raise ModelError(f"{where} returned a {type(result).__name__}, not a torch.nn.Module.")
    if described is None:
        described = getattr(result, "preprocessing", None)
    # An attribute of that name may be anything else in a user's module; only a description is taken for one.
    if isinstance(described, Preprocessing):
        return result, described
    values: Mapping[str, Any] = described if isinstance(described, Mapping) else {}
    return result, Preprocessing.from_dict(values)


def _last_line(error: BaseException, file: Path) -> str:
    """Return the error's own last line, and where in the user's file it came up."""
    text = traceback.format_exception_only(type(error), error)[-1].strip()
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    return f"{text} (line {lines[-1]})" if lines and lines[-1] else text
