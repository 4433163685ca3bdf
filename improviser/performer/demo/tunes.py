"""Melodies for the built-in player, all of them in the public domain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from improviser.errors import UsageError
from improviser.music.pitch import parse_note

_REST: Final = "-"
_BAR_LINE: Final = "|"


@dataclass(frozen=True)
class Tune:
    """A melody.

    Attributes:
        title: Its name for users.
        source: Where it comes from.
        meter: Its time signature. A beat is a quarter note.
        text: Notes such as `E4`, rests `-` and bar lines. `*beats` follows a note or rest that does not last one beat.
    """

    title: str
    source: str
    meter: tuple[int, int]
    text: str

    @cached_property
    def notes(self) -> tuple[tuple[int | None, float], ...]:
        """Each note (None: a rest) and its length in beats."""
        return tuple(_parse(word) for word in self.text.split() if word != _BAR_LINE)

    @property
    def beats(self) -> float:
        """The length of the tune in beats."""
        return sum(beats for _, beats in self.notes)

    @property
    def bars(self) -> int:
        """The length of the tune in whole bars."""
        return round(self.beats * self.meter[1] / 4 / self.meter[0])


def _parse(word: str) -> tuple[int | None, float]:
    """Return the note and its beats for a word of a tune."""
    name, _, beats = word.partition("*")
    return None if name == _REST else parse_note(name), float(beats or 1)


DEFAULT_TUNE: Final = "ode_to_joy"
TUNES: Final = {
    DEFAULT_TUNE: Tune(
        title="Ode to Joy",
        source="L. van Beethoven, Symphony No. 9, fourth movement (1824)",
        meter=(4, 4),
        text="""
            E4 E4 F4 G4 | G4 F4 E4 D4 | C4 C4 D4 E4 | E4*1.5 D4*.5 D4*2 |
            E4 E4 F4 G4 | G4 F4 E4 D4 | C4 C4 D4 E4 | D4*1.5 C4*.5 C4*2 |
            D4 D4 E4 C4 | D4 E4*.5 F4*.5 E4 C4 | D4 E4*.5 F4*.5 E4 D4 | C4 D4 G3*2 |
            E4 E4 F4 G4 | G4 F4 E4 D4 | C4 C4 D4 E4 | D4*1.5 C4*.5 C4*2 |
        """,
    ),
    "scarborough_fair": Tune(
        title="Scarborough Fair",
        source="English ballad, traditional",
        meter=(3, 4),
        text="""
            D4*2 D4 | A4*2 A4 | E4*1.5 F4*.5 E4 | D4*3 |
            - A4 C5 | D5*2 C5 | A4 B4 G4 | A4*3 |
            -*2 D5 | D5*2 D5 | C5*2 A4 | A4 G4 F4 | E4 C4*2 |
            D4*2 A4 | G4*2 F4 | E4 D4 C4 | D4*3 |
        """,
    ),
    "drowsy_maggie": Tune(
        title="Drowsy Maggie",
        source="Irish reel, traditional",
        meter=(4, 4),
        text="""
            E4*.5 B4*.5 B3*.5 E4*.5 D5*.5 B4*.5 E4*.5 B4*.5 |
            E4*.5 B4*.5 B3*.5 E4*.5 A4*.5 F#4*.5 D4*.5 F#4*.5 |
            E4*.5 B4*.5 B3*.5 E4*.5 D5*.5 B4*.5 E4*.5 B4*.5 |
            B4*.5 A4*.5 B4*.5 C#5*.5 D5*.5 A4*.5 F#4*.5 D4*.5 |
            D5 F#5*.5 D5*.5 C#5 E5*.5 C#5*.5 |
            D5*.5 E5*.5 F#5*.5 G5*.5 A5*.5 F#5*.5 G5*.5 E5*.5 |
            D5 F#5*.5 D5*.5 C#5 E5*.5 C#5*.5 |
            B4*.5 A4*.5 B4*.5 C#5*.5 D5*.5 A4*.5 F#4*.5 D4*.5 |
        """,
    ),
}


def find_tune(name: str) -> Tune:
    """Return the tune called `name`, or raise UsageError if there is none."""
    if name not in TUNES:
        raise UsageError(f"no tune '{name}'; choose one of {', '.join(TUNES)}")
    return TUNES[name]
