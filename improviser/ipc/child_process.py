"""The performer's process as the supervisor sees it: lines in, lines out, last error output and heartbeat."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Final

from improviser.ipc.launch import Launched, take_launched

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.protocol import Event

_LAST_LINES: Final = 20
_READ_S: Final = 1.0


class ChildProcess:
    """A performer process that has been started.

    Separate threads read its output, so the performer never waits for the supervisor.

    Attributes:
        news: The lines that the performer wrote, and the events that were inserted among them. None marks the end.

    Threads: Any thread may call `write` and `insert`, and so may a signal handler. All other methods belong to one
    thread. Threads of this class read and write the streams.
    """

    def __init__(self, launched: Launched | None = None) -> None:
        """Use the process that was started, or start one. The process waits for its settings."""
        self._launched = launched or take_launched()
        self._process, self.shared_state = self._launched.process, self._launched.shared_state
        self.news: queue.SimpleQueue[str | Event | None] = queue.SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=_LAST_LINES)
        self._readers = [
            read_lines(self._process.stdout, self.news.put, lambda: self.news.put(None)),
            read_lines(self._process.stderr, self._last_words.append, lambda: None),
        ]
        self._told: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        write_lines(self._process.stdin, self._told.get)
        self._pulse = -1
        self._looked_s = self._pulsed_s = time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    @property
    def end(self) -> str:
        """How the process ended, as text for the user."""
        code = self._process.returncode
        if code is not None and code < 0:
            how = f"was killed by signal {-code}"
        else:
            how = f"ended unexpectedly with code {code}"
        words = next((line.strip() for line in reversed(self._last_words) if line.strip()), "")
        return f"{how} ({words})" if words else how

    def write(self, line: str) -> None:
        """Queue a line for the process. A process that does not read delays nobody."""
        self._told.put(line)

    def insert(self, event: Event) -> None:
        """Insert an event of the supervisor among the lines that are read."""
        self.news.put(event)

    def still_s(self) -> float:
        """Return the seconds since the heartbeat was last seen to change.

        The method only notices a change when it is called, so call it often.
        """
        now_s = time.monotonic()
        # If the supervisor itself was held up, perhaps the performer was too. Start to measure again.
        was_away = now_s - self._looked_s > _READ_S
        pulse = self.shared_state.pulse()
        if pulse != self._pulse or was_away:
            self._pulse, self._pulsed_s = pulse, now_s
        self._looked_s = now_s
        return now_s - self._pulsed_s

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()

    def wait(self, patience_s: float | None = None) -> bool:
        """Wait until the process has ended and its output has been read. Return whether the process has ended.

        Args:
            patience_s: The longest wait for the end, in seconds. None waits without limit.
        """
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        for reader in self._readers:
            reader.join(timeout=_READ_S)
        return True

    def close(self) -> None:
        """Kill the process if it still runs, and release its streams and its shared memory."""
        self._told.put(None)
        self._launched.close()


def read_lines(stream: IO[str] | None, take: Callable[[str], None], end: Callable[[], None]) -> threading.Thread:
    """Start a thread that passes each line of `stream` to `take` and calls `end` after the last one."""
    thread = threading.Thread(target=_read_lines, args=(stream, take, end), daemon=True)
    thread.start()
    return thread


def write_lines(stream: IO[str] | None, next_line: Callable[[], str | None]) -> threading.Thread:
    """Start a thread that writes lines to `stream` until `next_line` returns None or nobody reads the stream."""
    thread = threading.Thread(target=_write_lines, args=(stream, next_line), daemon=True)
    thread.start()
    return thread


def _read_lines(stream: IO[str] | None, take: Callable[[str], None], end: Callable[[], None]) -> None:
    """Pass each line of `stream` to `take`, then call `end`."""
    with contextlib.suppress(OSError, ValueError):
        for line in stream or ():
            take(line)
    end()


def _write_lines(stream: IO[str] | None, next_line: Callable[[], str | None]) -> None:
    """Write lines to `stream` until `next_line` returns None or nobody reads the stream."""
    with contextlib.suppress(OSError, ValueError):
        while stream is not None and (line := next_line()) is not None:
            stream.write(line)
            stream.flush()
