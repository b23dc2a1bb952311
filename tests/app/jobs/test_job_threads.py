"""The worker threads: order, cancellation, errors, and a clean end."""

import threading

import pytest
from PySide6.QtCore import QCoreApplication, QObject, QThread, Slot
from PySide6.QtWidgets import QWidget

import app.jobs.job
from app.jobs.job import ThreadTask, let_it_be_painted, without_pause
from app.jobs.job_threads import JobThreads
from backend.errors import ImageError
from backend.task import Task


@pytest.fixture
def threads(qtbot):
    job_threads = JobThreads()
    yield job_threads
    assert job_threads.shutdown(10_000)
    assert not job_threads.any_alive


class Gate:
    """Holds a job in its worker until it is opened or the job is cancelled."""

    def __init__(self):
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, task: Task):
        self.entered.set()
        while not self.opened.wait(0.002):
            task.check_cancelled()
        return "through the gate"

    def stubborn(self, task: Task):
        """Ignores cancellation, as a call into a library does."""
        self.entered.set()
        assert self.opened.wait(10)
        return "stubborn"


def outcomes(job):
    seen = []
    job.succeeded.connect(lambda result: seen.append(("succeeded", result)))
    job.failed.connect(lambda failure: seen.append(("failed", failure)))
    job.cancelled.connect(lambda: seen.append(("cancelled", None)))
    return seen


class TestLongWork:
    def test_jobs_run_in_order_in_one_worker_thread(self, qtbot, threads):
        ran = []

        def job_function(name):
            def run(task):
                ran.append((name, threading.get_ident()))
                return name

            return run

        jobs = [threads.long_work.submit(name, job_function(name)) for name in "abc"]
        with qtbot.waitSignals([job.ended for job in jobs], timeout=5000, order="strict"):
            pass
        assert [name for name, _ in ran] == ["a", "b", "c"]
        idents = {ident for _, ident in ran}
        assert len(idents) == 1
        assert idents != {threading.get_ident()}

    def test_the_thread_keeps_its_python_state_between_jobs(self, qtbot, threads):
        # Extension modules hold on to it: SciPy's would write into the state of a job that is over.
        kept = threading.local()
        seen = []

        def note(task):
            seen.append(getattr(kept, "job", None))
            kept.job = "the job before"

        for thread in (threads.interactive, threads.long_work, threads.aside):
            for _ in range(2):
                with qtbot.waitSignal(thread.submit("Note", note).ended, timeout=5000):
                    pass
        assert seen == [None, "the job before"] * 3

    def test_signals_arrive_in_the_gui_thread(self, qtbot, threads):
        class Receiver(QObject):
            thread_of_call = None

            @Slot(object)
            def take(self, _):
                self.thread_of_call = QThread.currentThread()

        receiver = Receiver()
        job = threads.long_work.submit("partial", lambda task: task.partial(1))
        job.partial.connect(receiver.take)
        with qtbot.waitSignal(job.ended, timeout=5000):
            pass
        assert receiver.thread_of_call is QCoreApplication.instance().thread()

    def test_a_waiting_job_is_cancelled_without_being_run(self, qtbot, threads):
        gate = Gate()
        first = threads.long_work.submit("first", gate)
        ran = []
        second = threads.long_work.submit("second", ran.append)
        seen = outcomes(second)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        threads.long_work.cancel(second)
        assert seen == [("cancelled", None)]
        gate.opened.set()
        with qtbot.waitSignal(first.ended, timeout=5000):
            pass
        assert ran == []

    def test_a_running_job_stops_at_its_next_cancellation_point(self, qtbot, threads):
        gate = Gate()
        job = threads.long_work.submit("long", gate)
        seen = outcomes(job)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        with qtbot.waitSignal(job.cancelled, timeout=5000):
            threads.long_work.cancel(job)
        assert seen == [("cancelled", None)]
        assert threads.long_work.running is None

    def test_work_that_completed_in_spite_of_the_cancel_counts_as_done(self, qtbot, threads):
        gate = Gate()
        job = threads.long_work.submit("long", gate.stubborn)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        threads.long_work.cancel(job)
        with qtbot.waitSignal(job.succeeded, timeout=5000) as caught:
            gate.opened.set()
        assert caught.args == ["stubborn"]

    def test_progress_is_throttled_but_the_last_one_always_arrives(self, qtbot, threads):
        def count(task):
            for done in range(200_001):
                task.progress(done, 200_000, "counting")

        job = threads.long_work.submit("count", count)
        seen = []
        job.progressed.connect(seen.append)
        with qtbot.waitSignal(job.ended, timeout=20_000):
            pass
        assert (seen[-1].done, seen[-1].total, seen[-1].message) == (200_000, 200_000, "counting")
        assert len(seen) < 400

    def test_an_error_for_the_user_is_its_own_sentence(self, qtbot, threads):
        def broken(task):
            raise ImageError("The folder “apples” holds no images.")

        job = threads.long_work.submit("Reading the images", broken)
        with qtbot.waitSignal(threads.long_work.job_failed, timeout=5000) as caught:
            pass
        failed_job, failure = caught.args
        assert failed_job is job
        assert failure.sentence == "The folder “apples” holds no images."
        assert failure.expected
        assert failure.details == ""

    def test_any_other_error_names_the_job_and_carries_the_traceback(self, qtbot, threads):
        job = threads.long_work.submit("Analysing neuron 7", lambda task: {}["no such key"])
        with qtbot.waitSignal(job.failed, timeout=5000) as caught:
            pass
        failure = caught.args[0]
        assert "Analysing neuron 7" in failure.sentence
        assert "KeyError" in failure.sentence
        assert "test_job_threads.py" in failure.details
        assert not failure.expected

    def test_the_thread_lives_on_after_an_error(self, qtbot, threads):
        threads.long_work.submit("broken", lambda task: 1 // 0)
        job = threads.long_work.submit("whole", lambda task: 42)
        with qtbot.waitSignal(job.succeeded, timeout=5000) as caught:
            pass
        assert caught.args == [42]

    def test_a_background_job_gives_way_and_begins_anew(self, qtbot, threads):
        gate = Gate()
        order = []

        def sweep(task):
            order.append("sweep")
            return gate(task)

        background = threads.long_work.submit("sweep", sweep, background=True)
        seen = outcomes(background)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        urgent = threads.long_work.submit("urgent", lambda task: order.append("urgent"))
        with qtbot.waitSignal(urgent.ended, timeout=5000):
            pass
        gate.opened.set()
        with qtbot.waitSignal(background.ended, timeout=5000):
            pass
        assert order == ["sweep", "urgent", "sweep"]
        assert seen == [("succeeded", "through the gate")]

    def test_ordinary_jobs_wait_before_background_ones(self, qtbot, threads):
        gate = Gate()
        threads.long_work.submit("first", gate)
        background = threads.long_work.submit("sweep", lambda task: None, background=True)
        ordinary = threads.long_work.submit("ordinary", lambda task: None)
        assert [job.title for job in threads.long_work.waiting][-2:] == ["ordinary", "sweep"]
        gate.opened.set()
        with qtbot.waitSignals([ordinary.ended, background.ended], timeout=5000, order="strict"):
            pass


class Steps:
    """A job without an end that counts its cancellation points, and can be held between two of them."""

    def __init__(self):
        self.counted = 0
        self.n_begun = 0
        self.held = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, task: Task):
        self.n_begun += 1
        while True:
            if not self.go_on.is_set():
                self.held.set()
                assert self.go_on.wait(10)
            self.counted += 1
            task.check_cancelled()


class TestPause:
    @pytest.fixture
    def steps(self):
        return Steps()

    @pytest.fixture
    def job(self, qtbot, threads, steps):
        """A job that runs, to be paused."""
        job = threads.long_work.submit("stepping", steps, pausable=True)
        qtbot.waitUntil(lambda: steps.counted > 0, timeout=5000)
        return job

    def pause(self, qtbot, threads, job):
        with qtbot.waitSignal(threads.long_work.pause_changed):
            threads.long_work.pause(job)
        qtbot.waitUntil(lambda: job.is_waiting, timeout=5000)

    def test_it_waits_at_a_cancellation_point_and_goes_on_from_there(self, qtbot, threads, job, steps):
        self.pause(qtbot, threads, job)
        counted = steps.counted
        with qtbot.waitSignal(threads.aside.submit("meanwhile", lambda task: None).succeeded, timeout=5000):
            pass
        assert steps.counted == counted
        with qtbot.waitSignal(threads.long_work.pause_changed):
            threads.long_work.resume(job)
        qtbot.waitUntil(lambda: steps.counted > counted, timeout=5000)
        assert steps.n_begun == 1
        assert not job.is_waiting
        threads.long_work.cancel(job)

    def test_it_is_not_waiting_before_it_comes_to_such_a_point(self, qtbot, threads, job, steps):
        steps.go_on.clear()
        qtbot.waitUntil(steps.held.is_set, timeout=5000)
        threads.long_work.pause(job)
        assert job.paused
        assert not job.is_waiting
        steps.go_on.set()
        qtbot.waitUntil(lambda: job.is_waiting, timeout=5000)
        threads.long_work.cancel(job)

    def test_cancelling_ends_it_while_it_waits(self, qtbot, threads, job):
        self.pause(qtbot, threads, job)
        with qtbot.waitSignal(job.cancelled, timeout=5000):
            threads.long_work.cancel(job)
        assert threads.long_work.running is None

    def test_closing_ends_it_while_it_waits(self, qtbot, threads, job):
        self.pause(qtbot, threads, job)
        assert threads.shutdown(5000)
        assert job.has_ended

    def test_another_job_passes_it_and_it_stays_paused(self, qtbot, threads, job, steps):
        self.pause(qtbot, threads, job)
        seen = outcomes(job)
        other = threads.long_work.submit("other", lambda task: "passed")
        with qtbot.waitSignal(other.succeeded, timeout=5000):
            pass
        assert (threads.long_work.running, threads.long_work.waiting) == (None, (job,))
        assert job.is_waiting
        assert seen == []
        threads.long_work.resume(job)
        qtbot.waitUntil(lambda: steps.n_begun == 2, timeout=5000)
        assert threads.long_work.running is job
        assert not job.is_waiting
        threads.long_work.cancel(job)

    def test_a_job_that_waits_behind_it_passes_as_well(self, qtbot, threads, job):
        other = threads.long_work.submit("other", lambda task: "passed")
        assert threads.long_work.waiting == (other,)
        with qtbot.waitSignal(other.succeeded, timeout=5000):
            threads.long_work.pause(job)
        assert threads.long_work.waiting == (job,)
        with qtbot.waitSignal(job.cancelled):
            threads.long_work.cancel(job)

    def test_what_may_not_wait_is_not_paused(self, qtbot, threads):
        gate = Gate()
        job = threads.long_work.submit("gate", gate)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        threads.long_work.pause(job)
        assert not job.paused
        gate.opened.set()
        with qtbot.waitSignal(job.succeeded, timeout=5000):
            pass

    def test_a_part_of_the_work_may_go_on_in_spite_of_the_pause(self, qtbot, threads):
        entered, left, go_on = threading.Event(), threading.Event(), threading.Event()

        def holding_a_lock(task):
            locked = without_pause(task)
            entered.set()
            assert go_on.wait(10)
            locked.check_cancelled()
            left.set()
            task.check_cancelled()

        job = threads.long_work.submit("locked", holding_a_lock, pausable=True)
        qtbot.waitUntil(entered.is_set, timeout=5000)
        threads.long_work.pause(job)
        go_on.set()
        qtbot.waitUntil(lambda: job.is_waiting, timeout=5000)
        assert left.is_set()
        threads.long_work.resume(job)
        with qtbot.waitSignal(job.succeeded, timeout=5000):
            pass


class TestInteractive:
    def test_the_newest_request_wins(self, qtbot, threads):
        gate = Gate()
        first = threads.interactive.submit("first", gate.stubborn)
        seen_first = outcomes(first)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        second = threads.interactive.submit("second", lambda task: "second")
        seen_second = outcomes(second)
        third = threads.interactive.submit("third", lambda task: "third")
        assert seen_second == [("cancelled", None)]
        gate.opened.set()
        with qtbot.waitSignal(third.succeeded, timeout=5000) as caught:
            pass
        assert caught.args == ["third"]
        assert seen_first == [("cancelled", None)], "the finished but overtaken answer is dropped"

    def test_an_error_of_an_overtaken_request_is_not_shown(self, qtbot, threads):
        gate = Gate()

        def fail_late(task):
            gate.stubborn(task)
            raise ValueError("late")

        failures = []
        threads.interactive.job_failed.connect(lambda job, failure: failures.append(failure))
        threads.interactive.submit("first", fail_late)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        second = threads.interactive.submit("second", lambda task: None)
        gate.opened.set()
        with qtbot.waitSignal(second.succeeded, timeout=5000):
            pass
        assert failures == []

    def test_a_job_goes_on_once_its_partial_result_is_painted(self, qtbot, threads):
        class Shown(QWidget):
            painted = 0

            def paintEvent(self, event):
                self.painted += 1

        widget = Shown()
        qtbot.addWidget(widget)
        widget.show()
        qtbot.waitUntil(lambda: widget.painted > 0)
        qtbot.waitExposed(widget)
        QCoreApplication.processEvents()

        def hand_over(task):
            before = widget.painted
            task.partial("clusters")
            let_it_be_painted(task)
            return widget.painted - before

        job = threads.interactive.submit("hand over", hand_over)
        job.partial.connect(widget.update)
        with qtbot.waitSignal(job.succeeded, timeout=5000) as done:
            pass
        assert done.args == [1]

    def test_a_cancelled_job_does_not_wait_for_painting(self, qtbot, threads, monkeypatch):
        monkeypatch.setattr(app.jobs.job, "PAINTING_LIMIT_S", 60)
        entered = threading.Event()

        def hand_over(task):
            task.partial("clusters")
            entered.set()
            let_it_be_painted(task)
            task.check_cancelled()

        job = threads.interactive.submit("hand over", hand_over)
        assert entered.wait(5)  # the GUI thread has not taken the result, so it is not painted
        with qtbot.waitSignal(job.cancelled, timeout=5000):
            threads.interactive.cancel_all()

    def test_a_job_without_a_window_waits_only_so_long(self, monkeypatch):
        monkeypatch.setattr(app.jobs.job, "PAINTING_LIMIT_S", 0.01)
        task = ThreadTask(lambda result: None)
        task.partial("never painted")
        let_it_be_painted(task)
        task.check_cancelled()

    def test_partial_results_of_an_overtaken_request_are_dropped(self, qtbot, threads):
        gate = Gate()

        def late_partial(task):
            gate.stubborn(task)
            task.partial("stale")

        first = threads.interactive.submit("first", late_partial)
        partials = []
        first.partial.connect(partials.append)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        second = threads.interactive.submit("second", lambda task: None)
        gate.opened.set()
        with qtbot.waitSignal(second.succeeded, timeout=5000):
            pass
        assert partials == []


class TestShutdown:
    def test_it_cancels_what_runs_and_what_waits(self, qtbot):
        job_threads = JobThreads()
        gate = Gate()
        running = job_threads.long_work.submit("running", gate)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        ran = []
        job_threads.long_work.submit("waiting", ran.append)
        asking = Gate()
        job_threads.interactive.submit("asking", asking)
        qtbot.waitUntil(asking.entered.is_set, timeout=5000)
        assert job_threads.shutdown(10_000)
        assert not job_threads.any_alive
        assert running.has_ended
        assert ran == []

    def test_it_reports_work_that_cannot_be_cancelled_and_never_terminates_it(self, qtbot):
        job_threads = JobThreads()
        gate = Gate()
        job_threads.long_work.submit("stubborn", gate.stubborn)
        qtbot.waitUntil(gate.entered.is_set, timeout=5000)
        assert not job_threads.shutdown(50)
        assert job_threads.any_alive
        gate.opened.set()
        assert job_threads.shutdown(10_000)

    def test_nothing_is_accepted_afterwards(self, qtbot):
        job_threads = JobThreads()
        assert job_threads.shutdown(10_000)
        ran = []
        job_threads.long_work.submit("late", ran.append)
        job_threads.interactive.submit("late", ran.append)
        QCoreApplication.processEvents()
        assert ran == []
