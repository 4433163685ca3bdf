"""Corpus voices on the step grid: duets and tunes as rows of events, with C as the tonic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from improviser.corpus.piece import TICKS_PER_BEAT, Piece
from improviser.engine.role import COMPING, MELODY, Role
from improviser.listening.harmony.harmony_tracker import NOT_GIVEN
from improviser.listening.line import HOLD, NONE, REST, SILENT, Events
from improviser.listening.observation import STYLES, SURE
from improviser.listening.player import player_base
from improviser.music.meter import METERS, Meter
from improviser.music.pitch import NOTE_MAX, OCTAVE
from improviser.music.scale import Mode
from improviser.playing.actions import register_base
from improviser.training.chorale_harmony import chord_events, chord_steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NotesTable = npt.NDArray[np.int32]
# Each cast: the player's voices, highest first, and the partner's voice.
Casts = tuple[tuple[tuple[int, ...], int], ...]

SOPRANO, ALTO, TENOR, BASS = range(4)
# The player's voices and the partner's voice in a chorale: each ordered pair of voices; one player for each partner;
# and each voice against the other three.
DUETS: Final[Casts] = tuple(((player,), own) for player in range(4) for own in range(4) if player != own)
SOLOS: Final[Casts] = tuple(((ALTO if own == SOPRANO else SOPRANO,), own) for own in range(4))
TRIOS: Final[Casts] = tuple((tuple(voice for voice in range(4) if voice != own), own) for own in range(4))


# A chord that nobody has written down.
UNKNOWN: Final = NOT_GIVEN


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
        bits: (steps,) twelve-bit pitch-class sets of what the player sounds.
        bass: (steps,) the player's lowest note, SILENT where nothing sounds.
        keys: (steps,) index of the key that the improviser assumes.
        certainty: (steps,) how sure it is of the key, as `listening.observation.certainty` returns it.
        chords: (steps,) the chord behind player and partner, as an index or NO_CHORD; UNKNOWN where only the ear tells.
        given: (steps,) the chord that a chart gives, which improviser knows; UNKNOWN where there is no chart.
        is_late: (steps,) whether the improviser hears the step's onsets only after it has decided the step.
        partner: (steps,) events of the human partner, all NONE where there is none.
        player_base: Note from which the player's tokens count.
        own_base: Note from which the partner's tokens count.
        role: The role of the partner, and of the improviser in its place.
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
    chords: npt.NDArray[np.int64]
    given: npt.NDArray[np.int64]
    is_late: npt.NDArray[np.bool_]
    partner: Events
    player_base: int
    own_base: int
    role: Role = MELODY

    @property
    def given_chords(self) -> npt.NDArray[np.int64]:
        """The chords that a chart gives in each step and a beat later, (steps, 2); the last one stays."""
        later = np.minimum(np.arange(len(self.given)) + self.steps_per_beat, len(self.given) - 1)
        return np.stack([self.given, self.given[later]], axis=1)

    @property
    def bar_steps(self) -> int:
        """The number of steps in a bar."""
        return METERS[self.meter].bar_steps(self.steps_per_beat)

    def cut(self, steps: int) -> Part:
        """Return the first `steps` steps of the part."""
        return self.stretch(0, steps)

    def stretch(self, start: int, end: int) -> Part:
        """Return the steps from `start`, which must begin a bar, up to but without `end`."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        kept = {name: value[start:end] for name, value in values.items() if isinstance(value, np.ndarray)}
        return Part(**values | kept)


def in_known_key(mode: int, steps: int) -> dict[str, Any]:
    """Return the fields of a part in a known key, C of `mode`, heard in time; its chords are UNKNOWN."""
    return {
        "keys": np.full(steps, OCTAVE * mode),
        "certainty": np.full(steps, SURE),
        "chords": np.full(steps, UNKNOWN),
        "given": np.full(steps, UNKNOWN),
        "is_late": np.zeros(steps, dtype=np.bool_),
    }


def voice_events(notes: NotesTable, steps: int, ticks_per_step: float, shift: int) -> Events:
    """Return a voice on the grid, (steps,), moved by `shift` semitones.

    Onsets go to the nearest step, and from halfway on to the later step, as in live play. Of two onsets on one step the
    later one stays, unless it is shorter than half a step.
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
    """Return what the voices sound together: `bits`, twelve-bit pitch-class sets, and `bass`, (steps,) each."""
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
    """Yield a part for each piece and each cast of the player's voices and the partner's voice.

    Args:
        pieces: Chorales.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        speed: 2 halves all durations, which turns the quarters of a chorale into the eighths of a dance.
        casts: The player's voices, highest first, and the partner's voice.
    """
    for piece in pieces:
        ticks = TICKS_PER_BEAT / steps_per_beat * speed
        steps = _steps(piece, ticks)
        voices = [voice_events(voice, steps, ticks, _shift(piece)) for voice in piece.voices]
        chords = chord_steps(voices, max(1, round(steps_per_beat / speed)))
        for players, own in casts:
            yield Part(
                name=f"{piece.name}:{'SATB'[own]}-with-{''.join('SATB'[voice] for voice in players)}",
                style=STYLES.index(style),
                mode=_mode(piece),
                meter=_meter(piece),
                steps_per_beat=steps_per_beat,
                player=voices[players[0]],
                **sounding([voices[voice] for voice in players]),
                **in_known_key(_mode(piece), steps) | {"chords": chords},
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
    """Yield a part for each piece and each cast of the player's voices; the partner plays the harmony of all voices.

    Args:
        pieces: Chorales.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        own_low: The partner's register begins at the tonic nearest to this note.
        casts: The player's voices, highest first.
    """
    for piece in pieces:
        ticks = TICKS_PER_BEAT / steps_per_beat
        voices = [voice_events(voice, _steps(piece, ticks), ticks, _shift(piece)) for voice in piece.voices]
        bar_steps = METERS[_meter(piece)].bar_steps(steps_per_beat)
        chords = chord_events(voices, steps_per_beat, bar_steps)
        known = chord_steps(voices, steps_per_beat)
        for players in casts:
            yield Part(
                name=f"{piece.name}:chords-with-{''.join('SATB'[voice] for voice in players)}",
                style=STYLES.index(style),
                mode=_mode(piece),
                meter=_meter(piece),
                steps_per_beat=steps_per_beat,
                player=voices[players[0]],
                **sounding([voices[voice] for voice in players]),
                **in_known_key(_mode(piece), len(chords)) | {"chords": known},
                partner=chords,
                player_base=voice_base(voices[players[0]]),
                own_base=register_base(own_low, 0),
                role=COMPING,
            )


def with_chart(part: Part) -> Part:
    """Return the part with its chords as a chart that improviser knows."""
    return replace(part, name=f"{part.name}-by-chart", given=part.chords)


def alone(part: Part) -> Part:
    """Return the part without its player, so that the partner plays alone."""
    absent = np.full(len(part.player), NONE, dtype=np.int16)
    return replace(part, player=absent, **sounding([absent]), player_base=part.own_base)


def tune_parts(pieces: Iterable[Piece], style: str, steps_per_beat: int, own_low: int | None) -> Iterator[Part]:
    """Yield a part for each tune.

    Args:
        pieces: Tunes.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        own_low: With None the tune is the partner, and there is no player: the prior learns from it. With a note the
            tune is the player of an environment, and the partner's register begins at the tonic nearest to that note.
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
    """Return the note from which a voice's tokens count, with C as the tonic."""
    notes = events[events >= 0]
    return player_base(float(notes.mean()) if len(notes) else 0.0, 0)


def _nearest(steps: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the nearest whole steps, halves rounded up."""
    return np.floor(steps + 0.5).astype(np.int64)


def _steps(piece: Piece, ticks_per_step: float) -> int:
    """Return the number of steps in all bars of a piece, the last bar rounded up to a whole one."""
    end = max(int(voice[-1, 0] + voice[-1, 1]) for voice in piece.voices)
    bar = METERS[_meter(piece)].bar_beats * TICKS_PER_BEAT / ticks_per_step
    return int(np.ceil(end / ticks_per_step / bar) * bar)


def _shift(piece: Piece) -> int:
    """Return the semitones, -6..5, that move the tonic to C."""
    return (OCTAVE // 2 - piece.tonic) % OCTAVE - OCTAVE // 2


def _mode(piece: Piece) -> int:
    """Return the piece's mode as a row of Mode."""
    return int(Mode[piece.mode.upper()])


def _meter(piece: Piece) -> int:
    """Return the piece's meter as a row of METERS."""
    return METERS.index(Meter(*piece.meter))
