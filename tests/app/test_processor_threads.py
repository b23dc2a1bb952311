"""Work at low priority: in threads of its own, with the result and the errors of the work itself."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.processor_threads import run_at_low_priority
from backend.task import Cancelled


def niceness():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_it_returns_what_the_work_returns():
    assert run_at_low_priority(lambda: 42) == 42


@pytest.mark.parametrize("error", [ValueError("no"), Cancelled()])
def test_it_raises_what_the_work_raises(error):
    def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        run_at_low_priority(fail)
    assert caught.value is error


def test_the_work_and_the_threads_that_it_starts_give_way_and_this_one_does_not():
    before = niceness()

    def work():
        with ThreadPoolExecutor(1) as pool:
            return niceness(), pool.submit(niceness).result()

    expected = min(before + 5, 19) if sys.platform == "linux" else before
    assert run_at_low_priority(work) == (expected, expected)
    assert niceness() == before
