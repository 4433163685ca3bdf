"""The note window: what the player's keys and pedal do, cut into the steps of the grid.

A note sounds until its key is up and the sustain pedal, if it was down, is up too. The top voice of a step is
its highest onset, unless a higher key is held from an earlier step until the end of this one. In that case the
melody holds, and only a lower voice moved. If the higher key comes up in the next step, it was just released late,
as in legato playing, and the onset below it counts after all.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from improviser.listening.line import HOLD, REST, SILENT
from improviser.midi.message import (
    ALL_SOUND_OFF,
    ENDS_NOTES,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
)
from improviser.music.pitch import pitch_class_bits

PEDAL_DOWN: Final = 64
TOUCHES: Final = 16
DEFAULT_VELOCITY: Final = 80


@dataclass(frozen=True, slots=True)
class HeardStep:
    """What the player did in one step of the grid.

    Attributes:
        event: The top voice: a note, HOLD or REST.
        late: The top onset of the previous step, if it came after that step was decided, or if only now a higher
            key above it came up; else None.
        bits: Twelve-bit set of the pitch classes that sound in the step.
        bass: The lowest note that sounds in the step, SILENT if none does.
        onsets: All notes struck in the step, late ones included, in the order of arrival.
    """

    event: int
    late: int | None
    bits: int
    bass: int
    onsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Onset:
    """A key press and its time."""

    key: tuple[int, int]
    at_s: float

    @property
    def note(self) -> int:
        """The note of the key."""
        return self.key[1]


class NoteWindow:
    """Follows the player's keys, channel by channel, between one step and the next."""

    def __init__(self) -> None:
        """Start with no key down."""
        self._held: set[tuple[int, int]] = set()
        self._pedalled: set[tuple[int, int]] = set()
        self._pedals: set[int] = set()
        self._onsets: list[_Onset] = []
        self._covered: list[_Onset] = []
        self._velocities: deque[int] = deque(maxlen=TOUCHES)

    @property
    def sounding(self) -> frozenset[tuple[int, int]]:
        """The (channel, note) pairs that sound: held keys, and notes that a pedal still holds."""
        return frozenset(self._held | self._pedalled)

    @property
    def velocity(self) -> float:
        """The mean velocity of the last TOUCHES onsets, DEFAULT_VELOCITY before the first."""
        return sum(self._velocities) / len(self._velocities) if self._velocities else DEFAULT_VELOCITY

    def hear(self, message: Message, at_s: float) -> None:
        """Process a message that came at `at_s`; ignore all but notes, the pedal and messages that end notes."""
        match message:
            case NoteOn(channel, note, velocity):
                self._key_down(channel, note, velocity, at_s)
            case NoteOff(channel, note):
                self._key_up(channel, note)
            case ControlChange(channel, control, value):
                self._control(channel, control, value)
            case _:
                pass

    def close_step(self, since_s: float) -> None:
        """Begin the next step; call `peek` before, to get what was played in this one."""
        if not self._onsets and not self._covered:
            return
        current = [onset for onset in self._onsets if onset.at_s >= since_s]
        lid = self._lid(current)
        self._covered = [onset for onset in current if onset.note < lid]
        self._onsets = []

    def peek(self, since_s: float) -> HeardStep:
        """Return what was played in the step so far; onsets before `since_s` belong to the step before it."""
        current = [onset for onset in self._onsets if onset.at_s >= since_s]
        late = [onset for onset in self._onsets if onset.at_s < since_s]
        late += [onset for onset in self._covered if onset.key in self._held]
        struck = tuple(onset.note for onset in self._onsets)
        lid = self._lid(current)
        notes = [note for _, note in self._held | self._pedalled]
        sounded = [*notes, *(onset.note for onset in current)]
        silence = HOLD if notes else REST
        top = _top(current, lid)
        return HeardStep(
            event=silence if top is None else top,
            late=_top(late, self._lid(late + current)),
            bits=pitch_class_bits(sounded),
            bass=min(sounded, default=SILENT),
            onsets=struck,
        )

    def _lid(self, onsets: list[_Onset]) -> int:
        """Return the highest note of the held keys that are not in `onsets`, -1 if there is none."""
        keys = {onset.key for onset in onsets}
        return max((note for channel, note in self._held if (channel, note) not in keys), default=-1)

    def _key_down(self, channel: int, note: int, velocity: int, at_s: float) -> None:
        """Process a key press."""
        self._held.add((channel, note))
        self._onsets.append(_Onset((channel, note), at_s))
        self._velocities.append(velocity)

    def _key_up(self, channel: int, note: int) -> None:
        """Process a key release; a pedal may keep the note sounding."""
        if (channel, note) in self._held:
            self._held.discard((channel, note))
            if channel in self._pedals:
                self._pedalled.add((channel, note))

    def _control(self, channel: int, control: int, value: int) -> None:
        """Process the sustain pedal, and the messages that end all notes.

        "All notes off" and the mode changes release the keys; notes that the pedal holds go on sounding. Many
        keyboards send "all notes off" in this sense whenever the last key comes up. "All sound off" ends every note.
        Source: MIDI 1.0, channel mode messages.
        """
        if control == SUSTAIN_PEDAL and value >= PEDAL_DOWN:
            self._pedals.add(channel)
        elif control == SUSTAIN_PEDAL:
            self._pedals.discard(channel)
            self._pedalled = {key for key in self._pedalled if key[0] != channel}
        elif control == ALL_SOUND_OFF:
            self._held = {key for key in self._held if key[0] != channel}
            self._pedalled = {key for key in self._pedalled if key[0] != channel}
        elif control in ENDS_NOTES:
            for key in [key for key in self._held if key[0] == channel]:
                self._key_up(*key)


def _top(onsets: list[_Onset], lid: int) -> int | None:
    """Return the highest note among onsets that is not below `lid`, None if there is none."""
    return max((onset.note for onset in onsets if onset.note >= lid), default=None)
