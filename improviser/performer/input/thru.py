"""MIDI thru: sends what comes in to the output at once, beside what the improviser plays.

The driver's thread that receives a message passes it on, so the message waits for nothing.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from improviser.errors import MidiError, PortError
from improviser.ipc.shared_state import Cells, mark
from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import (
    ALL_SOUND_OFF,
    DATA_MAX,
    ENDS_NOTES,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    bytes_to_message,
    message_to_bytes,
)
from improviser.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from improviser.performer.input.echo import EchoFilter
    from improviser.ports.base import OutputPort


class Thru:
    """Passes on received messages, and tracks which of their notes sound.

    Threads: The drivers' threads call `pass_on`, and the performer's loop calls `release`. Neither method blocks.
    """

    def __init__(
        self, output: OutputPort, cells: Cells, echoes: EchoFilter, keeps_back: Callable[[Message, str], bool]
    ) -> None:
        """Pass on the player's messages.

        Args:
            output: The port to send to.
            cells: The memory that records which notes sound.
            echoes: Recognises messages that come back.
            keeps_back: Returns whether a message of a port belongs to a bound knob or pad, so that it is not music.
        """
        self._output, self._cells, self._echoes, self._keeps_back = output, cells, echoes, keeps_back
        self._keys: dict[tuple[int, int], str] = {}
        self._pedals: dict[int, str] = {}
        self._is_closed = False

    def pass_on(self, data: Sequence[int], at_ns: int, port: str, message: Message | None = None) -> None:
        """Pass on a message that came at `at_ns` on `port`, if it is complete and has a channel.

        `message` is the message, decoded, if it was decoded before.
        """
        try:
            message = message or bytes_to_message(data)
        except MidiError:
            return
        if self._is_closed or not hasattr(message, "channel") or self._keeps_back(message, port):
            return
        for passed, its_data in self._as_passed(message, data, port):
            self._note(passed, port)
            self._echoes.note_sent(its_data, at_ns / NS_PER_S, port)
            with contextlib.suppress(PortError):  # the performer's loop notices this and reports it
                self._output.relay(its_data, at_ns / NS_PER_S)

    def release(self, at_s: float, port: str | None = None) -> None:
        """End the notes and pedals that came on `port`, or on all ports."""
        ends: list[Message] = [NoteOff(*key) for key, name in list(self._keys.items()) if port in {None, name}]
        ends += [
            ControlChange(channel, SUSTAIN_PEDAL, 0)
            for channel, name in list(self._pedals.items())
            if port in {None, name}
        ]
        for message in ends:
            self._note(message, "")
            with contextlib.suppress(PortError):  # the port has gone, and its notes with it
                self._output.relay(message_to_bytes(message), at_s)

    def close(self) -> None:
        """Stop passing on messages. `release` ends what still sounds."""
        self._is_closed = True

    def _as_passed(self, message: Message, data: Sequence[int], port: str) -> Iterator[tuple[Message, Sequence[int]]]:
        """Yield the messages to send for a received one, with their bytes.

        "All notes off" and "all sound off" would also end the improviser's notes on that channel. So note-offs for the
        player's own notes replace them.
        """
        if not isinstance(message, ControlChange) or message.control not in ENDS_NOTES:
            yield message, data
            return
        for channel, note in self._held(message.channel, port):
            yield (off := NoteOff(channel, note)), message_to_bytes(off)
        if message.control == ALL_SOUND_OFF and message.channel in self._pedals:
            # The pedal's notes end when it comes up. The pedal goes down again for the notes that follow.
            for value in (0, DATA_MAX):
                yield (pedal := ControlChange(message.channel, SUSTAIN_PEDAL, value)), message_to_bytes(pedal)

    def _held(self, channel: int, port: str) -> list[tuple[int, int]]:
        """Return the keys, (channel, note), that are down on a channel of a port."""
        return [key for key, name in list(self._keys.items()) if key[0] == channel and name == port]

    def _note(self, message: Message, port: str) -> None:
        """Record what sounds after a message."""
        match message:
            case NoteOn(channel, note):
                self._keys[channel, note] = port
                mark(self._cells, channel, note, sounds=True)
            case NoteOff(channel, note) if self._keys.pop((channel, note), None) is not None:
                mark(self._cells, channel, note, sounds=False)
            case ControlChange(channel, control, value) if control == SUSTAIN_PEDAL:
                self._pedals.pop(channel, None)
                if value >= PEDAL_DOWN:
                    self._pedals[channel] = port
            case _:
                pass
