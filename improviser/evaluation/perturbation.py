"""Perturbations: changes by the player in the middle of a piece that the improviser must follow.

Every case plays the same part, repeated as long as needed, and differs from beat 17 on. Beats are those of the engine,
which does not know what will happen. `chord_bits` holds the intended chord of each of its steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import SILENT
from improviser.midi.message import CLOCK, Message, TimedMessage
from improviser.music.pitch import NOTE_MAX, OCTAVE
from improviser.music.scale import Mode
from improviser.training.features import player_table
from improviser.training.grid import UNKNOWN
from improviser.training.part_edit import (
    part_messages,
    raised,
    repeated,
    struck_anew,
    transposed,
    with_player,
    with_rest,
    with_wrong_notes,
)

if TYPE_CHECKING:
    from improviser.training.grid import Part

CHANGE_BEAT: Final = 16
"""The beat, counted from 0, at which the change begins: the seventeenth."""
AFTER_BEATS: Final = 36
"""How many beats the improviser is measured after the change."""
UNCHANGED, TRANSPOSED, FASTER, SLOWER = "unchanged", "transposed", "tempo +20 %", "tempo -20 %"
RESTED, WRONG_NOTES, NEW_CHORD = "rest of 4 bars", "10 % wrong notes", "chord change in a bar"
REST_BARS: Final = 4
TEMPO_STEP: Final = 0.2
WRONG_SHARE: Final = 0.1
# The new chord is this many scale degrees higher: from the first degree to the fourth.
NEW_DEGREES: Final = 3
_SEVEN_DEGREES: Final = {Mode.MAJOR: (0, 2, 4, 5, 7, 9, 11), Mode.MINOR: (0, 2, 3, 5, 7, 8, 10)}
CLOCKS_PER_BEAT: Final = 24

Bits = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Case:
    """A player who changes something.

    Attributes:
        name: Name of the perturbation.
        heard: The player's messages, timed in the engine's beats.
        chord_bits: (steps,) the intended chord in each of the engine's steps, 0 where none.
        change_beat: The beat from which the improviser has to follow the change.
    """

    name: str
    heard: list[TimedMessage]
    chord_bits: Bits
    change_beat: int


def make_cases(part: Part, rng: np.random.Generator) -> list[Case]:
    """Return the part unchanged, transposed by 1 to 11 semitones, and with each of the other changes.

    Args:
        part: A player in C.
        rng: Chooses the wrong notes.
    """
    rest_beats = REST_BARS * part.bar_steps // part.steps_per_beat
    beats = CHANGE_BEAT + AFTER_BEATS + max(rest_beats, AFTER_BEATS // 4)
    whole = repeated(part, beats)
    meant = chords_of(whole)
    at = CHANGE_BEAT * part.steps_per_beat
    middle = (-(-at // part.bar_steps) * part.bar_steps) + part.bar_steps // 2
    rested, moved = with_rest(whole, at, REST_BARS), with_new_chord(whole, middle)
    cases = [_steady(UNCHANGED, whole, meant, CHANGE_BEAT)]
    for semitones in range(1, OCTAVE):
        bits = meant.copy()
        bits[at:] = raised(bits[at:], semitones)
        cases.append(_steady(TRANSPOSED, transposed(whole, at, semitones), bits, CHANGE_BEAT))
    cases += [_with_tempo(name, whole, meant, 1 + step) for name, step in ((FASTER, TEMPO_STEP), (SLOWER, -TEMPO_STEP))]
    return [
        *cases,
        _steady(RESTED, rested, chords_of(rested), CHANGE_BEAT + rest_beats),
        _steady(WRONG_NOTES, with_wrong_notes(whole, at, WRONG_SHARE, rng), meant, CHANGE_BEAT),
        _steady(NEW_CHORD, moved, chords_of(moved), middle // part.steps_per_beat),
    ]


def chords_of(part: Part) -> Bits:
    """Return the chord that the player implies in each step when the key is known, (steps,)."""
    heard = replace(part, chords=np.full_like(part.chords, UNKNOWN))
    return player_table([heard]).chord_bits.astype(np.int64)


def with_new_chord(part: Part, at: int) -> Part:
    """Return the part moved up by NEW_DEGREES scale degrees from step `at` on, inside a bar."""
    shift = _degree_shift(part.mode)
    events, bits, bass = struck_anew(part.player, at), part.bits.copy(), part.bass.copy()
    later = events[at:]
    moved = later + shift[later % OCTAVE]
    events[at:] = np.where(later >= 0, np.minimum(moved, NOTE_MAX), later)
    above = np.zeros_like(bits[at:])
    for degree in range(OCTAVE):
        above |= (bits[at:] >> degree & 1) << (degree + shift[degree]) % OCTAVE
    bits[at:] = above
    bass[at:] = np.where(bass[at:] >= 0, bass[at:] + shift[bass[at:] % OCTAVE], SILENT)
    return with_player(part, events, bits, bass)


def _steady(name: str, part: Part, chord_bits: Bits, change_beat: int) -> Case:
    """Return the case of a player who keeps the tempo."""
    heard = [TimedMessage(step / part.steps_per_beat, message) for step, message in part_messages(part)]
    return Case(name, heard, chord_bits, change_beat)


def _with_tempo(name: str, part: Part, chord_bits: Bits, ratio: float) -> Case:
    """Return the case of a player whose tempo is `ratio` times as fast from CHANGE_BEAT on, with MIDI clock."""
    grid = part.steps_per_beat
    clocks: list[tuple[float, Message]] = [
        (clock / CLOCKS_PER_BEAT * grid, CLOCK) for clock in range(len(part.player) // grid * CLOCKS_PER_BEAT)
    ]
    timed = sorted([*clocks, *part_messages(part)], key=lambda entry: entry[0])
    moments = _stretched(np.array([step for step, _ in timed]) / grid, ratio).tolist()
    heard = [TimedMessage(at, message) for at, (_, message) in zip(moments, timed, strict=True)]
    # The middle of each of the engine's steps, in the player's steps.
    middles = _stretched((np.arange(len(chord_bits)) + 0.5) / grid, 1 / ratio) * grid
    return Case(name, heard, chord_bits[np.minimum(middles.astype(int), len(chord_bits) - 1)], CHANGE_BEAT)


def _stretched(beats: npt.NDArray[np.float64], ratio: float) -> npt.NDArray[np.float64]:
    """Return the times of beats when the tempo is `ratio` times as fast from CHANGE_BEAT on."""
    late = np.maximum(beats - CHANGE_BEAT, 0.0)
    moments: npt.NDArray[np.float64] = beats - late + late / ratio
    return moments


def _degree_shift(mode: int) -> npt.NDArray[np.int16]:
    """Return the semitones, (12,), up to NEW_DEGREES degrees higher; notes between degrees move as the lower degree."""
    scale = _SEVEN_DEGREES[Mode(mode)]
    shift = np.zeros(OCTAVE, dtype=np.int16)
    for row, degree in enumerate(scale):
        octaves, above = divmod(row + NEW_DEGREES, len(scale))
        shift[degree:] = scale[above] + OCTAVE * octaves - degree
    return shift
