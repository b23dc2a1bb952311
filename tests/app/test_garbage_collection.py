"""Cycles with QObjects in them are collected in the GUI thread, never in a worker."""

import gc
import threading
import weakref

import pytest
from PySide6.QtCore import QObject

from app.garbage_collection import GarbageCollector


@pytest.fixture
def collector(qapp):
    gc.collect()
    garbage_collector = GarbageCollector()
    garbage_collector.collect_due()  # passes over the libraries once
    yield garbage_collector
    garbage_collector.stop()


def forget_a_cycle():
    """Leave a QObject behind that only a cycle holds; return a list that its thread is noted in."""
    died_in = []
    loose = QObject()
    loose.myself = loose
    weakref.finalize(loose, lambda: died_in.append(threading.get_ident()))
    return died_in


def allocate_much():
    keep = []
    for _ in range(5000):
        keep.append([keep])


def test_a_worker_that_allocates_much_collects_nothing(collector):
    died_in = forget_a_cycle()
    worker = threading.Thread(target=allocate_much)
    worker.start()
    worker.join()
    assert died_in == []


def test_the_gui_thread_collects_what_is_due(collector):
    died_in = forget_a_cycle()
    allocate_much()
    collector.collect_due()
    assert died_in == [threading.get_ident()]


def test_afterwards_python_collects_again_by_itself(qapp):
    enabled = gc.isenabled()
    gc.enable()
    GarbageCollector().stop()
    assert gc.isenabled()
    if not enabled:
        gc.disable()
