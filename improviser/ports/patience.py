"""Asking a MIDI system that may stand still: it would hold up whoever asks for ever."""

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
        PortError: It took longer than `seconds`: the MIDI system called `system` does not answer.
        Exception: What `call` raises.

    Threads: `call` is run in a thread of its own, which is left behind where it does not return.
    """
    outcome: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

    def attempt() -> None:
        """Put in what came of it."""
        try:
            outcome.put((call(), None))
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits for it
            outcome.put((None, error))

    threading.Thread(target=attempt, name=f"asking {system}", daemon=True).start()
    try:
        value, error = outcome.get(timeout=seconds)
    except queue.Empty:
        raise PortError(f"the MIDI system ({system}) does not answer; restart it") from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value] # there is one where there is no error
