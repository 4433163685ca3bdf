"""The performer's two pipes: one ordinary thread writes events, another reads commands.

The performer's loop puts an event into a queue and goes on. If nobody reads the pipe, events are dropped and counted,
and the music does not wait.
"""

from __future__ import annotations

import queue
import threading
from typing import IO, TYPE_CHECKING, Final

from improviser.ports.priority import HELPER_PRIORITY, raise_priority
from improviser.protocol import Command, Event, Failed, Ready, Stop, Summary, line_to_value, value_to_line

if TYPE_CHECKING:
    from improviser.performer.inbox import Inbox

# About 40 MB, which is two minutes of the fastest MIDI cable while the reader stands still.
EVENTS_MAX: Final = 131_072
_CLOSING_S: Final = 1.0


class EventWriter:
    """Writes events as lines to a stream.

    Threads: Any thread may call `write`, which does not block. A thread of this class writes to the stream.
    """

    def __init__(self, stream: IO[str]) -> None:
        """Start the thread that writes to `stream`."""
        self.dropped = 0
        self._stream = stream
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="event writer", daemon=True)
        self._thread.start()

    def write(self, event: Event) -> None:
        """Queue an event. Events that begin or end a performance are never dropped."""
        if self._events.qsize() >= EVENTS_MAX and not isinstance(event, Ready | Failed | Summary):
            self.dropped += 1
        else:
            self._events.put(event)

    def close(self) -> None:
        """Write the remaining events, but wait at most one second for a reader."""
        self._events.put(None)
        self._thread.join(_CLOSING_S)

    def _write_all(self) -> None:
        """Write events until closed, or until nobody reads any more."""
        raise_priority(HELPER_PRIORITY)
        try:
            while (event := self._events.get()) is not None:
                self._stream.write(value_to_line(event))
                if self._events.empty():
                    self._stream.flush()
            self._stream.flush()
        except (OSError, ValueError):  # the reader has gone, which the commands' pipe shows too
            return


def read_commands(stream: IO[str], inbox: Inbox) -> threading.Thread:
    """Start a thread that puts the commands of `stream` into `inbox`.

    At the stream's end the parent has gone, and the thread puts in a stop.
    """
    thread = threading.Thread(target=_read_all, args=(stream, inbox), name="commands", daemon=True)
    thread.start()
    return thread


def _read_all(stream: IO[str], inbox: Inbox) -> None:
    """Read commands line by line until the stream ends."""
    raise_priority(HELPER_PRIORITY)
    try:
        for line in stream:
            command = _command(line)
            if command is not None:
                inbox.put(command)
    except (OSError, ValueError):
        pass
    inbox.put(Stop())


def _command(line: str) -> Command | None:
    """Return the command in `line`, or None if it holds none."""
    try:
        value = line_to_value(line)
    except ValueError:
        return None
    return value if isinstance(value, Command) else None
