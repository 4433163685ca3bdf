"""Starts the performer, hears its events, hands it commands, and cleans up behind it, however it ends."""

from __future__ import annotations

import contextlib
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final, Self

from improviser.control import (
    Command,
    Event,
    Failed,
    Panic,
    PerformerSettings,
    PortSettings,
    Ready,
    Stop,
    Summary,
    Warned,
    line_to_value,
    value_to_line,
)
from improviser.daemon import rescue
from improviser.daemon.connections import Connections
from improviser.daemon.launch import take_launched
from improviser.errors import ImproviserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
PANIC_SIGNAL: Final = "SIGUSR1"
# A performer that was asked to stop needs about 0.3 s; one that takes so long hangs.
PATIENCE_S: Final = 3.0
_LOOK_EVERY_S: Final = 0.25
_LAST_LINES: Final = 20


class Supervisor:
    """A performer in a process of its own.

    The process is started first of all, so that it loads its libraries while the caller reads presets. Use it
    as a context; on the way out the performer is ended and its notes are released.

    Threads: the main thread, since signals are taken here.
    """

    def __init__(self) -> None:
        """Take the process that was started ahead, or start one; it waits for its settings."""
        self._launched = take_launched()
        self._process, self._ledger = self._launched.process, self._launched.ledger
        self._ready: Ready | None = None
        self._summary: Summary | None = None
        self._failed = False
        self._asked_s: float | None = None
        self._has_ports = False
        self._has_rescued = False
        self._is_closed = False
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=_LAST_LINES)
        self._readers = [
            _reader(self._process.stdout, self._lines.put, lambda: self._lines.put(None)),
            _reader(self._process.stderr, self._last_words.append, lambda: None),
        ]
        self._connections = Connections()
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Take the signals that end a process, which end the music first, and the one for a panic."""
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                self._handlers[number] = signal.signal(number, self._interrupted)
        if hasattr(signal, PANIC_SIGNAL):  # not on Windows
            number = signal.Signals[PANIC_SIGNAL]
            self._handlers[number] = signal.signal(number, lambda *_: self.panic())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the performer, where it has not ended, and give the signals back."""
        self.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal.signal itself has given

    def close(self) -> None:
        """End the performer, where it has not ended; a second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._end()
            self._connections.close()
            self._launched.close()

    @property
    def is_stopping(self) -> bool:
        """Whether the performer was asked to stop."""
        return self._asked_s is not None

    def open(self, ports: PortSettings) -> None:
        """Tell the performer which ports to open, which it does at once."""
        self._has_ports = True
        self._write(value_to_line(replace(ports, ledger=self._ledger.descriptor)))

    def start(self, settings: PerformerSettings) -> None:
        """Tell the performer what to play."""
        self._write(value_to_line(settings))

    def tell(self, command: Command) -> None:
        """Hand a command to the performer; one that is gone is not told."""
        if isinstance(command, Stop) and self._asked_s is None:
            self._asked_s = time.monotonic()
        self._write(value_to_line(command))

    def panic(self) -> None:
        """Silence all that sounds; the music goes on."""
        self.tell(Panic())

    def events(self) -> Iterator[Event]:
        """Give the performer's events until it ends; after a crash the last one says so.

        Raises:
            KeyboardInterrupt: Never: an interrupt stops the performer, which then says its summary.
        """
        while True:
            try:
                line = self._lines.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._kill_where_hung()
                continue
            if line is None:
                break
            event = self._event(line)
            if event is not None:
                yield event
        yield from self._aftermath()

    def _event(self, line: str) -> Event | None:
        """Give the event in a line of the performer, None where there is none; keep what matters later."""
        try:
            event = line_to_value(line)
        except ValueError:
            return None
        if isinstance(event, PortSettings | PerformerSettings | Stop | Panic):
            return None
        if isinstance(event, Ready):
            self._ready = event
            self._connections.follow(event)
        self._summary = event if isinstance(event, Summary) else self._summary
        self._failed = self._failed or isinstance(event, Failed)
        return event

    def _aftermath(self) -> Iterator[Event]:
        """Wait for the process to be gone; where it died, release its notes and say why."""
        self._process.wait()
        for reader in self._readers:
            reader.join(timeout=1.0)
        sounds = bool(self._ledger.sounding())
        fault = self._rescue()
        if self._summary is not None or self._failed:
            if sounds:
                yield Warned(fault)
            return
        if self._ready is None and self._asked_s is not None:
            return  # stopped before it had begun
        how = _how_it_ended(self._process.returncode, self._last_words)
        yield Failed("; ".join(part for part in (f"the performer {how}", fault, "start again") if part))

    def _rescue(self) -> str:
        """Release what the performer left sounding; say what became of it, nothing where nothing sounded."""
        self._has_rescued = True
        sounding = self._ledger.sounding()
        if self._ready is None or not sounding:
            return ""
        try:
            is_heard = rescue.release(self._ready, sounding, self._connections.listeners)
        except ImproviserError as error:
            return f"its {len(sounding)} sounding notes could not be released: {error}"
        if is_heard:
            return f"{len(sounding)} sounding notes were released"
        return f"{len(sounding)} notes may sound on, since it is not known who heard them: silence them there"

    def _end(self) -> None:
        """End the performer, gently where it plays."""
        if self._process.poll() is None and self._has_ports:
            self.tell(Stop())
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE_S)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if not self._has_rescued:
            self._rescue()

    def _kill_where_hung(self) -> None:
        """Kill a performer that was asked to stop and did not."""
        if self._asked_s is not None and time.monotonic() - self._asked_s > PATIENCE_S:
            self._process.kill()

    def _interrupted(self, _number: int, _frame: object) -> None:
        """Stop the performer; a second signal kills it."""
        if self._asked_s is None:
            self.tell(Stop())
        else:
            self._process.kill()

    def _write(self, line: str) -> None:
        """Write a line to the performer, where it still reads."""
        # RuntimeError: a signal came while a line was written, and the stream is not to be entered twice.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            if self._process.stdin is not None:
                self._process.stdin.write(line)
                self._process.stdin.flush()


def _read_lines(stream: IO[str] | None, take: Callable[[str], None], end: Callable[[], None]) -> None:
    """Hand over the lines of `stream`, and its end."""
    with contextlib.suppress(OSError, ValueError):
        for line in stream or ():
            take(line)
    end()


def _reader(stream: IO[str] | None, take: Callable[[str], None], end: Callable[[], None]) -> threading.Thread:
    """Start to read a stream of the performer in a thread, so that the performer never waits for us."""
    thread = threading.Thread(target=_read_lines, args=(stream, take, end), daemon=True)
    thread.start()
    return thread


def _how_it_ended(code: int | None, last_words: deque[str]) -> str:
    """Give how the process ended, for people."""
    if code is not None and code < 0:
        how = f"was killed by signal {-code}"
    else:
        how = f"ended unexpectedly with code {code}"
    words = next((line.strip() for line in reversed(last_words) if line.strip()), "")
    return f"{how} ({words})" if words else how
