"""What the performer is told while it plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from improviser.errors import MidiError
from improviser.midi.message import bytes_to_message
from improviser.protocol.value import Command, Steer

if TYPE_CHECKING:
    from improviser.midi.message import Message


class Knob(StrEnum):
    """What can be turned: from 0 to 2, 1 being as the preset has it; the tempo in quarter notes a minute."""

    HARMONY = "harmony"
    COHERENCE = "coherence"
    CREATIVITY = "creativity"
    TEMPERATURE = "temperature"
    DENSITY = "density"
    REGISTER = "register"
    ECHO = "echo"
    VELOCITY = "velocity"
    TEMPO = "tempo"


class Action(StrEnum):
    """What can be done.

    LIKE and DISLIKE judge the last seconds. UNDO takes the last thing that was learned back, UNDO_ALL all of
    it; FREEZE lets nothing be learned until it comes again, as MUTE lets nothing sound and SOLO lets it not
    wait for the player. PANIC ends what sounds, KEEP saves the last bars, TAP says that a beat is now: the
    second one in a row and those after it set the tempo; where the clock that is followed has not told where
    its bars are, it is a downbeat. NEXT_PRESET goes on as the next preset, from a bar line on.
    """

    LIKE = "like"
    DISLIKE = "dislike"
    UNDO = "undo"
    UNDO_ALL = "undo_all"
    FREEZE = "freeze"
    MUTE = "mute"
    SOLO = "solo"
    PANIC = "panic"
    KEEP = "keep"
    TAP = "tap"
    NEXT_PRESET = "next_preset"


# A knob's range begins at 0 and ends here; in its middle it is as the preset has it.
TURNS_MAX: Final = 2.0
NEUTRAL: Final = 1.0
# The tempo's range in quarter notes a minute.
TEMPO_BPM: Final = (20.0, 400.0)


@dataclass(frozen=True, slots=True)
class Stop(Command):
    """Release all notes, send the summary and end."""

    event: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True)
class Turn(Steer):
    """Turn a knob to a position. The tempo cannot be set while an outer clock sets it."""

    event: ClassVar[str] = "turn"
    knob: Knob
    position: float

    def __post_init__(self) -> None:
        """Make the knob one again, after it came through JSON. Raises ValueError where a value is none."""
        object.__setattr__(self, "knob", Knob(self.knob))
        low, high = TEMPO_BPM if self.knob is Knob.TEMPO else (0.0, TURNS_MAX)
        position: object = self.position
        is_number = isinstance(position, int | float) and not isinstance(position, bool)
        if not is_number or not low <= self.position <= high:
            raise ValueError(f"{self.knob} takes a number from {low:g} to {high:g}")


@dataclass(frozen=True, slots=True)
class Act(Steer):
    """Do an action."""

    event: ClassVar[str] = "act"
    action: Action

    def __post_init__(self) -> None:
        """Make the action one again, after it came through JSON. Raises ValueError where it is none."""
        object.__setattr__(self, "action", Action(self.action))


@dataclass(frozen=True, slots=True)
class Adopt(Command):
    """Use other weights from the next bar on.

    Attributes:
        number: Of the set, from 1.
        path: The file that holds it.
        digest: Of the file's bytes.
        model_digest: Of the bytes of the model of which it is a set.
        undone: How often something had been taken back when it was learned, as Adopted has told: where that
            is not so any more, or another model is played by, it is passed over.
    """

    event: ClassVar[str] = "adopt"
    number: int
    path: str
    digest: str
    model_digest: str
    undone: int = 0


@dataclass(frozen=True, slots=True)
class Choose(Steer):
    """Switch to a preset at the next bar."""

    event: ClassVar[str] = "choose"
    preset: str

    def __post_init__(self) -> None:
        """Raise ValueError where the name is none."""
        _check_text(self.preset, "preset")


@dataclass(frozen=True, slots=True)
class Lock(Steer):
    """Lock the key, such as "C" or "Am"; "auto" unlocks it."""

    event: ClassVar[str] = "lock"
    key: str

    def __post_init__(self) -> None:
        """Raise ValueError where the key is no text; whether it is a key is found out where it is locked."""
        _check_text(self.key, "key")


@dataclass(frozen=True, slots=True)
class Route(Steer):
    """Choose the input and the output.

    Attributes:
        input: Name of an input, or a part of it; None: all of them.
        output: Name of an output, or a part of it; None: the virtual one.
    """

    event: ClassVar[str] = "route"
    input: str | None = None
    output: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where a name is none."""
        for name in (self.input, self.output):
            if name is not None:
                _check_text(name, "port")


@dataclass(frozen=True, slots=True)
class Receive(Command):
    """Hear a message as if it had just come from a port.

    Attributes:
        data: Its bytes: those of a channel message.
        port: Name of that port.
        message: The same, decoded.
    """

    event: ClassVar[str] = "receive"
    data: tuple[int, ...]
    port: str = "Page"
    message: Message = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise ValueError where the bytes are none of a channel message."""
        data: object = self.data
        try:
            message = bytes_to_message(bytes(data if isinstance(data, tuple) else ()))
        except (MidiError, TypeError, ValueError):
            message = None
        if not hasattr(message, "channel") or not isinstance(self.port, str):
            raise ValueError("data must be the bytes of a channel message, such as [144, 60, 90]")
        object.__setattr__(self, "data", tuple(map(int, self.data)))
        object.__setattr__(self, "message", message)


def _check_text(value: object, name: str) -> None:
    """Raise ValueError where a value that came through JSON is no text."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a non-empty text")
