"""The status bar follows the long-work thread: pause, continue, and who passes whom."""

import threading

import pytest
from PySide6.QtCore import Qt

from app.jobs import job_display
from app.jobs.job_display import JobDisplay
from app.jobs.job_threads import JobThreads
from widgets.job_status import JobStatusBar


class Work:
    """A job that reports its progress until it is told to end."""

    def __init__(self):
        self.ending = threading.Event()
        self.done = 0

    def __call__(self, task):
        while not self.ending.wait(0.001):
            self.done += 1
            task.progress(self.done, 1_000_000, "Extracting")
            task.check_cancelled()


@pytest.fixture
def threads(qtbot):
    job_threads = JobThreads()
    yield job_threads
    assert job_threads.shutdown(10_000)


@pytest.fixture
def bar(qtbot, threads, monkeypatch):
    monkeypatch.setattr(job_display, "APPEARS_AFTER_MS", 1)
    bar = JobStatusBar()
    qtbot.addWidget(bar)
    bar.resize(900, 30)
    bar.show()
    bar.display = JobDisplay(bar, threads.long_work, bar)
    return bar


@pytest.fixture
def work(qtbot, threads, bar):
    work = Work()
    work.job = threads.long_work.submit("Extracting", work, unit="image", pausable=True)
    qtbot.waitUntil(lambda: " of 1,000,000 images" in bar.text_label.text(), timeout=5000)
    yield work
    work.ending.set()


def press(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def pause(qtbot, bar):
    press(qtbot, bar.pause_button)
    qtbot.waitUntil(lambda: bar.text_label.text().endswith("· paused"), timeout=5000)


def test_pause_and_continue(qtbot, threads, bar, work):
    pause(qtbot, bar)
    assert work.job.is_waiting
    assert f"{work.done:,} of 1,000,000 images" in bar.text_label.text()
    press(qtbot, bar.pause_button)
    qtbot.waitUntil(lambda: bar.pause_button.text() == "Pause", timeout=5000)
    done = work.done
    qtbot.waitUntil(lambda: work.done > done, timeout=5000)


def test_what_passes_a_paused_job_is_shown_and_then_the_paused_one_again(qtbot, threads, bar, work):
    pause(qtbot, bar)
    other = Work()
    job = threads.long_work.submit("Exporting", other, unit="neuron")
    qtbot.waitUntil(lambda: bar.text_label.text().startswith("Exporting"), timeout=5000)
    assert not bar.pause_button.isVisible()
    assert bar.queue_label.text() == "1 waiting"
    assert "Extracting (paused)" in bar.queue_label.toolTip()
    with qtbot.waitSignal(job.succeeded, timeout=5000):
        other.ending.set()
    qtbot.waitUntil(lambda: bar.text_label.text().startswith("Extracting"), timeout=5000)
    assert bar.text_label.text().endswith("· paused")
    assert not bar.queue_label.isVisible()
    press(qtbot, bar.pause_button)
    qtbot.waitUntil(lambda: threads.long_work.running is work.job, timeout=5000)
    with qtbot.waitSignal(work.job.succeeded, timeout=5000):
        work.ending.set()
    qtbot.waitUntil(lambda: bar.text_label.text() == "Extracting: done", timeout=5000)


def test_a_quiet_job_passes_unseen(qtbot, threads, bar, work):
    pause(qtbot, bar)
    text = bar.text_label.text()
    with qtbot.waitSignal(
        threads.long_work.submit("quiet", lambda task: 1, quiet=True).succeeded, timeout=5000
    ):
        pass
    assert bar.text_label.text() == text
    assert bar.pause_button.text() == "Continue"


@pytest.mark.parametrize("passed", [False, True])
def test_a_paused_job_is_cancelled(qtbot, threads, bar, work, passed):
    pause(qtbot, bar)
    if passed:
        with qtbot.waitSignal(threads.long_work.submit("other", lambda task: 1).ended, timeout=5000):
            pass
        assert threads.long_work.waiting == (work.job,)
    with qtbot.waitSignal(work.job.cancelled, timeout=5000):
        press(qtbot, bar.cancel_button)
    qtbot.waitUntil(lambda: bar.text_label.text() == "Extracting: cancelled", timeout=5000)
    assert not bar.pause_button.isVisible()
    assert not bar.is_running()
