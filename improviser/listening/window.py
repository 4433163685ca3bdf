"""The note window: what the player's keys and pedal do, by the steps of the grid.

Each key press and release belongs to a step, whenever it is heard. So a step can be asked for as often as wanted, and
what came late counts in the step that it belongs to.

A note sounds until its key is up and the sustain pedal, if it was down, is up too. The top voice of a step is its
highest onset, unless a higher key is held from an earlier step until after the next one. In that case the melody holds,
and only a lower voice moved. If the higher key comes up in the next step, it was just released late, as in legato
playing, and the onset below it counts.
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
from improviser.music.pitch import NO_SPAN, Span, pitch_class_bits

PEDAL_DOWN: Final = 64
TOUCHES: Final = 16
DEFAULT_VELOCITY: Final = 80
# The end of a key press or of a note that has not ended yet.
_OPEN: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class HeardStep:
    """What the player did in one step of the grid.

    Attributes:
        event: The top voice: a note, HOLD or REST.
        bits: Twelve-bit set of the pitch classes that sound in the step.
        bass: The lowest note that sounds in the step, SILENT if none does.
        onsets: All notes struck in the step, in the order of arrival.
    """

    event: int
    bits: int
    bass: int
    onsets: tuple[int, ...]


@dataclass(slots=True)
class _Key:
    """A key press.

    Attributes:
        channel: Its channel.
        note: Its note.
        struck: The step that it belongs to.
        up: The first step in which the key is up.
        end: The first step in which the note does not sound, because the pedal is up too.
    """

    channel: int
    note: int
    struck: int
    up: int = _OPEN
    end: int = _OPEN


class NoteWindow:
    """Follows the player's keys and pedals, channel by channel."""

    def __init__(self) -> None:
        """Start with no key down."""
        self._keys: list[_Key] = []
        self._pedals: set[int] = set()
        self._velocities: deque[int] = deque(maxlen=TOUCHES)
        self._notes: deque[int] = deque(maxlen=TOUCHES)
        self._sounded = -1

    @property
    def velocity(self) -> float:
        """The mean velocity of the last TOUCHES onsets, DEFAULT_VELOCITY before the first."""
        return sum(self._velocities) / len(self._velocities) if self._velocities else DEFAULT_VELOCITY

    @property
    def hands(self) -> Span:
        """The lowest and the highest of the last TOUCHES notes; NO_SPAN before the first."""
        return (min(self._notes), max(self._notes)) if self._notes else NO_SPAN

    @property
    def sounding(self) -> frozenset[tuple[int, int]]:
        """The (channel, note) pairs whose end was not heard yet: held keys, and notes that a pedal still holds."""
        return frozenset((key.channel, key.note) for key in self._keys if key.end == _OPEN)

    def begin(self, step: int) -> None:
        """Begin anew at `step`: what sounds was struck before it, and all else is forgotten."""
        self._keys = [key for key in self._keys if key.end == _OPEN]
        for key in self._keys:
            key.struck = step - 1
            key.up = _OPEN if key.up == _OPEN else step
        self._sounded = step - 1

    def recount(self, moved_steps: int) -> None:
        """Count every step `moved_steps` later."""
        for key in self._keys:
            key.struck += moved_steps
            key.up += moved_steps if key.up < _OPEN else 0
            key.end += moved_steps if key.end < _OPEN else 0
        self._sounded += moved_steps

    def hear(self, message: Message, step: int) -> None:
        """Process a message that belongs to `step`; ignore all but notes, the pedal and messages that end notes.

        A note that ends does not sound in `step` any more, unless it was struck there.
        """
        match message:
            case NoteOn(channel, note, velocity):
                self._key_up(channel, note, step)
                self._keys.append(_Key(channel, note, step))
                self._velocities.append(velocity)
                self._notes.append(note)
            case NoteOff(channel, note):
                self._key_up(channel, note, step)
            case ControlChange(channel, control, value):
                self._control(channel, control, value, step)
            case _:
                pass

    def played(self, step: int) -> HeardStep:
        """Return what was played in `step`, as far as it was heard."""
        struck = [key for key in self._keys if key.struck == step]
        sounding = [key.note for key in self._keys if key.struck <= step < key.end]
        lid = max((key.note for key in self._keys if key.struck < step and key.up > step + 1), default=-1)
        top = max((key.note for key in struck if key.note >= lid), default=None)
        silence = HOLD if sounding else REST
        return HeardStep(
            event=silence if top is None else top,
            bits=pitch_class_bits(sounding),
            bass=min(sounding, default=SILENT),
            onsets=tuple(key.note for key in struck),
        )

    def silence(self, step: int) -> int:
        """Return for how many steps up to `step`, included, nothing has sounded."""
        ends = (min(key.end - 1, step) for key in self._keys if key.struck <= step)
        return step - max([self._sounded, *ends])

    def forget(self, before: int) -> None:
        """Forget the notes that ended before the step `before`."""
        if any(key.end < before for key in self._keys):
            self._sounded = max([self._sounded, *(key.end - 1 for key in self._keys if key.end < before)])
            self._keys = [key for key in self._keys if key.end >= before]

    def _key_up(self, channel: int, note: int, step: int) -> None:
        """Process a key release; a pedal may keep the note sounding."""
        for key in self._keys:
            if key.channel == channel and key.note == note and key.up == _OPEN:
                key.up = max(step, key.struck + 1)
                key.end = _OPEN if channel in self._pedals else key.up

    def _control(self, channel: int, control: int, value: int, step: int) -> None:
        """Process the sustain pedal, and the messages that end all notes.

        "All notes off" and the mode changes release the keys; notes that the pedal holds go on sounding. Many
        keyboards send "all notes off" in this sense whenever the last key comes up. "All sound off" ends every note.
        Source: MIDI 1.0, channel mode messages.
        """
        if control == SUSTAIN_PEDAL and value >= PEDAL_DOWN:
            self._pedals.add(channel)
        elif control == SUSTAIN_PEDAL:
            self._pedals.discard(channel)
            self._end(channel, step)
        elif control in ENDS_NOTES:
            for key in [key for key in self._keys if key.channel == channel]:
                self._key_up(channel, key.note, step)
            if control == ALL_SOUND_OFF:
                self._end(channel, step)

    def _end(self, channel: int, step: int) -> None:
        """End the notes of `channel` whose keys are up and that only the pedal held."""
        for key in self._keys:
            if key.channel == channel and key.up != _OPEN and key.end == _OPEN:
                key.end = max(step, key.struck + 1)
