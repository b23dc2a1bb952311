"""The process for embeddings: answers, errors, cancelling, its end, and doing without it."""

import multiprocessing
import os

import numpy as np
import pytest

from app.jobs.embedding_process import EmbeddingProcess
from backend.errors import EmbeddingError, ParameterError
from backend.evaluation.embedding_result import EmbeddingSettings
from backend.task import Cancelled, SilentTask
from tests.app.jobs.stand_in_embeddings import DIE, FAIL, HANG, REFUSE, by_seed

VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


class CancelledTask(SilentTask):
    """A task that is cancelled as soon as the process is at work."""

    def check_cancelled(self):
        raise Cancelled


@pytest.fixture
def process():
    embedding_process = EmbeddingProcess(by_seed)
    yield embedding_process
    embedding_process.close()
    assert not embedding_process.is_running


def ask(process, seed=0, task=None):
    return process.embed(VECTORS, "umap", seed, EmbeddingSettings(), task or SilentTask())


def pid_of(embedding):
    return int(embedding.note)


def test_answers_and_errors_come_from_another_process_and_it_goes_on(process):
    first = ask(process)
    np.testing.assert_array_equal(first.positions, VECTORS[:, :2])
    assert pid_of(first) != os.getpid()
    with pytest.raises(ParameterError, match="too few apples"):
        ask(process, REFUSE)
    with pytest.raises(RuntimeError, match="KeyError: 'no such key'"):
        ask(process, FAIL)
    assert pid_of(ask(process)) == pid_of(first)


def test_a_request_that_was_cancelled_is_not_waited_for(process):
    first = ask(process)
    with pytest.raises(Cancelled):
        ask(process, HANG, CancelledTask())
    assert process.is_running
    # It never ends; when a new process would have been up by now, there is one.
    assert pid_of(ask(process)) != pid_of(first)


def test_closing_ends_what_hangs(process):
    with pytest.raises(Cancelled):
        ask(process, HANG, CancelledTask())
    process.close()
    assert not process.is_running


def test_a_process_that_dies_is_said_and_replaced(process):
    with pytest.raises(EmbeddingError, match="exit code 7"):
        ask(process, DIE)
    assert not process.is_running
    np.testing.assert_array_equal(ask(process).positions, VECTORS[:, :2])


def test_an_idle_process_ends_and_the_next_request_starts_another():
    process = EmbeddingProcess(by_seed, idle_seconds=0.3)
    first = ask(process)
    process._process.join(10)
    assert not process.is_running
    assert pid_of(ask(process)) != pid_of(first)
    process.close()


def test_where_no_process_can_be_started_it_is_computed_here(process, monkeypatch):
    class LockedDown:
        def Pipe(self):
            raise PermissionError("not allowed")

    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: LockedDown())
    assert pid_of(ask(process)) == os.getpid()
    assert not process.is_running
