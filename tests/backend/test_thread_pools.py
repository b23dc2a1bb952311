"""Libraries are found as threadpoolctl finds them, and the search never stops a program that imports."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from backend import thread_pools

ON_LINUX = sys.platform == "linux"


def test_the_same_libraries_are_found_as_by_the_search_with_a_callback():
    program = """
import numpy, scipy.linalg, sklearn.cluster, threadpoolctl
def found():
    return sorted(library["filepath"] for library in threadpoolctl.threadpool_info())
before = found()
from backend.thread_pools import search_without_locks
search_without_locks()
assert before and found() == before, (before, found())
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_limits_still_limit():
    thread_pools.search_without_locks()
    np.ones((4, 4)) @ np.ones((4, 4))
    with threadpoolctl.threadpool_limits(limits=1):
        assert {library["num_threads"] for library in threadpoolctl.threadpool_info()} == {1}


def test_paths_with_spaces_and_lines_without_a_file(tmp_path):
    maps = tmp_path / "maps"
    maps.write_text(
        "7f00-7f01 r--p 00000000 08:01 123   /opt/my libs/libblas.so.3\n"
        "7f01-7f02 r-xp 00001000 08:01 123   /opt/my libs/libblas.so.3\n"
        "7f02-7f03 rw-p 00000000 00:00 0\n"
        "7f03-7f04 rw-p 00000000 00:00 0     [heap]\n"
        "7f04-7f05 r--s 00000000 08:01 124   /usr/share/fonts/a.ttf\n"
    )
    assert thread_pools.loaded_libraries(maps) == ("/opt/my libs/libblas.so.3",)


@pytest.fixture
def many_libraries(tmp_path):
    """Copies of one extension module: opening each is a turn of the dynamic loader under Python's lock."""
    import PIL._imagingmath

    for number in range(60):
        shutil.copy(
            PIL._imagingmath.__file__, tmp_path / f"copy{number}{Path(PIL._imagingmath.__file__).suffix}"
        )
    return tmp_path


def test_searching_while_another_thread_imports_comes_to_an_end(many_libraries):
    program = """
import importlib.machinery, importlib.util, sys, threading
import numpy, sklearn.cluster, threadpoolctl
from pathlib import Path
from backend.thread_pools import search_without_locks
search_without_locks()
sys.setswitchinterval(1e-5)
done = threading.Event()

def search():
    while not done.is_set():
        threadpoolctl.ThreadpoolController()

searchers = [threading.Thread(target=search, daemon=True) for _ in range(2)]
for thread in searchers:
    thread.start()
for path in sorted(Path(sys.argv[1]).glob("copy*")):
    loader = importlib.machinery.ExtensionFileLoader("copy", str(path))
    try:
        loader.create_module(importlib.util.spec_from_loader("copy", loader))
    except ImportError:
        pass  # loaded, but of another name
done.set()
"""
    subprocess.run([sys.executable, "-c", program, str(many_libraries)], check=True, timeout=60)
