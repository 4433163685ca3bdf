"""Converts written bars to a parsed score: one meter, on the grid of its bar lines, one voice per part."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from improviser.corpus.bar_grid import Bar, Placement, place_bars
from improviser.corpus.piece import ParsedScore, UnfitError, bar_ticks, notes_to_voice

if TYPE_CHECKING:
    from collections.abc import Sequence

METERS = {(4, 4): (4, 4), (2, 2): (4, 4), (2, 4): (2, 4), (3, 4): (3, 4), (6, 8): (6, 8)}
"""Meters that are kept, with the meter of the piece; a beat is a quarter note in each."""

CUT = "cut before a change of meter or key, or a bar of a wrong length"
MENDED = "a bar of a wrong length padded or shortened"
"""What was changed to keep a piece, as named in the counts."""

MIN_BARS = 4
MIN_NOTES = 8


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A note in its bar: onset and end in ticks, and whether a tie ends or starts at it."""

    onset: int
    end: int
    note: int
    tied_from: bool = False
    tied_on: bool = False


@dataclass(frozen=True, slots=True)
class WrittenBar:
    """A bar of one part: its offset and length in ticks, its meter if one is written, and its bar lines.

    `bound_left` and `bound_right` are true if the bar has a double bar, a repeat or an end there.
    """

    offset: int
    length: int
    notes: tuple[WrittenNote, ...]
    meter: tuple[int, int] | None = None
    bound_left: bool = False
    bound_right: bool = False


def make_parsed_score(
    name: str, kind: str, parts: Sequence[Sequence[WrittenBar]], tonality: tuple[int, str]
) -> ParsedScore:
    """Return the parsed score of parts with the same bars; `tonality` is the tonic's pitch class and the mode.

    Raises:
        UnfitError: The parts have different bars, the meter is not kept, or too little is left.
    """
    if len({tuple(bar.offset for bar in part) for part in parts}) != 1:
        raise UnfitError("parts with different bars")
    meter = _meter(parts[0])
    placement = place_bars(_grid_bars(parts, meter), bar_ticks(meter))
    if len(placement.starts) < MIN_BARS:
        raise UnfitError("fewer than four bars of one meter")
    voices = [notes_to_voice(_rows(part, placement.starts)) for part in parts]
    if min(map(len, voices)) < MIN_NOTES:
        raise UnfitError("fewer than eight notes")
    first = min(int(voice[0, 0]) for voice in voices)
    for voice in voices:
        voice[:, 0] -= first - first % bar_ticks(meter)
    return ParsedScore(name, kind, *tonality, meter, tuple(voices), _change(placement, len(parts[0])))


def _change(placement: Placement, bars: int) -> str:
    """Return what was changed to keep a piece, or an empty text."""
    if len(placement.starts) < bars:
        return CUT
    return MENDED if placement.slips else ""


def _meter(bars: Sequence[WrittenBar]) -> tuple[int, int]:
    """Return the piece's meter for the meter that is written in the first bar."""
    written = bars[0].meter if bars else None
    if written is None:
        raise UnfitError("no bars or no meter")
    if written not in METERS:
        raise UnfitError(f"meter {written[0]}/{written[1]}")
    return METERS[written]


def _grid_bars(parts: Sequence[Sequence[WrittenBar]], meter: tuple[int, int]) -> list[Bar]:
    """Return the bars for the grid; the first bar opens a section and does not close one."""
    leading = parts[0]
    bounds = [one.bound_right or other.bound_left for one, other in pairwise(leading)]
    opens, closes = [True, *bounds], [False, *bounds[1:], True]
    return [
        Bar(
            length_ticks=max(part[index].length for part in parts),
            opens=opens[index],
            closes=closes[index],
            in_meter=bar.meter is None or METERS.get(bar.meter) == meter,
            restores=METERS.get(bar.meter or (0, 0)) == meter,
        )
        for index, bar in enumerate(leading)
    ]


def _rows(bars: Sequence[WrittenBar], starts: Sequence[int | None]) -> list[tuple[int, int, int]]:
    """Return (onset, end, note) of the notes of the bars that have a start, with ties merged."""
    rows: list[tuple[int, int, int]] = []
    held = False
    placed = [(start, bar) for start, bar in zip(starts, bars, strict=False) if start is not None]
    for start, bar in placed:
        for note in bar.notes:
            onset, end = start + note.onset, start + note.end
            if held and note.tied_from and rows[-1][1:] == (onset, note.note):
                onset = rows.pop()[0]
            rows.append((onset, end, note.note))
            held = note.tied_on
    return rows
