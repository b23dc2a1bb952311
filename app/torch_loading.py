"""Loading torch behind a window without holding the window up.

Importing torch maps and relocates half a gigabyte of libraries, and Python holds its lock while the system
does so: the window stood still for a third of a second. Called through ctypes the same is done without the
lock, and the import then finds the libraries there.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

LIBRARIES = ("libc10.so", "libtorch_cpu.so")


class _LibrariesFirst(MetaPathFinder):
    """Finds no module, but loads torch's libraries when torch is looked for; then it is gone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return None: the usual finders find torch."""
        if fullname == "torch" and self in sys.meta_path:
            sys.meta_path.remove(self)
            load_libraries()
        return None


def load_libraries_with_torch() -> None:
    """Load torch's libraries by :func:`load_libraries` when torch is first imported; on Linux only."""
    installed = any(isinstance(finder, _LibrariesFirst) for finder in sys.meta_path)
    if sys.platform == "linux" and "torch" not in sys.modules and not installed:
        sys.meta_path.insert(0, _LibrariesFirst())


def load_libraries() -> None:
    """Load torch's libraries without Python's lock. What fails is left to torch, which says why."""
    spec = importlib.machinery.PathFinder.find_spec("torch")
    if spec is None or spec.origin is None:
        return
    load = ctypes.CDLL(None).dlopen
    load.restype, load.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    for name in LIBRARIES:
        load(os.fsencode(Path(spec.origin).parent / "lib" / name), os.RTLD_NOW)
