"""Asks the operating system for punctual scheduling, for each thread separately.

The scheduler class decides how late a message leaves. Source: measured beside a busy learner, an ordinary thread had a
p99 of 9.5 ms and a maximum of 31 ms; a SCHED_FIFO thread had 0.17 and 0.19 ms.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import threading
from typing import Final

# For the performer's loop: lower than an audio server's threads (JACK's default is 10, its clients have 5), higher than
# all ordinary threads.
LOOP_PRIORITY: Final = 4
# JACK's own value for clients. A server without real-time priority does not set it. The thread in which JACK calls the
# client shares the interpreter's lock with the performer's loop.
CLIENT_PRIORITY: Final = 5
# For the threads beside the performer's loop, which share the interpreter's lock with it. At ordinary priority they
# could be suspended while they hold the lock, and the loop would wait for them.
HELPER_PRIORITY: Final = 2
# All threads of a JACK client are locked into memory with their whole stack.
STACK_BYTES: Final = 256 * 1024
# How long JACK's thread waits for the performer's loop when a period begins. With 0.5 ms, other clients of a server
# with periods of 16 frames were late by 1.2 ms at p99; with 0.1 ms by 0.8 ms (bench timing, C beside jack).
SWITCH_INTERVAL_S: Final = 0.0001
_PR_SET_TIMERSLACK: Final = 29
_TIMER_SLACK_NS: Final = 1000
_TIME_CRITICAL: Final = 15
_QOS_USER_INTERACTIVE: Final = 0x21

ADVICE: Final = {
    "linux": (
        "no real-time priority: notes may be late on a busy machine. Allow it with a line "
        "`@audio - rtprio 20` in /etc/security/limits.d/audio.conf, join that group and log in again"
    ),
    "darwin": "no real-time priority: notes may be late on a busy machine. Close other programs",
    "win32": "no real-time priority: notes may be late on a busy machine. Close other programs",
}


def raise_priority(priority: int = LOOP_PRIORITY) -> bool:
    """Request real-time scheduling for the calling thread. Return whether it was granted."""
    if sys.platform == "linux":
        return _raise_on_linux(priority)
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return _raise_on_windows()
    if sys.platform == "darwin":  # pragma: no cover - the tests do not run on macOS
        return not ctypes.CDLL(None).pthread_set_qos_class_self_np(_QOS_USER_INTERACTIVE, 0)
    return False


def advice() -> str:
    """Return the advice for the user if real-time priority was refused."""
    return ADVICE.get(sys.platform, ADVICE["darwin"])


def sharpen_timers() -> None:
    """Set the timer slack of the calling thread to 1 µs instead of 50 µs."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, _TIMER_SLACK_NS, 0, 0, 0)


def slim_threads() -> None:
    """Set a small stack for new threads, and make the interpreter switch between threads quickly."""
    threading.stack_size(STACK_BYTES)
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def still_collector() -> None:
    """Exclude all existing objects from garbage collection, and turn automatic collection off.

    Source: with these libraries loaded, one full collection costs 18 ms. After a freeze it costs nothing.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def _raise_on_linux(priority: int) -> bool:
    """Request SCHED_FIFO, which child processes do not inherit."""
    if sys.platform != "linux":  # pragma: no cover - the caller has checked the platform
        return False
    policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except OSError:
        return False
    return True


def _raise_on_windows() -> bool:  # pragma: no cover - the tests do not run on Windows
    """Request the highest priority of a thread in an ordinary process, and a timer of 1 ms."""
    if sys.platform != "win32":
        return False
    ctypes.windll.winmm.timeBeginPeriod(1)
    kernel = ctypes.windll.kernel32
    return bool(kernel.SetThreadPriority(kernel.GetCurrentThread(), _TIME_CRITICAL))
