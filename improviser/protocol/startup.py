"""What the performer is told before it plays: which ports to open, and what to play."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from improviser.choices import ClockUse
from improviser.midi.message import DATA_MAX, PERCUSSION_CHANNEL
from improviser.protocol.value import StartSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


# Of the metronome, 0-15.
CLICK_CHANNEL = PERCUSSION_CHANNEL


class ControlMessage(StrEnum):
    """Which message a control sends."""

    CONTROL_CHANGE = "control_change"
    NOTE = "note"
    PROGRAM_CHANGE = "program_change"


class Binding(NamedTuple):
    """What a control of the player's instruments does.

    Attributes:
        ports: Parts of the names of the ports that it is on; none: any port.
        message: What it sends.
        number: 0-127, of the controller, the note or the program.
        channel: 0-15; None: any.
        does: The name of a Knob or an Action.
    """

    ports: tuple[str, ...]
    message: ControlMessage
    number: int
    channel: int | None
    does: str


class PlayerUse(StrEnum):
    """When the built-in player plays: never, always, or when there is nothing else to listen to."""

    NEVER = "never"
    ALWAYS = "always"
    WHEN_ALONE = "when_alone"


@dataclass(frozen=True, slots=True)
class PortSettings(StartSettings):
    """Which ports the performer opens.

    Attributes:
        backend: One of ports.BACKENDS, or "auto".
        input_pattern: Which inputs to open; None: all but our own.
        output_pattern: Which output to play on; None: the virtual one.
        player: When the built-in player plays.
        shared_state: File descriptor of the memory in which what sounds is noted down; None: nowhere.
        excluded_inputs: Patterns of inputs that are not opened, whatever `input_pattern` says.
    """

    event: ClassVar[str] = "ports"
    backend: str = "auto"
    input_pattern: str | None = None
    output_pattern: str | None = None
    player: PlayerUse = PlayerUse.NEVER
    shared_state: int | None = None
    excluded_inputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Make the player's use one again, after it came through JSON. Raises ValueError where it is none."""
        object.__setattr__(self, "player", PlayerUse(self.player))


@dataclass(frozen=True, slots=True)
class PresetEntry:
    """A preset that can be gone on with.

    Attributes:
        preset: Its name.
        source: Path of its file.
        model: Path of its model.
        engine: The values of `engine.EngineSettings`.
        program: MIDI program 0-127 sent when it begins; None: none.
    """

    preset: str
    source: str
    model: str
    engine: Mapping[str, Any]
    program: int | None = None


@dataclass(frozen=True, slots=True)
class LearnerSettings(StartSettings):
    """Where the learner writes new weights.

    Attributes:
        mailbox: Path of the memory that is shared with the performer.
        folder: Folder for the sets of weights, so that a session can be replayed.
    """

    event: ClassVar[str] = "learner"
    mailbox: str
    folder: str


@dataclass(frozen=True, slots=True)
class PerformerSettings(StartSettings):
    """What the performer plays.

    Attributes:
        preset: Name of the preset, to be shown.
        model: Path of the model.
        model_digest: Digest of its bytes, empty where it could not be read.
        source: Path of the preset's file.
        engine: The values of `engine.EngineSettings`.
        program: MIDI program 0-127 sent at the start; None: none.
        bars: Bars to play from the player's first note on; None: until stopped.
        seed: Seed of the random generator.
        tune: Name of the built-in player's tune; None: the default one.
        bindings: What controls of the player's instruments do.
        control_ports: Parts of the names of the ports of controllers without keys: no music comes from them.
        pieces: The presets that NEXT_PRESET goes through, each of the same grid, this one among them.
        clock: Whose beat is played to.
        sends_clock: Whether MIDI clock is sent on the output.
        listen_channels: Channels 0-15 that are listened to; empty: all.
        listen_low: The lowest note, 0-127, that is listened to.
        listen_high: The highest one.
        thru: Whether what comes in goes out too, at once.
        count_in: Bars that are counted before it begins by itself; 0: it waits for the first note.
        metronome: Whether each beat is clicked, on a channel of its own.
        resume: The first downbeat, a moment with its beat, and the tempo, of a performance to go on with.
        panel: Where its knobs stand, by name.
        switched: What of mute, solo and freeze is on.
        taste: What it has learned of the player, by the names of traits.
        mailbox: Path of the memory in which sets of weights come; empty: nothing is learned there.
        adopted: Number, path and digest of the set of weights to go on by; None: the model as it is.
        lock: The key that was locked since the jam began, or "auto"; empty: as `engine` has it.
        keeps_tempo: Whether the player chose the tempo, so that a clock that only ticks does not set it.
        stays: Whether it waits for somebody to play when the built-in player's tune is over.
    """

    event: ClassVar[str] = "settings"
    preset: str
    model: str
    engine: Mapping[str, Any]
    program: int | None = None
    bars: int | None = None
    seed: int = 0
    tune: str | None = None
    bindings: tuple[Binding, ...] = ()
    control_ports: tuple[str, ...] = ()
    model_digest: str = ""
    source: str = ""
    pieces: tuple[PresetEntry, ...] = ()
    resume: tuple[float, float, float, float] | None = None
    panel: Mapping[str, float] = field(default_factory=dict)
    switched: tuple[str, ...] = ()
    taste: Mapping[str, float] = field(default_factory=dict)
    clock: ClockUse = ClockUse.AUTO
    sends_clock: bool = False
    listen_channels: tuple[int, ...] = ()
    listen_low: int = 0
    listen_high: int = DATA_MAX
    thru: bool = False
    count_in: int = 0
    metronome: bool = False
    mailbox: str = ""
    adopted: tuple[int, str, str] | None = None
    lock: str = ""
    keeps_tempo: bool = False
    stays: bool = False

    def __post_init__(self) -> None:
        """Make values what they were, after they came through JSON. Raises ValueError where they are none."""
        object.__setattr__(self, "clock", ClockUse(self.clock))
        rows: Iterable[Any] = self.bindings
        object.__setattr__(self, "bindings", tuple(Binding(*row) for row in rows))
        told: Iterable[Any] = self.pieces
        pieces = tuple(piece if isinstance(piece, PresetEntry) else PresetEntry(**piece) for piece in told)
        object.__setattr__(self, "pieces", pieces)
