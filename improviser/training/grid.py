"""Corpus voices on the step grid: duets and tunes as rows of events, relative to a tonic of C."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from improviser.corpus.piece import TICKS_PER_BEAT, Piece
from improviser.engine.role import COMPING, MELODY, Role
from improviser.listening.line import HOLD, NONE, REST, SILENT, Events
from improviser.listening.observation import STYLES, SURE
from improviser.listening.player import player_base
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import NOTE_MAX, OCTAVE
from improviser.music.scale import Mode
from improviser.playing.actions import register_base
from improviser.training.chorale_harmony import chord_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NotesTable = npt.NDArray[np.int32]
# The player's voices, highest first, and the partner's.
Casts = tuple[tuple[tuple[int, ...], int], ...]

SOPRANO, ALTO, TENOR, BASS = range(4)
# The player's voices and the partner's in a chorale: each ordered pair; one for each partner; and each voice
# against the other three.
DUETS: Final[Casts] = tuple(((player,), own) for player in range(4) for own in range(4) if player != own)
SOLOS: Final[Casts] = tuple(((ALTO if own == SOPRANO else SOPRANO,), own) for own in range(4))
TRIOS: Final[Casts] = tuple((tuple(voice for voice in range(4) if voice != own), own) for own in range(4))


@dataclass(frozen=True, slots=True)
class Part:
    """A player and, where the corpus has one, the human partner beside it, step by step.

    Attributes:
        name: The piece and the voices.
        style: Row of STYLES.
        mode: Row of Mode; the tonic is C.
        meter: Row of METERS.
        steps_per_beat: The grid.
        player: (steps,) events of the player's top voice.
        bits: (steps,) twelve-bit sets of what the player sounds.
        bass: (steps,) the lowest note of it, SILENT where nothing sounds.
        keys: (steps,) index of the key that the improviser believes in.
        certainty: (steps,) how sure it is of that, as `listening.observation.certainty` gives it.
        is_late: (steps,) whether what the player strikes in the step is heard after its decision.
        partner: (steps,) events of the human partner, all NONE where there is none.
        player_base: Note from which the player's tokens count.
        own_base: Note from which the partner's tokens count.
        role: What the partner, and the improviser in its place, does.
    """

    name: str
    style: int
    mode: int
    meter: int
    steps_per_beat: int
    player: Events
    bits: npt.NDArray[np.int64]
    bass: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    certainty: npt.NDArray[np.int64]
    is_late: npt.NDArray[np.bool_]
    partner: Events
    player_base: int
    own_base: int
    role: Role = MELODY

    @property
    def bar_steps(self) -> int:
        """The steps in a bar."""
        return METERS[self.meter].bar_steps(self.steps_per_beat)

    def cut(self, steps: int) -> Part:
        """Return its first steps."""
        return self.stretch(0, steps)

    def stretch(self, start: int, end: int) -> Part:
        """Return its steps from `start`, where a bar begins, to before `end`."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        kept = {name: value[start:end] for name, value in values.items() if isinstance(value, np.ndarray)}
        return Part(**values | kept)


def in_known_key(mode: int, steps: int) -> dict[str, Any]:
    """Return the fields of a part whose key, C of `mode`, is known, and whose player is heard in time."""
    return {
        "keys": np.full(steps, OCTAVE * mode),
        "certainty": np.full(steps, SURE),
        "is_late": np.zeros(steps, dtype=np.bool_),
    }


def voice_events(notes: NotesTable, steps: int, ticks_per_step: float, shift: int) -> Events:
    """Return a voice on the grid, (steps,), moved by `shift` semitones.

    Onsets go to the nearest step, from halfway on to the later one, as on stage; of two on one step the later
    stays, unless it is shorter than half a step.
    """
    events = np.full(steps, REST, dtype=np.int16)
    starts = np.minimum(_nearest(notes[:, 0] / ticks_per_step), steps - 1)
    ends = _nearest((notes[:, 0] + notes[:, 1]) / ticks_per_step)
    for start, end, (_, duration, note) in zip(starts, ends, notes, strict=True):
        if events[start] >= 0 and duration < ticks_per_step / 2:
            continue
        events[start] = note + shift
        events[start + 1 : max(end, start + 1)] = HOLD
    return events


def sounding(voices: Sequence[Events]) -> dict[str, Any]:
    """Return what voices sound together: `bits`, twelve-bit pitch-class sets, and `bass`, (steps,) each."""
    if not voices:
        msg = "at least one voice is needed"
        raise ValueError(msg)
    stacked = np.stack(voices).astype(np.int64)
    marks = np.where(stacked == HOLD, -1, np.arange(stacked.shape[1]))
    source = np.take_along_axis(stacked, np.maximum(np.maximum.accumulate(marks, axis=1), 0), axis=1)
    bits = np.bitwise_or.reduce(np.where(source >= 0, 1 << source % OCTAVE, 0), axis=0)
    lowest = np.where(source >= 0, source, NOTE_MAX + 1).min(axis=0)
    return {"bits": bits, "bass": np.where(bits > 0, lowest, SILENT)}


def chorale_parts(
    pieces: Iterable[Piece],
    style: str,
    steps_per_beat: int,
    *,
    speed: float = 1,
    casts: Casts = DUETS + TRIOS,
) -> Iterator[Part]:
    """Return a part for each piece and each cast of player's voices and partner's voice.

    Args:
        pieces: Chorales.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        speed: 2 halves all durations, which turns the chorale's quarters into a dance's eighths.
        casts: The player's voices, highest first, and the partner's.
    """
    for piece in pieces:
        ticks = TICKS_PER_BEAT / steps_per_beat * speed
        steps = _steps(piece, ticks)
        voices = [voice_events(voice, steps, ticks, _shift(piece)) for voice in piece.voices]
        for players, own in casts:
            yield Part(
                name=f"{piece.name}:{'SATB'[own]}-with-{''.join('SATB'[voice] for voice in players)}",
                style=STYLES.index(style),
                mode=_mode(piece),
                meter=_meter(piece),
                steps_per_beat=steps_per_beat,
                player=voices[players[0]],
                **sounding([voices[voice] for voice in players]),
                **in_known_key(_mode(piece), steps),
                partner=voices[own],
                player_base=voice_base(voices[players[0]]),
                own_base=voice_base(voices[own]),
            )


def comping_parts(
    pieces: Iterable[Piece],
    style: str,
    steps_per_beat: int,
    own_low: int,
    casts: Sequence[tuple[int, ...]],
) -> Iterator[Part]:
    """Return a part for each piece and each cast of player's voices; its partner strikes the chords of all.

    Args:
        pieces: Chorales.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        own_low: The partner's register begins at the tonic nearest to it.
        casts: The player's voices, highest first.
    """
    for piece in pieces:
        ticks = TICKS_PER_BEAT / steps_per_beat
        voices = [voice_events(voice, _steps(piece, ticks), ticks, _shift(piece)) for voice in piece.voices]
        bar_steps = METERS[_meter(piece)].bar_steps(steps_per_beat)
        chords = chord_events(voices, steps_per_beat, bar_steps)
        for players in casts:
            yield Part(
                name=f"{piece.name}:chords-with-{''.join('SATB'[voice] for voice in players)}",
                style=STYLES.index(style),
                mode=_mode(piece),
                meter=_meter(piece),
                steps_per_beat=steps_per_beat,
                player=voices[players[0]],
                **sounding([voices[voice] for voice in players]),
                **in_known_key(_mode(piece), len(chords)),
                partner=chords,
                player_base=voice_base(voices[players[0]]),
                own_base=register_base(own_low, 0),
                role=COMPING,
            )


def alone(part: Part) -> Part:
    """Return the part with its player absent, so that its partner's line stands for itself."""
    absent = np.full(len(part.player), NONE, dtype=np.int16)
    return replace(part, player=absent, **sounding([absent]), player_base=part.own_base)


def tune_parts(pieces: Iterable[Piece], style: str, steps_per_beat: int, own_low: int | None) -> Iterator[Part]:
    """Return a part for each tune.

    Args:
        pieces: Tunes.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        own_low: None makes the tune the partner of an absent player: a melody to learn habits from. A note
            makes the tune the player of a game whose partner's register begins at the tonic nearest to it.
    """
    for piece in pieces:
        ticks = TICKS_PER_BEAT / steps_per_beat
        tune = voice_events(piece.voices[0], _steps(piece, ticks), ticks, _shift(piece))
        absent = np.full(len(tune), NONE, dtype=np.int16)
        base = voice_base(tune)
        solo = own_low is None
        yield Part(
            name=piece.name,
            style=STYLES.index(style),
            mode=_mode(piece),
            meter=_meter(piece),
            steps_per_beat=steps_per_beat,
            player=absent if solo else tune,
            **sounding([absent if solo else tune]),
            **in_known_key(_mode(piece), len(tune)),
            partner=tune if solo else absent,
            player_base=base,
            own_base=base if own_low is None else register_base(own_low, 0),
        )


def voice_base(events: Events) -> int:
    """Return the note from which a voice's tokens count, the tonic being C."""
    notes = events[events >= 0]
    return player_base(float(notes.mean()) if len(notes) else 0.0, 0)


def _nearest(steps: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the nearest whole steps, halves rounded up."""
    return np.floor(steps + 0.5).astype(np.int64)


def _steps(piece: Piece, ticks_per_step: float) -> int:
    """Return the whole bars of a piece, in steps."""
    end = max(int(voice[-1, 0] + voice[-1, 1]) for voice in piece.voices)
    bar = METERS[_meter(piece)].bar_beats * TICKS_PER_BEAT / ticks_per_step
    return int(np.ceil(end / ticks_per_step / bar) * bar)


def _shift(piece: Piece) -> int:
    """Return the semitones, -6..5, that bring the tonic to C."""
    return (OCTAVE // 2 - piece.tonic) % OCTAVE - OCTAVE // 2


def _mode(piece: Piece) -> int:
    """Return the row of the piece's mode."""
    return int(Mode[piece.mode.upper()])


def _meter(piece: Piece) -> int:
    """Return the row of the piece's meter."""
    return METERS.index(Meter(*piece.meter))
