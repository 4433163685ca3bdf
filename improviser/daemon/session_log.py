"""Sessions that were kept, beside a recording or as a journal: one JSON object a line, the settings first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.control import Heard, PerformerSettings, Played, Summary, line_to_value
from improviser.errors import UsageError
from improviser.music.meter import Meter

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
    def bar_beats(self) -> float:
        """The quarter notes in a bar."""
        return Meter(*self.settings.engine["meter"]).bar_beats

    def played_in(self, bar: int) -> list[Played]:
        """Give the improviser's notes of a bar, counted from 1."""
        first = (bar - 1) * self.bar_beats
        notes = [event for event in self.events if isinstance(event, Played)]
        return [note for note in notes if first <= note.beat < first + self.bar_beats]

    @property
    def start_s(self) -> float | None:
        """The first downbeat: as the summary has it, else the player's first note; None where neither is."""
        told = [event.start_s for event in self.events if isinstance(event, Summary)]
        if told:
            return told[-1]
        return next((event.at_s for event in self.events if isinstance(event, Heard)), None)

    @property
    def bars(self) -> int:
        """The bar of the last note, counted from 1; 0 where none was played."""
        beats = [event.beat for event in self.events if isinstance(event, Played)]
        return int(max(beats) // self.bar_beats) + 1 if beats else 0


def session_path(path: Path) -> Path:
    """Give the path of the session beside a recording; a session's own path stays as it is."""
    return path if path.name.endswith(SUFFIX) else path.with_name(path.stem + SUFFIX)


def read_session(path: Path) -> Session:
    """Read the session beside the recording at `path`, or the one at `path` itself, even while it is written.

    Raises:
        UsageError: There is none, or it is broken; the text names the line.
    """
    source = session_path(path)
    try:
        text = source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"no session at {source} ({reason}); improviser jam --record FILE.mid makes one"
        ) from error
    return parse_session(text, str(source))


def parse_session(text: str, source: str) -> Session:
    """Give the session that `text` holds; a last line without its end, still being written, does not count.

    Raises:
        UsageError: It is broken; the text names the line and `source`.
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
