"""Calls a MIDI system with a time limit, because a system that stands still would block the caller for ever."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

from improviser.errors import PortError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], system: str) -> T:
    """Return what `call` returns.

    Raises:
        PortError: The call took longer than `seconds`: the MIDI system called `system` does not answer.
        Exception: What `call` raises.

    Threads: `call` runs in a thread of its own. A thread whose call does not return is abandoned.
    """
    outcome: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def attempt() -> None:
        """Put the result of the call, or its exception, into `outcome`."""
        try:
            outcome.put((call(), None))
        except Exception as error:  # noqa: BLE001 - `within` raises it again
            outcome.put((None, error))

    threading.Thread(target=attempt, name=f"asking {system}", daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise PortError(f"the MIDI system ({system}) does not answer; restart it") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value] # without an error there is a value
