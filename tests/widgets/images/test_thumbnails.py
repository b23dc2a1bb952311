"""Thumbnails: in threads, newest first, bounded, at the right size, and cleanly ended."""

import gc
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QColor
from shiboken6 import isValid

from widgets.images.decode_queue import DecodeQueue, PictureRequest
from widgets.images.thumbnails import ThumbnailLoader, fitted_image


def picture(height: int, width: int, color=(10, 200, 30)) -> np.ndarray:
    return np.full((height, width, 3), color, dtype=np.uint8)


def thumbnail_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("thumbnails-")]


@pytest.fixture
def make_loader(qapp):
    loaders = []

    def make(decode, **keywords) -> ThumbnailLoader:
        loaders.append(ThumbnailLoader(decode, **keywords))
        return loaders[-1]

    yield make
    for loader in loaders:
        if isValid(loader):
            loader.shutdown()
    assert thumbnail_threads() == []


class Gate:
    """A decoder that waits until it is opened, and notes what it was asked for, and where."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.served: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, path: Path, size: int) -> np.ndarray:
        self.served.append(path.name)
        self.threads.add(threading.get_ident())
        self.entered.set()
        assert self.opened.wait(10)
        return picture(size, size)


def test_a_picture_comes_later_at_the_right_size_and_colour(make_loader, qtbot):
    loader = make_loader(lambda path, size: picture(50, 100))
    with qtbot.waitSignal(loader.ready) as ready:
        assert loader.pixmap(Path("a.png"), 80, 2.0) is None
    assert ready.args == ["a.png"]
    pixmap = loader.cached(Path("a.png"), 80, 2.0)
    assert (pixmap.width(), pixmap.height(), pixmap.devicePixelRatio()) == (160, 80, 2.0)
    assert pixmap.toImage().pixelColor(80, 40) == QColor(10, 200, 30)


def test_pictures_are_enlarged_only_if_asked(make_loader, qtbot):
    loader = make_loader(lambda path, size: picture(20, 40))
    with qtbot.waitSignals([loader.ready] * 2):
        loader.pixmap(Path("a"), 100)
        loader.pixmap(Path("a"), 400, enlarge=False)
    assert loader.cached(Path("a"), 100).width() == 100
    assert loader.cached(Path("a"), 400, enlarge=False).width() == 40


def test_decoding_happens_outside_the_gui_thread(make_loader, qtbot):
    gate = Gate()
    gate.opened.set()
    loader = make_loader(gate)
    with qtbot.waitSignals([loader.ready] * 5):
        for i in range(5):
            loader.pixmap(Path(str(i)), 16)
    assert threading.get_ident() not in gate.threads


def test_newest_requests_first_and_unwanted_ones_never(make_loader, qtbot):
    gate = Gate()
    loader = make_loader(gate, n_threads=1)
    view, other = QObject(), QObject()
    loader.request(Path("first"), 16, client=view)
    assert gate.entered.wait(10)
    for name in "abcdef":
        loader.request(Path(name), 16, client=view)
    loader.request(Path("e"), 16, client=other)
    loader.request(Path("a"), 16, client=view)
    loader.keep_requests(view, [Path("a"), Path("c")])
    assert loader.n_waiting == 3
    with qtbot.waitSignals([loader.ready] * 4):
        gate.opened.set()
    assert gate.served == ["first", "a", "e", "c"]


def test_asking_many_times_decodes_once(make_loader, qtbot):
    gate = Gate()
    loader = make_loader(gate, n_threads=2)
    for _ in range(5):
        loader.request(Path("same"), 16)
    assert gate.entered.wait(10)
    loader.request(Path("same"), 16)
    with qtbot.waitSignal(loader.ready):
        gate.opened.set()
    loader.request(Path("same"), 16)
    assert gate.served == ["same"]
    assert loader.n_waiting == 0


def test_another_size_stands_in_until_the_right_one_is_here(make_loader, qtbot):
    loader = make_loader(lambda path, size: picture(size, size))
    with qtbot.waitSignal(loader.ready):
        loader.pixmap(Path("a"), 32)
    with qtbot.waitSignal(loader.ready):
        assert loader.pixmap(Path("a"), 64).width() == 32
    assert loader.pixmap(Path("a"), 64).width() == 64
    assert loader.cached(Path("a"), 32).width() == 32


def test_the_cache_is_bounded_and_drops_the_least_recently_used(make_loader, qtbot):
    one = 32 * 32 * 4
    loader = make_loader(lambda path, size: picture(size, size), maximum_bytes=3 * one)
    for name in "abc":
        with qtbot.waitSignal(loader.ready):
            loader.pixmap(Path(name), 32)
    assert loader.used_bytes == 3 * one
    assert loader.cached(Path("a"), 32) is not None
    with qtbot.waitSignal(loader.ready):
        loader.pixmap(Path("d"), 32)
    assert loader.used_bytes == 3 * one
    assert [loader.cached(Path(name), 32) is not None for name in "abcd"] == [True, False, True, True]


def test_a_failure_is_told_with_its_reason_and_not_tried_again(make_loader, qtbot):
    calls = []

    def broken(path: Path, size: int) -> np.ndarray:
        calls.append(path)
        raise OSError("The file ends too early.")

    loader = make_loader(broken)
    with qtbot.waitSignal(loader.ready):
        loader.pixmap(Path("bad.jpg"), 32)
    assert loader.failure(Path("bad.jpg")) == "The file ends too early."
    assert loader.failure(Path("other.jpg")) is None
    assert loader.pixmap(Path("bad.jpg"), 32) is None
    assert loader.n_waiting == 0
    loader.clear()
    assert loader.failure(Path("bad.jpg")) is None
    with qtbot.waitSignal(loader.ready):
        loader.pixmap(Path("bad.jpg"), 32)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_a_failure(make_loader, qtbot, wrong):
    loader = make_loader(lambda path, size: wrong)
    with qtbot.waitSignal(loader.ready):
        loader.pixmap(Path("x"), 32)
    assert "no picture" in loader.failure(Path("x"))


def test_an_exception_without_text_still_has_a_reason(make_loader, qtbot):
    def broken(path: Path, size: int) -> np.ndarray:
        raise MemoryError

    loader = make_loader(broken)
    with qtbot.waitSignal(loader.ready):
        loader.pixmap(Path("x"), 32)
    assert loader.failure(Path("x")) == "MemoryError"


def test_what_was_being_decoded_when_cleared_is_not_shown_but_can_be_asked_again(make_loader, qtbot):
    gate = Gate()
    loader = make_loader(gate, n_threads=2)
    loader.request(Path("old"), 16)
    assert gate.entered.wait(10)
    loader.clear()
    loader.request(Path("old"), 16)
    with qtbot.waitSignal(loader.ready):
        gate.opened.set()
    assert gate.served == ["old", "old"]
    assert loader.used_bytes == 16 * 16 * 4


def test_shutdown_joins_the_threads_and_silences_the_loader(make_loader, qtbot):
    gate = Gate()
    loader = make_loader(gate, n_threads=2)
    announced = []
    loader.ready.connect(announced.append)
    for i in range(50):
        loader.request(Path(str(i)), 16)
    assert gate.entered.wait(10)
    gate.opened.set()
    loader.shutdown()
    assert thumbnail_threads() == []
    QCoreApplication.processEvents()
    assert announced == []
    loader.request(Path("late"), 16)
    assert loader.n_waiting == 0 and thumbnail_threads() == []
    loader.shutdown()


def test_threads_end_even_if_the_loader_is_deleted_without_shutdown(qapp, qtbot):
    gate = Gate()
    gate.opened.set()
    parent = QObject()
    loader = ThumbnailLoader(gate, parent)
    with qtbot.waitSignal(loader.ready):
        loader.request(Path("a"), 16)
    gone = weakref.ref(loader)
    del loader
    parent.deleteLater()
    qtbot.waitUntil(lambda: thumbnail_threads() == [])
    gc.collect()
    assert gone() is None or not isValid(gone())


def test_the_image_owns_its_memory():
    array = picture(8, 8)
    image = fitted_image(array, PictureRequest("x", 8))
    array[:] = 0
    del array
    assert image.pixelColor(4, 4) == QColor(10, 200, 30)
    strided = np.asfortranarray(picture(6, 8))[:, ::2]
    assert fitted_image(strided, PictureRequest("x", 6)).size().toTuple() == (4, 6)
    assert fitted_image(strided, PictureRequest("x", 6)).pixelColor(3, 5) == QColor(10, 200, 30)


def test_queue_keeps_another_clients_wish():
    queue = DecodeQueue(lambda request: None, lambda result: None, n_threads=0)
    queue.push(PictureRequest("a", 1), 1)
    queue.push(PictureRequest("a", 1), 2)
    queue.keep(1, [])
    assert len(queue) == 1
    queue.keep(2, [])
    assert len(queue) == 0


def test_device_pixels_are_rounded_and_never_zero():
    assert PictureRequest("a", 33, 1.5).pixels == 50
    assert PictureRequest("a", 0, 1.0).pixels == 1
