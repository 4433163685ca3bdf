"""Carries out the player's commands to the engine: knobs, likes and dislikes, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.choices import PlayMode
from improviser.engine.preference_features import NOTHING
from improviser.engine.settings import AUTO_KEY
from improviser.errors import UsageError
from improviser.music.scale import parse_key
from improviser.protocol import (
    DIGITS,
    Act,
    Action,
    Command,
    EndAsked,
    Event,
    Judged,
    Knob,
    Lock,
    Locked,
    ModeSet,
    Refused,
    SetMode,
    SetOffset,
    SetTiming,
    Switched,
    Tasted,
    Turn,
    Turned,
    Undone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from improviser.engine import Engine
    from improviser.performer.clock.clock_sync import ClockSync
    from improviser.performer.policy_history import PolicyHistory
    from improviser.performer.stats import Stats
    from improviser.performer.transport import Transport
    from improviser.protocol import PerformerSettings

_NOTHING_HEARD = "nothing was played just now to like or dislike"
_FROZEN = "learning is paused (freeze); press freeze again"
_NOTHING_LEARNED = "nothing to undo"


class Steering:
    """Carries out commands, and reports what it did.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(
        self,
        transport: Transport,
        clock_sync: ClockSync,
        policy_history: PolicyHistory,
        stats: Stats,
        tell: Callable[[Event], None],
    ) -> None:
        """Steer the engine of `transport`.

        Args:
            transport: Holds the engine that plays, and begins the performance when solo starts it.
            clock_sync: Receives the tempo and taps.
            policy_history: Undoes what was learned in the background.
            stats: Counts likes and dislikes.
            tell: Called with events about what was done.
        """
        self._transport, self._clock_sync, self._policy_history = transport, clock_sync, policy_history
        self._stats, self._tell = stats, tell
        # The key that was locked or unlocked since the jam began; empty if the engine still has its first setting.
        self._lock = ""

    @property
    def _engine(self) -> Engine:
        """The engine that plays now."""
        return self._transport.engine

    def begin(self, settings: PerformerSettings, at_s: float) -> None:
        """Restore the state of another performer's engine at the time `at_s`."""
        self._policy_history.resume(self._engine)
        self._lock = settings.lock
        self._take_up(settings.panel, settings.switched, settings.taste, at_s)
        if self._engine.turns.chosen is PlayMode.ALONE:
            self._set_mode(PlayMode.ALONE, at_s)

    def hand_over(self, before: Engine, at_s: float) -> None:
        """Restore the state of the engine `before` at the time `at_s`."""
        panel = before.panel
        self._policy_history.carry_on(self._engine)
        if before.turns.chosen is not self._engine.turns.chosen:
            self._set_mode(before.turns.chosen, at_s)
        self._take_up(panel.positions, sorted(panel.switched), before.preferences.to_dict(), at_s)

    def _take_up(
        self, panel: Mapping[str, float], switched: Sequence[str], taste: Mapping[str, float], at_s: float
    ) -> None:
        """Restore the timing, the locked key, the knob positions, the switches and the preferences."""
        self._transport.keep_timing()
        if self._lock:
            self._lock_key(self._lock)
        for knob, position in panel.items():
            self._turn(knob, position, at_once=True)
        for name in switched:
            self._switch(name, at_s)
        own = self._engine.preferences
        if taste:
            # Rounded as in the event, so that a replay restores exactly the same values.
            own.restore({name: round(weight, DIGITS) for name, weight in taste.items() if abs(weight) > NOTHING})
        if own.weights.any():
            self._tell(Tasted(own.to_dict(), own.words))

    def obey(self, command: Command, at_s: float) -> None:
        """Carry out a command at `at_s`."""
        match command:
            case Act(action):
                self._act(action, at_s)
            case Turn(Knob.TEMPO, tempo_bpm):
                self._clock_sync.set_tempo(tempo_bpm, at_s)
            case Turn(knob, position):
                self._turn(knob, position)
            case Lock(key):
                self._lock_key(key)
            case SetTiming(timing):
                self._transport.set_timing(timing)
            case SetMode(mode):
                self._set_mode(mode, at_s)
            case SetOffset(offset_ms):
                self._transport.set_offset(offset_ms)
            case _:
                self._refuse(command.event)

    def _act(self, action: Action, at_s: float) -> None:
        """Do an action at `at_s`."""
        match action:
            case Action.TAP:
                self._clock_sync.tap(at_s)
            case Action.FOLLOW:
                self._clock_sync.follow_player(at_s)
            case Action.LIKE | Action.DISLIKE:
                self._judge(action, at_s)
            case Action.UNDO | Action.UNDO_ALL:
                self._undo(everything=action is Action.UNDO_ALL)
            case Action.MUTE | Action.SOLO | Action.FREEZE:
                self._switch(action, at_s)
            case Action.END:
                self._engine.end()
                self._tell(EndAsked(at_s))
            case Action.NEXT_MODE:
                self._set_mode(self._engine.turns.chosen.following, at_s)
            case _:
                self._refuse(action)

    def _refuse(self, command: str) -> None:
        """Report a command that the performer does not know."""
        self._tell(Refused(command, f"the performer does not know the command {command}"))

    def _switch(self, name: str, at_s: float) -> None:
        """Turn a switch on or off. Solo starts to play without a first note."""
        self._tell(Switched(at_s, name, self._engine.switch(name, at_s)))
        self._transport.begin_if_rolling(at_s)

    def _set_mode(self, mode: PlayMode, at_s: float) -> None:
        """Change when improviser plays. Alone it starts without a first note."""
        self._engine.set_mode(mode, at_s)
        self._tell(ModeSet(at_s, mode))
        self._transport.begin_if_rolling(at_s)

    def _turn(self, knob: str, position: float, *, at_once: bool = False) -> None:
        """Turn a knob to a position, rounded as in the event."""
        position = round(position, DIGITS)
        self._engine.panel.turn(knob, position, at_once=at_once)
        self._tell(Turned(knob, position, at_once))

    def _lock_key(self, key: str) -> None:
        """Lock the key, or return to the key that is heard."""
        try:
            wanted = None if key == AUTO_KEY else parse_key(key)
        except UsageError as error:
            self._tell(Refused("key", str(error)))
        else:
            self._engine.lock(wanted)
            self._lock = AUTO_KEY if wanted is None else wanted.name
            self._tell(Locked(self._lock))

    def _judge(self, action: Action, at_s: float) -> None:
        """Learn from a like or a dislike."""
        liked, taste = action is Action.LIKE, self._engine.preferences
        if Action.FREEZE in self._engine.panel.switched:
            self._tell(Refused(action, _FROZEN))
        elif not taste.judge(at_s, liked=liked):
            self._tell(Refused(action, _NOTHING_HEARD))
        else:
            self._policy_history.record_feedback()
            self._stats.count_press(liked=liked)
            self._tell(Judged(at_s, liked, taste.to_dict(), taste.words))

    def _undo(self, *, everything: bool) -> None:
        """Undo what was learned last, or all of it."""
        has_gone_back = self._policy_history.undo(self._engine, everything=everything)
        if has_gone_back and not everything:
            return
        taste = self._engine.preferences
        if taste.undo(everything=everything):
            self._tell(Undone(everything, taste.to_dict(), taste.words))
        elif not has_gone_back:
            self._tell(Refused(Action.UNDO_ALL if everything else Action.UNDO, _NOTHING_LEARNED))
