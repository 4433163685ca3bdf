"""A session played again from its journal: the engine is told the same in the same order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from improviser.control import (
    DIGITS,
    Changed,
    Controlled,
    Halted,
    Heard,
    Judged,
    Lifted,
    Piece,
    Played,
    Ready,
    Released,
    Restarted,
    Silenced,
    Started,
    Stepped,
    Summary,
    Switched,
    Synced,
    Tasted,
    Turned,
    Undone,
)
from improviser.daemon.repertoire import load_actor
from improviser.engine import EngineSettings
from improviser.errors import UsageError
from improviser.midi.message import NoteOff, NoteOn, TimedMessage, bytes_to_message
from improviser.playing.scheduler import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.daemon.session_log import Session
    from improviser.engine import Engine

# The moment a message was due, whether it is a note-on, channel, note, velocity (0 for a note-off).
Note = tuple[float, bool, int, int, int]


@dataclass(frozen=True, slots=True)
class Replay:
    """What was played, and what is played again.

    Attributes:
        live: The improviser's note-ons and note-offs as the session has them.
        again: The same as the engine gives them now.
    """

    live: tuple[Note, ...]
    again: tuple[Note, ...]

    @property
    def difference(self) -> int | None:
        """The place of the first message that differs; None where all are the same."""
        pairs = zip(self.live, self.again, strict=False)
        place = next((place for place, (one, other) in enumerate(pairs) if one != other), None)
        if place is None and len(self.live) != len(self.again):
            return min(len(self.live), len(self.again))
        return place


def replay(session: Session, make_engine: Callable[[float], Engine]) -> Replay:
    """Play a session again.

    Args:
        session: What was told.
        make_engine: Makes an engine that decides so many seconds ahead, as when the session was played.

    Raises:
        UsageError: The session has no steps: it is of a version that did not keep them.
    """
    player, live = _Player(make_engine), list[Note]()
    for event in session.events:
        if isinstance(event, Ready):
            player.cut_off(len(live))
        player.take(event)
        note = _told(event)
        if note is not None:
            live.append(note)
    if not any(isinstance(event, Summary) for event in session.events):
        player.cut_off(len(live))
    if live and not player.has_stepped:
        raise UsageError("this session cannot be replayed: it was recorded by a version that kept no steps")
    return Replay(tuple(live), tuple(player.notes))


class _Player:
    """An engine and a scheduler that are told what they were told then."""

    def __init__(self, make_engine: Callable[[float], Engine]) -> None:
        """Wait for the beginning."""
        self.notes: list[Note] = []
        self.has_stepped = False
        self._make_engine = make_engine
        self._changed: Changed | None = None
        self._begin(0.0)

    def take(self, event: object) -> None:
        """Do what was done then."""
        match event:
            case Ready():
                self._begin(event.ahead_s)
            case Restarted():
                self._restart()
            case Started() | Synced() | Halted():
                self._conduct(event)
            case Changed():
                self._changed = event
                self._change(event)
            case Turned() | Switched() | Judged() | Undone() | Tasted():
                self._steer(event)
            case Stepped(through_s, skipped):
                self._step(through_s, skipped=skipped)
            case Silenced(at_s, through_s):
                self._silence(at_s, through_s)
            case _:
                self._hear(event)

    def cut_off(self, told: int) -> None:
        """End as one that was killed when it had told of so many messages; some that it planned had left."""
        self._keep(self._scheduler.pop_due(math.inf))
        del self.notes[told:]

    def _hear(self, event: object) -> None:
        """Let the engine hear what it heard then, if the event is of that kind."""
        match event:
            case Heard(at_s, channel, note, velocity):
                self._engine.hear(NoteOn(channel, note, velocity), at_s)
            case Lifted(at_s, channel, note):
                self._engine.hear(NoteOff(channel, note), at_s)
            case Controlled(at_s, data):
                self._engine.hear(bytes_to_message(data), at_s)
            case _:
                pass

    def _conduct(self, event: Started | Synced | Halted) -> None:
        """Tell the engine of the beat what it was told then."""
        match event:
            case Started(at_s, beat):
                self._engine.start(at_s, beat)
            case Synced(at_s, beat, tempo_bpm):
                self._engine.sync(at_s, beat, tempo_bpm)
            case Halted():
                self._engine.halt()

    def _steer(self, event: Turned | Switched | Judged | Undone | Tasted) -> None:
        """Tell the engine what the player told it then."""
        match event:
            case Turned(knob, position, at_once):
                self._engine.panel.turn(knob, position, at_once=at_once)
            case Switched(at_s, name):
                self._engine.switch(name, at_s)
            case Judged(at_s, liked):
                self._engine.taste.judge(at_s, liked=liked)
            case Undone(everything):
                self._engine.taste.undo(everything=everything)
            case Tasted(taste):
                self._engine.taste.take(taste)

    def _change(self, changed: Changed) -> None:
        """Go on as another preset."""
        settings = EngineSettings(**changed.engine, ahead_s=self._ahead_s)
        actor = load_actor(Piece(changed.preset, changed.source, changed.model, changed.engine))
        for timed in self._engine.change(settings, actor):
            self._scheduler.add(timed)
        self._scheduler.limit(settings.max_note_s)

    def _silence(self, at_s: float, through_s: float) -> None:
        """End all that sounds, after what was handed to the port by then."""
        self._keep(self._scheduler.pop_due(through_s))
        self._keep(self._scheduler.release(at_s))
        self._engine.released()

    def _begin(self, ahead_s: float) -> None:
        """Begin anew."""
        self._ahead_s = ahead_s
        self._scheduler = Scheduler(0.0)
        self._restart()

    def _restart(self) -> None:
        """Begin with a new engine, as the preset that was played last."""
        self._engine = self._make_engine(self._ahead_s)
        self._scheduler.limit(self._engine.settings.max_note_s)
        if self._changed is not None:
            self._change(self._changed)

    def _step(self, through_s: float, *, skipped: bool) -> None:
        """Let the engine step, after what was handed to the port by then."""
        self.has_stepped = True
        self._keep(self._scheduler.pop_due(through_s))
        # Nothing depends on when a step is asked for.
        for timed in self._engine.skip(through_s) if skipped else self._engine.step(through_s):
            self._scheduler.add(timed)

    def _keep(self, messages: list[TimedMessage]) -> None:
        """Keep the notes among messages."""
        self.notes += [note for note in map(_played, messages) if note is not None]


def _played(timed: TimedMessage) -> Note | None:
    """Give a message as it is compared; None for what is no note."""
    due_s = round(timed.due_s, DIGITS)
    match timed.message:
        case NoteOn(channel, note, velocity):
            return due_s, True, channel, note, velocity
        case NoteOff(channel, note):
            return due_s, False, channel, note, 0
        case _:
            return None


def _told(event: object) -> Note | None:
    """Give an event as it is compared; None for what is no note of ours."""
    match event:
        case Played(due_s, _, channel, note, velocity):
            return due_s, True, channel, note, velocity
        case Released(due_s, _, channel, note):
            return due_s, False, channel, note, 0
        case _:
            return None
