"""What the player tells the engine beside the music: knobs, likes, what is to be forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.engine.settings import AUTO_KEY
from improviser.engine.trait import NOTHING
from improviser.errors import UsageError
from improviser.music.scale import parse_key
from improviser.protocol import (
    DIGITS,
    Act,
    Action,
    Event,
    Judged,
    Knob,
    Lock,
    Locked,
    Refused,
    Switched,
    Tasted,
    Turn,
    Turned,
    Undone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from improviser.engine import Engine
    from improviser.performer.clock.clock_sync import ClockSync
    from improviser.performer.policy_history import PolicyHistory
    from improviser.protocol import PerformerSettings

_NOTHING_HEARD = "nothing was played just before that could be liked or not"
_FROZEN = "nothing is learned while it is frozen"
_NOTHING_LEARNED = "there is nothing to take back"


class Steering:
    """Does what is commanded, and gives what to tell of it.

    Threads: the performer's beat only.
    """

    def __init__(self, clock_sync: ClockSync, policy_history: PolicyHistory) -> None:
        """Hand what concerns the beat to `clock_sync`, and what was learned in the background to `policy_history`."""
        self._clock_sync, self._policy_history = clock_sync, policy_history
        # What the player said since the jam began; nothing: as the engine was made.
        self._lock = ""

    def begin(self, engine: Engine, settings: PerformerSettings, at_s: float) -> Iterator[Event]:
        """Let an engine that begins at `at_s` take up what another performer's had come to."""
        yield from self._policy_history.resume(engine)
        self._lock = settings.lock
        yield from self._resume(engine, settings.panel, settings.switched, settings.taste, at_s)

    def hand_over(self, before: Engine, engine: Engine, at_s: float) -> Iterator[Event]:
        """Let an engine that begins at `at_s` take up what the one before it had come to."""
        panel = before.panel
        yield from self._policy_history.carry_on(engine)
        yield from self._resume(engine, panel.positions, sorted(panel.switched), before.taste.to_dict(), at_s)

    def _resume(
        self,
        engine: Engine,
        panel: Mapping[str, float],
        switched: Sequence[str],
        taste: Mapping[str, float],
        at_s: float,
    ) -> Iterator[Event]:
        """Let an engine take up the key that was locked, where knobs stand, what is on, and a taste."""
        if self._lock:
            yield from self._lock_key(self._lock, engine)
        for knob, position in panel.items():
            yield from self._turn(knob, position, engine, at_once=True)
        for name in switched:
            yield Switched(at_s, name, engine.switch(name, at_s))
        if taste:
            # As it is told, so that a replay takes up the same bits.
            engine.taste.take({name: round(weight, DIGITS) for name, weight in taste.items() if abs(weight) > NOTHING})
        if engine.taste.weights.any():
            yield Tasted(engine.taste.to_dict(), engine.taste.words)

    def obey(self, command: Turn | Act | Lock, at_s: float, engine: Engine) -> Iterator[Event]:
        """Do what is commanded at `at_s`."""
        match command:
            case Turn(Knob.TEMPO, tempo_bpm):
                yield from self._clock_sync.set_tempo(tempo_bpm, at_s, engine)
            case Turn(knob, position):
                yield from self._turn(knob, position, engine)
            case Lock(key):
                yield from self._lock_key(key, engine)
            case Act(Action.TAP):
                yield from self._clock_sync.tap(at_s, engine)
            case Act(Action.LIKE | Action.DISLIKE):
                yield self._judge(command.action, at_s, engine)
            case Act(Action.UNDO | Action.UNDO_ALL):
                yield from self._undo(engine, everything=command.action is Action.UNDO_ALL)
            case Act(Action.MUTE | Action.SOLO | Action.FREEZE):
                yield Switched(at_s, command.action, engine.switch(command.action, at_s))

    def _turn(self, knob: str, position: float, engine: Engine, *, at_once: bool = False) -> Iterator[Event]:
        """Turn a knob to a position, as it is told."""
        position = round(position, DIGITS)
        engine.panel.turn(knob, position, at_once=at_once)
        yield Turned(knob, position, at_once)

    def _lock_key(self, key: str, engine: Engine) -> Iterator[Event]:
        """Lock the key, or let it be heard again."""
        try:
            wanted = None if key == AUTO_KEY else parse_key(key)
        except UsageError as error:
            yield Refused("key", str(error))
        else:
            engine.lock(wanted)
            self._lock = AUTO_KEY if wanted is None else wanted.name
            yield Locked(self._lock)

    def _judge(self, action: Action, at_s: float, engine: Engine) -> Event:
        """Learn from a press."""
        liked = action is Action.LIKE
        if Action.FREEZE in engine.panel.switched:
            return Refused(action, _FROZEN)
        if not engine.taste.judge(at_s, liked=liked):
            return Refused(action, _NOTHING_HEARD)
        self._policy_history.note_press()
        return Judged(at_s, liked, engine.taste.to_dict(), engine.taste.words)

    def _undo(self, engine: Engine, *, everything: bool) -> Iterator[Event]:
        """Take back what was learned last, or all of it."""
        adopted = self._policy_history.undo(engine, everything=everything)
        if adopted is not None:
            yield adopted
        if adopted is not None and not everything:
            return
        if engine.taste.undo(everything=everything):
            yield Undone(everything, engine.taste.to_dict(), engine.taste.words)
        elif adopted is None:
            yield Refused(Action.UNDO_ALL if everything else Action.UNDO, _NOTHING_LEARNED)
