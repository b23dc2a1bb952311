"""Finding the thread pools of numerical libraries without the risk of stopping the whole program.

threadpoolctl looks for loaded libraries with ``dl_iterate_phdr`` and a callback in Python. While the callback
waits for Python's global lock it holds the lock of the dynamic loader; a thread that imports an extension
module at that moment holds the global lock and waits for the loader's: neither goes on, ever. On Linux the
kernel's list of mapped files tells the same without any lock, and is read instead.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from threadpoolctl import ThreadpoolController

MAPPED_FILES = Path("/proc/self/maps")


def loaded_libraries(maps: Path = MAPPED_FILES) -> tuple[str, ...]:
    """Return the paths of the shared libraries that this process has loaded, each once, by address.

    Parameters
    ----------
    maps
        A file in the format of ``/proc/PID/maps``.
    """
    paths = []
    for line in maps.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        # address, permissions, offset, device, inode, path (which may hold spaces)
        columns = line.split(maxsplit=5)
        if len(columns) == 6 and columns[5].startswith("/") and ".so" in columns[5]:
            paths.append(columns[5])
    return tuple(dict.fromkeys(paths))


def search_without_locks() -> None:
    """Let threadpoolctl, for scikit-learn too, find libraries in the kernel's list, where there is one.

    Call it before the first search. Calling it again does nothing.
    """
    if sys.platform == "linux" and MAPPED_FILES.exists():
        ThreadpoolController._find_libraries_with_dl_iterate_phdr = _find_in_mapped_files


def _find_in_mapped_files(controller: Any) -> None:
    for path in loaded_libraries():
        controller._make_controller_from_path(path)
