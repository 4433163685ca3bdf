"""Turns received bytes into the player's messages for the engine, and records and reports them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from improviser.engine.chart_place import chart_place
from improviser.midi.message import (
    ALL_NOTES_OFF,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    message_to_bytes,
)
from improviser.performer.input.arrivals import ArrivalParser
from improviser.performer.input.held_notes import HeldNotes
from improviser.performer.input.mpe import MpeZones
from improviser.protocol import Controlled, Event, Heard, Lifted, Rested, Understood, Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Engine
    from improviser.performer.input.arrivals import Arrival
    from improviser.performer.input.zone import Zone
    from improviser.performer.stats import Stats


class MidiInput:
    """Parses what the inputs receive, leaves out what is not for the improviser, and tracks what is held.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, zone: Zone, stats: Stats, tell: Callable[[Event], None]) -> None:
        """Create an input that has heard nothing yet.

        Args:
            zone: The channels and keys to listen to.
            stats: Counts notes.
            tell: Called with events about what was heard.
        """
        self._parser = ArrivalParser()
        self._mpe = MpeZones()
        self._zone = zone
        self._stats = stats
        self._tell = tell
        self._held = HeldNotes()
        self._warned: set[str] = set()

    @property
    def bad_messages(self) -> int:
        """How many arrivals were not valid MIDI messages."""
        return self._parser.bad_messages

    @property
    def has_keys(self) -> bool:
        """Whether the player holds a key."""
        return self._held.has_keys

    def parse(self, arrival: Arrival) -> Message | None:
        """Return the message of an arrival, or None if it is invalid or came on another port too."""
        message = self._parser.parse(arrival)
        port = arrival.port
        if self._parser.bad_messages:
            self._warn_once("invalid", f"'{port}' sends invalid MIDI; it is ignored")
        if self._parser.twins:
            self._warn_once("twin", f"'{port}' sends the same notes as another port; each counts once")
        return message

    def music_in(self, message: Message, port: str) -> Message | None:
        """Return a message in the form for the engine, or None if it is not for the engine.

        The channels of an MPE keyboard are merged into one. Channels and keys outside the zone are left out.
        """
        merged = self._mpe.merged(message, port)
        return merged if merged is not None and self._zone.has(merged) else None

    def note(self, message: Message, at_s: float, port: str) -> None:
        """Record what the player did, and report it."""
        self._held.note(message, port)
        match message:
            case NoteOn(channel, note, velocity):
                self._stats.notes_heard += 1
                self._tell(Heard(at_s, channel, note, velocity, port))
            case NoteOff(channel, note):
                self._tell(Lifted(at_s, channel, note, port))
            case _:
                self._tell(Controlled(at_s, tuple(message_to_bytes(message)), port))

    def tell_understood(self, engine: Engine, at_s: float) -> None:
        """Report what an engine infers from what it has heard."""
        player, beat = engine.listener.player, engine.beat_at(at_s)
        place = chart_place(engine.settings.chart, engine.settings.meter, beat)
        self._tell(
            Understood(
                at_s=at_s,
                machine_s=time.monotonic(),
                beat=beat,
                key=engine.key.name,
                key_confidence=engine.listener.heard_key.confidence,
                chord=player.chord_name,
                chord_confidence=float(player.chord_confidence[0]),
                expected=() if engine.decision is None else engine.decision.expectations(),
                coming=() if place is None else place.coming,
                chart_bar=None if place is None else (place.bar, place.bars),
                turn=engine.turns.now,
            )
        )

    def tell_rest(self, engine: Engine, at_s: float) -> None:
        """Report it if an engine has just decided its last step before the player's next note."""
        if engine.decision is not None and engine.next_step_s is None:
            self._tell(Rested(at_s, engine.decision.beat))

    def lift(self, engine: Engine, at_s: float, *, port: str | None = None) -> None:
        """Release everything that is held on a port, or on all ports."""
        for message, its_port in self._held.lifted(port=port):
            self._hear(engine, message, at_s, its_port)

    def lift_missed(self, engine: Engine, at_s: float, channel: int) -> None:
        """Release everything that is held on a channel from which messages were dropped, perhaps note-offs."""
        for heard_on in self._mpe.heard_on(channel):
            for message, port in self._held.lifted(channel=heard_on):
                self._hear(engine, message, at_s, port)
            self._hear(engine, ControlChange(heard_on, ALL_NOTES_OFF, 0), at_s, "")

    def _hear(self, engine: Engine, message: Message, at_s: float, port: str) -> None:
        """Pass a message to an engine, and report it."""
        engine.hear(message, at_s)
        self.note(message, at_s, port)

    def _warn_once(self, kind: str, text: str) -> None:
        """Report a fault, unless one of its kind was reported before."""
        if kind not in self._warned:
            self._warned.add(kind)
            self._tell(Warned(text))
