"""Reads recorded sessions: one JSON object a line, the settings first, as a journal or beside a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import UsageError
from improviser.music.meter import Meter
from improviser.protocol import Heard, PerformerSettings, Played, Restarted, Started, Summary, line_to_value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUFFIX: Final = ".session.jsonl"


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was read: its settings, and its events in order."""

    settings: PerformerSettings
    events: Sequence[object]

    @property
    def meter(self) -> Meter:
        """The meter, which never changes during a session."""
        return Meter(*self.settings.engine["meter"])

    @property
    def bar_beats(self) -> float:
        """The number of quarter notes in a bar."""
        return self.meter.bar_beats

    def played_in(self, bar: int) -> list[list[Played]]:
        """Return the improviser's notes of a bar, with one list for each time that the jam reached that bar.

        A jam reaches a bar again if a clock is restarted, or if the player takes over from the built-in player.
        """
        times: list[list[Played]] = [[]]
        for event in self.events:
            if isinstance(event, Played) and self.meter.bar_at(event.beat) == bar:
                times[-1].append(event)
            elif times[-1] and _goes_back(event, times[-1][-1].beat):
                times.append([])
        return [notes for notes in times if notes]

    @property
    def start_s(self) -> float | None:
        """The time of the first downbeat from the summary, else that of the player's first note, else None."""
        told = [event.start_s for event in self.events if isinstance(event, Summary)]
        if told:
            return told[-1]
        return next((event.at_s for event in self.events if isinstance(event, Heard)), None)

    @property
    def bars(self) -> int:
        """The highest bar in which the improviser played a note; 0 if it played none."""
        beats = [event.beat for event in self.events if isinstance(event, Played)]
        return self.meter.bar_at(max(beats)) if beats else 0


def _goes_back(event: object, beat: float) -> bool:
    """Return whether an event sets the jam's beat back before `beat`."""
    return isinstance(event, Restarted) or (isinstance(event, Started) and event.beat < beat)


def session_path(path: Path) -> Path:
    """Return the path of the session beside a recording. A session's own path is returned unchanged."""
    return path if path.name.endswith(SUFFIX) else path.with_name(path.stem + SUFFIX)


def read_session(path: Path) -> Session:
    """Read the session beside the recording at `path`, or the session at `path`, even while it is being written.

    Raises:
        UsageError: There is no session, or it is broken. The message names the line.
    """
    source = session_path(path)
    try:
        text = source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"no session at {source} ({reason}); improviser jam --record FILE.mid makes one") from error
    return parse_session(text, str(source))


def parse_session(text: str, source: str) -> Session:
    """Return the session that `text` holds. An unfinished last line, which is still being written, is ignored.

    Raises:
        UsageError: The session is broken. The message names the line and `source`.
    """
    values = []
    whole = text[: text.rfind("\n") + 1]
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            values.append(line_to_value(line))
        except ValueError as error:
            raise UsageError(f"{source}, line {number}: {error}; record the session again") from error
    if not values or not isinstance(values[0], PerformerSettings):
        raise UsageError(f"{source} does not begin with settings; record the session again")
    return Session(values[0], values[1:])
