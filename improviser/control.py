"""All that crosses between processes: commands in, events out, each one JSON object on one line.

    settings   PortSettings, then PerformerSettings: the first lines that the performer is told
    commands   Stop, Panic
    events     Ready, Notice, Warned, Heard, Lifted, Controlled, Stepped, Silenced, Restarted, Kept, Played,
               Released, Failed, Summary

Heard to Restarted, in their order, are all that the engine was told: a session can be replayed from them.

Moments (`at_s`, `due_s`, `actual_s`) are seconds of the machine's monotonic clock; channels are 0-15 here and
in the lines between processes, and 1-16 in what is shown to people.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Final

from improviser.midi.message import ALL_NOTES_OFF, ALL_SOUND_OFF

if TYPE_CHECKING:
    from collections.abc import Mapping

# A microsecond, and finer than any reward is meant. What the engine is told is rounded so before it is told.
DIGITS: Final = 6


class PlayerUse(StrEnum):
    """When the built-in player plays: never, always, or when there is nothing else to listen to."""

    NEVER = "never"
    ALWAYS = "always"
    WHEN_ALONE = "when_alone"


@dataclass(frozen=True, slots=True)
class PortSettings:
    """Which ports the performer opens.

    Attributes:
        backend: One of ports.BACKENDS, or "auto".
        input_pattern: Which inputs to open; None: all but our own.
        output_pattern: Which output to play on; None: the virtual one.
        player: When the built-in player plays.
        ledger: File descriptor of the memory in which what sounds is noted down; None: nowhere.
    """

    event: ClassVar[str] = "ports"
    backend: str = "auto"
    input_pattern: str | None = None
    output_pattern: str | None = None
    player: PlayerUse = PlayerUse.NEVER
    ledger: int | None = None

    def __post_init__(self) -> None:
        """Make the player's use one again, after it came through JSON. Raises ValueError where it is none."""
        object.__setattr__(self, "player", PlayerUse(self.player))


@dataclass(frozen=True, slots=True)
class PerformerSettings:
    """What the performer plays, told while it opens the ports.

    Attributes:
        preset: Name of the preset, to be shown.
        model: Path of the model.
        model_digest: Digest of its bytes, empty where it could not be read.
        engine: The values of `engine.EngineSettings`.
        program: MIDI program 0-127 sent at the start; None: none.
        bars: Bars to play from the player's first note on; None: until stopped.
        seed: Seed of the random generator.
        tune: Name of the built-in player's tune; None: the default one.
        panic_controls: Control numbers that silence everything at once.
        keep_control: Control number that asks for the last bars to be saved; None: none.
    """

    event: ClassVar[str] = "settings"
    preset: str
    model: str
    engine: Mapping[str, Any]
    program: int | None = None
    bars: int | None = None
    seed: int = 0
    tune: str | None = None
    panic_controls: tuple[int, ...] = (ALL_SOUND_OFF, ALL_NOTES_OFF)
    keep_control: int | None = None
    model_digest: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """Release everything, say the summary, end; `reason` is for people, empty where they asked for it."""

    event: ClassVar[str] = "stop"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Panic:
    """Release everything and go on."""

    event: ClassVar[str] = "panic"


@dataclass(frozen=True, slots=True)
class Ready:
    """The ports are open and the player's first note is waited for.

    Attributes:
        backend: Name of the MIDI system.
        ports: Names of the open ports under "in" and "out".
        preset: Name of the preset.
        seed: Seed of the random generator.
        tempo_bpm: Quarter notes a minute.
        realtime: Whether the performer has real-time priority.
        player: Name of the built-in player's tune, None where it does not play.
        sends_on: The port that what is played goes to.
        is_virtual: Whether that port is made by the performer.
        ahead_s: So long before its moment that port takes a message.
    """

    event: ClassVar[str] = "ready"
    backend: str
    ports: Mapping[str, tuple[str, ...]]
    preset: str
    seed: int
    tempo_bpm: float
    realtime: bool
    player: str | None
    sends_on: str
    is_virtual: bool
    ahead_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth knowing that is no fault."""

    event: ClassVar[str] = "notice"
    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """A fault that the music survives."""

    event: ClassVar[str] = "warning"
    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The player's note-on: came at `at_s`, velocity 1-127."""

    event: ClassVar[str] = "heard"
    at_s: float
    channel: int
    note: int
    velocity: int
    port: str


@dataclass(frozen=True, slots=True)
class Lifted:
    """The player's note-off."""

    event: ClassVar[str] = "lifted"
    at_s: float
    channel: int
    note: int
    port: str


@dataclass(frozen=True, slots=True)
class Controlled:
    """Another channel message of the player (pedal, wheel, program): its bytes."""

    event: ClassVar[str] = "controlled"
    at_s: float
    data: tuple[int, ...]
    port: str


@dataclass(frozen=True, slots=True)
class Played:
    """The improviser's note-on.

    Attributes:
        due_s: When it was meant.
        actual_s: When it was sent.
        channel: 0-15.
        note: 0-127.
        velocity: 1-127.
        beat: Place of the decision, in beats.
        key: Name of the key.
        chord: Name of the chord, None where none is implied.
        rewards: The terms of the decision's reward by name.
        why: What spoke for it and for the actions that came nearest, as `engine.why.Reason` has it.
    """

    event: ClassVar[str] = "played"
    due_s: float
    actual_s: float
    channel: int
    note: int
    velocity: int
    beat: float
    key: str
    chord: str | None
    rewards: Mapping[str, float] = field(default_factory=dict)
    why: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Released:
    """The improviser's note-off."""

    event: ClassVar[str] = "released"
    due_s: float
    actual_s: float
    channel: int
    note: int


@dataclass(frozen=True, slots=True)
class Stepped:
    """The engine was asked for a step; `skipped` where it came too late and passes as a hold.

    Before that, all that was due up to `through_s` had been handed to the port.
    """

    event: ClassVar[str] = "step"
    through_s: float
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Silenced:
    """All that sounded was ended at `at_s`; what was due up to `through_s` had been handed to the port."""

    event: ClassVar[str] = "silenced"
    at_s: float
    through_s: float


@dataclass(frozen=True, slots=True)
class Restarted:
    """The engine began anew, as if nothing had been heard yet."""

    event: ClassVar[str] = "restarted"


@dataclass(frozen=True, slots=True)
class Kept:
    """The player asked, by the control for that, to save the last bars up to `at_s`."""

    event: ClassVar[str] = "kept"
    at_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """Why the performer ends before it was asked to: one line that names the next step, and the exit code."""

    event: ClassVar[str] = "error"
    text: str
    code: int = 1


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened, told at the end.

    Attributes:
        notes_heard: Note-ons of the player.
        notes_played: Note-ons of the improviser.
        decisions: Steps that were decided.
        late_decisions: Steps that passed as a hold, because they came too late.
        stuck_notes: Notes that were sent and never released.
        onset_error_ms: Actual less intended moment of the note-ons: p50, p99, max.
        decision_ms: Time that a decision took: p50, p99, max.
        bad_messages: Messages that could not be understood.
        dropped: Messages lost because they came faster than they could be taken.
        feedback: Messages of our own that came back and were not listened to.
        callback_faults: Exceptions in the drivers' threads.
        untold: Events that were not told, since they were not read as fast as they came.
        duration_s: From ready to the end.
        start_s: The player's first note, None where none came: the first downbeat.
        reason: Why it ended, empty where it was asked to.
    """

    event: ClassVar[str] = "summary"
    notes_heard: int = 0
    notes_played: int = 0
    decisions: int = 0
    late_decisions: int = 0
    stuck_notes: int = 0
    onset_error_ms: Mapping[str, float] = field(default_factory=dict)
    decision_ms: Mapping[str, float] = field(default_factory=dict)
    bad_messages: int = 0
    dropped: int = 0
    feedback: int = 0
    callback_faults: int = 0
    untold: int = 0
    duration_s: float = 0.0
    start_s: float | None = None
    reason: str = ""


Command = Stop | Panic
Event = (
    Ready
    | Notice
    | Warned
    | Heard
    | Lifted
    | Controlled
    | Stepped
    | Silenced
    | Restarted
    | Kept
    | Played
    | Released
    | Failed
    | Summary
)
Value = PortSettings | PerformerSettings | Command | Event
_KINDS: Final[Mapping[str, type[Value]]] = {
    kind.event: kind
    for kind in (
        PortSettings,
        PerformerSettings,
        Stop,
        Panic,
        Ready,
        Notice,
        Warned,
        Heard,
        Lifted,
        Controlled,
        Stepped,
        Silenced,
        Restarted,
        Kept,
        Played,
        Released,
        Failed,
        Summary,
    )
}


def value_to_json(value: Value) -> dict[str, Any]:
    """Give a value as plain JSON values, its kind under `event` first."""
    fields = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    return {"event": value.event} | {name: _rounded(field_) for name, field_ in fields.items()}


def value_to_line(value: Value) -> str:
    """Give a value as one line of JSON, with its end of line."""
    return json.dumps(value_to_json(value), ensure_ascii=False) + "\n"


def line_to_value(line: str) -> Value:
    """Give the value that `line` holds.

    Raises:
        ValueError: The line holds none.
    """
    try:
        fields = json.loads(line)
        kind = _KINDS[fields.pop("event")]
        return kind(**{name: _frozen(value) for name, value in fields.items()})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no value: {line.strip()[:80]!r}") from error


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Give a value with its floats rounded, through all levels; no zero is negative."""
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def _frozen(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Give a JSON value with its lists as tuples, through all levels."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
