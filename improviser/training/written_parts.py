"""Pieces of named parts on the step grid: who is the player, who the partner, and the chords behind both.

The tune is the player, and a second tune or the top line of the accompaniment its partner; then the accompaniment is
the player, and the tune its partner. Where no accompaniment is written, the chords are struck instead. A piece without
chord symbols has chords that only the ear tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from improviser.corpus.casting import ACCOMPANIMENT, BASS, COUNTER, MELODY, split_hands
from improviser.corpus.chord_steps import chords_at, struck_chords
from improviser.corpus.piece import TICKS_PER_BEAT, Piece
from improviser.engine.role import BASS as BASS_ROLE
from improviser.engine.role import COMPING
from improviser.listening.line import HOLD, NONE, REST, SILENT, Events
from improviser.listening.observation import STYLES
from improviser.music.chord import NO_CHORD
from improviser.music.meter import METERS, PLAIN, Meter
from improviser.music.pitch import NOTE_MAX, OCTAVE
from improviser.music.scale import Mode
from improviser.playing.actions import register_base
from improviser.training.grid import UNKNOWN, Part, in_known_key, voice_base, voice_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# At most this many bars of a piece, from places all over it, and at most this many bars of all pieces.
PIECE_BARS: Final = 32
MOST_BARS: Final = 12_000
_START_BARS: Final = 8
# A bass line has no note above C4.
_BASS_HIGH: Final = 60

Notes = npt.NDArray[np.int32]


class Excerpt(NamedTuple):
    """Some bars of a piece, with C as the tonic: rows of onset and duration in ticks, and note."""

    piece: Piece
    ticks: int
    melody: Notes
    counter: Notes
    accompaniment: Notes
    bass: Notes
    chords: Notes


def excerpts(pieces: Iterable[Piece]) -> list[Excerpt]:
    """Return some bars of each piece that has a tune there, in a plain meter; of many pieces only each n-th."""
    fit = [piece for piece in pieces if MELODY in piece.parts and Meter(*piece.meter) in PLAIN]
    stride = max(1, -(-len(fit) * PIECE_BARS // MOST_BARS))
    found = [_excerpt(piece, index) for index, piece in enumerate(fit[::stride])]
    return [excerpt for excerpt in found if len(excerpt.melody)]


def written_parts(
    pieces: Iterable[Piece], style: str, steps_per_beat: int, own_low: int | None, *, has_solos: bool = False
) -> Iterator[Part]:
    """Yield the parts of a melody's partner.

    Args:
        pieces: Pieces of named parts.
        style: One of STYLES.
        steps_per_beat: The grid, 1-4.
        own_low: With a note, each player once, and the partner's register begins at the tonic nearest to it. With None,
            only players with a partner, in the partner's register.
        has_solos: Whether to add each tune without a player.
    """
    for excerpt in excerpts(pieces):
        make = _Maker(excerpt, style, steps_per_beat)
        backing = excerpt.accompaniment
        if not len(backing) and len(excerpt.chords):
            backing = struck_chords(excerpt.chords, *make.bars)
        top = split_hands(excerpt.accompaniment)[0] if len(excerpt.accompaniment) else excerpt.accompaniment
        others = [notes for notes in (excerpt.counter, top) if len(notes)]
        if own_low is not None:
            yield make.part("tune", excerpt.melody, others[0] if others else None, own_low)
            if len(backing):
                yield make.part("chords", backing, excerpt.melody, own_low)
            continue
        for number, notes in enumerate(others):
            yield make.part(f"tune-{number}", excerpt.melody, notes, None)
        if len(backing):
            yield make.part("chords", backing, excerpt.melody, None)
        if has_solos:
            yield make.part("alone", excerpt.melody[:0], excerpt.melody, None)


def written_comping(pieces: Iterable[Piece], style: str, steps_per_beat: int, own_low: int) -> Iterator[Part]:
    """Yield a part for each tune, alone and accompanied, whose partner strikes the written chords.

    They are struck where they change, and at each bar line.
    """
    for excerpt in excerpts(piece for piece in pieces if len(piece.chords)):
        make = _Maker(excerpt, style, steps_per_beat)
        yield make.comping("tune", excerpt.melody, own_low)
        if len(excerpt.accompaniment):
            both = np.concatenate([excerpt.melody, excerpt.accompaniment])
            yield make.comping("all", both[np.lexsort((both[:, 2], both[:, 0]))], own_low)


def written_bass(pieces: Iterable[Piece], style: str, steps_per_beat: int, own_low: int) -> Iterator[Part]:
    """Yield a part for each tune, alone and accompanied, whose partner plays the bass.

    Where no bass is written, it is the lowest line of the accompaniment.
    """
    for excerpt in excerpts(pieces):
        make = _Maker(excerpt, style, steps_per_beat)
        bass, above = excerpt.bass, excerpt.accompaniment
        if not len(bass):
            is_bass = lowest_line(above)
            bass, above = above[is_bass], above[~is_bass]
        if not len(bass):
            continue
        yield make.bass("tune", excerpt.melody, bass, own_low)
        if len(above):
            both = np.concatenate([excerpt.melody, above])
            yield make.bass("all", both[np.lexsort((both[:, 2], both[:, 0]))], bass, own_low)


def lowest_line(notes: Notes) -> npt.NDArray[np.bool_]:
    """Return which notes, sorted by onset and pitch, are of the bass line: low, and below all that sounds."""
    is_bass = np.zeros(len(notes), dtype=np.bool_)
    end, lowest, last = -1, NOTE_MAX, -1
    for index, (onset, length, note) in enumerate(notes.tolist()):
        if note > _BASS_HIGH or onset == last or (onset < end and note > lowest):
            continue
        is_bass[index], end, lowest, last = True, onset + length, note, onset
    return is_bass


def _excerpt(piece: Piece, index: int) -> Excerpt:
    """Return the bars of a piece; the `index` of the piece says where they begin."""
    bar = Meter(*piece.meter).bar_sixteenths * TICKS_PER_BEAT // 4
    end = max(int((voice[:, 0] + voice[:, 1]).max()) for voice in piece.voices)
    starts = max(0, end // bar - PIECE_BARS) // _START_BARS + 1
    start = index % starts * _START_BARS * bar
    ticks = min(PIECE_BARS * bar, -(-(end - start) // bar) * bar)
    shift = (OCTAVE // 2 - piece.tonic) % OCTAVE - OCTAVE // 2
    kinds = {kind: _cut(piece, kinds, start, ticks, shift) for kind, kinds in _KINDS.items()}
    chords = piece.chords.copy()
    chords[:, 0] -= start
    has_root = chords[:, 1] >= 0
    chords[has_root, 1] = (chords[has_root, 1] + shift) % OCTAVE
    chords[has_root, 3] = (chords[has_root, 3] + shift) % OCTAVE
    return Excerpt(piece, ticks, **kinds, chords=chords)


_KINDS: Final = {"melody": {MELODY}, "counter": {COUNTER}, "accompaniment": {ACCOMPANIMENT}, "bass": {BASS}}


def _cut(piece: Piece, kinds: set[str], start: int, ticks: int, shift: int) -> Notes:
    """Return the notes of parts of these kinds that begin in a stretch, moved by `shift` semitones, by onset."""
    voices = [voice for part, voice in zip(piece.parts, piece.voices, strict=True) if part in kinds]
    notes = np.concatenate([*voices, np.zeros((0, 3), dtype=np.int32)])
    notes = notes[(notes[:, 0] >= start) & (notes[:, 0] < start + ticks)] + np.array([-start, 0, shift], np.int32)
    notes[:, 2] = notes[:, 2].clip(0, NOTE_MAX)
    return notes[np.lexsort((notes[:, 2], notes[:, 0]))]


class _Maker:
    """Makes the parts of one excerpt."""

    def __init__(self, excerpt: Excerpt, style: str, steps_per_beat: int) -> None:
        """Make parts on this grid."""
        self._excerpt, self._style = excerpt, STYLES.index(style)
        self._steps_per_beat, self._step_ticks = steps_per_beat, TICKS_PER_BEAT / steps_per_beat
        self._steps = round(excerpt.ticks / self._step_ticks)
        self._meter = METERS.index(Meter(*excerpt.piece.meter))

    @property
    def bars(self) -> tuple[int, int]:
        """The ticks of a bar and of the excerpt."""
        return round(METERS[self._meter].bar_beats * TICKS_PER_BEAT), self._excerpt.ticks

    def part(self, who: str, player: Notes, partner: Notes | None, own_low: int | None) -> Part:
        """Return the part of a player and a melodic partner; a player without notes is absent."""
        events = None if partner is None else self._events(partner)
        base = voice_base(events) if own_low is None and events is not None else register_base(own_low or 0, 0)
        return self._part(who, player, events, base)

    def comping(self, who: str, player: Notes, own_low: int) -> Part:
        """Return the part of a player whose partner strikes the chords."""
        chords = self._chords()
        starts = np.arange(self._steps) % METERS[self._meter].bar_steps(self._steps_per_beat) == 0
        starts |= np.diff(chords, prepend=-2) != 0
        events = np.where(chords == NO_CHORD, REST, np.where(starts, chords, HOLD)).astype(np.int16)
        return self._part(who, player, events, register_base(own_low, 0), role=COMPING)

    def bass(self, who: str, player: Notes, bass: Notes, own_low: int) -> Part:
        """Return the part of a player and a bass line."""
        return self._part(who, player, self._events(bass), register_base(own_low, 0), role=BASS_ROLE)

    def _part(self, who: str, player: Notes, partner: Events | None, own_base: int, **others: Any) -> Part:  # noqa: ANN401
        """Return a part with these events of the partner."""
        piece, absent = self._excerpt.piece, np.full(self._steps, NONE, dtype=np.int16)
        mode = int(Mode[piece.mode.upper()])
        events = self._events(player) if len(player) else absent
        return Part(
            name=f"{piece.name}:{who}",
            style=self._style,
            mode=mode,
            meter=self._meter,
            steps_per_beat=self._steps_per_beat,
            player=events,
            **self._sound(player),
            **in_known_key(mode, self._steps) | {"chords": self._chords()},
            partner=absent if partner is None else partner,
            player_base=voice_base(events) if len(player) else own_base,
            own_base=own_base,
            **others,
        )

    def _events(self, notes: Notes) -> Events:
        """Return the top line of some notes on the grid."""
        last = np.append(notes[1:, 0] != notes[:-1, 0], values=True)
        return voice_events(notes[last], self._steps, self._step_ticks, 0)

    def _sound(self, notes: Notes) -> dict[str, Any]:
        """Return what some notes sound together: `bits`, twelve-bit pitch-class sets, and `bass`, (steps,) each."""
        bits, bass = np.zeros(self._steps, dtype=np.int64), np.full(self._steps, NOTE_MAX + 1, dtype=np.int64)
        first = np.minimum(np.floor(notes[:, 0] / self._step_ticks + 0.5), self._steps - 1).astype(np.int64)
        last = np.floor((notes[:, 0] + notes[:, 1]) / self._step_ticks + 0.5).astype(np.int64)
        for start, end, note in zip(first.tolist(), last.tolist(), notes[:, 2].tolist(), strict=True):
            bits[start : max(end, start + 1)] |= 1 << note % OCTAVE
            bass[start : max(end, start + 1)] = np.minimum(bass[start : max(end, start + 1)], note)
        return {"bits": bits, "bass": np.where(bits > 0, bass, SILENT)}

    def _chords(self) -> npt.NDArray[np.int64]:
        """Return the chord of each step: its index, NO_CHORD, or UNKNOWN in a piece without chord symbols."""
        if not len(self._excerpt.chords):
            return np.full(self._steps, UNKNOWN)
        middles = (np.arange(self._steps, dtype=np.float64) + 0.5) * np.float64(self._step_ticks)
        return chords_at(self._excerpt.chords, middles)
