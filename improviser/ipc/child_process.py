"""A performer's process as the supervisor sees it: lines in, lines out, last words, heartbeat."""

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
    """A performer that was started and is read in threads, so that it never waits for us.

    Attributes:
        news: Its lines, and what was inserted among them; None at its end.

    Threads: any may write, a signal's handler too; the rest is for one, beside those that read and write.
    """

    def __init__(self, launched: Launched | None = None) -> None:
        """Take the process that was started, or start one; it waits for its settings."""
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
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def end(self) -> str:
        """How it ended, for people."""
        code = self._process.returncode
        if code is not None and code < 0:
            how = f"was killed by signal {-code}"
        else:
            how = f"ended unexpectedly with code {code}"
        words = next((line.strip() for line in reversed(self._last_words) if line.strip()), "")
        return f"{how} ({words})" if words else how

    def write(self, line: str) -> None:
        """Queue a line for a client that still reads; one that does not read delays nobody."""
        self._told.put(line)

    def insert(self, event: Event) -> None:
        """Put an event of our own among the lines that are read."""
        self.news.put(event)

    def still_s(self) -> float:
        """Return for how long its heart has not beaten, as far as was looked; ask often."""
        now_s = time.monotonic()
        # Where we ourselves were held up, so was it, maybe: nothing can be told.
        was_away = now_s - self._looked_s > _READ_S
        pulse = self.shared_state.pulse()
        if pulse != self._pulse or was_away:
            self._pulse, self._pulsed_s = pulse, now_s
        self._looked_s = now_s
        return now_s - self._pulsed_s

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self, patience_s: float | None = None) -> bool:
        """Wait until it has ended and all is read, at most so long; return whether it has."""
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            return False
        for reader in self._readers:
            reader.join(timeout=_READ_S)
        return True

    def close(self) -> None:
        """End it, where it has not ended, and return all back."""
        self._told.put(None)
        self._launched.close()


def read_lines(stream: IO[str] | None, take: Callable[[str], None], end: Callable[[], None]) -> threading.Thread:
    """Start to hand over the lines of a stream, and its end, in a thread."""
    thread = threading.Thread(target=_read_lines, args=(stream, take, end), daemon=True)
    thread.start()
    return thread


def write_lines(stream: IO[str] | None, next_line: Callable[[], str | None]) -> threading.Thread:
    """Start to write lines to a stream in a thread, until there is none, or nobody who reads them."""
    thread = threading.Thread(target=_write_lines, args=(stream, next_line), daemon=True)
    thread.start()
    return thread


def _read_lines(stream: IO[str] | None, take: Callable[[str], None], end: Callable[[], None]) -> None:
    """Hand over the lines of `stream`, and its end."""
    with contextlib.suppress(OSError, ValueError):
        for line in stream or ():
            take(line)
    end()


def _write_lines(stream: IO[str] | None, next_line: Callable[[], str | None]) -> None:
    """Write lines to `stream` until there is none, or nobody who reads them."""
    with contextlib.suppress(OSError, ValueError):
        while stream is not None and (line := next_line()) is not None:
            stream.write(line)
            stream.flush()
