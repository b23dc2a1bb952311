"""Cycles with QObjects in them are collected in the GUI thread, never in a worker."""

import gc
import sys
import threading
import types
import weakref

import pytest
from PySide6.QtCore import QObject

from app.garbage_collection import MANY_MODULES, GarbageCollector


@pytest.fixture
def collector(qapp):
    gc.collect()
    garbage_collector = GarbageCollector()
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


def test_nothing_is_collected_while_modules_are_imported(collector, monkeypatch):
    died_in = forget_a_cycle()
    allocate_much()
    monkeypatch.setitem(sys.modules, "a_library", types.ModuleType("a_library"))
    collector.collect_due()
    assert died_in == []
    collector.collect_due()
    assert died_in == [threading.get_ident()]


def test_afterwards_python_collects_again_by_itself(qapp):
    enabled = gc.isenabled()
    gc.enable()
    GarbageCollector().stop()
    assert gc.isenabled()
    if not enabled:
        gc.disable()


def test_libraries_that_were_imported_meanwhile_are_passed_over(collector, monkeypatch):
    before = gc.get_freeze_count()
    for number in range(MANY_MODULES):
        monkeypatch.setitem(sys.modules, f"a_library.part_{number}", types.ModuleType("part"))
    collector.collect_due()
    assert gc.get_freeze_count() == before, "they are still coming"
    collector.collect_due()
    assert gc.get_freeze_count() > before
