"""How a jam stands, from what the performer has told: for whoever asks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from improviser.control import (
    NEUTRAL,
    Action,
    Adopted,
    Changed,
    Halted,
    Heard,
    Judged,
    Kept,
    Knob,
    Learned,
    Notice,
    Played,
    Ready,
    Restarted,
    Silenced,
    Started,
    Switched,
    Synced,
    Tasted,
    Turned,
    Undone,
    value_to_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from improviser.control import PerformerSettings
    from improviser.daemon.session_log import Session

# What follows from a command; of Synced, one of the improviser's own.
_ANSWERS = (
    Turned | Switched | Judged | Undone | Tasted | Adopted | Synced | Silenced | Kept | Notice | Changed
)


@dataclass
class State:
    """What is told to people and programs that steer.

    Threads: `take` in one, `to_json` and `wait` in any.
    """

    preset: str = ""
    source: str = ""
    model: str = ""
    adopted: Adopted = field(default_factory=lambda: Adopted(0))
    learned: Learned | None = None
    tempo_bpm: float = 0.0
    clock: str = "own"
    is_rolling: bool = False
    is_halted: bool = False
    key: str = ""
    chord: str | None = None
    panel: dict[str, float] = field(default_factory=dict)
    switched: set[str] = field(default_factory=set)
    taste: Mapping[str, float] = field(default_factory=dict)
    words: str = ""
    notice: str = ""
    likes: int = 0
    dislikes: int = 0
    ports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignored: Callable[[], int] = lambda: 0
    _version: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, settings: PerformerSettings) -> None:
        """Stand as a performer begins."""
        engine = settings.engine
        with self._changed:
            self.preset, self.source, self.model = settings.preset, settings.source, settings.model
            self.tempo_bpm = engine.get("tempo_bpm", 0.0)
            self.panel = {str(knob): NEUTRAL for knob in Knob if knob is not Knob.TEMPO}
            self.panel.update(engine.get("panel", {}))
            self.taste = dict(engine.get("taste", {}))

    def take(self, event: object) -> None:
        """Take in an event."""
        with self._changed:
            self._take(event)
            if isinstance(event, _ANSWERS) and getattr(event, "is_own", True):
                self._version += 1
                self._changed.notify_all()

    def ask(self) -> int:
        """Forget what was noticed, before a command is told; give the version."""
        with self._changed:
            self.notice = ""
            return self._version

    def wait(self, version: int, patience_s: float) -> bool:
        """Wait until there is a change after `version`; tell whether one came."""
        with self._changed:
            return self._changed.wait_for(lambda: self._version > version, patience_s)

    def to_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        with self._changed:
            return {
                "preset": self.preset,
                "tempo_bpm": self.tempo_bpm,
                "clock": self.clock,
                "rolling": self.is_rolling,
                "key": self.key,
                "chord": self.chord,
                "panel": dict(self.panel),
                **{str(name): name in self.switched for name in (Action.MUTE, Action.SOLO, Action.FREEZE)},
                "taste": dict(self.taste),
                "words": self.words,
                "likes": self.likes,
                "dislikes": self.dislikes,
                "set": self.adopted.number,
                "learned": None if self.learned is None else value_to_json(self.learned),
                "ports": {kind: list(names) for kind, names in self.ports.items()},
                "ignored": self.ignored(),
                "notice": self.notice,
            }

    def _take(self, event: object) -> None:
        """Take in an event of any kind."""
        match event:
            case Ready():
                self.preset, self.ports = event.preset, event.ports
                self.tempo_bpm = self.tempo_bpm or event.tempo_bpm
            case Heard():
                self.is_rolling = not self.is_halted
            case Played(key=key, chord=chord):
                self.key, self.chord = key, chord
            case Started() | Halted() | Restarted():
                self.is_rolling, self.is_halted = isinstance(event, Started), isinstance(event, Halted)
            case Adopted():
                self.adopted = event
            case Learned():
                self.learned = event
            case Synced(tempo_bpm=tempo_bpm, is_own=is_own):
                self.tempo_bpm, self.clock = tempo_bpm, "own" if is_own else "outer"
            case _:
                self._take_steering(event)

    def _take_steering(self, event: object) -> None:
        """Take in what was done with knobs and pedals."""
        match event:
            case Changed():
                self.preset, self.source, self.model = event.preset, event.source, event.model
                self.adopted, self.learned = Adopted(0), None
                self.taste, self.words = event.taste, event.words
            case Notice(text):
                self.notice = text
            case Turned(knob, position):
                self.panel[knob] = position
            case Switched(_, action, is_on):
                (self.switched.add if is_on else self.switched.discard)(action)
                self.is_rolling = self.is_rolling or (is_on and action == Action.SOLO and not self.is_halted)
            case Judged(_, liked, taste, words):
                self.likes, self.dislikes = self.likes + liked, self.dislikes + (not liked)
                self.taste, self.words = taste, words
            case Undone(_, taste, words) | Tasted(taste, words):
                self.taste, self.words = taste, words
            case _:
                pass


def state_of(session: Session) -> State:
    """Give how a session's jam stood in the end, or stands where it goes on."""
    state = State()
    state.begin(session.settings)
    for event in session.events:
        state.take(event)
    return state
