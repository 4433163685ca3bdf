"""The session's journal: all events, one a line, on disk from the first note on.

A line is one JSON object. The settings come first. Lines are only appended, and each is written at once, so a session
survives whatever ends the program. Lines that cannot be written wait in memory, and the journal tries again.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from improviser.protocol import (
    Heard,
    Notice,
    Offered,
    PerformerSettings,
    PortChanged,
    Refused,
    Understood,
    value_to_line,
)
from improviser.session.session_log import SUFFIX, Session, parse_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.protocol import Event

# Lines that cannot be written may take up this much memory, which is an hour of music.
WAITING_MAX: Final = 64 * 1024 * 1024
RETRY_S: Final = 1.0
# The oldest sessions are removed if a folder holds more than this many bytes of sessions.
KEPT_BYTES: Final = 512 * 1024 * 1024
_YOUNG_S: Final = 24 * 3600.0
SETS_SUFFIX: Final = ".learned"
_NAME: Final = "%Y-%m-%d-%H%M%S"


class Journal:
    """Appends a session's events to a file of its own in a folder.

    Threads: One thread uses the journal. It runs in another process than the performer, so a slow disk cannot delay the
    music.

    Attributes:
        path: The file. None before the first note, and if no file can be created.
    """

    def __init__(self, settings: PerformerSettings, folder: Callable[[], Path], warn: Callable[[str], None]) -> None:
        """Begin the journal with the settings.

        Args:
            settings: What is to be played.
            folder: Returns the folder; called when the first note comes.
            warn: Called with a message if the journal cannot be written.
        """
        self.path: Path | None = None
        self._folder, self._warn = folder, warn
        self._file: int | None = None
        self._waiting: deque[bytes] = deque([value_to_line(settings).encode()])
        self._waiting_bytes = 0
        self._has_notes = False
        self._has_warned = False
        self._retry_s = 0.0

    @property
    def has_notes(self) -> bool:
        """Whether the player has played a note."""
        return self._has_notes

    def append(self, event: Event) -> None:
        """Append an event, unless it is only for display."""
        if isinstance(event, Notice | Understood | Offered | PortChanged | Refused):
            return
        line = value_to_line(event).encode()
        if self._waiting_bytes < WAITING_MAX:
            self._waiting.append(line)
            self._waiting_bytes += len(line)
        self._has_notes = self._has_notes or isinstance(event, Heard)
        if self._has_notes and time.monotonic() >= self._retry_s:
            self._write()

    def session(self) -> Session:
        """Return the session so far, from the file and from the lines that wait."""
        return parse_session(self.content().decode(), str(self.path or "the session"))

    def content(self) -> bytes:
        """Return all lines so far."""
        written = b"" if self.path is None else self.path.read_bytes()
        return written + b"".join(self._waiting)

    def close(self) -> None:
        """Write the waiting lines if possible, close the file, and remove old sessions if they are too large."""
        if self._has_notes:
            self._write()
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self.path is not None:
            _make_room(self.path)

    def _write(self) -> None:
        """Write the lines that wait. If that fails they wait on, and the user is warned once."""
        try:
            if self._file is None:
                self._file, self.path = _new_file(self._folder())
            while self._waiting:
                line = self._waiting[0]
                written = os.write(self._file, line)
                self._waiting_bytes = max(0, self._waiting_bytes - written)
                if written < len(line):
                    self._waiting[0] = line[written:]
                else:
                    self._waiting.popleft()
        except OSError as error:
            self._retry_s = time.monotonic() + RETRY_S
            if not self._has_warned:
                self._has_warned = True
                self._warn(
                    f"the session cannot be written ({error.strerror}); the music goes on, "
                    "and it is tried again: free some space"
                )


def _new_file(folder: Path) -> tuple[int, Path]:
    """Create a session's file in `folder`, or in the system's folder for temporary files if that fails."""
    spare = Path(tempfile.gettempdir()) / "improviser-sessions"
    try:
        return _made_in(folder)
    except OSError:
        return _made_in(spare)


def _made_in(folder: Path) -> tuple[int, Path]:
    """Create a file named by date and time in `folder`.

    Raises:
        OSError: The file cannot be created.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name, number = time.strftime(_NAME), 1
    while True:
        path = folder / (f"{name}{SUFFIX}" if number == 1 else f"{name}-{number}{SUFFIX}")
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644), path
        except FileExistsError:
            number += 1


def weights_folder(folder: Path) -> Path:
    """Return the path for the folder of a session's checkpoints, which is beside the sessions."""
    return folder / f"{time.strftime(_NAME)}-{os.getpid()}{SETS_SUFFIX}"


def sessions(folder: Path) -> list[Path]:
    """Return the paths of the sessions in a folder, the newest first."""
    return sorted(folder.glob(f"*{SUFFIX}"), reverse=True)


def _make_room(newest: Path) -> None:
    """Remove the oldest sessions and checkpoints beside `newest` if all of them together are too large."""
    total = 0
    for path in sorted([*sessions(newest.parent), *newest.parent.glob(f"*{SETS_SUFFIX}")], reverse=True):
        with contextlib.suppress(OSError):
            files = list(path.iterdir()) if path.is_dir() else [path]
            total += sum(file.stat().st_size for file in files)
            # The checkpoints of a jam that still runs are younger than a day.
            is_young = path.is_dir() and time.time() - path.stat().st_mtime < _YOUNG_S
            if total <= KEPT_BYTES or path == newest or is_young:
                continue
            for file in files:
                file.unlink()
            if path.is_dir():
                path.rmdir()
