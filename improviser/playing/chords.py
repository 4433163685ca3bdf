"""The action space of a comping role, and how its chords are voiced.

| action | gesture |
|---|---|
| 0 | hold: the sounding chord goes on |
| 1 | rest: silence |
| 2..109 | chord: root 0..11 above the tonic x quality, a row of music.chord.QUALITIES |

A chord stands on its root, as a left hand plays it. The tones above are in close position, near those struck last: a
triad has all three of them, a seventh chord those above the root. Where the player's own hands are there, the chord
goes out of their way: below them, or around them, with the root below and the tones above.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.chord import CHORD_BITS, CHORD_COUNT, QUALITIES, QUALITY_COUNT
from improviser.music.pitch import ALL_PITCH_CLASSES, NO_SPAN, NOTE_MAX, OCTAVE, Span
from improviser.playing.actions import FIRST_ONSET, HOLD_ACTION, REST_ACTION, Gesture, GestureKind

CHORD_ACTION_COUNT: Final = FIRST_ONSET + CHORD_COUNT
# The highest root, in semitones above the base; the lowest one is seven below it.
HIGHEST_ROOT: Final = 4
# The tones above the root lie within these semitones above the base, at least a fourth above the root. Close thirds
# much below C3 are muddy; the base of a left-hand register lies at C3 or a little below or above it. Source:
# low-interval limits of W. Piston (1955), "Orchestration".
HAND_LOW, HAND_HIGH = 3, 24
_ROOT_GAP: Final = 5
# The preferred middle of these tones.
MIDDLE: Final = 11
HAND_TONES: Final = 3
# One semitone away from the middle costs as much as this much movement, so that voicings drift back.
PULL: Final = 0.25
# Around the player's hands: how far the root may lie below the base, and the tones above it.
DEEPEST, HIGHEST = -20, 43


def chord_above(action: int, tonic: int) -> int:
    """Return the index, 0..107, of the chord that an action strikes in a key on the pitch class `tonic`."""
    return (action - FIRST_ONSET + QUALITY_COUNT * tonic) % CHORD_COUNT


def action_to_chord_gesture(
    action: int, tonic: int, base: int, before: tuple[int, ...], hands: Span = NO_SPAN
) -> Gesture:
    """Return the gesture of an action 0..109.

    Args:
        action: Index of the action.
        tonic: Pitch class of the key.
        base: The note at the bottom of the register.
        before: The notes struck last, lowest first; empty before the first.
        hands: The player's lowest and highest note of late.

    Raises:
        ValueError: There is no such action.
    """
    if action == HOLD_ACTION:
        return Gesture(GestureKind.HOLD)
    if action == REST_ACTION:
        return Gesture(GestureKind.REST)
    if FIRST_ONSET <= action < CHORD_ACTION_COUNT:
        chord = chord_above(action, tonic)
        return Gesture(GestureKind.ONSET, voice_chord(chord, base, before, hands), chord)
    msg = f"action {action} is none of 0..{CHORD_ACTION_COUNT - 1}"
    raise ValueError(msg)


def legal_chords(tonic: int, *, is_sounding: bool, pitch_classes: int | None) -> npt.NDArray[np.bool_]:
    """Return the mask of legal actions, (CHORD_ACTION_COUNT,): rest always, hold only while something sounds.

    Args:
        tonic: Pitch class of the key.
        is_sounding: Whether a chord sounds that can be held.
        pitch_classes: Twelve-bit set of the pitch classes allowed (a locked scale), None for all.
    """
    mask = np.ones(CHORD_ACTION_COUNT, dtype=np.bool_)
    mask[HOLD_ACTION] = is_sounding
    if pitch_classes is not None:
        outside = CHORD_BITS[:CHORD_COUNT] & ~pitch_classes & ALL_PITCH_CLASSES
        mask[FIRST_ONSET:] = np.roll(outside == 0, -QUALITY_COUNT * tonic)
    return mask


def voice_chord(chord: int, base: int, before: tuple[int, ...], hands: Span = NO_SPAN) -> tuple[int, ...]:
    """Return the notes, lowest first, of the chord with an index 0..107: its root, and three tones above.

    Of the close positions of these three it is the one with the lowest cost: the movement from the notes above the
    lowest of `before`, and the distance from the middle of the hand. Of equal ones it is the lowest. Positions out of
    the player's hands come first. If there is none, and the hands are where ours would be, it is one around them.
    """
    if base + HIGHEST_ROOT < OCTAVE:  # in the lowest register there is no room below it
        base += OCTAVE
    relative = (chord - QUALITY_COUNT * (base % OCTAVE)) % CHORD_COUNT
    notes = _nearest(relative, tuple(note - base for note in before[1:]), (hands[0] - base, hands[1] - base))
    found = tuple(base + note for note in notes)
    if _is_clear(found, hands) or hands[0] >= base + OCTAVE:
        return found
    return _around(found, base, before, hands) or found


@lru_cache(maxsize=4096)
def _nearest(chord: int, before: tuple[int, ...], hands: Span) -> tuple[int, ...]:
    """Return the best position of a chord; here the base is note 0, of pitch class 0."""
    root, quality = divmod(chord, QUALITY_COUNT)
    lowest = root - OCTAVE * (root > HIGHEST_ROOT)
    tones = QUALITIES[quality][1]
    classes = [(root + interval) % OCTAVE for interval in tones[len(tones) - HAND_TONES :]]
    within = _close(classes, max(HAND_LOW, lowest + _ROOT_GAP), HAND_HIGH)
    free = [notes for notes in within if _is_clear((lowest, *notes), hands)]
    return lowest, *min(free or within, key=lambda notes: (_movement(before, notes) + _off_middle(notes), notes))


def _around(chord: tuple[int, ...], base: int, before: tuple[int, ...], hands: Span) -> tuple[int, ...]:
    """Return a chord with its root below the player's hands and its tones above; empty if there is no room for it."""
    low, high = hands
    root, classes = chord[0], [note % OCTAVE for note in chord[1:]]
    below = root - OCTAVE * max(0, -((low - 1 - root) // OCTAVE))
    above = _close(classes, high + 1, min(base + HIGHEST, NOTE_MAX))
    if below < max(base + DEEPEST, 0) or not above:
        return ()
    return below, *min(above, key=lambda notes: (_movement(before[1:], notes) + PULL * (notes[0] - high), notes))


def _close(classes: list[int], low: int, high: int) -> list[tuple[int, ...]]:
    """Return the close positions of pitch classes from `low` up to `high`."""
    ladder = [note for note in range(low, high + 1) if note % OCTAVE in classes]
    return [tuple(ladder[at : at + HAND_TONES]) for at in range(len(ladder) - HAND_TONES + 1)]


def _is_clear(notes: tuple[int, ...], hands: Span) -> bool:
    """Return whether no note is at or between the player's outer ones."""
    return not any(hands[0] <= note <= hands[1] for note in notes)


def _movement(before: tuple[int, ...], notes: tuple[int, ...]) -> float:
    """Return the movement in semitones: from each note to the nearest of the other chord, mean of both directions."""
    if not before:
        return 0.0
    there = sum(min(abs(note - old) for old in before) for note in notes)
    back = sum(min(abs(note - old) for note in notes) for old in before)
    return (there + back) / 2


def _off_middle(notes: tuple[int, ...]) -> float:
    """Return the cost of the distance between the notes' mean and the middle of the register."""
    return PULL * abs(sum(notes) / len(notes) - MIDDLE)
