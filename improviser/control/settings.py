"""What the performer is told: which ports to open, what to play, and commands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from improviser.midi.message import ALL_NOTES_OFF, ALL_SOUND_OFF, DATA_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping


# A controller's value 0-127 is a tempo from here on.
TEMPO_FROM_BPM = 60
# General MIDI's percussion, 0-15, for the metronome.
CLICK_CHANNEL = 9


class PlayerUse(StrEnum):
    """When the built-in player plays: never, always, or when there is nothing else to listen to."""

    NEVER = "never"
    ALWAYS = "always"
    WHEN_ALONE = "when_alone"


class ClockUse(StrEnum):
    """Whose beat is played to.

    A MIDI clock's once it has been started (AUTO), never (OWN), or from its first tick on (MIDI); or Link's.
    """

    AUTO = "auto"
    OWN = "own"
    MIDI = "midi"
    LINK = "link"


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
        clock: Whose beat is played to.
        sends_clock: Whether MIDI clock is sent on the output.
        listen_channels: Channels 0-15 that are listened to; empty: all.
        listen_low: The lowest note, 0-127, that is listened to.
        listen_high: The highest one.
        thru: Whether what comes in goes out too, at once.
        tap_control: Control number that taps the tempo; None: none.
        tempo_control: Control number that sets it, to TEMPO_FROM_BPM and its value more; None: none.
        count_in: Bars that are counted before it begins by itself; 0: it waits for the first note.
        metronome: Whether each beat is clicked, on a channel of its own.
        resume: The first downbeat, a moment with its beat, and the tempo, of a performance to go on with.
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
    resume: tuple[float, float, float, float] | None = None
    clock: ClockUse = ClockUse.AUTO
    sends_clock: bool = False
    listen_channels: tuple[int, ...] = ()
    listen_low: int = 0
    listen_high: int = DATA_MAX
    thru: bool = False
    tap_control: int | None = None
    tempo_control: int | None = None
    count_in: int = 0
    metronome: bool = False

    def __post_init__(self) -> None:
        """Make the clock's use one again, after it came through JSON. Raises ValueError where it is none."""
        object.__setattr__(self, "clock", ClockUse(self.clock))


@dataclass(frozen=True, slots=True)
class Stop:
    """Release everything, say the summary, end."""

    event: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True)
class Panic:
    """Release everything and go on."""

    event: ClassVar[str] = "panic"


@dataclass(frozen=True, slots=True)
class Keep:
    """Save the last bars."""

    event: ClassVar[str] = "keep"


@dataclass(frozen=True, slots=True)
class SetTempo:
    """Go on at another tempo, in quarter notes a minute; an outer clock's comes first."""

    event: ClassVar[str] = "tempo"
    tempo_bpm: float


@dataclass(frozen=True, slots=True)
class Tap:
    """A beat is now; the second one in a row and those after it set the tempo.

    Where the clock that is followed has not told where its bars are, it is a downbeat.
    """

    event: ClassVar[str] = "tap"


Command = Stop | Panic | Keep | SetTempo | Tap
