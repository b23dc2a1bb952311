"""Torch's libraries come before torch, and torch works as ever."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from app.torch_loading import LIBRARIES, load_libraries, load_libraries_with_torch
from backend.thread_pools import loaded_libraries

def here():
    loaded = loaded_libraries()
    return [name for name in LIBRARIES if any(path.endswith("/torch/lib/" + name) for path in loaded)]

finders = list(sys.meta_path)
load_libraries_with_torch()
load_libraries_with_torch()
if sys.platform == "linux":
    assert len(sys.meta_path) == len(finders) + 1
    import backend.errors
    assert here() == [] and "torch" not in sys.modules
    load_libraries()
    assert here() == list(LIBRARIES) and "torch" not in sys.modules
thread = threading.Thread(target=lambda: __import__("torch"))
thread.start()
thread.join()
import torch
assert sys.meta_path == finders
print(float((torch.ones(3, 3) @ torch.ones(3)).sum()))
"""


def test_torch_finds_its_libraries_loaded():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.stdout.strip() == "9.0"
