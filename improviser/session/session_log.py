"""Reads recorded sessions: one JSON object a line, the settings first, as a journal or beside a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.errors import UsageError
from improviser.music.counted_bars import CountedBars
from improviser.music.meter import Meter
from improviser.protocol import Heard, PerformerSettings, Played, Recounted, Restarted, Started, Summary, line_to_value
from improviser.session.timeline import counted_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SUFFIX: Final = ".session.jsonl"


class PlayedBar(NamedTuple):
    """The improviser's notes in a bar.

    Attributes:
        line: The beat on which the bar begins.
        notes: The notes in order.
    """

    line: float
    notes: list[Played]


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was read: its settings, and its events in order."""

    settings: PerformerSettings
    events: Sequence[object]

    @property
    def meter(self) -> Meter:
        """The meter at the beginning."""
        return Meter(*self.settings.engine["meter"])

    def played_in(self, bar: int) -> list[PlayedBar]:
        """Return the improviser's notes of a bar, once for each time that the jam reached that bar.

        A jam reaches a bar again if a clock is restarted, or if the player takes over from the built-in player.
        """
        times: list[PlayedBar] = []
        is_on = False
        for event, bars in self._counted():
            if isinstance(event, Played) and bars.bar_at(event.beat) == bar:
                times += [] if is_on else [PlayedBar(bars.line(bar), [])]
                times[-1].notes.append(event)
                is_on = True
            elif is_on and _goes_back(event, times[-1].notes[-1].beat):
                is_on = False
        return times

    def _counted(self) -> Iterator[tuple[object, CountedBars]]:
        """Return each event, with the bars as they are counted after it."""
        first = bars = CountedBars(self.meter)
        for event in self.events:
            bars = first if isinstance(event, Restarted) else counted_after(bars, event)
            yield event, bars

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
        return max((bars.bar_at(event.beat) for event, bars in self._counted() if isinstance(event, Played)), default=0)


def _goes_back(event: object, beat: float) -> bool:
    """Return whether an event sets the jam's beat back before `beat`."""
    return isinstance(event, Restarted) or (isinstance(event, Started | Recounted) and event.beat < beat)


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
