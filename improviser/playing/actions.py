"""The action space of a melodic role.

| action | gesture |
|---|---|
| 0 | hold: the sounding note goes on |
| 1 | rest: silence |
| 2..38 | onset: the note 0..36 semitones above the base, the tonic at the bottom of the register |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.music.pitch import NOTE_MAX, OCTAVE

HOLD_ACTION: Final = 0
REST_ACTION: Final = 1
FIRST_ONSET: Final = 2
NO_ACTION: Final = -1
ONSET_COUNT: Final = 37
ACTION_COUNT: Final = FIRST_ONSET + ONSET_COUNT
_HIGHEST_BASE: Final = NOTE_MAX - ONSET_COUNT + 1


class GestureKind(Enum):
    """What a gesture does."""

    HOLD = auto()
    REST = auto()
    ONSET = auto()


@dataclass(frozen=True, slots=True)
class Gesture:
    """What improviser does in a step.

    Attributes:
        kind: What the gesture does.
        notes: The notes that an onset strikes, 0-127 each, lowest first; empty without an onset.
        chord: Index of the chord that is struck, 0..107; None for a single note.
    """

    kind: GestureKind
    notes: tuple[int, ...] = ()
    chord: int | None = None


def register_base(low: int, tonic: int) -> int:
    """Return the base of a register: the note of pitch class `tonic` nearest to `low`, from 6 below to 5 above.

    If the three octaves above that note exceed the MIDI range, the result is the nearest base whose octaves fit.
    """
    lowest = min(max(low - OCTAVE // 2, 0), _HIGHEST_BASE - OCTAVE + 1)
    return lowest + (tonic - lowest) % OCTAVE


def action_to_gesture(action: int, base: int) -> Gesture:
    """Return the gesture of an action 0..38 above the note `base`.

    Raises:
        ValueError: There is no such action.
    """
    if action == HOLD_ACTION:
        return Gesture(GestureKind.HOLD)
    if action == REST_ACTION:
        return Gesture(GestureKind.REST)
    if FIRST_ONSET <= action < ACTION_COUNT:
        return Gesture(GestureKind.ONSET, (base + action - FIRST_ONSET,))
    msg = f"action {action} is none of 0..{ACTION_COUNT - 1}"
    raise ValueError(msg)


def gesture_to_action(gesture: Gesture, base: int) -> int:
    """Return the action of a gesture above the note `base`; the inverse of `action_to_gesture`.

    Raises:
        ValueError: The gesture's note lies outside the range above the base.
    """
    if gesture.kind is GestureKind.HOLD:
        return HOLD_ACTION
    if not gesture.notes:
        return REST_ACTION
    (note,) = gesture.notes
    action = note - base + FIRST_ONSET
    if not FIRST_ONSET <= action < ACTION_COUNT:
        msg = f"note {note} is not within {ONSET_COUNT} semitones of {base}"
        raise ValueError(msg)
    return action


def legal_actions(base: int, *, is_sounding: bool, pitch_classes: int | None) -> npt.NDArray[np.bool_]:
    """Return the mask of legal actions, (ACTION_COUNT,): rest always, hold only while something sounds.

    Args:
        base: The note from which onsets are counted.
        is_sounding: Whether a note sounds that can be held.
        pitch_classes: Twelve-bit set of the pitch classes allowed (a locked scale), None for all.
    """
    notes = base + np.arange(ONSET_COUNT)
    mask = np.ones(ACTION_COUNT, dtype=np.bool_)
    mask[HOLD_ACTION] = is_sounding
    mask[FIRST_ONSET:] = notes <= NOTE_MAX
    if pitch_classes is not None:
        mask[FIRST_ONSET:] &= (pitch_classes >> notes % OCTAVE) & 1 > 0
    return mask
