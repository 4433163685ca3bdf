"""Changes to a player's part: moved, silenced, with wrong or late notes; and the part as MIDI messages."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser.listening.line import HOLD, REST, SILENT, Events, sounding_notes
from improviser.midi.message import Message, NoteOff, NoteOn
from improviser.music.chord import CHORD_COUNT, QUALITY_COUNT
from improviser.music.pitch import NOTE_MAX, OCTAVE, rotate
from improviser.training.grid import UNKNOWN, in_known_key

if TYPE_CHECKING:
    from improviser.training.grid import Part

# The player's velocity rises and falls over eight bars, so that evaluation can tell whether the improviser follows it.
TOUCH: Final = 75.0
SWELL: Final = 35.0
SWELL_BARS: Final = 8

Bits = npt.NDArray[np.int64]


def rearranged(part: Part, source: npt.NDArray[np.int64]) -> Part:
    """Return the part with its steps in the order of `source`, the number of each step.

    A held note is struck again where the step before it is not the one it was held from.
    """
    notes = sounding_notes(part.player)[source]
    events = part.player[source]
    joins = np.flatnonzero(np.diff(source, prepend=-1) != 1)
    at = joins[(events[joins] == HOLD)]
    events[at] = np.where(notes[at] == SILENT, REST, notes[at])
    return with_player(part, events, part.bits[source], part.bass[source], part.chords[source])


def repeated(part: Part, beats: int) -> Part:
    """Return the whole bars of a part, repeated until they last at least `beats` beats."""
    length = len(part.player) // part.bar_steps * part.bar_steps
    times = -(-beats * part.steps_per_beat // length)
    return rearranged(part, np.tile(np.arange(length), times))


def raised(bits: Bits, semitones: int) -> Bits:
    """Return pitch-class sets moved up by 0-11 semitones."""
    return rotate(bits, np.array(-semitones % OCTAVE)).astype(np.int64, copy=False)


def transposed(part: Part, at: int, semitones: int) -> Part:
    """Return the part moved by `semitones` from step `at` on; a note held there is struck again."""
    events, bits, bass = struck_anew(part.player, at), part.bits.copy(), part.bass.copy()
    later = events[at:]
    events[at:] = np.where(later >= 0, np.clip(later + semitones, 0, NOTE_MAX), later)
    bits[at:] = raised(bits[at:], semitones)
    bass[at:] = np.where(bass[at:] >= 0, np.clip(bass[at:] + semitones, 0, NOTE_MAX), SILENT)
    chords = part.chords.copy()
    chords[at:] = np.where(chords[at:] >= 0, (chords[at:] + QUALITY_COUNT * semitones) % CHORD_COUNT, chords[at:])
    return with_player(part, events, bits, bass, chords)


def with_rest(part: Part, at: int, bars: int) -> Part:
    """Return the part silent for `bars` bars from step `at` on; afterwards it continues where it would be."""
    end = min(at + bars * part.bar_steps, len(part.player) - 1)
    events, bits, bass = struck_anew(part.player, end), part.bits.copy(), part.bass.copy()
    events[at:end], bits[at:end], bass[at:end] = REST, 0, SILENT
    return with_player(part, events, bits, bass)


def with_wrong_notes(part: Part, at: int, share: float, rng: np.random.Generator) -> Part:
    """Return the part with a share of its top notes from step `at` on one semitone too low or too high."""
    events, bits, bass = part.player.copy(), part.bits.copy(), part.bass.copy()
    onsets = np.flatnonzero(events >= 0)
    ends = [*onsets[1:].tolist(), len(events)]
    for start, end in zip(onsets.tolist(), ends, strict=True):
        if start < at or rng.random() >= share:
            continue
        note, by = int(events[start]), int(rng.choice((-1, 1)))
        sounds = bits[start:end] > 0
        events[start] = note + by
        is_doubled = (bass[start:end] != note) & (bass[start:end] % OCTAVE == note % OCTAVE)
        left = np.where(is_doubled, bits[start:end], bits[start:end] & ~(1 << note % OCTAVE))
        bits[start:end] = np.where(sounds, left | 1 << (note + by) % OCTAVE, 0)
        bass[start:end] = np.where(bass[start:end] == note, note + by, bass[start:end])
    return with_player(part, events, bits, bass)


def with_late_notes(part: Part, share: float, rng: np.random.Generator) -> Part:
    """Return the part with a share of its onsets one step late, where the note is held for longer than that."""
    onsets = 1 + np.flatnonzero((part.player[1:-1] >= 0) & (part.player[2:] == HOLD))
    late = onsets[rng.random(len(onsets)) < share]
    events, bits, bass = part.player.copy(), part.bits.copy(), part.bass.copy()
    events[late + 1] = events[late]
    events[late] = np.where(bits[late - 1] > 0, HOLD, REST)
    bits[late], bass[late] = bits[late - 1], bass[late - 1]
    return with_player(part, events, bits, bass)


def part_messages(part: Part) -> list[tuple[float, Message]]:
    """Return the player's MIDI messages, each with its step: the top voice, and the other pitch classes below it."""
    top = sounding_notes(part.player)
    others = np.where(top >= 0, part.bits & ~(1 << np.maximum(top, 0) % OCTAVE), part.bits)
    low = max(0, int(top[top >= 0].min(initial=60)) - OCTAVE)
    messages: list[tuple[float, Message]] = []
    held: dict[int, int] = {}  # key: pitch class of an inner voice, or -1 for the top voice; value: its note
    for step in range(len(top)):
        wanted = {degree: low + (degree - low) % OCTAVE for degree in range(OCTAVE) if others[step] >> degree & 1}
        if top[step] >= 0:
            wanted[-1] = int(top[step])
        struck = {voice for voice in wanted if voice not in held}
        if part.player[step] >= 0:
            struck.add(-1)
        ended = [voice for voice in held if voice not in wanted or voice in struck]
        messages += [(float(step), NoteOff(0, held[voice])) for voice in ended]
        messages += [(float(step), NoteOn(0, wanted[voice], _touch(part, step))) for voice in sorted(struck)]
        held = wanted
    return messages


def struck_anew(events: Events, at: int) -> Events:
    """Return a copy of the events in which a note held at step `at` is struck there."""
    copy = events.copy()
    note = sounding_notes(events)[at]
    if copy[at] == HOLD and note != SILENT:
        copy[at] = note
    return copy


def with_player(part: Part, events: Events, bits: Bits, bass: Bits, chords: Bits | None = None) -> Part:
    """Return a part in C with another player's line and without a partner; with None the chords stay."""
    return replace(
        part,
        player=events.astype(np.int16),
        bits=bits,
        bass=bass,
        partner=np.full(len(events), REST, dtype=np.int16),
        **in_known_key(part.mode, len(events)) | _kept_chords(part, chords),
    )


def _kept_chords(part: Part, chords: Bits | None) -> dict[str, Bits]:
    """Return the chords of an edited part; a chart has them too, where the part has one."""
    kept = part.chords if chords is None else chords
    has_chart = bool((part.given != UNKNOWN).any())
    return {"chords": kept, "given": kept if has_chart else np.full(len(kept), UNKNOWN)}


def _touch(part: Part, step: int) -> int:
    """Return the player's velocity in a step."""
    return round(TOUCH + SWELL * math.sin(2 * math.pi * step / (SWELL_BARS * part.bar_steps)))
