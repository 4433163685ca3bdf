"""Requests to the operating system for real-time priority."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from improviser.ports import priority


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Restore the process after the test."""
    interval, size = sys.getswitchinterval(), threading.stack_size()
    yield
    gc.unfreeze()
    gc.enable()
    sys.setswitchinterval(interval)
    threading.stack_size(size)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_real_time_scheduling_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread requests SCHED_FIFO at its priority, which its child processes do not inherit."""
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(
        os, "sched_setscheduler", lambda *args: asked.append((args[0], args[1], args[2].sched_priority))
    )
    assert priority.raise_priority(3)
    assert [(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, 3)] == asked


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal raises nothing, and the advice names the limit to set."""

    def refuse(*_: object) -> None:
        """Raise PermissionError."""
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert not priority.raise_priority()
    assert "rtprio" in priority.advice()


def test_other_platforms_have_advice_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform without real-time priority is no error."""
    monkeypatch.setattr(sys, "platform", "plan9")
    assert not priority.raise_priority()
    assert "late" in priority.advice()
    priority.sharpen_timers()


def test_the_process_is_prepared() -> None:
    """Stacks are small, garbage collection is off, and existing objects are frozen."""
    priority.slim_threads()
    priority.sharpen_timers()
    priority.still_collector()
    assert (priority.STACK_BYTES, False) == (threading.stack_size(), gc.isenabled())
    assert 0 < gc.get_freeze_count()
