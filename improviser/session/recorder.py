"""Records what was heard and played, and writes it as a MIDI file with two tracks on the grid of the jam."""

from __future__ import annotations

import math
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.engine import AUTO_KEY
from improviser.errors import MidiError, MidiFileError
from improviser.listening.pocket.pocket_tracker import SWING_STEPS
from improviser.listening.tempo import STRAIGHT
from improviser.midi.message import (
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    ProgramChange,
    bytes_to_message,
)
from improviser.midi.smf import MeterChange, Song, TempoChange, TimedEvent, Track, write_file
from improviser.midi.song import NO_CONDUCTOR, key_signature
from improviser.music.meter import Meter
from improviser.music.scale import parse_key
from improviser.protocol import (
    Changed,
    Controlled,
    Event,
    Heard,
    Lifted,
    MeterSet,
    PerformerSettings,
    Played,
    Recounted,
    Released,
    Started,
    Synced,
)
from improviser.session.found_swing import find_swing, set_swing
from improviser.session.session_log import Session, session_path
from improviser.session.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.session.found_swing import FoundSwing

TICKS_PER_BEAT: Final = 480
PLAYER_TRACK, IMPROVISER_TRACK = "player", "improviser"
_US_PER_MINUTE: Final = 60_000_000
# Controllers that hold or dampen notes until the pedal is up. Source: MIDI 1.0, table III.
PEDALS: Final = frozenset({64, 66, 67, 69})
# A tempo is written only if it differs by more than this share from the last one written.
_TEMPO_SHARE: Final = 0.002
# A step of the jam is used only for a note that sounds within this many beats of it.
_LATE_BEATS: Final = 0.5
_LOST: Final = "the take is lost, the music was not affected; free some space"


class _Recorded(NamedTuple):
    """A recorded message: its time in seconds, and the beat of the jam that it was decided for, if that is known."""

    at_s: float
    message: Message
    beat: float | None = None


class Recorder:
    """Collects a take from the performer's events.

    Threads: One thread uses the recorder. It runs in another process than the performer, so a slow disk cannot delay
    the music.
    """

    def __init__(self, settings: PerformerSettings) -> None:
        """Record on the grid that the settings define: tempo and meter."""
        self._tempo_bpm: float = settings.engine["tempo_bpm"]
        self._meter: tuple[int, int] = tuple(settings.engine["meter"])
        steps_per_beat = settings.engine.get("steps_per_beat", 4)
        is_found = settings.engine.get("follows_swing", False) and steps_per_beat % SWING_STEPS == 0
        self._swing: float | None = None if is_found else settings.engine.get("swing", STRAIGHT)
        self._step_ticks = TICKS_PER_BEAT // steps_per_beat
        self._start_s: float | None = None
        self._player: list[_Recorded] = []
        self._improviser: list[_Recorded] = []
        self._beats: list[Event] = []
        self._program = settings.program
        self._sounds: dict[int, int] = {}
        self._keys: Counter[str] = Counter()
        self._locked: str = settings.engine.get("key", AUTO_KEY)

    @property
    def has_notes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._player or self._improviser)

    def record(self, event: Event) -> None:
        """Process an event if it belongs to the music."""
        match event:
            case Heard(at_s, channel, note, velocity):
                self._start_s = at_s if self._start_s is None else self._start_s
                self._player.append(_Recorded(at_s, NoteOn(channel, note, velocity)))
            case Lifted(at_s, channel, note):
                self._player.append(_Recorded(at_s, NoteOff(channel, note)))
            case Controlled(at_s, data):
                self._control(at_s, data)
            case Played(_, actual_s, channel, note, velocity):
                self._choose_sound(actual_s, channel)
                self._keys[event.key] += 1
                beat = event.beat if event.key else None  # without a key it was not decided
                self._improviser.append(_Recorded(actual_s, NoteOn(channel, note, velocity), beat))
            case Changed():
                self._program = event.program
            case Released(_, actual_s, channel, note):
                self._improviser.append(_Recorded(actual_s, NoteOff(channel, note)))
            case Started() | Recounted() | Synced() | MeterSet():
                self._beats.append(event)
            case _:
                pass

    def song(self, start_s: float | None = None, *, quantised: bool = False) -> Song:
        """Return the take as a song whose bars fall on those of the jam.

        Args:
            start_s: The time of a downbeat in seconds; None for the player's first note.
            quantised: Whether notes begin and end on the grid's steps.
        """
        downbeat_s = start_s if start_s is not None else self._start_s
        line = Timeline(downbeat_s or 0.0, self._tempo_bpm, Meter(*self._meter), self._beats)
        first_s = min((each.at_s for each in (*self._player[:1], *self._improviser[:1])), default=math.inf)
        first = line.beat_at(first_s) if self.has_notes else 0.0
        origin = line.bar_line(first)
        parts = ((PLAYER_TRACK, self._player), (IMPROVISER_TRACK, self._improviser))
        swing = self._swing_of(line) if quantised else None
        return Song(
            TICKS_PER_BEAT,
            tuple(_tempos(line, origin)),
            tuple(_meters(line, origin)),
            tuple(Track(name, self._events(part, line, origin, swing)) for name, part in parts),
            self._conductor(),
        )

    def write(self, path: Path, start_s: float | None = None) -> None:
        """Write the take to `path` as it was played, and a quantised version beside it.

        Raises:
            MidiFileError: The take cannot be written there. The message says where the take is kept instead.
        """
        song = self.song(start_s)
        try:
            write_file(path, song)
            write_file(quantised_path(path), self.song(start_s, quantised=True))
        except MidiFileError as error:
            raise MidiFileError(f"{error}; {_kept(song)}") from error

    def _choose_sound(self, at_s: float, channel: int) -> None:
        """Add a program change before the improviser's note if the channel lacks the preset's program."""
        if self._program is not None and self._sounds.get(channel) != self._program:
            self._sounds[channel] = self._program
            self._improviser.append(_Recorded(at_s, ProgramChange(channel, self._program)))

    def _conductor(self) -> Track:
        """Return the key signature's track: the key of most notes of the improviser, else the locked key, if any."""
        told = Counter({key: count for key, count in self._keys.items() if key})  # an empty key was not decided
        ((key, _),) = told.most_common(1) or [(self._locked, 0)]
        if key == AUTO_KEY:
            return NO_CONDUCTOR
        return Track("", (TimedEvent(0, key_signature(parse_key(key))),))

    def _control(self, at_s: float, data: Sequence[int]) -> None:
        """Process a pedal, a wheel or a program change of the player."""
        try:
            message = bytes_to_message(data)
        except MidiError:
            return
        self._player.append(_Recorded(at_s, message))

    def _swing_of(self, line: Timeline) -> FoundSwing:
        """Return the swing of the take: the one that is set, or the player's."""
        if self._swing is not None:
            return set_swing(self._swing)
        struck_s = sorted(each.at_s for each in self._player if isinstance(each.message, NoteOn))
        return find_swing(map(line.beat_at, struck_s))

    def _events(
        self, part: Sequence[_Recorded], line: Timeline, origin: float, swing: FoundSwing | None
    ) -> tuple[TimedEvent, ...]:
        """Return a part's events in ticks after the beat `origin`, with a swing on the grid's steps.

        Keys and pedals that are still down are released at the end.
        """
        events: list[TimedEvent] = []
        for each in sorted(part, key=lambda each: each.at_s):
            place = line.beat_at(each.at_s) if swing is None else _step_beat(each, line, swing)
            events.append(TimedEvent(max(0, round((place - origin) * TICKS_PER_BEAT)), each.message))
        whole = (*events, *_lifted(events))
        return whole if swing is None else _quantised(whole, self._step_ticks)


def _step_beat(each: _Recorded, line: Timeline, swing: FoundSwing) -> float:
    """Return the beat of the straight grid that a message belongs to."""
    beat = line.beat_at(each.at_s)
    decided = None if each.beat is None else line.recorded(each.beat, each.at_s)
    return decided if decided is not None and abs(decided - beat) < _LATE_BEATS else swing.straight(beat)


def recorder_of(session: Session, bars: int | None = None) -> Recorder:
    """Return a recorder with the music of a session: all of it, or that of the last `bars` bars."""
    settings = session.settings
    recorder = Recorder(settings)
    since_s = -math.inf if bars is None else _since_s(session, bars)
    begun: set[tuple[type, int, int]] = set()
    for event in session.events:
        match event:
            case Heard(at_s, channel, note) if at_s >= since_s:
                begun.add((Heard, channel, note))
            case Played(due_s, _, channel, note) if due_s >= since_s:
                begun.add((Played, channel, note))
            case Lifted(_, channel, note) if (Heard, channel, note) in begun:
                pass
            case Released(_, _, channel, note) if (Played, channel, note) in begun:
                pass
            case Controlled(at_s) if at_s >= since_s:
                pass
            case Started() | Recounted() | Synced() | MeterSet() | Changed():
                pass
            case _:
                continue
        recorder.record(event)
    return recorder


def _since_s(session: Session, bars: int) -> float:
    """Return the time in seconds at which the last `bars` bars begin, counting the bar that is being played."""
    start_s = session.start_s or 0.0
    tempo_bpm = session.settings.engine["tempo_bpm"]
    line = Timeline(start_s, tempo_bpm, session.meter, session.events)
    last_s = max(
        (event.at_s if isinstance(event, Heard) else event.due_s)
        for event in (Heard(start_s, 0, 0, 1, ""), *session.events)
        if isinstance(event, Heard | Played)
    )
    return line.s_at(line.bar_line(line.beat_at(last_s), 1 - bars))


def _tempos(line: Timeline, origin: float) -> Iterator[TempoChange]:
    """Return the tempo at the beat `origin` and each later change, in ticks after `origin`."""
    begins = max((place for place, span in enumerate(line.spans) if span.beat <= origin), default=0)
    told = 0.0
    for span in line.spans[begins:]:
        if abs(span.tempo_bpm - told) > _TEMPO_SHARE * told:
            told = span.tempo_bpm
            tick = round(max(0.0, span.beat - origin) * TICKS_PER_BEAT)
            yield TempoChange(tick, round(_US_PER_MINUTE / told))


def _meters(line: Timeline, origin: float) -> Iterator[MeterChange]:
    """Return the meter at the beat `origin` and each later change, in ticks after `origin`."""
    begins = max((place for place, bars in enumerate(line.bars) if bars.first_beat <= origin), default=0)
    for bars in line.bars[begins:]:
        tick = round(max(0.0, bars.first_beat - origin) * TICKS_PER_BEAT)
        yield MeterChange(tick, bars.meter.numerator, bars.meter.denominator)


def quantised_path(path: Path) -> Path:
    """Return the path of the quantised take, which is beside the take as it was played."""
    return path.with_stem(f"{path.stem}-quantised")


def _quantised(events: Sequence[TimedEvent], step: int) -> tuple[TimedEvent, ...]:
    """Return events on multiples of `step` ticks. A note lasts at least a step, and ends if it is struck again."""
    on_grid: list[TimedEvent] = []
    begun: dict[tuple[int, int], int] = {}
    for event in events:
        tick = round(event.tick / step) * step
        match event.message:
            case NoteOn(channel, note):
                if (channel, note) in begun:
                    on_grid.append(TimedEvent(tick, NoteOff(channel, note)))
                begun[channel, note] = tick
            case NoteOff(channel, note):
                if (channel, note) not in begun:
                    continue
                tick = max(tick, begun.pop((channel, note)) + step)
            case _:
                pass
        on_grid.append(TimedEvent(tick, event.message))
    return tuple(sorted(on_grid, key=lambda event: (event.tick, isinstance(event.message, NoteOn))))


def _lifted(events: Sequence[TimedEvent]) -> list[TimedEvent]:
    """Return events that release the keys and pedals which are still down after `events`."""
    keys: set[tuple[int, int]] = set()
    pedals: set[tuple[int, int]] = set()
    for event in events:
        match event.message:
            case NoteOn(channel, note):
                keys.add((channel, note))
            case NoteOff(channel, note):
                keys.discard((channel, note))
            case ControlChange(channel, control, value) if control in PEDALS:
                (pedals.add if value else pedals.discard)((channel, control))
            case _:
                pass
    ups: list[Message] = [NoteOff(*key) for key in sorted(keys)]
    ups += [ControlChange(*pedal, 0) for pedal in sorted(pedals)]
    return [TimedEvent(events[-1].tick, up) for up in ups]


def _kept(song: Song) -> str:
    """Write the take to a temporary file. Return a message that says where it is, or that it is lost."""
    try:
        descriptor, name = tempfile.mkstemp(prefix="improviser-", suffix=".mid")
    except OSError:
        return _LOST
    os.close(descriptor)
    try:
        write_file(name, song)
    except MidiFileError:
        Path(name).unlink(missing_ok=True)
        return _LOST
    return f"the take is kept at {name}"


def free_path(path: Path) -> Path:
    """Return `path`, or the first free name such as take-2.mid, so that no take or session is overwritten."""
    free, number = path, 2
    while free.is_file() or session_path(free).is_file() or quantised_path(free).is_file():
        free, number = path.with_stem(f"{path.stem}-{number}"), number + 1
    return free
