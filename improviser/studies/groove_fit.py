"""Learn the grooves from drummers: `python -m improviser.studies.groove_fit FOLDER` writes their table again.

FOLDER holds MIDI files of drummers who play to a click, named as those of the Groove MIDI Dataset: an underscore, the
style, the tempo, "beat" or "fill", and the meter, such as `session1-102_funk_95_beat_4-4.mid`. Only beats in 4/4 are
read. A file is one drummer's opinion of a style, so each file counts once; the mean of a style is shrunk to the mean
of all styles as if EACH further files had played that.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.pocket import groove_table
from improviser.listening.pocket.groove import MILLI, PLACES
from improviser.listening.pocket.swing import NO_SWING, Swing, SwingTracker
from improviser.midi.message import NoteOn
from improviser.midi.smf import read_file
from improviser.music.meter import SIXTEENTHS_PER_BEAT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NAME: Final = re.compile(r"_([a-z][a-z0-9-]*)_\d+_beat_4-4$")
# Sub-styles that are styles of their own, because they swing.
_APART: Final = ("swing", "shuffle")
# A style needs this many files; each needs this many onsets.
LEAST_FILES, LEAST_ONSETS = 4, 48
# The mean of all styles counts as this many files of a style.
EACH: Final = 2.0
# A mean of a place in a file counts as this many onsets more, at the file's mean.
PSEUDO: Final = 6.0
# Onsets that are further from their place, in beats, belong to no place, such as those of flams and rolls.
REACH: Final = 0.09

Onsets = list[tuple[float, int]]
Row = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Take:
    """A drummer's file: onsets as (beat, velocity), and the swing."""

    onsets: Onsets
    swing: Swing


def style_of(path: Path) -> str | None:
    """Return the style in the name of a file, None if it is not a beat in 4/4."""
    found = _NAME.search(path.stem)
    if found is None:
        return None
    style, *details = found[1].split("-")
    return next((apart for apart in _APART if any(apart in detail for detail in details)), style)


def fit(folder: Path) -> dict[str, tuple[Swing, Row, Row]]:
    """Return the swing, offsets in beats and accents of each style, from the files of a folder."""
    takes: dict[str, list[_Take]] = defaultdict(list)
    for path in sorted(folder.glob("*.mid")):
        onsets = _onsets(path) if style_of(path) else []
        if len(onsets) >= LEAST_ONSETS:
            takes[str(style_of(path))].append(_Take(onsets, _swing(onsets)))
    kept = {style: _alike(found) for style, found in sorted(takes.items())}
    rows = {
        style: (swing, [_rows(take.onsets, swing) for take in found])
        for style, (swing, found) in kept.items()
        if len(found) >= LEAST_FILES
    }
    every = np.mean([row for _, found in rows.values() for row in found], axis=0)
    return {style: (swing, *_shrunk(found, every)) for style, (swing, found) in rows.items()}


def _onsets(path: Path) -> Onsets:
    """Return the onsets of a file as (beat, velocity), in the order of time."""
    song = read_file(path)
    events = (event for track in song.tracks for event in track.events)
    notes = [(event.tick / song.ticks_per_beat, event.message) for event in events if isinstance(event.message, NoteOn)]
    return sorted((beat, message.velocity) for beat, message in notes)


def _swing(onsets: Onsets) -> Swing:
    """Return the swing of some onsets."""
    tracker = SwingTracker()
    for beat, _ in onsets:
        tracker.hear(beat)
    return tracker.follow()


def _alike(takes: Sequence[_Take]) -> tuple[Swing, list[_Take]]:
    """Return the swing of most onsets of a style, with the takes of that kind."""
    sizes: dict[float, int] = defaultdict(int)
    for take in takes:
        sizes[_kind(take.swing)] += len(take.onsets)
    most = max(sizes, key=lambda kind: sizes[kind])
    kept = [take for take in takes if _kind(take.swing) == most]
    share = round(float(np.median([take.swing.share for take in kept])), 2)
    return Swing(share, most) if most else NO_SWING, kept


def _kind(swing: Swing) -> float:
    """Return the unit of a swing, 0 if it is straight."""
    return 0.0 if swing == NO_SWING else swing.unit_beats


def _rows(onsets: Iterable[tuple[float, int]], swing: Swing) -> Row:
    """Return the mean offset and accent of each place, (2, PLACES), of one file."""
    grid = np.array([swing.place(place / SIXTEENTHS_PER_BEAT) for place in range(PLACES + 1)])
    bar = PLACES / SIXTEENTHS_PER_BEAT
    sums, counts = np.zeros((2, PLACES)), np.zeros(PLACES)
    for beat, velocity in onsets:
        place = int(np.abs(grid - beat % bar).argmin())
        offset = beat % bar - grid[place]
        if abs(offset) <= REACH:
            sums[:, place % PLACES] += offset, np.log(velocity)
            counts[place % PLACES] += 1
    mean = sums.sum(axis=1, keepdims=True) / counts.sum()
    row: Row = (sums + PSEUDO * mean) / (counts + PSEUDO) - mean
    return row


def _shrunk(rows: Sequence[Row], every: Row) -> tuple[Row, Row]:
    """Return the offsets and accents of a style, shrunk to those of all styles; the mean of each is 0."""
    mean = (np.sum(rows, axis=0) + EACH * every) / (len(rows) + EACH)
    offsets, accents = mean - mean.mean(axis=1, keepdims=True)
    return offsets, accents


def table_text(grooves: Mapping[str, tuple[Swing, Row, Row]]) -> str:
    """Return the text of the module that holds the table."""
    lines = [
        '"""The grooves: written by studies.groove_fit.',
        "",
        "A row is (swing's share, its unit in beats), offsets in thousandths of a beat, and accents in thousandths of",
        "a logarithm, at the sixteenths of a bar of 4/4.",
        "",
        "Source: the Groove MIDI Dataset, CC BY 4.0: J. Gillick, A. Roberts, J. Engel, D. Eck and D. Bamman,",
        '"Learning to Groove with Inverse Sequence Transformations" (ICML 2019). Changed: means by style.',
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "_Row = tuple[int, ...]",
        "",
        "GROOVE_TABLE: Final[dict[str, tuple[tuple[float, float], _Row, _Row]]] = {",
    ]
    for style, (swing, *rows) in grooves.items():
        numbers = [", ".join(str(round(MILLI * float(value))) for value in row) for row in rows]
        lines += [f'    "{style}": (', f"        ({swing.share}, {swing.unit_beats}),"]
        lines += [*(f"        ({row})," for row in numbers), "    ),"]
    return "\n".join([*lines, "}", ""])


def main() -> None:
    """Fit to the files of the folder that the command line names, and write the table into the package."""
    Path(groove_table.__file__).write_text(table_text(fit(Path(sys.argv[1]))), encoding="utf-8")


if __name__ == "__main__":
    main()
