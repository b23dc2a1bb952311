import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import pytest
import torch

from backend.errors import ModelError
from backend.networks.published_weights import published_weights_file, weights_cache
from backend.task import Cancelled, SilentTask

CONTENTS = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENTS).hexdigest()[:8]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    return weights_cache()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "served"
    served.mkdir()
    (served / f"net-{DIGEST}.pth").write_bytes(CONTENTS)
    (served / "net-00000000.pth").write_bytes(CONTENTS)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Recording(SilentTask):
    def __init__(self, cancel: bool = False) -> None:
        self.reported: list[tuple[int, int]] = []
        self.cancel = cancel

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.reported.append((done, total))

    def check_cancelled(self) -> None:
        if self.cancel:
            raise Cancelled


def test_a_download_arrives_in_the_cache_and_is_not_repeated(cache: Path, address: str) -> None:
    task = _Recording()
    path = published_weights_file(f"{address}/net-{DIGEST}.pth", model="net", task=task)
    assert path == cache / f"net-{DIGEST}.pth"
    assert path.read_bytes() == CONTENTS
    assert task.reported[-1] == (1, 1)
    path.write_bytes(b"kept")
    assert published_weights_file(f"{address}/net-{DIGEST}.pth", model="net").read_bytes() == b"kept"
    assert [file.name for file in cache.iterdir()] == [path.name]


def test_a_damaged_download_is_refused_and_not_kept(cache: Path, address: str) -> None:
    with pytest.raises(ModelError, match="damaged: its SHA-256"):
        published_weights_file(f"{address}/net-00000000.pth", model="net")
    assert list(cache.iterdir()) == []


def test_a_cancelled_download_leaves_nothing(cache: Path, address: str) -> None:
    with pytest.raises(Cancelled):
        published_weights_file(f"{address}/net-{DIGEST}.pth", model="net", task=_Recording(cancel=True))
    assert list(cache.iterdir()) == []


def test_a_missing_file_on_the_server_is_a_sentence(cache: Path, address: str) -> None:
    with pytest.raises(ModelError, match="cannot be downloaded"):
        published_weights_file(f"{address}/absent-12345678.pth", model="net")
    assert list(cache.iterdir()) == []


def test_without_a_connection_the_file_its_folder_and_the_way_out_are_named(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_arguments: object, **_named: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(ModelError) as caught:
        published_weights_file("https://example.org/models/resnet18-f37072fd.pth", model="resnet18")
    message = str(caught.value)
    for part in (
        "resnet18",
        "'resnet18-f37072fd.pth'",
        str(cache),
        "--weights FILE",
        "Name or service not known",
    ):
        assert part in message
    assert list(cache.iterdir()) == []
