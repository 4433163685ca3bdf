"""What the player does, from the bytes that came to the messages that count, with the books kept and told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from improviser.midi.message import (
    ALL_NOTES_OFF,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    message_to_bytes,
)
from improviser.music.chord import chord_from_index
from improviser.performer.input.arrivals import ArrivalParser
from improviser.performer.input.held_notes import HeldNotes
from improviser.protocol import Controlled, Event, Heard, Lifted, Rested, Understood, Warned

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.engine import Engine
    from improviser.performer.input.arrivals import Arrival
    from improviser.performer.stats import Stats


class MidiInput:
    """Understands, counts, remembers what is held, and tells.

    Threads: the performer's beat only.
    """

    def __init__(self, stats: Stats, tell: Callable[[Event], None]) -> None:
        """Count in `stats` and tell by `tell`; nothing was heard yet."""
        self.ear = ArrivalParser()
        self._stats = stats
        self._tell = tell
        self._held = HeldNotes()
        self._warned: set[str] = set()

    def listen(self, arrival: Arrival) -> Message | None:
        """Give the message of an arrival; None where it is not to be heard, which is told once."""
        message = self.ear.listen(arrival)
        port = arrival.port
        if self.ear.bad_messages:
            self._warn_once(f"'{port}' sends bytes that are no MIDI messages; they are ignored")
        if self.ear.twins:
            self._warn_once(f"the same notes come on '{port}' and another port; each counts once")
        return message

    def note(self, message: Message, at_s: float, port: str) -> None:
        """Keep the books of what the player did, and tell of it."""
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
        """Tell what an engine makes of what it has heard."""
        player = engine.player
        chord = chord_from_index(int(player.chord[0]))
        self._tell(
            Understood(
                at_s=at_s,
                machine_s=time.monotonic(),
                beat=engine.beat_at(at_s),
                key=engine.key.name,
                key_confidence=engine.key_confidence,
                chord=None if chord is None else chord.name,
                chord_confidence=float(player.chord_confidence[0]),
            )
        )

    def tell_rest(self, engine: Engine, at_s: float) -> None:
        """Report where an engine has just decided its last step before the player's next note."""
        if engine.decision is not None and engine.next_step_s is None:
            self._tell(Rested(at_s, engine.decision.beat))

    def let_go(self, engine: Engine, at_s: float, *, port: str | None = None, channel: int | None = None) -> None:
        """Let an engine hear, and tell, that all that is held on a port, or a channel, is let go of."""
        lifted = self._held.lifted(port=port, channel=channel)
        if channel is not None:
            lifted.append((ControlChange(channel, ALL_NOTES_OFF, 0), ""))
        for message, its_port in lifted:
            engine.hear(message, at_s)
            self.note(message, at_s, its_port)

    def _warn_once(self, text: str) -> None:
        """Tell of a fault, unless a like one was told of before."""
        kind = text.rpartition("'")[2]
        if kind not in self._warned:
            self._warned.add(kind)
            self._tell(Warned(text))
