"""The events that the performer sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from improviser.choices import ClockUse
from improviser.protocol.value import Event

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Ready(Event):
    """The ports are open; the performer waits for the first note.

    Attributes:
        backend: Name of the MIDI system.
        ports: Names of the open ports under "in" and "out".
        preset: Name of the preset.
        seed: Seed of the random generator.
        tempo_bpm: Quarter notes per minute.
        realtime: Whether the performer has real-time priority.
        player: Name of the built-in player's tune, None if it does not play.
        sends_on: The output port for improviser's notes.
        is_virtual: Whether the performer created that port.
        ahead_s: How many seconds before its moment that port needs a message.
        at_s: The current time.
        machine_s: The current time by the machine's own monotonic clock.
        jam: The name in the names of the performer's own ports; empty: none.
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
    at_s: float = 0.0
    machine_s: float = 0.0
    jam: str = ""


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """Something worth knowing that is not a fault."""

    event: ClassVar[str] = "notice"
    text: str


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """A fault; the music goes on."""

    event: ClassVar[str] = "warning"
    text: str


@dataclass(frozen=True, slots=True)
class Heard(Event):
    """The player's note-on at `at_s`; velocity 1 to 127."""

    event: ClassVar[str] = "heard"
    at_s: float
    channel: int
    note: int
    velocity: int
    port: str


@dataclass(frozen=True, slots=True)
class Lifted(Event):
    """The player's note-off."""

    event: ClassVar[str] = "lifted"
    at_s: float
    channel: int
    note: int
    port: str


@dataclass(frozen=True, slots=True)
class Controlled(Event):
    """The bytes of another channel message of the player: a pedal, wheel or program."""

    event: ClassVar[str] = "controlled"
    at_s: float
    data: tuple[int, ...]
    port: str


@dataclass(frozen=True, slots=True)
class Played(Event):
    """The improviser's note-on.

    Attributes:
        due_s: The moment at which it was due.
        actual_s: The moment at which it was sent.
        channel: MIDI channel 0-15.
        note: MIDI note 0-127.
        velocity: Velocity 1-127.
        beat: Position of the decision, in beats.
        key: Name of the key.
        chord: Name of the chord, None if none is implied.
        rewards: The terms of the decision's reward by name.
        why: The reasons for it and for the likeliest other actions, each as in `engine.why.Reason`.
        allowed: How many actions were legal, and how many there are; the others were masked.
        expected: What the player was expected to do in that step, each as in `engine.anticipation.Expected`; empty if
            it was known.
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
    allowed: tuple[int, int] | None = None
    expected: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Released(Event):
    """The improviser's note-off."""

    event: ClassVar[str] = "released"
    due_s: float
    actual_s: float
    channel: int
    note: int


@dataclass(frozen=True, slots=True)
class Stepped(Event):
    """The engine was asked for a step; `skipped` if it came too late and counts as a hold.

    Before that, all messages due up to `through_s` had been passed to the port.
    """

    event: ClassVar[str] = "step"
    through_s: float
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Silenced(Event):
    """All sounding notes were ended at `at_s`; messages due up to `through_s` had been sent."""

    event: ClassVar[str] = "silenced"
    at_s: float
    through_s: float


@dataclass(frozen=True, slots=True)
class Mended(Event):
    """What the improviser played was replaced, because it clashed with a note of the player that came later.

    Attributes:
        at_s: The current time.
        through_s: Messages due up to this time had been sent.
        ended: The notes that were ended.
        struck: The notes that were struck instead; none if it rests.
    """

    event: ClassVar[str] = "mended"
    at_s: float
    through_s: float
    ended: tuple[int, ...]
    struck: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Restarted(Event):
    """The engine started anew, as if nothing had been heard."""

    event: ClassVar[str] = "restarted"


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The beat runs: `beat` is at `at_s`."""

    event: ClassVar[str] = "started"
    at_s: float
    beat: float


@dataclass(frozen=True, slots=True)
class Recounted(Event):
    """The music goes on, but the beat at `at_s` counts as `beat`, after a loop, a locate or a change of meter.

    Attributes:
        at_s: The moment.
        beat: The beat at that moment. Bars of `meter` begin at beat 0.
        meter: Numerator and denominator.
    """

    event: ClassVar[str] = "recounted"
    at_s: float
    beat: float
    meter: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Synced(Event):
    """Beat and tempo were set.

    Attributes:
        at_s: The moment.
        beat: The beat at that moment.
        tempo_bpm: Quarter notes per minute.
        is_own: Whether improviser's own clock set them.
        clock: Who set them otherwise: "midi", "link" or "jack"; "follow" if the player's notes did. Then `tempo_bpm`
            is how fast the beat goes until the next event: a little faster or slower than the music to make up for a
            small difference, and very slow while improviser waits at a fermata.
    """

    event: ClassVar[str] = "synced"
    at_s: float
    beat: float
    tempo_bpm: float
    is_own: bool = False
    clock: str = ""

    @property
    def is_heard(self) -> bool:
        """Whether the beat was heard in the player's notes."""
        return self.clock == ClockUse.FOLLOW


@dataclass(frozen=True, slots=True)
class MeterSet(Event):
    """From `beat` on, which is at `at_s`, bars are counted in `meter`, a pair such as (3, 4)."""

    event: ClassVar[str] = "meter"
    at_s: float
    beat: float
    meter: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LookAhead(Event):
    """From now on, steps are decided this many seconds earlier, because the output needs messages that early."""

    event: ClassVar[str] = "look_ahead"
    ahead_s: float


@dataclass(frozen=True, slots=True)
class Halted(Event):
    """The transport of the followed clock stopped; nothing is played until it starts.

    Attributes:
        at_s: The moment at which it stopped.
        by: The port of the MIDI clock, or "Link", "JACK" or "MMC".
    """

    event: ClassVar[str] = "halted"
    at_s: float
    by: str = ""


@dataclass(frozen=True, slots=True)
class Detached(Event):
    """The stopped clock is gone; the next note, tap, tempo or solo goes on without it."""

    event: ClassVar[str] = "detached"
    at_s: float


@dataclass(frozen=True, slots=True)
class Turned(Event):
    """A knob glides to a position, 0 to 2, or jumps there if `at_once`."""

    event: ClassVar[str] = "turned"
    knob: str
    position: float
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Locked(Event):
    """The key from the next step on; "auto" follows what is heard."""

    event: ClassVar[str] = "locked"
    key: str


@dataclass(frozen=True, slots=True)
class Timed(Event):
    """When notes leave, from the next step on.

    Attributes:
        timing: "on-grid" or "after-you".
        offset_s: How many seconds later they leave, negative: earlier.
        chosen: What was chosen: one of the two, or "auto".
    """

    event: ClassVar[str] = "timed"
    timing: str
    offset_s: float = 0.0
    chosen: str = "auto"


@dataclass(frozen=True, slots=True)
class ModeSet(Event):
    """When improviser plays was chosen at `at_s`: one of choices.PlayMode, from the next bar on."""

    event: ClassVar[str] = "mode"
    at_s: float
    mode: str


@dataclass(frozen=True, slots=True)
class EndAsked(Event):
    """The player asked at `at_s` for the end; it comes with the next bar."""

    event: ClassVar[str] = "end_asked"
    at_s: float


@dataclass(frozen=True, slots=True)
class Offered(Event):
    """The ports of other programs that can be chosen."""

    event: ClassVar[str] = "offered"
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routed(Event):
    """The open ports have changed.

    Attributes:
        route: The input and the output that were asked for, as in the command Route.
        ports: See Ready.
        sends_on: See Ready.
        is_virtual: See Ready.
    """

    event: ClassVar[str] = "routed"
    route: tuple[str | None, str | None]
    ports: Mapping[str, tuple[str, ...]]
    sends_on: str
    is_virtual: bool


@dataclass(frozen=True, slots=True)
class Switched(Event):
    """mute, solo or freeze was switched at `at_s`."""

    event: ClassVar[str] = "switched"
    at_s: float
    action: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Changed(Event):
    """Another preset is used from the next step on.

    Attributes:
        preset: See PresetEntry.
        source: See PresetEntry.
        model: See PresetEntry.
        model_digest: Digest of the model's bytes.
        engine: See PresetEntry.
        program: See PresetEntry.
        taste: The preferences learned for the role that plays now, as in Judged.
        words: The same preferences in words.
    """

    event: ClassVar[str] = "changed"
    preset: str
    source: str
    model: str
    model_digest: str
    engine: Mapping[str, Any]
    program: int | None = None
    taste: Mapping[str, float] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True, slots=True)
class Kept(Event):
    """The player asked to save the last bars before `at_s`."""

    event: ClassVar[str] = "kept"
    at_s: float


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The performer ends early: the reason with the next step, and the exit code."""

    event: ClassVar[str] = "error"
    text: str
    code: int = 1


@dataclass(frozen=True, slots=True)
class Summary(Event):
    """The statistics of the jam, at its end.

    Attributes:
        notes_heard: Note-ons of the player.
        notes_played: Note-ons of the improviser.
        decisions: Steps that were decided.
        late_decisions: Steps that counted as a hold, because they came too late.
        stuck_notes: Notes that were sent and never released.
        onset_error_ms: Actual minus intended moment of the note-ons: p50, p99, p99.9, max.
        decision_ms: Duration of a decision: p50, p99, p99.9, max.
        bad_messages: Messages that could not be understood.
        dropped: Messages lost because they came faster than they could be processed.
        feedback: Our own messages that came back and were ignored.
        callback_faults: Exceptions in the drivers' threads.
        untold: Events that were not sent, because they were not read fast enough.
        duration_s: Seconds from ready to the end.
        start_s: The moment of the player's first note, which is the first downbeat; None if none came.
        likes: How often the player liked what was played.
        dislikes: How often the player disliked what was played.
        taste: The preferences that were learned from that, as in Judged.
        words: The same preferences in words.
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
    likes: int = 0
    dislikes: int = 0
    taste: Mapping[str, float] = field(default_factory=dict)
    words: str = ""
