"""MIDI thru: what comes in goes out at once, beside what the improviser plays.

It is passed on where it comes in, in the driver's thread, so that it waits for nothing.
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
    """Passes on what comes in, and knows what it left sounding.

    Threads: `pass_on` is the drivers', `release` the beat's; neither blocks.
    """

    def __init__(
        self, output: OutputPort, cells: Cells, echoes: EchoFilter, keeps_back: Callable[[Message, str], bool]
    ) -> None:
        """Pass on the player's messages.

        Args:
            output: Where they go.
            cells: Memory in which what sounds is noted down.
            echoes: Knows them where they come back.
            keeps_back: Whether a message of a port is no music, but of a knob or pad that is bound.
        """
        self._output, self._cells, self._echoes, self._keeps_back = output, cells, echoes, keeps_back
        self._keys: dict[tuple[int, int], str] = {}
        self._pedals: dict[int, str] = {}
        self._is_closed = False

    def pass_on(self, data: Sequence[int], at_ns: int, port: str) -> None:
        """Pass on a message that came at `at_ns` on `port`, where it is whole and has a channel."""
        try:
            message = bytes_to_message(data)
        except MidiError:
            return
        if self._is_closed or not hasattr(message, "channel") or self._keeps_back(message, port):
            return
        for passed, its_data in self._as_passed(message, data, port):
            self._note(passed, port)
            self._echoes.note_sent(its_data, at_ns / NS_PER_S, port)
            with contextlib.suppress(PortError):  # the beat finds it out, and says so
                self._output.relay(its_data, at_ns / NS_PER_S)

    def release(self, at_s: float, port: str | None = None) -> None:
        """End what sounds of what came on `port`, or on any."""
        ends: list[Message] = [NoteOff(*key) for key, name in list(self._keys.items()) if port in {None, name}]
        ends += [
            ControlChange(channel, SUSTAIN_PEDAL, 0)
            for channel, name in list(self._pedals.items())
            if port in {None, name}
        ]
        for message in ends:
            self._note(message, "")
            with contextlib.suppress(PortError):  # gone, and silent with it
                self._output.relay(message_to_bytes(message), at_s)

    def close(self) -> None:
        """Pass on no more, whatever still comes; `release` ends what sounds."""
        self._is_closed = True

    def _as_passed(self, message: Message, data: Sequence[int], port: str) -> Iterator[tuple[Message, Sequence[int]]]:
        """Yield what is passed on for a message, with its bytes.

        "All notes off" and "all sound off" would end the improviser's notes on that channel too: in their
        place go the ends of the player's own.
        """
        if not isinstance(message, ControlChange) or message.control not in ENDS_NOTES:
            yield message, data
            return
        for channel, note in self._held(message.channel, port):
            yield (off := NoteOff(channel, note)), message_to_bytes(off)
        if message.control == ALL_SOUND_OFF and message.channel in self._pedals:
            # What the pedal holds ends where it comes up; it is down still, for what comes next.
            for value in (0, DATA_MAX):
                yield (pedal := ControlChange(message.channel, SUSTAIN_PEDAL, value)), message_to_bytes(pedal)

    def _held(self, channel: int, port: str) -> list[tuple[int, int]]:
        """Return the keys, (channel, note), that are down on a channel of a port."""
        return [key for key, name in list(self._keys.items()) if key[0] == channel and name == port]

    def _note(self, message: Message, port: str) -> None:
        """Note down what sounds after a message."""
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
