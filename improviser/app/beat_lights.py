"""The beat lights of a terminal: one light for each counted beat of a bar, of which one is lit."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.session.timeline import BarCount

# A downbeat and another beat, lit and not lit: in Unicode, and for a terminal that has only ASCII.
_SIGNS: Final = (("\u25c6", "\u25c7"), ("\u25cf", "\u25cb"))
_ASCII_SIGNS: Final = (("#", "-"), ("*", "."))
# The beat may begin, stop or change its tempo at any time: the lights check this often.
LOOK_EVERY_S: Final = 0.1
# A light may be early by this, so that a beat is not awaited twice.
_EARLY_BEATS: Final = 0.002


class BeatLights:
    """The lights as text, by a count of bars that follows the events of a jam."""

    def __init__(self, count: BarCount, encoding: str | None) -> None:
        """Create lights for the bars of `count`, which a terminal with `encoding` can show."""
        self._count = count
        self._signs = _signs(encoding)

    def text(self, at_s: float) -> str:
        """Return the lights at a time in seconds; none is lit while no beat runs."""
        beat = self._count.beat_at(at_s)
        bars = self._count.bars
        lit = None if beat is None else bars.place(beat + _EARLY_BEATS)
        return " ".join(self._signs[place > 0][place != lit] for place in range(len(bars.beats)))

    def wait_s(self, at_s: float) -> float:
        """Return for how many seconds the lights need not be drawn again: until the next beat, or the next check."""
        beat = self._count.beat_at(at_s)
        if beat is None:
            return LOOK_EVERY_S
        rest_beats = self._count.bars.next_beat(beat + _EARLY_BEATS) - beat
        return min(LOOK_EVERY_S, rest_beats * S_PER_MINUTE / self._count.tempo_bpm)


class LightsThread(threading.Thread):
    """Draws lights again and again.

    Threads: This is a thread of its own. It ends with the process, or soon after `stop` is called.
    """

    def __init__(self, draw: Callable[[], float]) -> None:
        """Create the thread. It calls `draw`, which returns the seconds until the next call."""
        super().__init__(name="lights", daemon=True)
        self._draw = draw
        self._ended = threading.Event()

    def run(self) -> None:
        """Draw until `stop` is called."""
        while not self._ended.wait(self._draw()):
            pass

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._ended.is_set()

    def stop(self) -> None:
        """Ask the thread to end. It may be drawing."""
        self._ended.set()


def _signs(encoding: str | None) -> tuple[tuple[str, str], ...]:
    """Return the signs that an encoding has."""
    try:
        "".join(sign for pair in _SIGNS for sign in pair).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII_SIGNS
    return _SIGNS
