"""Collects the bars of a chart as they are read, and plays out repeats and endings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from improviser.chart.chart import ChartBar, ChordChange
from improviser.errors import UsageError
from improviser.music.chord_symbol import parse_chord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.music.meter import Meter

# A chart is at most this long when it is played out.
MAX_BARS: Final = 1024
HOLD: Final = frozenset({"/", ".", "-", "p"})
SAME: Final = frozenset({"%", "x"})


@dataclass(slots=True)
class NotatedBar:
    """A bar as written.

    Attributes:
        words: Its chords and holds; one of SAME alone is the bar before.
        section: Name of the section that it begins.
        opens: Whether a repeat begins before it.
        closes: How often what is repeated is played, if a repeat ends after it; else 0.
        ending: The numbers of the passes in which it is played, if it begins an ending; else empty.
    """

    words: tuple[str, ...]
    section: str = ""
    opens: bool = False
    closes: int = 0
    ending: tuple[int, ...] = ()


@dataclass(slots=True)
class BarWriter:
    """Makes bars from written ones.

    Attributes:
        meter: Of all bars.
        notices: What could not be read.
    """

    meter: Meter
    notices: list[str] = field(default_factory=list)

    def played_out(self, written: Sequence[NotatedBar]) -> tuple[ChartBar, ...]:
        """Return the bars in the order in which they are played.

        Raises:
            UsageError: They are too many.
        """
        order = list(_order(written))
        if len(order) > MAX_BARS:
            raise UsageError(f"the chart has more than {MAX_BARS} bars with its repeats")
        bars: list[ChartBar] = []
        for bar in order:
            if bar.words and set(bar.words) <= SAME:
                before = bars[-1].changes if bars else ()
                bars.append(ChartBar(before, bar.section))
            else:
                bars.append(ChartBar(self._changes(bar.words), bar.section))
        return tuple(bars)

    def _changes(self, words: Sequence[str]) -> tuple[ChordChange, ...]:
        """Return the changes of a bar; its words share it evenly, or take a beat each if holds are among them."""
        if not words:
            return ()
        length = self.meter.bar_beats / len(words)
        if set(words) & HOLD and len(words) < self.meter.numerator:
            length = 4 / self.meter.denominator
        changes = []
        for place, word in enumerate(words):
            if word in HOLD:
                continue
            try:
                changes.append(ChordChange(place * length, parse_chord(word), word))
            except UsageError as error:
                self.notices.append(str(error))
        return tuple(changes)


def _order(written: Sequence[NotatedBar]) -> list[NotatedBar]:
    """Return the bars with repeats and endings played out; a section is named once."""
    played: list[NotatedBar] = []
    start, passes, at, in_ending = 0, 1, 0, False
    while at < len(written) and len(played) <= MAX_BARS:
        bar = written[at]
        if (bar.opens or (bar.section and in_ending and not bar.ending)) and at != start:
            start, passes, in_ending = at, 1, False
        if bar.ending and passes not in bar.ending:
            at = _after_ending(written, at)
            continue
        in_ending = in_ending or bool(bar.ending)
        played.append(replace(bar, section=bar.section if passes == 1 else ""))
        at += 1
        if bar.closes and (in_ending or passes < bar.closes):
            passes, at, in_ending = passes + 1, start, False
        elif bar.closes:
            start, passes = at, 1
    return played


def _after_ending(written: Sequence[NotatedBar], at: int) -> int:
    """Return the index of the bar after the ending that begins at `at`."""
    end = at + 1
    while end < len(written) and not written[end - 1].closes and not written[end].ending:
        end += 1
    return end
