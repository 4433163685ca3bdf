"""A synthesizer's process: started without a terminal, heard for its last words, ended gently."""

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
# fluidsynth leaves JACK and gives its memory back within 0.3 s; it is asked again, then killed.
_GENTLE_S: Final = 2.0
_TERMINATE_S: Final = 1.0
_READ_S: Final = 1.0
_PROMPT: Final = "> "
# What its shell says that is no reason for anything.
_SMALL_TALK: Final = ("Type 'help'", "cheers!", "Jack sample rate mismatch")


class SynthProcess:
    """fluidsynth with its shell on a pipe.

    The shell ends the program at the end of its input, so that it goes when we go, however we end: the system
    closes the pipe. A client of JACK that is killed holds up the server for seconds; one that ends by its
    shell does not.

    Threads: one that reads it, in which `ended` is called, with how, where it ended by itself.
    """

    def __init__(self, command: Sequence[str], ended: Callable[[str], None]) -> None:
        """Start it, in a session of its own: Ctrl-C in the terminal is for the music. Raises OSError."""
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
        self._reader = read_lines(self._process.stdout, self._lines.append, self._mourn)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The last line that it said, without its prompt and its name."""
        for line in reversed(self._lines):
            words = line.strip().removeprefix(_PROMPT.strip()).strip().removeprefix("fluidsynth: ")
            if words and not words.startswith(_SMALL_TALK):
                return words
        return ""

    def send_command(self, command: str) -> None:
        """Write a line to its shell, where it still reads.

        Threads: any.
        """
        stream = self._process.stdin
        with self._lock, contextlib.suppress(OSError, ValueError):
            if stream is not None:
                stream.write(f"{command}\n")
                stream.flush()

    def end(self) -> None:
        """End it, gently where it listens, and return all back; a second call does nothing."""
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

    def _mourn(self) -> None:
        """Report that it has ended unasked, in the thread that reads it."""
        self._process.wait()
        if not self._is_ending:
            self._ended(self._end_text())

    def _end_text(self) -> str:
        """Return how it ended: by what signal, else its last words, else its code."""
        code = self._process.returncode
        return f"signal {-code}" if code < 0 else self.last_words or f"code {code}"


def _nothing() -> None:
    """Ask for nothing more."""
