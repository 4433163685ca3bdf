"""The settings that the performer and the learner get when they start."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from improviser.choices import ClockUse
from improviser.midi.message import DATA_MAX, PERCUSSION_CHANNEL
from improviser.protocol.value import StartSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


# The channel of the metronome, 0-15.
CLICK_CHANNEL = PERCUSSION_CHANNEL


class ControlMessage(StrEnum):
    """The kind of message that a control sends."""

    CONTROL_CHANGE = "control_change"
    NOTE = "note"
    PROGRAM_CHANGE = "program_change"


class Binding(NamedTuple):
    """The function of a control on one of the player's instruments.

    Attributes:
        ports: Parts of the names of its ports; empty: any port.
        message: The kind of message that it sends.
        number: Number of the controller, the note or the program, 0-127.
        channel: MIDI channel 0-15; None: any channel.
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
        input_pattern: Which inputs to open; None: all except our own.
        output_pattern: Which output to play on; None: the virtual output.
        player: When the built-in player plays.
        shared_state: File descriptor of the shared memory that records the sounding notes; None: no such memory.
        excluded_inputs: Patterns of inputs that are never opened, whatever `input_pattern` says.
        jam: The name in the names of our own ports; empty: none.
    """

    event: ClassVar[str] = "ports"
    backend: str = "auto"
    input_pattern: str | None = None
    output_pattern: str | None = None
    player: PlayerUse = PlayerUse.NEVER
    shared_state: int | None = None
    excluded_inputs: tuple[str, ...] = ()
    jam: str = ""

    def __post_init__(self) -> None:
        """Convert `player` from JSON to a PlayerUse; raise ValueError if it is invalid."""
        object.__setattr__(self, "player", PlayerUse(self.player))


@dataclass(frozen=True, slots=True)
class PresetEntry:
    """A preset that the performer can switch to.

    Attributes:
        preset: Name of the preset.
        source: Path of the preset's file.
        model: Path of the preset's model.
        engine: The values of `engine.EngineSettings`.
        program: MIDI program 0-127 that is sent when the preset begins; None: no program.
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
        mailbox: Path of the shared memory through which the performer gets weights.
        folder: Folder for the sets of weights, so that a session can be replayed.
    """

    event: ClassVar[str] = "learner"
    mailbox: str
    folder: str


@dataclass(frozen=True, slots=True)
class PerformerSettings(StartSettings):
    """What the performer plays.

    Attributes:
        preset: Name of the preset, for display.
        model: Path of the model.
        model_digest: Digest of the model's bytes, empty if it could not be read.
        source: Path of the preset's file.
        engine: The values of `engine.EngineSettings`.
        program: MIDI program 0-127 that is sent at the start; None: no program.
        bars: Number of bars to play from the player's first note on; None: until stopped.
        seed: Seed of the random generator.
        tune: Name of the built-in player's tune; None: the default tune.
        bindings: The functions of controls on the player's instruments.
        control_ports: Parts of the names of ports of controllers without keys, from which no music comes.
        pieces: The presets that NEXT_PRESET goes through, this one included; all have the same grid.
        clock: The clock that sets the beat.
        sends_clock: Whether to send a MIDI clock on the output.
        listen_channels: Input channels 0-15 to listen to; empty: all.
        listen_low: The lowest note to listen to, 0-127.
        listen_high: The highest note to listen to, 0-127.
        thru: Whether to send incoming messages on to the output at once.
        count_in: Bars of count-in before improviser begins by itself; 0: it waits for the first note.
        metronome: Whether to click each beat, on a separate channel.
        mmc: Whether to obey MIDI Machine Control.
        resume: For a performer that replaces another one: the moment of the first downbeat, a later moment, the beat
            at that moment, and the tempo. None: start from the beginning.
        bars_counted: For such a performer: a beat on which a bar begins, and the numerator and denominator of the
            meter. None: as `engine` says.
        panel: Positions of the knobs, by name.
        switched: Which of mute, solo and freeze are on.
        taste: Known preferences of the player: weights by the names of features.
        mailbox: Path of the shared memory for sets of weights; empty: there is no online learning.
        adopted: Number, path and digest of the set of weights to begin with; None: the original model.
        lock: The key that was locked since the jam began, or "auto"; empty: the key of `engine`.
        keeps_tempo: Whether the player chose the tempo. If so, neither a clock that only ticks nor the player's notes
            set it, unless `clock` is FOLLOW.
        keeps_meter: Whether the player chose the meter. If so, none is looked for in the notes.
        stays: Whether to wait for somebody to play when the built-in player's tune is over.
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
    bars_counted: tuple[float, int, int] | None = None
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
    mmc: bool = False
    mailbox: str = ""
    adopted: tuple[int, str, str] | None = None
    lock: str = ""
    keeps_tempo: bool = False
    keeps_meter: bool = False
    stays: bool = False

    @property
    def follows_player(self) -> bool:
        """Whether the player's beat is followed as long as no outer clock leads."""
        is_counted = self.count_in > 0 or self.metronome or self.bars is not None
        is_free = self.clock is ClockUse.AUTO and not self.keeps_tempo and not is_counted
        return is_free or self.clock is ClockUse.FOLLOW

    def __post_init__(self) -> None:
        """Convert values from JSON to their types; raise ValueError if one is invalid."""
        object.__setattr__(self, "clock", ClockUse(self.clock))
        rows: Iterable[Any] = self.bindings
        object.__setattr__(self, "bindings", tuple(Binding(*row) for row in rows))
        told: Iterable[Any] = self.pieces
        pieces = tuple(piece if isinstance(piece, PresetEntry) else PresetEntry(**piece) for piece in told)
        object.__setattr__(self, "pieces", pieces)
