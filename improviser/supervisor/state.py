"""Keeps the state of a jam from the performer's events: for the page, for remote control and for a successor."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from improviser.choices import ClockUse, NoteTiming, PlayMode
from improviser.music.counted_bars import CountedBars
from improviser.music.meter import Meter
from improviser.ports.name import own_ports
from improviser.protocol import (
    DIGITS,
    NEUTRAL,
    Action,
    Adopted,
    BeatFound,
    Changed,
    Detached,
    Halted,
    Heard,
    Judged,
    Kept,
    Knob,
    Learned,
    Locked,
    MeterSet,
    ModeSet,
    Notice,
    Offered,
    Played,
    PortChanged,
    Ready,
    Recounted,
    Refused,
    Restarted,
    Rested,
    Routed,
    Silenced,
    Started,
    Switched,
    Synced,
    Tasted,
    Timed,
    Turned,
    Understood,
    Undone,
    value_to_json,
)
from improviser.session.timeline import counted_after
from improviser.units import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from improviser.ipc.shared_state import JamPosition
    from improviser.protocol import PerformerSettings
    from improviser.session.session_log import Session

# What the music waits for if no clock's transport is stopped.
FIRST_NOTE: Final = "your first note"
CLOCK_START: Final = "the clock to start"
ANY_START: Final = "your next note, a tap, a tempo or solo"
# Whose beat is played to, if it is no outer clock's.
OWN, PLAYER = ClockUse.OWN, ClockUse.FOLLOW
# Events that answer a command. Synced does so only if the tempo is the improviser's own.
_ANSWERS = (
    Turned
    | Switched
    | Locked
    | Timed
    | Routed
    | Judged
    | Undone
    | Tasted
    | Adopted
    | Started
    | Synced
    | Silenced
    | Kept
    | Notice
    | Refused
    | Changed
)
# Maps an event to the control whose refusal it settles.
_SETTLED: Final[Mapping[type, str]] = {
    Changed: "preset",
    Locked: "key",
    Timed: "timing",
    ModeSet: "mode",
    Routed: "ports",
    Started: "count_in",
    Synced: "tempo",
}
# A notice is shown for this long. So is a refusal, unless the next command comes earlier.
NOTICE_S: Final = 15.0
# Why nothing is played, and what makes the improviser play again.
RESTS: Final = "it rests until you play"
MUTED: Final = "it is muted: mute again to hear it (improviser ctl mute)"


@dataclass
class State:
    """The state that is sent to the page and to programs that steer the jam.

    Attributes:
        settings: The settings of the preset that plays now; `successor` adds later changes. None before `begin`.
        ready: The newest performer's Ready event, updated with the ports that are open now. None before the first one.
        follows_clock: Whether an outer clock sets the beat, or was the last to do so.
        is_alive: Whether a performer plays or is about to play.
        offset_s: The machine's monotonic clock minus the backend's clock, in seconds. Events use the backend's clock.
        bars: The bars as they are counted now.
        ignored: How many messages of other programs were ignored.
        heard_by: Returns the names of the ports connected to the virtual output, as far as the system reports them.

    Threads: One thread calls `apply`. Any thread may call `to_json`, `wait`, `ask`, `now_s` and `count_ignored`.
    """

    settings: PerformerSettings | None = None
    ready: Ready | None = None
    preset: str = ""
    tempo_bpm: float = 0.0
    learned: Learned | None = None
    clock: str = OWN
    beat: BeatFound | None = None
    is_rolling: bool = False
    is_halted: bool = False
    is_resting: bool = False
    waits_for: str | None = FIRST_NOTE
    bars: CountedBars = field(default_factory=CountedBars)
    key: str = ""
    key_confidence: float = 0.0
    chord: str | None = None
    chord_confidence: float = 0.0
    lock: str = ""
    mode: str = PlayMode.WITH_ME
    turn: tuple[bool, int, int] | None = None
    timing: Timed = field(default_factory=lambda: Timed(NoteTiming.AFTER_YOU))
    presets: tuple[str, ...] = ()
    panel: dict[str, float] = field(default_factory=dict)
    switched: set[str] = field(default_factory=set)
    taste: Mapping[str, float] = field(default_factory=dict)
    words: str = ""
    notice: str = ""
    refused: str = ""
    refused_what: str = ""
    likes: int = 0
    dislikes: int = 0
    player: str | None = None
    offered: Offered = field(default_factory=lambda: Offered((), ()))
    route: tuple[str | None, str | None] = (None, None)
    follows_clock: bool = False
    is_alive: bool = False
    offset_s: float = 0.0
    ignored: int = 0
    heard_by: Callable[[], tuple[str, ...]] = tuple
    gone: tuple[str, ...] = ()
    _told_s: float = 0.0
    _version: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, settings: PerformerSettings) -> None:
        """Set the state with which a performer begins."""
        engine = settings.engine
        with self._changed:
            self.settings, self.preset = settings, settings.preset
            self.tempo_bpm = engine.get("tempo_bpm", 0.0)
            self.bars = _first_bars(settings)
            self.clock = PLAYER if settings.follows_player else OWN
            self.lock = settings.lock or engine.get("key", "")
            follows = settings.clock in {ClockUse.LINK, ClockUse.MIDI, ClockUse.JACK}
            self.timing, self.mode = _timing(engine), engine.get("mode", PlayMode.WITH_ME)
            self.waits_for = CLOCK_START if follows else FIRST_NOTE
            self.presets = tuple(piece.preset for piece in settings.pieces)
            self.panel = {str(knob): NEUTRAL for knob in Knob if knob is not Knob.TEMPO}
            self.panel.update(engine.get("panel", {}))
            self.taste = dict(engine.get("taste", {}))

    def apply(self, event: object) -> None:
        """Process an event."""
        with self._changed:
            self._take(event)
            if _SETTLED.get(type(event)) == self.refused_what and _is_asked_for(event):
                self.refused = self.refused_what = ""
            if isinstance(event, _ANSWERS) and _is_asked_for(event):
                self._version += 1
                self._changed.notify_all()

    def successor(self, resume: JamPosition | None) -> PerformerSettings:
        """Return the settings of a performer that continues from `resume`.

        A MIDI clock that was followed sends no second start. So the new performer follows that clock at once.

        Raises:
            RuntimeError: The jam has not begun.
        """
        with self._changed:
            if self.settings is None:
                raise RuntimeError("no performer was started")
            settings = self.settings
            if self.clock in {OWN, PLAYER} and settings.follows_player != (self.clock == PLAYER):
                clock = ClockUse.FOLLOW if self.clock == PLAYER else ClockUse.AUTO
                settings = replace(settings, clock=clock, keeps_tempo=self.clock == OWN)
            if self.follows_clock and settings.clock in {ClockUse.AUTO, ClockUse.FOLLOW}:
                settings = replace(settings, clock=ClockUse.MIDI)
            return replace(
                settings,
                engine={
                    **settings.engine,
                    "timing": self.timing.chosen,
                    "offset_s": self.timing.offset_s,
                    "mode": self.mode,
                },
                resume=resume,
                bars_counted=None if self.bars == _first_bars(settings) else (self.bars.first_beat, *self.meter),
                panel=dict(self.panel),
                switched=tuple(sorted(self.switched)),
                taste=dict(self.taste),
                lock=self.lock,
            )

    @property
    def meter(self) -> tuple[int, int]:
        """Numerator and denominator of the meter."""
        return self.bars.meter.numerator, self.bars.meter.denominator

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs that are open."""
        return () if self.ready is None else self.ready.ports.get("in", ())

    def count_ignored(self) -> None:
        """Count a message of another program that was ignored."""
        with self._changed:
            self.ignored += 1

    def lose(self) -> None:
        """Record that the performer has gone."""
        with self._changed:
            self.is_alive = self.is_rolling = False

    def now_s(self) -> float:
        """Return the time by the backend's clock in seconds, using the newest known offset."""
        return time.monotonic() - self.offset_s

    def ask(self) -> int:
        """Clear the notice and the refusal before a command is sent. Return the version to pass to `wait`."""
        with self._changed:
            self.notice = self.refused = self.refused_what = ""
            return self._version

    def wait(self, version: int, patience_s: float) -> bool:
        """Wait up to `patience_s` seconds for a version after `version`. Return whether it came."""
        with self._changed:
            return self._changed.wait_for(lambda: self._version > version, patience_s)

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain values."""
        with self._changed:
            if time.monotonic() - self._told_s > NOTICE_S:
                self.notice = self.refused = self.refused_what = ""
            ready = self.ready
            return {
                "preset": self.preset,
                "presets": list(self.presets),
                "tempo_bpm": self.tempo_bpm,
                "clock": self.clock,
                "beat_confidence": self.beat.confidence if self.beat and self.clock == PLAYER else None,
                "beat_followed": bool(self.beat and self.beat.is_followed and self.clock == PLAYER),
                "rolling": self.is_rolling,
                "silent": self._silent(),
                "waits_for": None if self.is_rolling or not self.is_alive else self.waits_for,
                "meter": list(self.meter),
                "bar_beat": self.bars.first_beat,
                "first_bar": self.bars.first_bar,
                "beats": list(self.bars.beats),
                "metronome": self.settings is not None and self.settings.metronome,
                "key": self.key,
                "key_confidence": self.key_confidence,
                "lock": self.lock,
                "mode": self.mode,
                "turn": None if self.turn is None else list(self.turn),
                "timing": self.timing.chosen,
                "timing_now": self.timing.timing,
                "offset_ms": round(self.timing.offset_s * MS_PER_S, DIGITS),
                "chord": self.chord,
                "chord_confidence": self.chord_confidence,
                "panel": dict(self.panel),
                **{str(name): name in self.switched for name in (Action.MUTE, Action.SOLO, Action.FREEZE)},
                "taste": dict(self.taste),
                "words": self.words,
                "likes": self.likes,
                "dislikes": self.dislikes,
                "checkpoint": self.settings.adopted[0] if self.settings and self.settings.adopted else 0,
                "learned": None if self.learned is None else value_to_json(self.learned),
                "alive": self.is_alive,
                "backend": ready.backend if ready else "",
                "realtime": ready.realtime if ready else False,
                "player": self.player,
                "offered": {"in": list(self.offered.inputs), "out": list(self.offered.outputs)},
                "route": {"in": self.route[0], "out": self.route[1]},
                "sends_on": ready.sends_on if ready else "",
                "is_virtual": ready.is_virtual if ready else True,
                "own_ports": list(own_ports(ready.jam if ready else "")),
                "heard_by": list(self.heard_by()),
                "ports": {kind: list(names) for kind, names in ready.ports.items()} if ready else {},
                "ignored": self.ignored,
                "gone": list(self.gone),
                "notice": self.notice,
                "refused": self.refused,
                "refused_what": self.refused_what,
            }

    def _take(self, event: object) -> None:
        """Process an event of any kind."""
        match event:
            case Ready() | Routed() | Offered() | PortChanged():
                self._take_ports(event)
            case Understood() | Heard() | Played() | Rested():
                self._take_music(event)
            case Started() | Halted() | Detached() | Restarted():
                self.is_rolling, self.is_halted = isinstance(event, Started), isinstance(event, Halted)
                if isinstance(event, Restarted):
                    self.player, self.bars = None, _first_bars(self.settings)
                self.bars = counted_after(self.bars, event)
                self.is_resting, self.waits_for = False, _waits_for(event)
                # A clock whose transport has gone is no longer followed.
                self.follows_clock = self.follows_clock and not isinstance(event, Detached)
            case Learned():
                self.learned = event
            case Notice() | Refused():
                self._take_words(event)
            case Synced() | BeatFound() | MeterSet() | Recounted() | Timed():
                self._take_beat(event)
            case _:
                self._take_steering(event)

    def _take_beat(self, event: Synced | BeatFound | MeterSet | Recounted | Timed) -> None:
        """Process where the beat comes from, its tempo, the bars, or when notes leave.

        While the player is followed, the tempo is the one that is heard, not the momentary pace.
        """
        match event:
            case BeatFound(tempo_bpm=tempo_bpm):
                self.beat, self.tempo_bpm = event, tempo_bpm
            case MeterSet() | Recounted():
                self.bars = counted_after(self.bars, event)
            case Synced(tempo_bpm=tempo_bpm, is_own=is_own, clock=clock):
                outer = clock or ClockUse.MIDI  # a journal of an earlier version does not name the clock
                self.tempo_bpm = self.tempo_bpm if event.is_heard and self.is_rolling else tempo_bpm
                self.clock = ClockUse.OWN if is_own else outer
                self.follows_clock = self.follows_clock or self.clock == ClockUse.MIDI
            case Timed():
                self.timing = event

    def _take_music(self, event: Understood | Heard | Played | Rested) -> None:
        """Process what is played and what the improviser infers from it."""
        match event:
            case Heard():
                self.is_rolling, self.is_resting = not self.is_halted, False
            case Rested():
                self.is_resting = True
            case Played(key=key, chord=chord):
                self.key, self.chord = key, chord
            case Understood(at_s, machine_s, _, key, key_confidence, chord, chord_confidence):
                self.offset_s = machine_s - at_s
                self.key, self.key_confidence = key, key_confidence
                self.chord, self.chord_confidence = chord, chord_confidence
                self.turn = event.turn

    def _take_ports(self, event: Ready | Routed | Offered | PortChanged) -> None:
        """Process an event about the ports that are open or could be opened."""
        if isinstance(event, Offered):
            self.offered = event
            return
        if isinstance(event, PortChanged):
            self._change_port(event)
            return
        self.gone = ()
        if isinstance(event, Ready):
            self.ready, self.player = event, event.player
            self.preset, self.tempo_bpm = event.preset, self.tempo_bpm or event.tempo_bpm
            self.offset_s, self.is_alive = event.machine_s - event.at_s, True
            return
        self.route = event.route
        if self.ready is not None:
            self.ready = replace(self.ready, ports=event.ports, sends_on=event.sends_on, is_virtual=event.is_virtual)

    def _change_preset(self, event: Changed) -> None:
        """Process a change of preset. The new preset does not use the weights learned before."""
        self.preset, self.learned = event.preset, None
        self.taste, self.words = event.taste, event.words
        if self.settings is not None:
            self.settings = replace(
                self.settings,
                preset=event.preset,
                source=event.source,
                model=event.model,
                model_digest=event.model_digest,
                engine=event.engine,
                program=event.program,
                adopted=None,
            )

    def _change_port(self, event: PortChanged) -> None:
        """Process a port that has appeared or vanished."""
        self.gone = tuple(name for name in self.gone if name != event.name)
        if not event.is_there and event.may_return:
            self.gone += (event.name,)
        if self.ready is not None and not event.is_output:
            others = tuple(name for name in self.input_names if name != event.name)
            inputs = (*others, event.name) if event.is_there else others
            self.ready = replace(self.ready, ports={**self.ready.ports, "in": inputs})

    def _take_words(self, event: Notice | Refused) -> None:
        """Process a notice or a refusal, which are shown for a limited time."""
        self._told_s = time.monotonic()
        if isinstance(event, Notice):
            self.notice = event.text
        else:
            self.refused, self.refused_what = event.text, event.what

    def _switch(self, event: Switched | ModeSet) -> None:
        """Process a switch or a mode; solo and the mode alone begin to play."""
        match event:
            case Switched(_, action, is_on):
                (self.switched.add if is_on else self.switched.discard)(action)
                is_alone = is_on and action == Action.SOLO
            case ModeSet(_, mode):
                self.mode, is_alone = mode, mode == PlayMode.ALONE
        self.is_resting = self.is_resting and not is_alone
        self.is_rolling = self.is_rolling or (is_alone and not self.is_halted)

    def _silent(self) -> str:
        """Return why nothing is played now and what would change that, or an empty text if something is played."""
        if self.is_halted:
            return f"it waits for {self.waits_for}"
        if Action.MUTE in self.switched:
            return MUTED
        if not self.is_rolling:
            return f"it waits for {self.waits_for}"
        return RESTS if self.is_resting else ""

    def _take_steering(self, event: object) -> None:
        """Process the result of a command from a knob, a pedal or a button."""
        match event:
            case Changed():
                self._change_preset(event)
            case Adopted(number, path, digest) if self.settings is not None:
                self.settings = replace(self.settings, adopted=(number, path, digest) if number else None)
            case Locked(key):
                self.lock = key
            case Turned(knob, position):
                self.panel[knob] = position
            case Switched() | ModeSet():
                self._switch(event)
            case Judged(_, liked, taste, words):
                self.likes, self.dislikes = self.likes + liked, self.dislikes + (not liked)
                self.taste, self.words = taste, words
            case Undone(_, taste, words) | Tasted(taste, words):
                self.taste, self.words = taste, words
            case _:
                pass


def _is_asked_for(event: object) -> bool:
    """Return whether an event may answer a command: the beat of a clock or of the player's notes does not."""
    return not isinstance(event, Synced) or (event.is_own and not event.is_heard)


def _timing(engine: Mapping[str, Any]) -> Timed:
    """Return when notes leave at the beginning, from the engine's values."""
    chosen = NoteTiming(engine.get("timing", NoteTiming.AUTO))
    return Timed(chosen.or_else(NoteTiming.AFTER_YOU), engine.get("offset_s", 0.0), chosen)


# Maps what stopped the music, if it is no port of a MIDI clock, to what the music waits for.
_TRANSPORTS: Final[Mapping[str, str]] = {
    "Link": "play in Link, whose transport is stopped",
    "JACK": "play in JACK's transport, which is stopped, or a tap",
    "MMC": "play by MIDI Machine Control, or a tap",
}


def _first_bars(settings: PerformerSettings | None) -> CountedBars:
    """Return the bars as a jam with these settings counts them at first."""
    meter = None if settings is None else settings.engine.get("meter")
    return CountedBars() if meter is None else CountedBars(Meter(*meter))


def _waits_for(event: Started | Halted | Detached | Restarted) -> str:
    """Return what the music waits for after an event, unless it plays."""
    match event:
        case Halted(by=by) if by in _TRANSPORTS:
            return _TRANSPORTS[by]
        case Halted(by=port) if port:
            return f"play in the DAW (the MIDI clock on '{port}' is stopped), or a tap"
        case Halted():
            return "play in the DAW, whose transport is stopped"
        case Detached():
            return ANY_START
        case _:
            return FIRST_NOTE


def state_of(session: Session) -> State:
    """Return the state of a session's jam after its last recorded event."""
    state = State()
    state.begin(session.settings)
    for event in session.events:
        state.apply(event)
    return state
