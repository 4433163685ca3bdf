"""A performance on loopback ports with a manual clock: real engine and performer loop, no thread, no sleep."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from improviser.engine import Engine, EngineSettings
from improviser.ipc.shared_state import SIZE
from improviser.listening.observation import COLUMNS
from improviser.midi.message import Message, NoteOff, NoteOn, bytes_to_message, message_to_bytes
from improviser.performer.context import PerformerContext
from improviser.performer.demo.built_in_player import new_built_in_player
from improviser.performer.inbox import Inbox, InputPath
from improviser.performer.input.echo import EchoFilter
from improviser.performer.input.thru import Thru
from improviser.performer.loop import PerformerLoop
from improviser.performer.midi_mapping import MidiMapping
from improviser.performer.midi_output import OutputPath
from improviser.performer.policy_history import PolicyFetched, PolicyHistory, PolicyNotFetched
from improviser.performer.ports.opening import OpenPorts
from improviser.performer.ports.reconnecting_output import ReconnectingOutput
from improviser.performer.preset_switcher import PresetLoaded, PresetNotLoaded, PresetSwitcher
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION
from improviser.ports.base import VIRTUAL_INPUT, VIRTUAL_OUTPUT
from improviser.ports.clock import ManualClock
from improviser.ports.loopback import LoopbackBackend
from improviser.protocol import (
    Binding,
    ControlMessage,
    Event,
    PerformerSettings,
    PlayerUse,
    PortSettings,
    Ready,
    Stop,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from improviser.agent.policy import Actor, Values
    from improviser.performer.clock.beat_follower import NewTracker

START_S = 100.0
# At 120 beats a minute with four steps a beat a step takes 125 ms. The key is C major, and each step is decided at
# once.
ENGINE: dict[str, Any] = {"tempo_bpm": 120.0, "key": "C", "steps_per_beat": 4, "patience_bars": 0}
STEP_S = 0.125
BAR_S = 2.0
KEYBOARD = "Keyboard"
PATIENCE_S = 10.0


class BarNote:
    """Plays the register's lowest note at the start of each bar, and holds it through the bar."""

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return values with 1 for the wanted action and 0 for all others."""
        q_values = np.zeros(ACTION_COUNT, dtype=np.float32)
        is_downbeat = observation[COLUMNS["sixteenth"].start] == 0
        q_values[FIRST_ONSET if is_downbeat else HOLD_ACTION] = 1.0
        return np.zeros(ACTION_COUNT, dtype=np.float32), q_values[None]


def performer_settings(**values: Any) -> PerformerSettings:  # noqa: ANN401 - any field
    """Return settings of a performer on the grid above."""
    return PerformerSettings(**({"preset": "test", "model": "none", "engine": ENGINE} | values))


def bound(**controls: int) -> tuple[Binding, ...]:
    """Return bindings of control numbers on any port, by the name of their function."""
    change = ControlMessage.CONTROL_CHANGE
    return tuple(Binding((), change, number, None, does) for does, number in controls.items())


@dataclass
class Performance:
    """A performer loop with simulated input; it records the messages sent and the events reported.

    Attributes:
        settings: The performer's settings.
        actor: The policy; by default it plays a note at the start of each bar and holds it.
        player: When the built-in player plays.
        propose: Receives a tempo that other programs have to agree on.
        close_loop: Receives the name of a port that returns what is sent.
        new_tracker: Makes a tracker of the player's beat; None keeps the tempo.
        new_engine: Makes the engine; by default it is made from `settings` and `actor`.
    """

    settings: PerformerSettings = field(default_factory=performer_settings)
    actor: Actor = field(default_factory=BarNote)
    player: PlayerUse = PlayerUse.NEVER
    new_engine: Callable[[], Engine] | None = None
    clock: ManualClock = field(default_factory=lambda: ManualClock(START_S))
    events: list[Event] = field(default_factory=list)
    sent: list[tuple[float, Message]] = field(default_factory=list)
    cells: bytearray = field(default_factory=lambda: bytearray(SIZE))
    propose: Callable[[float], None] | None = None
    close_loop: Callable[[str], None] = lambda _port: None
    new_tracker: NewTracker | None = None

    def __post_init__(self) -> None:
        """Open the ports."""
        self.backend = LoopbackBackend()
        self.inbox = Inbox()
        self.hears = {name: self.inbox.hears(name) for name in (VIRTUAL_INPUT, KEYBOARD)}
        self.virtual = self.backend.open_virtual_output(VIRTUAL_OUTPUT)
        self.output = ReconnectingOutput(self.virtual, lambda _name: None, is_ours=True)
        self.backend.open_virtual_input(VIRTUAL_INPUT, self._stamped)
        self.ports = OpenPorts(self.backend, self.output, player=self.player)
        if self.player is not PlayerUse.NEVER:
            self.ports.player_output = self.backend.open_output(VIRTUAL_INPUT)
        self.backend.open_input(VIRTUAL_OUTPUT, self._sent)

    def play(self, at_s: float, *messages: Message, port: str = KEYBOARD) -> None:
        """Schedule `messages` from the player at `at_s` seconds after the start."""
        for message in messages:
            self.play_bytes(at_s, message_to_bytes(message), port=port)

    def play_bytes(self, at_s: float, data: Sequence[int], port: str = KEYBOARD) -> None:
        """Schedule bytes on an input at `at_s` seconds after the start."""
        at_ns = round((START_S + at_s) * 1e9)
        self.clock.at(START_S + at_s, lambda: self.hears[port](data, at_ns))

    def at(self, at_s: float, happening: Callable[[], object]) -> None:
        """Schedule a call at `at_s` seconds after the start."""
        self.clock.at(START_S + at_s, happening)

    def run(self, until_s: float = 60.0) -> Summary:
        """Run to the end, at the latest to `until_s` seconds after the start."""
        self.at(until_s, lambda: self.inbox.put(Stop()))
        stand_in = new_built_in_player(self.settings, self.ports, START_S)
        echoes = EchoFilter(self.inbox.put, lambda: self.output.ahead_s)
        midi_mapping = MidiMapping(self.settings.bindings, self.settings.control_ports)
        thru = Thru(self.output, self.cells, echoes, midi_mapping.owns) if self.settings.thru else None
        self.inbox.open(InputPath(self.clock, echoes, thru))
        stage = PerformerContext(
            OutputPath(self.output, self.cells, echoes, thru),
            self.inbox,
            self.events.append,
            midi_mapping,
            PresetSwitcher(self.settings, self.inbox.put, self.events.append),
            PolicyHistory(self.settings, self.inbox.put, self.events.append),
            stand_in,
            self.propose,
            close_loop=self.close_loop,
            new_tracker=self.new_tracker,
        )
        return PerformerLoop(self.settings, self.new_engine or self._engine, stage, self.clock).run()

    def told(self, kind: type[Event]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def _engine(self) -> Engine:
        """Return a new engine."""
        settings = EngineSettings(**({"temperature": 0.0} | dict(self.settings.engine)))
        return Engine(settings, self.actor, np.random.default_rng(self.settings.seed))

    def _sent(self, data: Sequence[int], _at_ns: int) -> None:
        """Record a sent message, with its time after the start."""
        self.sent.append((round(self.clock.now_s() - START_S, 6), bytes_to_message(data)))

    def _stamped(self, data: Sequence[int], _at_ns: int) -> None:
        """Receive the built-in player's message at the time of the manual clock."""
        self.hears[VIRTUAL_INPUT](data, self.clock.now_ns())


def ready(**values: Any) -> Ready:  # noqa: ANN401 - any field
    """Return the ready event of a performer on JACK with a virtual output."""
    fields: dict[str, Any] = {
        "backend": "jack",
        "ports": {},
        "preset": "x",
        "seed": 0,
        "tempo_bpm": 120.0,
        "realtime": True,
        "player": None,
        "sends_on": "Improviser Out",
        "is_virtual": True,
    }
    return Ready(**(fields | values))


def port_settings(**values: Any) -> PortSettings:  # noqa: ANN401 - any field
    """Return port settings for the loopback backend."""
    return PortSettings(**({"backend": "loopback"} | values))


def ons(performance: Performance) -> list[float]:
    """Return the times at which note-ons were sent."""
    return [at_s for at_s, message in performance.sent if isinstance(message, NoteOn)]


def hanging(performance: Performance) -> set[tuple[int, int]]:
    """Return the (channel, note) pairs whose note-on was sent but not their note-off."""
    sounding: set[tuple[int, int]] = set()
    for _, message in performance.sent:
        if isinstance(message, NoteOn):
            sounding.add((message.channel, message.note))
        elif isinstance(message, NoteOff):
            sounding.remove((message.channel, message.note))
    return sounding


def tell(performance: Performance, at_s: float, command: Any, *, waits: bool = False) -> None:  # noqa: ANN401
    """Schedule a command, or a function that makes one; with `waits`, also wait until its result is loaded."""
    inbox, found = performance.inbox, threading.Event()
    take = inbox.put

    def put(item: Any) -> None:  # noqa: ANN401 - any item
        """Put an item into the inbox, and note when a policy or preset was loaded or failed to load."""
        take(item)
        if isinstance(item, PolicyFetched | PolicyNotFetched | PresetLoaded | PresetNotLoaded):
            found.set()

    def give() -> None:
        """Put the command into the inbox."""
        found.clear()
        inbox.put(command() if callable(command) else command)

    inbox.put = put  # type: ignore[method-assign] # a spy
    performance.at(at_s, give)
    if waits:
        performance.at(at_s + 0.05, lambda: found.wait(PATIENCE_S))
