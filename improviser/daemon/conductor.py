"""Whose beat is played to: the improviser's own, which can be set and tapped, or an outer clock's.

Of a MIDI clock and of Link the transport is followed too.

Between two messages of a clock, and when it has gone, the engine's own beat goes on at the last pace, so that
nothing has to be handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.control import DIGITS, TEMPO_BPM, ClockUse, Event, Halted, Notice, Refused, Started, Synced
from improviser.errors import MidiError
from improviser.listening.midi_clock import GONE_S, MidiClock
from improviser.listening.taps import Taps
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition, bytes_to_message
from improviser.music.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from improviser.daemon.ear import Arrival
    from improviser.daemon.inbox import LinkHeard
    from improviser.daemon.ledger import Place
    from improviser.engine import Engine
    from improviser.listening.midi_clock import Sync
    from improviser.midi.message import Message

# A tick, a song position, start, continue, stop.
_CLOCK_BYTES: Final = frozenset({0xF2, 0xF8, 0xFA, 0xFB, 0xFC})
# The engine is told four times a beat, and each tick of the first beat after a jump.
SYNC_TICKS: Final = 6
_FIRST_TICKS: Final = 24
# A pace beyond these is none: messages were lost, or made up.
TEMPO_MIN, TEMPO_MAX = TEMPO_BPM
# Peers that meet, or a peer that shifts its bars, let the beat jump; less is evened out.
LINK_JUMP_BEATS: Final = 0.1
# Somebody who counts in gets a moment to listen.
COUNT_IN_LEAD_S: Final = 0.5
_S_PER_MINUTE: Final = 60.0


def is_clock(data: Sequence[int]) -> bool:
    """Tell whether the bytes of a message are a clock's."""
    return bool(data) and data[0] in _CLOCK_BYTES


class Conductor:
    """Tells an engine the beat of the clock that is followed.

    Threads: the performer's beat only.
    """

    def __init__(self, use: ClockUse, propose: Callable[[float], None] | None = None) -> None:
        """Follow as `use` says; nothing is heard yet.

        Args:
            use: Whose beat is played to.
            propose: Takes a tempo that others have to agree on; None where nobody has.
        """
        self._use = use
        self._propose = propose
        self._has_transport = False
        self._clock = MidiClock()
        self._port: str | None = None
        self._ticks = 0
        self._heard_s = 0.0
        self._taps = Taps()
        self._knows_place = False
        self._is_followed = False
        self._is_bridging = False

    def hear(self, arrival: Arrival, engine: Engine) -> Iterator[Event]:
        """Take in a message of a clock; tell the engine what follows from it, and give what to tell of it.

        Halted is given before anything is done: the caller ends what sounds and halts the engine.
        """
        message = _message(arrival.data)
        if message is None or self._use in {ClockUse.OWN, ClockUse.LINK} or not self._is_from(arrival):
            return
        self._heard_s = arrival.at_s
        sync = self._clock.hear(message, arrival.at_s)
        if message in {START, CONTINUE}:
            self._is_followed = True
        if message == STOP and engine.is_rolling and (self._is_followed or self._use is ClockUse.MIDI):
            yield Halted(arrival.at_s)
        if sync is not None:
            yield from self._follow(sync, engine)

    def hear_link(self, heard: LinkHeard, engine: Engine) -> Iterator[Event]:
        """Take in where Link's beat is; its transport counts as soon as a peer has used it."""
        at_s, beat = heard.at_s, heard.beat
        self._has_transport = self._has_transport or heard.is_playing
        if self._has_transport and not heard.is_playing:
            if engine.is_rolling:
                yield Halted(at_s)
            return
        is_jump = not engine.is_rolling or abs(engine.beat_at(at_s) - beat) > LINK_JUMP_BEATS
        engine.sync(at_s, beat, heard.tempo_bpm)
        yield Synced(at_s, beat, heard.tempo_bpm)
        if is_jump:
            yield from self.begin(at_s, beat, engine)

    def begin(self, at_s: float, beat: float, engine: Engine) -> Iterator[Event]:
        """Let the engine's own beat begin: `beat` stands at `at_s`."""
        engine.start(at_s, beat)
        yield Started(at_s, beat)

    def count_in(self, bars: int, now_s: float, engine: Engine) -> Iterator[Event]:
        """Let the engine's own beat begin so many bars before the first one."""
        beats = Meter(*engine.settings.meter).bar_beats * bars
        return self.begin(round(now_s + COUNT_IN_LEAD_S, DIGITS), -beats, engine)

    def resume(self, place: Place, now_s: float, engine: Engine) -> Iterator[Event]:
        """Go on with a performance that had come to a place; the beat has gone on since."""
        passed_s = max(0.0, now_s - place.at_s)
        beat = round(place.beat + passed_s * place.tempo_bpm / _S_PER_MINUTE, DIGITS)
        engine.sync(now_s, beat, place.tempo_bpm)
        yield Synced(now_s, beat, place.tempo_bpm, is_own=True)
        yield from self.begin(now_s, beat, engine)

    def set_tempo(self, tempo_bpm: float, at_s: float, engine: Engine) -> Iterator[Event]:
        """Go on at another tempo from `at_s` on, where no outer clock says it."""
        if self._propose is not None:
            self._propose(tempo_bpm)
        elif self._is_led(at_s):
            yield Refused("tempo", "the tempo is that of the clock that is followed; it cannot be set here")
        else:
            yield from self._set(at_s, engine.beat_at(at_s), tempo_bpm, engine)

    def tap(self, at_s: float, engine: Engine) -> Iterator[Event]:
        """Take a tap as a beat; as a downbeat, where a clock is followed that has not told where it is."""
        tempo_bpm = self._taps.tap(at_s)
        if self._propose is not None:
            if tempo_bpm is not None:
                self._propose(tempo_bpm)
        elif self._is_led(at_s):
            if not self._knows_place:
                bar_beats = Meter(*engine.settings.meter).bar_beats
                yield from self.begin(at_s, round(engine.beat_at(at_s) / bar_beats) * bar_beats, engine)
        elif tempo_bpm is not None and TEMPO_MIN <= tempo_bpm <= TEMPO_MAX:
            beat = engine.beat_at(at_s)
            yield from self._set(at_s, round(beat) if engine.is_rolling else beat, tempo_bpm, engine)

    def look(self, at_s: float) -> Notice | None:
        """Look whether the clock that is followed has gone, at the moment `at_s`; say so, once."""
        is_gone = self._is_followed and self._clock.is_rolling and at_s - self._heard_s > GONE_S
        if is_gone and not self._is_bridging:
            self._is_bridging = True
            return Notice("the MIDI clock is gone: the beat goes on at its last tempo until it is back")
        return None

    def _is_led(self, at_s: float) -> bool:
        """Tell whether an outer clock is followed."""
        is_wanted = self._is_followed or self._use is ClockUse.MIDI
        return is_wanted and self._clock.is_alive(at_s)

    def _set(self, at_s: float, beat: float, tempo_bpm: float, engine: Engine) -> Iterator[Event]:
        """Let the engine's own beat stand, and go on, so."""
        beat, tempo_bpm = round(beat, DIGITS), round(tempo_bpm, DIGITS)
        engine.sync(at_s, beat, tempo_bpm)
        yield Synced(at_s, beat, tempo_bpm, is_own=True)

    def _is_from(self, arrival: Arrival) -> bool:
        """Tell whether it comes from the port whose clock is heard: the first one, as long as it is there."""
        if self._port is None or not self._clock.is_alive(arrival.at_s):
            self._port = arrival.port
        return arrival.port == self._port

    def _follow(self, sync: Sync, engine: Engine) -> Iterator[Event]:
        """Tell the engine of a tick."""
        if not (self._is_followed or self._use is ClockUse.MIDI):
            return  # a keyboard's own clock, which nobody has started
        self._ticks = 0 if sync.is_jump else self._ticks + 1
        if self._is_bridging:
            self._is_bridging = False
            yield Notice("the MIDI clock is back")
        if self._ticks % SYNC_TICKS and self._ticks > _FIRST_TICKS:
            return
        if sync.beat is None and self._is_followed:
            return  # it has stopped, though it ticks on
        self._knows_place = sync.beat is not None
        at_s = round(sync.at_s, DIGITS)
        beat = round(engine.beat_at(at_s) if sync.beat is None else sync.beat, DIGITS)
        if sync.tempo_bpm is not None and TEMPO_MIN <= sync.tempo_bpm <= TEMPO_MAX:
            tempo_bpm = round(sync.tempo_bpm, DIGITS)
            engine.sync(at_s, beat, tempo_bpm)
            yield Synced(at_s, beat, tempo_bpm)
        if sync.is_jump:
            engine.start(at_s, beat)
            yield Started(at_s, beat)


def _message(data: Sequence[int]) -> Message | None:
    """Give the message of a clock; None where it is broken."""
    try:
        message = bytes_to_message(data)
    except MidiError:
        return None
    return message if message in {CLOCK, START, CONTINUE, STOP} or isinstance(message, SongPosition) else None
