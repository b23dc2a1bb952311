"""An extraction that goes on block by block, as the test allows it."""

import threading

from backend.images import find_images
from backend.networks.model_source import ModelSource
from backend.project import Project
from tests.app.tiny_network import TINY_LAYER, TINY_NETWORK

BLOCK_ROWS = 16
"""Images in a block, which is one batch: 90 images are six blocks."""


class BatchGate:
    """Holds the images of every block, in their order, until the block is allowed."""

    def __init__(self, monkeypatch, images):
        from backend.activations import inference

        found = find_images(images)
        self._rows = {found.root / path: row for row, path in enumerate(found.paths)}
        self._condition = threading.Condition()
        self._allowed = 0
        self._open = False
        decode = inference.preprocess_image

        def gated(path, preprocessing):
            self._wait(self._rows[path])
            return decode(path, preprocessing)

        monkeypatch.setattr(inference, "preprocess_image", gated)

    def allow(self, n_blocks):
        """Let so many more blocks pass."""
        with self._condition:
            self._allowed += n_blocks * BLOCK_ROWS
            self._condition.notify_all()

    def open(self):
        """Let all pass from now on."""
        with self._condition:
            self._open = True
            self._condition.notify_all()

    def _wait(self, row):
        with self._condition:
            self._condition.wait_for(lambda: self._open or row < self._allowed)


def new_project(folder, images, layers=(TINY_LAYER,)):
    """Make a project in small blocks whose layers are planned; its network is a Python file beside it."""
    network = folder / "tiny_network.py"
    network.write_text(TINY_NETWORK)
    source = ModelSource(f"{network}:build")
    Project.create(
        folder / "new.prism", source, find_images(images), layers=layers, block_rows=BLOCK_ROWS
    ).close()
    return folder / "new.prism"
