"""The commands that the performer gets while it plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from improviser.choices import COUNT_IN_BARS_MAX, TEMPO_BPM, NoteTiming, PlayMode
from improviser.errors import MidiError
from improviser.midi.message import bytes_to_message
from improviser.protocol.value import Command, Steer

if TYPE_CHECKING:
    from improviser.midi.message import Message


class Knob(StrEnum):
    """The knobs. They go from 0 to 2, where 1 is the preset's value; the tempo is in quarter notes per minute."""

    HARMONY = "harmony"
    COHERENCE = "coherence"
    CREATIVITY = "creativity"
    TEMPERATURE = "temperature"
    DENSITY = "density"
    REGISTER = "register"
    ECHO = "echo"
    VELOCITY = "velocity"
    FEEL = "feel"
    TEMPO = "tempo"


class Action(StrEnum):
    """The actions of the player.

    - LIKE and DISLIKE judge the last seconds.
    - UNDO takes back what was learned last, UNDO_ALL everything that was learned.
    - FREEZE pauses learning until it is sent again. In the same way, MUTE silences improviser, and SOLO lets it play
      without waiting for the player.
    - PANIC ends all sounding notes. KEEP saves the last bars.
    - TAP marks a beat. From the second tap in a row on, taps set the tempo. If the followed clock has not sent the
      position of its bars, a tap is a downbeat.
    - FOLLOW lets improviser follow the player's beat again, after taps or a tempo. While it does, one tap only corrects
      the beat.
    - NEXT_PRESET switches to the next preset at a bar line.
    - END ends the piece with the next bar, on a long tonic; improviser then waits for the player.
    - NEXT_MODE changes when improviser plays: with you, when you stop, four bars in turn, alone, and again with you.
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
    FOLLOW = "follow"
    NEXT_PRESET = "next_preset"
    NEXT_MODE = "next_mode"
    END = "end"


# The range of a knob is 0 to TURNS_MAX. In the middle, at NEUTRAL, it has the preset's value.
TURNS_MAX: Final = 2.0
NEUTRAL: Final = 1.0


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
        """Convert a knob's name from JSON to a Knob; raise ValueError if the knob or the position is invalid."""
        object.__setattr__(self, "knob", Knob(self.knob))
        _check_number(self.position, self.knob, TEMPO_BPM if self.knob is Knob.TEMPO else (0.0, TURNS_MAX))


@dataclass(frozen=True, slots=True)
class Act(Steer):
    """Do an action."""

    event: ClassVar[str] = "act"
    action: Action

    def __post_init__(self) -> None:
        """Convert an action's name from JSON to an Action; raise ValueError if there is no such action."""
        object.__setattr__(self, "action", Action(self.action))


@dataclass(frozen=True, slots=True)
class Adopt(Command):
    """Use other weights from the next bar on.

    Attributes:
        number: Number of the set of weights, from 1.
        path: The file that holds the set.
        digest: Digest of the file's bytes.
        model_digest: Digest of the bytes of the model that the set belongs to.
        undone: How often learning had been undone when the set was learned, as in Adopted. The set is ignored if
            this number has changed since, or if another model is in use.
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
        """Raise ValueError unless the name is a non-empty text."""
        _check_text(self.preset, "preset")


@dataclass(frozen=True, slots=True)
class Lock(Steer):
    """Lock the key, such as "C" or "Am"; "auto" unlocks it."""

    event: ClassVar[str] = "lock"
    key: str

    def __post_init__(self) -> None:
        """Raise ValueError unless the key is a non-empty text; locking it checks whether it is a key."""
        _check_text(self.key, "key")


# The range of an offset of the notes, in milliseconds.
OFFSET_MS: Final = (-100.0, 100.0)


@dataclass(frozen=True, slots=True)
class SetTiming(Steer):
    """Choose when notes leave: "on-grid", "after-you", or "auto" to choose by what keeps time."""

    event: ClassVar[str] = "set_timing"
    timing: NoteTiming

    def __post_init__(self) -> None:
        """Convert a name from JSON to a NoteTiming; raise ValueError if there is no such timing."""
        object.__setattr__(self, "timing", NoteTiming(self.timing))


@dataclass(frozen=True, slots=True)
class SetMode(Steer):
    """Choose when improviser plays, from the next bar on: "with-me", "when-i-stop", "trade-4", "alone"."""

    event: ClassVar[str] = "set_mode"
    mode: PlayMode

    def __post_init__(self) -> None:
        """Convert a name from JSON to a PlayMode; raise ValueError if there is no such mode."""
        object.__setattr__(self, "mode", PlayMode(self.mode))


@dataclass(frozen=True, slots=True)
class SetOffset(Steer):
    """Send notes `offset_ms` milliseconds later than the timing says; negative: earlier."""

    event: ClassVar[str] = "set_offset"
    offset_ms: float

    def __post_init__(self) -> None:
        """Raise ValueError if the offset is not a number in the range."""
        _check_number(self.offset_ms, "offset_ms", OFFSET_MS)


@dataclass(frozen=True, slots=True)
class CountIn(Steer):
    """Count in: click 1 to 8 bars, then begin with bar 1 at the present tempo. Refused while an outer clock leads."""

    event: ClassVar[str] = "count_in"
    bars: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError unless the number of bars is a whole number in range."""
        bars: object = self.bars
        if isinstance(bars, bool) or not isinstance(bars, int) or not 1 <= bars <= COUNT_IN_BARS_MAX:
            raise ValueError(f"a count-in takes 1 to {COUNT_IN_BARS_MAX} bars")


@dataclass(frozen=True, slots=True)
class Route(Steer):
    """Choose the input and the output.

    Attributes:
        input: Name of an input, or a part of the name; None: all inputs.
        output: Name of an output, or a part of the name; None: the virtual output.
    """

    event: ClassVar[str] = "route"
    input: str | None = None
    output: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError unless each given name is a non-empty text."""
        for name in (self.input, self.output):
            if name is not None:
                _check_text(name, "port")


@dataclass(frozen=True, slots=True)
class Receive(Command):
    """Hear a message as if it had just come from a port.

    Attributes:
        data: The bytes of a channel message.
        port: Name of the port.
        message: The decoded message.
    """

    event: ClassVar[str] = "receive"
    data: tuple[int, ...]
    port: str = "Page"
    message: Message = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Decode the message; raise ValueError unless the bytes are those of a channel message."""
        data: object = self.data
        try:
            message = bytes_to_message(bytes(data if isinstance(data, tuple) else ()))
        except (MidiError, TypeError, ValueError):
            message = None
        if not hasattr(message, "channel") or not isinstance(self.port, str):
            raise ValueError("data must be the bytes of a channel message, such as [144, 60, 90]")
        object.__setattr__(self, "data", tuple(map(int, self.data)))
        object.__setattr__(self, "message", message)


def _check_number(value: object, name: str, within: tuple[float, float]) -> None:
    """Raise ValueError unless a value from JSON is a number in a range."""
    low, high = within
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} takes a number from {low:g} to {high:g}")


def _check_text(value: object, name: str) -> None:
    """Raise ValueError unless a value from JSON is a non-empty text."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a non-empty text")
