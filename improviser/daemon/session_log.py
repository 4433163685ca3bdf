"""The session beside a recording: all that happened, one JSON object a line, the settings first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.control import Event, Notice, PerformerSettings, Played, line_to_value, value_to_line
from improviser.errors import ImproviserError, UsageError
from improviser.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUFFIX: Final = ".session.jsonl"


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was read: its settings, and what happened in order."""

    settings: PerformerSettings
    events: Sequence[object]

    @property
    def bar_beats(self) -> int:
        """The quarter notes in a bar."""
        numerator, denominator = self.settings.engine["meter"]
        return int(numerator) * 4 // int(denominator)

    def played_in(self, bar: int) -> list[Played]:
        """Give the improviser's notes of a bar, counted from 1."""
        first = (bar - 1) * self.bar_beats
        notes = [event for event in self.events if isinstance(event, Played)]
        return [note for note in notes if first <= note.beat < first + self.bar_beats]

    @property
    def bars(self) -> int:
        """The bar of the last note, counted from 1; 0 where none was played."""
        beats = [event.beat for event in self.events if isinstance(event, Played)]
        return int(max(beats) // self.bar_beats) + 1 if beats else 0


class SessionLog:
    """Collects the events of a session. Threads: one, beside the performer."""

    def __init__(self, settings: PerformerSettings) -> None:
        """Begin with what was to be played."""
        self._lines = [value_to_line(settings)]

    def take(self, event: Event) -> None:
        """Take in an event; notices are for people only."""
        if not isinstance(event, Notice):
            self._lines.append(value_to_line(event))

    def write(self, path: Path) -> None:
        """Write it beside the recording at `path`.

        Raises:
            ImproviserError: It cannot be written there.
        """
        target = session_path(path)
        try:
            write_whole(target, "".join(self._lines).encode())
        except OSError as error:
            raise ImproviserError(f"cannot write {target}: {error.strerror}; free some space") from error


def session_path(path: Path) -> Path:
    """Give the path of the session beside a recording; a session's own path stays as it is."""
    return path if path.name.endswith(SUFFIX) else path.with_name(path.stem + SUFFIX)


def read_session(path: Path) -> Session:
    """Read the session beside the recording at `path`, or the one at `path` itself.

    Raises:
        UsageError: There is none, or it is broken; the text names the line.
    """
    source = session_path(path)
    try:
        lines = source.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"no session at {source} ({reason}); improviser jam --record FILE.mid makes one"
        ) from error
    values = []
    for number, line in enumerate(lines, 1):
        try:
            values.append(line_to_value(line))
        except ValueError as error:
            raise UsageError(f"{source}, line {number}: {error}; record the session again") from error
    if not values or not isinstance(values[0], PerformerSettings):
        raise UsageError(f"{source} does not begin with settings; record the session again")
    return Session(values[0], values[1:])
