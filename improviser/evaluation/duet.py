"""A piece as a duet: what the improviser hears of it, what people play beside that, and the chords behind both.

Time is in beats (quarter notes) and in frames, FRAMES of them a beat. A frame's notes are those that sound in its
middle, so a note that is a little late counts where it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.corpus.casting import ACCOMPANIMENT, BASS, MELODY
from improviser.corpus.chord_steps import chords_at, rows_at, struck_chords
from improviser.corpus.piece import TICKS_PER_BEAT, bar_ticks
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.music.accent import LEVELS
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, NO_CHORD, QUALITY_COUNT
from improviser.music.meter import EIGHTHS_PER_BEAT, METERS, SIXTEENTHS_PER_BEAT, Meter
from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.corpus.piece import Piece

FRAMES: Final = SIXTEENTHS_PER_BEAT
# At most this much of a piece is played.
BARS: Final = 32
_VELOCITY: Final = 72
# The metrical strength of beats 1 and 3, in quarters.
_STRONG_LEVEL: Final = 3

# Rows of onset and end in beats, and note.
Notes = npt.NDArray[np.float64]
Frames = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DuetHarmony:
    """The chords behind a duet, by frame.

    Attributes:
        chord: (frames,) index of the chord, NO_CHORD where there is none.
        bass: (frames,) pitch class, -1 where there is no chord.
    """

    chord: Frames
    bass: Frames

    @property
    def bits(self) -> Frames:
        """The chords' twelve-bit sets, (frames,), 0 where there is no chord."""
        return CHORD_BITS[self.chord].astype(np.int64)

    @property
    def root(self) -> Frames:
        """The chords' roots, (frames,) pitch classes, -1 where there is no chord."""
        return np.where(self.chord < 0, -1, self.chord // QUALITY_COUNT)

    def moved(self, semitones: int, frames: int) -> DuetHarmony:
        """Return the harmony up by some semitones, repeated or cut to a number of frames."""
        at = np.arange(frames) % len(self.chord)
        chord, bass = self.chord[at], self.bass[at]
        return DuetHarmony(
            np.where(chord < 0, NO_CHORD, (chord + semitones * QUALITY_COUNT) % CHORD_COUNT),
            np.where(bass < 0, -1, (bass + semitones) % OCTAVE),
        )


@dataclass(frozen=True, slots=True)
class Duet:
    """What is heard, what people play beside it, and the harmony.

    Attributes:
        name: Name of the piece.
        tonic: Pitch class.
        mode: "major" or "minor".
        meter: The meter.
        heard: What the player plays.
        people: What people play beside it; no rows where the piece has nothing else.
        harmony: The chords.
    """

    name: str
    tonic: int
    mode: str
    meter: Meter
    heard: Notes
    people: Notes
    harmony: DuetHarmony

    @property
    def frames(self) -> int:
        """The number of frames."""
        return len(self.harmony.chord)

    @property
    def chart(self) -> tuple[int, ...]:
        """The chord of each eighth, as in EngineSettings.chart."""
        return tuple(self.harmony.chord[:: FRAMES // EIGHTHS_PER_BEAT].tolist())

    @property
    def is_strong(self) -> npt.NDArray[np.bool_]:
        """Which frames begin beats 1 and 3, (frames,)."""
        in_bar = np.arange(self.frames) % self.meter.bar_sixteenths
        return np.asarray(LEVELS[METERS.index(self.meter), in_bar] >= _STRONG_LEVEL)

    def beside(self, other: Duet) -> Duet:
        """Return this duet with the player and the harmony of another one, moved to this one's key and length."""
        up = (self.tonic - other.tonic + OCTAVE // 2) % OCTAVE - OCTAVE // 2
        length = other.frames / FRAMES
        times = -(-self.frames // other.frames)
        repeats = [other.heard + np.array([length * time, length * time, up]) for time in range(times)]
        return replace(self, heard=np.concatenate(repeats), harmony=other.harmony.moved(up, self.frames))


def melody_heard(piece: Piece) -> Duet | None:
    """Return the duet whose player plays the tune; None without chords. People play all else."""
    return _duet(piece, frozenset({MELODY}))


def accompaniment_heard(piece: Piece) -> Duet | None:
    """Return the duet whose player accompanies, and people play the tune; the chords are struck where none is written.

    The result is None where no chords are known.
    """
    duet = _duet(piece, frozenset({ACCOMPANIMENT, BASS}))
    if duet is None or ACCOMPANIMENT in piece.parts:
        return duet
    ticks = duet.frames * TICKS_PER_BEAT // FRAMES
    return replace(
        duet, heard=to_notes(struck_chords(piece.chords, bar_ticks(piece.meter), ticks), duet.frames / FRAMES)
    )


def _duet(piece: Piece, players: frozenset[str]) -> Duet | None:
    """Return the duet in which these kinds of parts are the player's; None without chords."""
    if not len(piece.chords) or not piece.parts:
        return None
    ends = [int((voice[:, 0] + voice[:, 1]).max()) for voice in piece.voices]
    bars = min(BARS, max(ends) // bar_ticks(piece.meter))
    beats = bars * bar_ticks(piece.meter) / TICKS_PER_BEAT
    sides: dict[bool, list[Notes]] = {True: [], False: []}
    for part, voice in zip(piece.parts, piece.voices, strict=True):
        sides[part in players].append(to_notes(voice, beats))
    heard, people = (_merged(sides[side]) for side in (True, False))
    meter = Meter(*piece.meter)
    harmony = harmony_of(piece.chords, round(beats * FRAMES))
    return Duet(piece.name, piece.tonic, piece.mode, meter, heard, people, harmony)


def to_notes(voice: npt.NDArray[np.int32], beats: float) -> Notes:
    """Return a part's notes that begin before `beats`."""
    rows = np.stack([voice[:, 0], voice[:, 0] + voice[:, 1], voice[:, 2]], axis=1).astype(np.float64)
    rows[:, :2] /= TICKS_PER_BEAT
    rows[:, 1] = np.minimum(rows[:, 1], beats)
    return rows[rows[:, 0] < beats]


def harmony_of(chords: npt.NDArray[np.int32], frames: int) -> DuetHarmony:
    """Return chords, rows as in Piece.chords, by frame."""
    middles = (np.arange(frames) + 0.5) * TICKS_PER_BEAT / FRAMES
    return DuetHarmony(chords_at(chords, middles), rows_at(chords, middles)[:, 3])


def _merged(parts: Sequence[Notes]) -> Notes:
    """Return parts as one, in the order of time; of equal notes at one onset the longest stays."""
    rows: dict[tuple[float, float], float] = {}
    for onset, end, note in (row for part in parts for row in part.tolist()):
        rows[onset, note] = max(end, rows.get((onset, note), 0.0))
    return np.array([(onset, end, note) for (onset, note), end in sorted(rows.items())], dtype=np.float64).reshape(
        -1, 3
    )


def to_messages(notes: Notes) -> list[TimedMessage]:
    """Return notes as a player's messages, whose times are beats; a key that is still down goes up before."""
    events: list[tuple[float, int, int]] = []
    for index, (onset, end, note) in enumerate(notes.tolist()):
        later = notes[index + 1 :]
        again = later[(later[:, 2] == note) & (later[:, 0] < end), 0]
        events += [(onset, 1, int(note)), (float(again[0]) if len(again) else end, 0, int(note))]
    return [
        TimedMessage(at, NoteOn(0, note, _VELOCITY) if is_on else NoteOff(0, note))
        for at, is_on, note in sorted(events)
    ]


def from_messages(messages: Sequence[TimedMessage]) -> Notes:
    """Return the notes of messages whose times are beats."""
    begun: dict[tuple[int, int], float] = {}
    rows = []
    for timed in messages:
        match timed.message:
            case NoteOn(channel, note):
                begun[channel, note] = timed.due_s
            case NoteOff(channel, note) if (channel, note) in begun:
                rows.append((begun.pop((channel, note)), timed.due_s, note))
            case _:
                pass
    return np.array(sorted(rows), dtype=np.float64).reshape(-1, 3)


def sounding(notes: Notes, frames: int) -> npt.NDArray[np.bool_]:
    """Return which of 128 notes sound in the middle of each frame, (frames, 128)."""
    found = np.zeros((frames, 128), dtype=np.bool_)
    first = np.ceil(notes[:, 0] * FRAMES - 0.5).astype(np.int64).clip(0)
    last = np.ceil(notes[:, 1] * FRAMES - 0.5).astype(np.int64).clip(0)
    for start, end, note in zip(first.tolist(), last.tolist(), notes[:, 2].astype(np.int64).tolist(), strict=True):
        found[start : max(end, start + 1), note] = True
    return found


def pitch_classes(found: npt.NDArray[np.bool_]) -> Frames:
    """Return the twelve-bit set of each frame, (frames,)."""
    bits = np.zeros(len(found), dtype=np.int64)
    for note in range(found.shape[1]):
        bits |= np.where(found[:, note], 1 << note % OCTAVE, 0)
    return bits
