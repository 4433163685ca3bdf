"""Replays the input of one engine to another, in the same order, so that it plays the same, bit for bit."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from improviser.agent.checkpoint import read_weights
from improviser.agent.policy import Policy
from improviser.choices import NoteTiming, PlayMode
from improviser.engine import EngineSettings
from improviser.engine.settings import AUTO_KEY
from improviser.midi.message import NoteOff, NoteOn, TimedMessage, bytes_to_message
from improviser.music.meter import Meter
from improviser.music.scale import parse_key
from improviser.performer.actor import load_actor
from improviser.playing.scheduler import Scheduler
from improviser.protocol import (
    DIGITS,
    Adopted,
    Changed,
    Controlled,
    Detached,
    EndAsked,
    Halted,
    Heard,
    Judged,
    Lifted,
    Locked,
    LookAhead,
    Mended,
    MeterSet,
    ModeSet,
    Ready,
    Recounted,
    Restarted,
    Silenced,
    Started,
    Stepped,
    Switched,
    Synced,
    Tasted,
    Timed,
    Turned,
    Undone,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.agent.policy import Actor
    from improviser.engine import Engine

# The time at which a message was due, whether it is a note-on, channel, note, velocity (0 for a note-off).
Note = tuple[float, bool, int, int, int]
# What was learned from the player, or taken back.
Taught = Judged | Undone | Tasted


class SessionReplayer:
    """Gives an engine and a scheduler the events that were recorded.

    Attributes:
        notes: The notes that the engine has played in the replay.
        has_stepped: Whether the recorded events contained a step.
        engine: The engine that gets the events now.
        stepped: Called after each step with the engine that decided it.
    """

    def __init__(
        self,
        make_engine: Callable[[float], Engine],
        stepped: Callable[[Engine], None] = lambda _engine: None,
    ) -> None:
        """Create the first engine. `make_engine` returns an engine that decides the given number of seconds ahead."""
        self.notes: list[Note] = []
        self.has_stepped = False
        self.stepped = stepped
        self._make_engine = make_engine
        self._changed: Changed | None = None
        self._mending: list[TimedMessage] = []
        self._ahead_s = 0.0
        self._begin(self._ahead_s)

    def replay(self, event: object) -> None:
        """Repeat what a recorded event did."""
        match event:
            case Ready():
                self._begin(event.ahead_s)
            case Restarted():
                self._restart()
            case Started() | Recounted() | Synced() | MeterSet() | Halted() | Detached() | LookAhead():
                self._conduct(event)
            case Changed():
                self._changed = event
                self._change(event)
            case (
                Timed()
                | ModeSet()
                | EndAsked()
                | Turned()
                | Switched()
                | Locked()
                | Judged()
                | Undone()
                | Tasted()
                | Adopted()
            ):
                self._steer(event)
            case Stepped(through_s, skipped):
                self._step(through_s, skipped=skipped)
            case Silenced() | Mended():
                self._interrupt(event)
            case _:
                self._hear(event)

    def cut_off(self, told: int) -> None:
        """End like a performer that was killed after it had reported `told` notes.

        Such a performer had sent some of its planned notes, but not all. So the planned notes are added, and the list
        is cut to `told` notes.
        """
        self._keep(self._scheduler.pop_due(math.inf))
        del self.notes[told:]

    def _hear(self, event: object) -> None:
        """Pass a note or a control of the player to the engine. Ignore other events."""
        match event:
            case Heard(at_s, channel, note, velocity):
                self._mending = self.engine.hear(NoteOn(channel, note, velocity), at_s)
            case Lifted(at_s, channel, note):
                self.engine.hear(NoteOff(channel, note), at_s)
            case Controlled(at_s, data):
                self.engine.hear(bytes_to_message(data), at_s)
            case _:
                pass

    def _pace(self, event: Started | Recounted | Synced | MeterSet) -> None:
        """Pass the recorded beat to the engine."""
        match event:
            case Started(at_s, beat):
                self.engine.start(at_s, beat)
            case Recounted(at_s, beat, meter):
                self.engine.recount(at_s, beat, Meter(*meter))
            case Synced(at_s, beat, tempo_bpm):
                self.engine.sync(at_s, beat, tempo_bpm, is_heard=event.is_heard)
            case MeterSet(_, beat, meter):
                self.engine.count_bars(beat, Meter(*meter))

    def _conduct(self, event: Started | Recounted | Synced | MeterSet | Halted | Detached | LookAhead) -> None:
        """Pass the recorded beat to the engine, stop it, or change when it decides."""
        match event:
            case Started() | Recounted() | Synced() | MeterSet():
                self._pace(event)
            case Halted():
                self.engine.halt()
            case Detached():
                self.engine.detach()
            case LookAhead(ahead_s):
                self._ahead_s = ahead_s
                self.engine.look_ahead(ahead_s)

    def _steer(self, event: Timed | ModeSet | EndAsked | Turned | Switched | Locked | Taught | Adopted) -> None:
        """Pass a recorded command of the player to the engine."""
        match event:
            case Timed(timing, offset_s):
                self.engine.set_timing(NoteTiming(timing), offset_s)
            case ModeSet(at_s, mode):
                self.engine.set_mode(PlayMode(mode), at_s)
            case EndAsked():
                self.engine.end()
            case Turned(knob, position, at_once):
                self.engine.panel.turn(knob, position, at_once=at_once)
            case Switched(at_s, name):
                self.engine.switch(name, at_s)
            case Locked(key):
                self.engine.lock(None if key == AUTO_KEY else parse_key(key))
            case Adopted():
                self._adopt(event)
            case _:
                self._learn(event)

    def _learn(self, event: Taught) -> None:
        """Repeat what was learned from the player's likes, or taken back."""
        match event:
            case Judged(at_s, liked):
                self.engine.preferences.judge(at_s, liked=liked)
            case Undone(everything):
                self.engine.preferences.undo(everything=everything)
            case Tasted(taste):
                self.engine.preferences.restore(taste)

    def _change(self, changed: Changed) -> None:
        """Switch the engine to another preset."""
        settings = EngineSettings(**changed.engine, ahead_s=self._ahead_s)
        actor: Actor = load_actor(Path(changed.model), settings)
        self._model = actor
        for timed in self.engine.change(settings, actor):
            self._scheduler.add(timed)
        self._scheduler.limit(settings.max_note_s)

    def _adopt(self, adopted: Adopted) -> None:
        """Use the head of a checkpoint, or return to the original model."""
        actor: Actor = self._model
        if adopted.number and isinstance(actor, Policy):
            actor = actor.with_upper_layers(read_weights(Path(adopted.path), adopted.digest, actor.config))
        self.engine.adopt(actor)

    def _interrupt(self, event: Silenced | Mended) -> None:
        """Play the notes that had been sent to the port, then release all, or mend a clash with the last note heard."""
        self._keep(self._scheduler.pop_due(event.through_s))
        if isinstance(event, Silenced):
            self._keep(self._scheduler.release(event.at_s))
            self.engine.released()
            return
        for timed in self._mending:
            self._scheduler.add(timed)
        self._mending = []

    def _begin(self, ahead_s: float) -> None:
        """Start with a new scheduler and a new engine."""
        self._ahead_s = ahead_s
        self._scheduler = Scheduler(0.0)
        self._restart()

    def _restart(self) -> None:
        """Start with a new engine that has the preset which was played last."""
        self.engine = self._make_engine(self._ahead_s)
        self._model = self.engine.actor
        self._scheduler.limit(self.engine.settings.max_note_s)
        if self._changed is not None:
            self._change(self._changed)

    def _step(self, through_s: float, *, skipped: bool) -> None:
        """Step the engine, after playing the notes that had been sent to the port by `through_s`."""
        self.has_stepped = True
        self._keep(self._scheduler.pop_due(through_s))
        # The result does not depend on when a step is requested.
        decided = self.engine.skip(through_s) if skipped else self.engine.step(through_s)
        for timed in decided + self.engine.prepare():
            self._scheduler.add(timed)
        self.stepped(self.engine)

    def _keep(self, messages: list[TimedMessage]) -> None:
        """Append the notes among `messages` to the replayed notes."""
        self.notes += [note for note in map(_played, messages) if note is not None]


def _played(timed: TimedMessage) -> Note | None:
    """Return a message as a note to compare, or None if it is not a note."""
    due_s = round(timed.due_s, DIGITS)
    match timed.message:
        case NoteOn(channel, note, velocity):
            return due_s, True, channel, note, velocity
        case NoteOff(channel, note):
            return due_s, False, channel, note, 0
        case _:
            return None
