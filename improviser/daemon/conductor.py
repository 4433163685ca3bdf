"""Whose beat is played to: the improviser's own, or that of a MIDI clock, whose transport it follows too.

Between two messages of a clock, and when it has gone, the engine's own beat goes on at the last pace, so that
nothing has to be handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.control import DIGITS, ClockUse, Event, Halted, Notice, Started, Synced
from improviser.errors import MidiError
from improviser.listening.midi_clock import GONE_S, MidiClock
from improviser.midi.message import CLOCK, CONTINUE, START, STOP, SongPosition, bytes_to_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.daemon.ear import Arrival
    from improviser.engine import Engine
    from improviser.listening.midi_clock import Sync
    from improviser.midi.message import Message

# A tick, a song position, start, continue, stop.
_CLOCK_BYTES: Final = frozenset({0xF2, 0xF8, 0xFA, 0xFB, 0xFC})
# The engine is told four times a beat, and each tick of the first beat after a jump.
SYNC_TICKS: Final = 6
_FIRST_TICKS: Final = 24
# A pace beyond these is none: messages were lost, or made up.
TEMPO_MIN, TEMPO_MAX = 20.0, 400.0


def is_clock(data: Sequence[int]) -> bool:
    """Tell whether the bytes of a message are a clock's."""
    return bool(data) and data[0] in _CLOCK_BYTES


class Conductor:
    """Tells an engine the beat of the clock that is followed.

    Threads: the performer's beat only.
    """

    def __init__(self, use: ClockUse) -> None:
        """Follow as `use` says; nothing is heard yet."""
        self._use = use
        self._clock = MidiClock()
        self._port: str | None = None
        self._ticks = 0
        self._heard_s = 0.0
        self._is_followed = False
        self._is_bridging = False

    def hear(self, arrival: Arrival, engine: Engine) -> Iterator[Event]:
        """Take in a message of a clock; tell the engine what follows from it, and give what to tell of it.

        Halted is given before anything is done: the caller ends what sounds and halts the engine.
        """
        message = _message(arrival.data)
        if message is None or self._use is ClockUse.OWN or not self._is_from(arrival):
            return
        self._heard_s = arrival.at_s
        sync = self._clock.hear(message, arrival.at_s)
        if message in {START, CONTINUE}:
            self._is_followed = True
        if message == STOP and engine.is_rolling and (self._is_followed or self._use is ClockUse.MIDI):
            yield Halted(arrival.at_s)
        if sync is not None:
            yield from self._follow(sync, engine)

    def look(self, at_s: float) -> Notice | None:
        """Look whether the clock that is followed has gone, at the moment `at_s`; say so, once."""
        is_gone = self._is_followed and self._clock.is_rolling and at_s - self._heard_s > GONE_S
        if is_gone and not self._is_bridging:
            self._is_bridging = True
            return Notice("the MIDI clock is gone: the beat goes on at its last tempo until it is back")
        return None

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
