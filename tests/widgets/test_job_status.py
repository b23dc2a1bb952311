"""The job status bar: speed and time left from a clock of the test's own."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from widgets.job_status import JobStatusBar, ProgressSpeed


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bar(qtbot: QtBot, clock: Clock) -> JobStatusBar:
    bar = JobStatusBar(clock=clock)
    qtbot.addWidget(bar)
    bar.resize(900, 30)
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


def test_speed_is_that_of_the_last_seconds(clock: Clock) -> None:
    speed = ProgressSpeed(clock)
    assert speed.per_second() is None
    for second in range(60):
        speed.report(10 * min(second, 30) + 100 * max(0, second - 30))
        clock.now += 1
    assert speed.per_second() == pytest.approx(100)
    assert speed.seconds_left(10_000) == pytest.approx((10_000 - 3200) / 100)


def test_speed_is_not_guessed_too_early_nor_from_nothing(clock: Clock) -> None:
    speed = ProgressSpeed(clock)
    speed.report(0)
    clock.now += 0.5
    speed.report(50)
    assert speed.per_second() is None
    clock.now += 5
    speed.report(50)
    assert speed.per_second() == pytest.approx(50 / 5.5)


def test_speed_starts_over_with_a_new_phase(clock: Clock) -> None:
    speed = ProgressSpeed(clock)
    for done in (0, 500, 0, 20):
        speed.report(done)
        clock.now += 2
    assert speed.per_second() == pytest.approx(10)


def test_idle_at_first(bar: JobStatusBar) -> None:
    assert bar.text_label.text() == "Ready"
    assert not bar.progress_bar.isVisible()
    assert not bar.cancel_button.isVisible()
    bar.set_progress(3, 5)
    assert bar.text_label.text() == "Ready"
    bar.set_idle_text("features.18 · 26,000 images")
    assert bar.text_label.text() == "features.18 · 26,000 images"


def test_a_job_shows_count_speed_and_time_left(bar: JobStatusBar, clock: Clock) -> None:
    bar.start_job("Extracting", unit="image")
    assert (bar.progress_bar.minimum(), bar.progress_bar.maximum()) == (0, 0)
    bar.set_progress(0, 26_000)
    clock.now += 10
    bar.set_progress(1400, 26_000, "features.18")
    assert bar.text_label.text() == (
        "Extracting · features.18 · 1,400 of 26,000 images · 140 images/s · 2 min 55 s left"
    )
    assert bar.progress_bar.value() / bar.progress_bar.maximum() == pytest.approx(1400 / 26_000, abs=0.001)
    bar.set_progress(26_000, 26_000)
    assert "left" not in bar.text_label.text()


def test_a_slow_job_has_a_decimal(bar: JobStatusBar, clock: Clock) -> None:
    bar.start_job("Extracting", unit="image")
    bar.set_progress(0, 100)
    clock.now += 10
    bar.set_progress(54, 100)
    assert "5.4 images/s · 9 s left" in bar.text_label.text()


def test_a_job_of_unknown_length(bar: JobStatusBar) -> None:
    bar.start_job("Loading the network")
    bar.set_progress(0, 0, "downloading weights")
    assert bar.text_label.text() == "Loading the network · downloading weights"
    assert bar.progress_bar.maximum() == 0


def test_cancel_is_heard_once_and_shown(bar: JobStatusBar, qtbot: QtBot) -> None:
    bar.start_job("Extracting", unit="image")
    with qtbot.waitSignal(bar.cancel_requested):
        QTest.mouseClick(bar.cancel_button, Qt.MouseButton.LeftButton)
    assert not bar.cancel_button.isEnabled()
    bar.set_progress(5, 10)
    assert bar.text_label.text() == "Extracting · stopping…"
    bar.finish_job("Extraction stopped; 5 images are kept")
    assert bar.text_label.text() == "Extraction stopped; 5 images are kept"
    assert not bar.progress_bar.isVisible()
    bar.start_job("Again")
    assert bar.cancel_button.isEnabled()


def test_cancel_with_the_keyboard(bar: JobStatusBar, qtbot: QtBot) -> None:
    bar.start_job("Extracting")
    bar.cancel_button.setFocus()
    with qtbot.waitSignal(bar.cancel_requested):
        QTest.keyClick(bar.cancel_button, Qt.Key.Key_Space)


def test_a_job_that_cannot_be_cancelled(bar: JobStatusBar) -> None:
    bar.start_job("Saving", cancellable=False)
    assert not bar.cancel_button.isVisible()
    assert bar.is_running()


def test_the_last_word_fades_into_the_idle_text(bar: JobStatusBar, qtbot: QtBot) -> None:
    bar.start_job("Saving")
    bar._forget.setInterval(30)
    bar.finish_job("Saved")
    bar.set_idle_text("Nothing to do")
    assert bar.text_label.text() == "Saved"
    qtbot.waitUntil(lambda: bar.text_label.text() == "Nothing to do", timeout=2000)
    bar.start_job("Next")
    bar.finish_job()
    assert bar.text_label.text() == "Nothing to do"


def test_waiting_jobs_are_counted_and_listed(bar: JobStatusBar) -> None:
    bar.start_job("Extracting")
    bar.set_queue(["Suggesting d_max", "Rendering"])
    assert bar.queue_label.text() == "2 waiting"
    assert "Suggesting d_max, then Rendering" in bar.queue_label.toolTip()
    bar.set_queue([])
    assert not bar.queue_label.isVisible()


class TestPause:
    @pytest.fixture
    def running(self, bar: JobStatusBar, clock: Clock) -> JobStatusBar:
        bar.start_job("Extracting", unit="image", pausable=True)
        bar.set_progress(0, 1000)
        clock.now += 10
        bar.set_progress(400, 1000)
        return bar

    def test_the_button_asks_for_a_pause_and_then_to_go_on(self, running: JobStatusBar, qtbot: QtBot) -> None:
        assert running.pause_button.text() == "Pause"
        with qtbot.waitSignal(running.pause_requested):
            QTest.mouseClick(running.pause_button, Qt.MouseButton.LeftButton)
        running.set_paused(True)
        assert running.is_paused()
        assert running.text_label.text() == "Extracting · 400 of 1,000 images · paused"
        assert running.pause_button.text() == "Continue"
        assert running.cancel_button.isVisible()
        with qtbot.waitSignal(running.continue_requested):
            QTest.keyClick(running.pause_button, Qt.Key.Key_Space)

    def test_until_the_job_waits_it_is_pausing(self, running: JobStatusBar) -> None:
        running.set_paused(True, waiting=False)
        assert running.text_label.text().endswith("pausing…")
        running.set_progress(450, 1000)
        assert running.text_label.text().endswith("pausing…")
        running.set_paused(True)
        assert running.text_label.text() == "Extracting · 450 of 1,000 images · paused"

    def test_the_time_of_the_pause_does_not_count(self, running: JobStatusBar, clock: Clock) -> None:
        running.set_paused(True)
        clock.now += 3600
        running.set_paused(False)
        assert running.pause_button.text() == "Pause"
        assert running.text_label.text() == "Extracting · 400 of 1,000 images"
        clock.now += 10
        running.set_progress(500, 1000)
        assert "10 images/s · 50 s left" in running.text_label.text()

    def test_a_bar_of_unknown_length_stands_still(self, bar: JobStatusBar) -> None:
        bar.start_job("Extracting", unit="image", pausable=True)
        bar.set_paused(True)
        assert bar.progress_bar.maximum() > 0
        assert bar.text_label.text() == "Extracting · paused"

    def test_a_paused_job_can_be_cancelled(self, running: JobStatusBar, qtbot: QtBot) -> None:
        running.set_paused(True)
        with qtbot.waitSignal(running.cancel_requested):
            QTest.mouseClick(running.cancel_button, Qt.MouseButton.LeftButton)
        assert not running.pause_button.isEnabled()
        running.set_paused(True)
        assert running.text_label.text() == "Extracting · stopping…"
        running.finish_job("Extracting: cancelled")
        assert not running.pause_button.isVisible()
        running.start_job("Again", pausable=True)
        assert running.pause_button.isEnabled()
        assert not running.is_paused()

    def test_other_jobs_have_no_such_button(self, bar: JobStatusBar) -> None:
        bar.start_job("Exporting")
        assert not bar.pause_button.isVisible()
