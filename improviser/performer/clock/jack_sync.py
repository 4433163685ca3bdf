"""Follows the JACK transport: its start and stop, and the beat, tempo and meter of its timebase master.

A loop, a locate and a change of meter count the beat anew while the music goes on (`Engine.recount`). Without a
timebase master the transport has a position in seconds only. With `jack` the improviser then keeps its own tempo, and
counts beats from the position; `auto` leaves such a transport alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.choices import ClockUse
from improviser.errors import UsageError
from improviser.music.meter import METERS, Meter
from improviser.performer.clock.clock_sync import JACK, TEMPO_MAX, TEMPO_MIN
from improviser.ports.jack_transport import HasTransport
from improviser.protocol import DIGITS, Notice
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Engine
    from improviser.performer.clock.clock_sync import ClockSync
    from improviser.performer.inbox import Inbox
    from improviser.performer.transport import Transport
    from improviser.ports.base import Backend
    from improviser.ports.jack_transport import JackPlace
    from improviser.protocol import Event

# A beat that differs by more than this from the engine's has jumped. Smaller differences are corrections.
JUMP_BEATS: Final = 0.1
# A position that differs by more than this from where it would have rolled was located.
LOCATED_S: Final = 0.001


class JackSync:
    """Passes the place of the JACK transport to the engine.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(
        self, use: ClockUse, clock_sync: ClockSync, transport: Transport, tell: Callable[[Event], None]
    ) -> None:
        """Follow the transport as `use` says. Nothing has been heard yet.

        Args:
            use: Whose beat to play to.
            clock_sync: Starts, stops and knows the other clocks.
            transport: Paces the performance.
            tell: Called with events for the player.
        """
        self._use, self._clock_sync, self._transport, self._tell = use, clock_sync, transport, tell
        # The moment of frame 0 by the last place without a timebase master.
        self._zero_s: float | None = None
        self._told: set[str] = set()

    @property
    def _engine(self) -> Engine:
        """The engine that plays now."""
        return self._transport.engine

    def hear(self, place: JackPlace) -> None:
        """Process a place of the transport."""
        if place.beat is not None and not TEMPO_MIN <= place.tempo_bpm <= TEMPO_MAX:
            self._once(
                f"the timebase master's tempo, {place.tempo_bpm:.0f} bpm, is out of range. Set it to {TEMPO_MIN:g} "
                f"to {TEMPO_MAX:g} bpm there"
            )
        elif place.beat is not None and place.is_rolling:
            self._follow(place, place.beat)
        elif place.beat is None and self._clock_sync.follows_jack:
            self._lose_master(place)
        elif self._use is ClockUse.JACK and place.is_rolling:
            self._follow_position(place)
        elif not place.is_rolling:
            self._stop(place)

    def _follow(self, place: JackPlace, beat: float) -> None:
        """Pass the beat of a timebase master to the engine."""
        at_s, beat = round(place.at_s, DIGITS), round(beat, DIGITS)
        self._clock_sync.follow_jack()
        self._zero_s = None
        was_rolling = self._engine.is_rolling
        self._count(at_s, beat, self._meter(place))
        self._transport.sync(at_s, beat, round(place.tempo_bpm, DIGITS), ClockUse.JACK)
        if not was_rolling:
            self._clock_sync.begin(at_s, beat)

    def _count(self, at_s: float, beat: float, meter: Meter) -> None:
        """Count the beat anew if it has jumped, or in other bars if the meter has changed."""
        is_jump = self._engine.is_rolling and abs(self._engine.beat_at(at_s) - beat) > JUMP_BEATS
        if is_jump or meter != self._engine.meter:
            self._transport.recount(at_s, beat, meter)

    def _meter(self, place: JackPlace) -> Meter:
        """Return the meter of a place; the present one if bars of that meter cannot be counted, which is reported."""
        present = self._engine.meter
        if place.meter is None or place.meter == (present.numerator, present.denominator):
            return present
        meter = Meter(*place.meter)
        if meter not in METERS:
            self._once(f"bars of {meter.name} cannot be counted. The improviser goes on in {present.name}")
            return present
        try:
            meter.bar_steps(self._engine.settings.steps_per_beat)
        except UsageError as error:
            self._once(f"{error}. The improviser goes on in {present.name}")
            return present
        return meter

    def _lose_master(self, place: JackPlace) -> None:
        """Go on without the timebase master, which has gone."""
        self._clock_sync.follows_jack = False
        if self._clock_sync.stopped_by == JACK:
            self._clock_sync.detach(place.at_s, "JACK's timebase master has gone")
            return
        if self._use is ClockUse.JACK:
            self._zero_s = place.at_s - place.position_s
        self._tell(Notice("JACK's timebase master has gone. The beat goes on at its last tempo"))

    def _follow_position(self, place: JackPlace) -> None:
        """Start with a transport that has a position only, or go where it was located."""
        zero_s, before_s = place.at_s - place.position_s, self._zero_s
        self._zero_s = zero_s
        at_s = round(place.at_s, DIGITS)
        beat = round(place.position_s * self._transport.tempo_bpm / S_PER_MINUTE, DIGITS)
        if not self._engine.is_rolling:
            self._clock_sync.begin(at_s, beat)
        elif before_s is None or abs(zero_s - before_s) > LOCATED_S:
            self._transport.recount(at_s, beat, self._engine.meter)

    def _stop(self, place: JackPlace) -> None:
        """Stop with the transport, if its beat or its position is followed."""
        if self._clock_sync.follows_jack or self._zero_s is not None:
            self._zero_s = None
            self._clock_sync.halt(round(place.at_s, DIGITS), JACK)

    def _once(self, text: str) -> None:
        """Send a notice, unless it was sent before."""
        if text not in self._told:
            self._told.add(text)
            self._tell(Notice(text))


def watch_jack(use: ClockUse, backend: Backend, inbox: Inbox) -> None:
    """Put the places of a backend's JACK transport into the inbox, if `use` may follow it.

    Raises:
        UsageError: `use` is JACK, and the backend has no such transport.
    """
    if use not in {ClockUse.AUTO, ClockUse.JACK}:
        return
    if isinstance(backend, HasTransport):
        backend.watch_transport(inbox.put)
    elif use is ClockUse.JACK:
        raise UsageError(f"the {backend.name} MIDI system has no JACK transport. Use --backend jack")
