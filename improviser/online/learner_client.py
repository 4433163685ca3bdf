"""The jam's side of the learner process: sends it the events, and receives new weights.

A fault of the learner never affects the music: nothing that plays waits for it.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from improviser.ipc.child_process import read_lines, write_lines
from improviser.ipc.launch import environment
from improviser.protocol import (
    Adopt,
    Learned,
    LearnerSettings,
    Notice,
    Played,
    Released,
    Warned,
    line_to_value,
    value_to_line,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from improviser.ipc.weight_mailbox import WeightMailbox
    from improviser.protocol import Event, PerformerSettings
    from improviser.supervisor.supervisor import Supervisor

# -P: no file in the current folder can be imported in place of a library.
COMMAND: Final = (sys.executable, "-P", "-m", "improviser.app.learner_process")
# A running learner sends a heartbeat twice a second. During the acceptance test it sends none for about a second of
# CPU time, which may take long on a busy machine.
STILL_S: Final = 60.0
_LOOK_EVERY_S: Final = 1.0
_LAST_LINES: Final = 20
_END_S: Final = 2.0
# Events that the engine has produced, not received: a replay does not need them.
_UNTOLD: Final = (Played, Released, Notice, Warned, Learned)


class LearnerClient:
    """A context that runs the learner process and ends it on exit.

    Threads: `forward` in one thread; it starts its own threads to read, to write and to check the heartbeat.
    """

    def __init__(
        self, supervisor: Supervisor, settings: PerformerSettings, mailbox: WeightMailbox, folder: Path
    ) -> None:
        """Start the learner for a jam; it writes its weights to `folder`, where a replay finds them."""
        self._supervisor, self._mailbox = supervisor, mailbox
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            env=environment(),
        )
        self._told: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._last_words: deque[str] = deque(maxlen=_LAST_LINES)
        self._has_ended = threading.Event()
        self._why = ""
        write_lines(self._process.stdin, self._told.get)
        for value in (LearnerSettings(str(mailbox.path), str(folder)), settings):
            self._told.put(value_to_line(value))
        self._words = read_lines(self._process.stderr, self._last_words.append, lambda: None)
        read_lines(self._process.stdout, self._take, self._end)
        threading.Thread(target=self._watch, name="learning", daemon=True).start()

    def __enter__(self) -> Self:
        """Return the client, which already learns."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process and close the mailbox; the owner of the mailbox removes it."""
        self._has_ended.set()
        self._told.put(None)
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()
        self._mailbox.close()

    def forward(self, event: Event) -> None:
        """Send the learner an event without waiting; do nothing after the learner has ended."""
        if not isinstance(event, _UNTOLD) and not self._has_ended.is_set():
            self._told.put(value_to_line(event))

    def _take(self, line: str) -> None:
        """Pass on the learner's new weights and its messages."""
        try:
            value = line_to_value(line)
        except ValueError:
            return
        match value:
            case Adopt():
                self._supervisor.send(value)
            case Learned() | Notice() | Warned():
                self._supervisor.insert(value)
            case _:
                pass

    def _end(self) -> None:
        """Warn if the learner ended before the jam did, with the reason."""
        if self._has_ended.is_set():
            return
        self._has_ended.set()
        self._words.join(_END_S)
        words = next((line.strip() for line in reversed(self._last_words) if line.strip()), "")
        why = self._why or words or f"its process ended with code {self._process.wait()}"
        self._supervisor.warn(f"background learning stopped: {why}. The jam goes on")

    def _watch(self) -> None:
        """Kill the learner if its heartbeat stops for STILL_S."""
        pulse, pulsed_s, looked_s = -1, time.monotonic(), time.monotonic()
        while not self._has_ended.wait(_LOOK_EVERY_S):
            now_s = time.monotonic()
            # If this process was suspended or delayed, the learner may have been too.
            was_away, looked_s = now_s - looked_s > 2 * _LOOK_EVERY_S, now_s
            if was_away or self._mailbox.pulse() != pulse:
                pulse, pulsed_s = self._mailbox.pulse(), now_s
            elif now_s - pulsed_s > STILL_S:
                self._why = f"it has not answered for {STILL_S:.0f} seconds"
                self._process.kill()
                return
