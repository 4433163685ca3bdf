"""Turns settings and open ports into a performance: creates the engine, warms it up, and runs the loop."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.choices import ClockUse
from improviser.config.beat_model import load_beat_weights
from improviser.engine import Engine, EngineSettings
from improviser.ipc.shared_state import open_shared
from improviser.listening.beat_tracker import BeatTracker
from improviser.listening.window import DEFAULT_VELOCITY
from improviser.midi.message import NoteOn
from improviser.music.meter import Meter
from improviser.music.pitch import MIDDLE_C
from improviser.performer.actor import load_actor
from improviser.performer.clock.jack_sync import watch_jack
from improviser.performer.clock.link_monitor import watching_link
from improviser.performer.context import PerformerContext
from improviser.performer.demo.built_in_player import BuiltInPlayer, new_built_in_player
from improviser.performer.inbox import InputPath
from improviser.performer.input.echo import EchoFilter
from improviser.performer.input.thru import Thru
from improviser.performer.loop import PerformerLoop
from improviser.performer.midi_mapping import MidiMapping
from improviser.performer.midi_output import OutputPath
from improviser.performer.policy_history import PolicyHistory
from improviser.performer.ports.hot_plug import watching
from improviser.performer.ports.opening import OpenPorts, alone_notice
from improviser.performer.preset_switcher import PresetSwitcher
from improviser.ports import priority
from improviser.ports.link import LinkPeer, open_link
from improviser.protocol import DIGITS, Event, PerformerSettings, Ready, Summary, Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.performer.inbox import Inbox

# The engine only listens for a bar of sixteenths. Then it asks the policy for the first time.
WARM_UP_STEPS: Final = 20


def engine_maker(settings: PerformerSettings) -> Callable[[float], Engine]:
    """Return a function that creates engines, which wait for their first note.

    The function's argument says how many seconds ahead the engine decides.

    Raises:
        CheckpointError: The model is missing, corrupt or of another kind.
        UsageError: The key or the meter is unknown.
    """
    engine = EngineSettings(**settings.engine)
    policy = load_actor(Path(settings.model), engine)

    def make(ahead_s: float) -> Engine:
        """Create an engine that decides `ahead_s` seconds ahead."""
        return Engine(replace(engine, ahead_s=ahead_s), policy, np.random.default_rng(settings.seed))

    make(0.0)  # reports a wrong key before anything sounds
    return make


def tracker_maker() -> Callable[[float, Meter | None], BeatTracker]:
    """Return a function that makes trackers of the player's beat, from the tempo and the meter that are expected.

    Raises:
        CheckpointError: The model of the beat is missing or corrupt.
    """
    weights = load_beat_weights()

    def make(tempo_bpm: float, meter: Meter | None) -> BeatTracker:
        """Create a tracker."""
        return BeatTracker(tempo_bpm, meter, weights)

    warm = make(100.0, None)
    for place in range(WARM_UP_STEPS):
        warm.hear(float(place), MIDDLE_C, DEFAULT_VELOCITY)
    return make


def play(
    settings: PerformerSettings,
    make_engine: Callable[[float], Engine],
    ports: OpenPorts,
    inbox: Inbox,
    tell: Callable[[Event], None],
) -> Summary:
    """Run the performer's loop on the open ports in this thread, at real-time priority. Return the summary."""
    clock = ports.backend.clock
    # Create these now: their threads must not inherit this thread's priority.
    preset_switcher = PresetSwitcher(settings, inbox.put, tell)
    policy_history = PolicyHistory(settings, inbox.put, tell)

    def new_engine() -> Engine:
        """Create an engine that decides as early as the output needs messages now."""
        return make_engine(round(ports.output.ahead_s, DIGITS))

    new_tracker = tracker_maker()
    with watching(ports, inbox) as watch, contextlib.ExitStack() as stack:
        is_realtime = priority.raise_priority()
        cells = open_shared(ports.shared_state)
        echoes = EchoFilter(inbox.put, lambda: ports.output.ahead_s)
        midi_mapping = MidiMapping(settings.bindings, settings.control_ports)
        thru = Thru(ports.output, cells, echoes, midi_mapping.owns) if settings.thru else None
        inbox.open(InputPath(clock, echoes, thru))  # what the page sends from now on is not lost
        built_in_player = new_built_in_player(settings, ports, clock.now_s())
        _warm_up(new_engine())
        priority.sharpen_timers()
        priority.still_collector()
        tell(_ready(settings, ports, built_in_player, is_realtime=is_realtime))
        for event in (alone_notice(ports), None if is_realtime else Warned(priority.advice())):
            if event is not None:
                tell(event)
        propose = None
        if settings.clock is ClockUse.LINK:
            peer = _link(settings)
            stack.enter_context(watching_link(peer, clock, inbox))
            propose = peer.set_tempo
        watch_jack(settings.clock, ports.backend, inbox)
        context = PerformerContext(
            OutputPath(ports.output, cells, echoes, thru),
            inbox,
            tell,
            midi_mapping,
            preset_switcher,
            policy_history,
            built_in_player,
            propose,
            watch.route,
            watch.close_loop,
            new_tracker,
        )
        summary = PerformerLoop(settings, new_engine, context, clock).run()
    return replace(summary, callback_faults=ports.callback_faults)


def _ready(
    settings: PerformerSettings, ports: OpenPorts, built_in_player: BuiltInPlayer | None, *, is_realtime: bool
) -> Ready:
    """Return the Ready event, which is sent when everything is prepared."""
    return Ready(
        backend=ports.backend.name,
        ports=ports.names(),
        preset=settings.preset,
        seed=settings.seed,
        tempo_bpm=settings.engine["tempo_bpm"],
        realtime=is_realtime,
        player=built_in_player.player.title if built_in_player is not None else None,
        sends_on=ports.output.name,
        is_virtual=ports.is_virtual,
        ahead_s=ports.output.ahead_s,
        at_s=ports.backend.clock.now_s(),
        machine_s=time.monotonic(),
        jam=ports.settings.jam,
    )


def _link(settings: PerformerSettings) -> LinkPeer:
    """Join a Link session, or raise PortError if its library is missing."""
    return open_link(settings.engine["tempo_bpm"], Meter(*settings.engine["meter"]).bar_beats)


def _warm_up(engine: Engine) -> None:
    """Play a little without output, because the first decisions of a process take twenty times as long."""
    engine.hear(NoteOn(0, MIDDLE_C, DEFAULT_VELOCITY), 0.0)
    for _ in range(WARM_UP_STEPS):
        engine.step(0.0)
        engine.rewards()
