"""Runs a synthesizer as a process: without a terminal, with its last output kept, ended by its own command."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from improviser.ipc.child_process import read_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LAST_LINES: Final = 20
# fluidsynth leaves JACK and frees its memory within 0.3 s. If it does not, it is terminated and then killed.
_GENTLE_S: Final = 2.0
_TERMINATE_S: Final = 1.0
_READ_S: Final = 1.0
_PROMPT: Final = "> "
# Output of its shell that never is the reason why it ended.
_SMALL_TALK: Final = ("Type 'help'", "cheers!", "Jack sample rate mismatch")


class SynthProcess:
    """Runs fluidsynth with its shell on a pipe.

    The shell ends the program at the end of its input. So fluidsynth ends with this program, however this program ends,
    because the system closes the pipe. A JACK client that is killed delays the server for seconds. A client that ends
    by its shell does not.

    Threads: A thread of this class reads the output. If the program ends by itself, that thread calls `ended` with the
    reason.
    """

    def __init__(self, command: Sequence[str], ended: Callable[[str], None]) -> None:
        """Start fluidsynth in a session of its own, so that Ctrl-C in the terminal does not end it.

        Raises:
            OSError: The program cannot be started.
        """
        self._ended = ended
        self._is_ending = False
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            env=os.environ | {"JACK_NO_START_SERVER": "1"},
        )
        self._reader = read_lines(self._process.stdout, self._lines.append, self._on_end)

    @property
    def is_running(self) -> bool:
        """Whether the process is still running."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The last line of output, without the prompt and the program's name."""
        for line in reversed(self._lines):
            words = line.strip().removeprefix(_PROMPT.strip()).strip().removeprefix("fluidsynth: ")
            if words and not words.startswith(_SMALL_TALK):
                return words
        return ""

    def send_command(self, command: str) -> None:
        """Write a line to fluidsynth's shell, if the shell still reads.

        Threads: Any thread may call this method.
        """
        stream = self._process.stdin
        with self._lock, contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.write(f"{command}\n")
                stream.flush()

    def end(self) -> None:
        """End fluidsynth by its own command, else by a signal, and close its streams. A second call does nothing."""
        self._is_ending = True
        self.send_command("quit")
        if self._process.stdin is not None:
            with self._lock, contextlib.suppress(OSError, ValueError):
                self._process.stdin.close()
        for insist, patience_s in (
            (_nothing, _GENTLE_S),
            (self._process.terminate, _TERMINATE_S),
            (self._process.kill, None),
        ):
            insist()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                break
        self._reader.join(_READ_S)
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()

    def _on_end(self) -> None:
        """Report that fluidsynth has ended unasked. The thread that reads its output calls this."""
        self._process.wait()
        if not self._is_ending:
            self._ended(self._end_text())

    def _end_text(self) -> str:
        """Return how fluidsynth ended: the signal, else its last words, else its exit code."""
        code = self._process.returncode
        return f"signal {-code}" if code < 0 else self.last_words or f"code {code}"


def _nothing() -> None:
    """Do nothing: the first attempt only waits."""
