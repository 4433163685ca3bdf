"""What the operating system can do for punctuality, asked for thread by thread.

Source: the scheduler class decides how late a message leaves. Measured beside a busy learner, an ordinary
thread had a p99 of 9.5 ms and a maximum of 31 ms, a SCHED_FIFO thread 0.17 and 0.19 ms.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import threading
from typing import Final

# Below an audio server's threads (JACK's default is 10, its clients 5), above all that is ordinary.
BEAT_PRIORITY: Final = 4
# JACK's own for clients, which a server without real-time priority does not give them: the thread in which it
# calls us shares the interpreter's lock with the beat.
CLIENT_PRIORITY: Final = 5
# The threads beside the beat share the interpreter's lock with it: at ordinary priority they could be put
# aside while they hold it, and the beat would wait for them.
HELPER_PRIORITY: Final = 2
# Threads of a JACK client are locked into memory with their whole stack.
STACK_BYTES: Final = 256 * 1024
# For so long JACK's thread waits for the beat's when a period begins: with 0.5 ms other clients of a server
# with periods of 16 frames were late by 1.2 ms at p99, with 0.1 ms by 0.8 (bench timing, C beside jack).
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


def raise_priority(priority: int = BEAT_PRIORITY) -> bool:
    """Ask for real-time scheduling of the calling thread; return whether it was given."""
    if sys.platform == "linux":
        return _raise_on_linux(priority)
    if sys.platform == "win32":  # pragma: no cover - no such machine here
        return _raise_on_windows()
    if sys.platform == "darwin":  # pragma: no cover - no such machine here
        return not ctypes.CDLL(None).pthread_set_qos_class_self_np(_QOS_USER_INTERACTIVE, 0)
    return False


def advice() -> str:
    """Return what to tell the user where real-time priority was refused."""
    return ADVICE.get(sys.platform, ADVICE["darwin"])


def sharpen_timers() -> None:
    """Set the timer slack of the calling thread to a microsecond instead of fifty."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, _TIMER_SLACK_NS, 0, 0, 0)


def slim_threads() -> None:
    """Set small stacks for new threads, and let the interpreter switch between threads quickly."""
    threading.stack_size(STACK_BYTES)
    sys.setswitchinterval(SWITCH_INTERVAL_S)


def still_collector() -> None:
    """Take all that exists out of the garbage collector's sight, and let it run by hand only.

    Source: one full collection costs 18 ms with these libraries loaded, and nothing after a freeze.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def _raise_on_linux(priority: int) -> bool:
    """Ask for SCHED_FIFO; processes started from here do not inherit it."""
    if sys.platform != "linux":  # pragma: no cover - the caller has looked
        return False
    policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except OSError:
        return False
    return True


def _raise_on_windows() -> bool:  # pragma: no cover - no such machine here
    """Ask for the highest priority of an ordinary process's thread, and a timer of 1 ms."""
    if sys.platform != "win32":
        return False
    ctypes.windll.winmm.timeBeginPeriod(1)
    kernel = ctypes.windll.kernel32
    return bool(kernel.SetThreadPriority(kernel.GetCurrentThread(), _TIME_CRITICAL))
