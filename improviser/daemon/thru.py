"""MIDI thru: what comes in goes out at once, beside what the improviser plays.

It is passed on where it comes in, in the driver's thread, so that it waits for nothing.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Final

from improviser.daemon.ledger import Cells, mark
from improviser.errors import MidiError, PortError
from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    NoteOn,
    bytes_to_message,
    message_to_bytes,
)
from improviser.ports.clock import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.ports.base import OutputPort

# The same message within this time has come round by a cable from the output to an input (Source: as Ear's).
LOOP_NS: Final = 30_000_000
_KEPT: Final = 64


class Thru:
    """Passes on what comes in, and knows what it left sounding.

    Threads: `pass_on` is the drivers', `release` the beat's; neither blocks.
    """

    def __init__(self, output: OutputPort, cells: Cells) -> None:
        """Pass on to `output`, and note down in `cells` what sounds."""
        self._output, self._cells = output, cells
        # What belongs to a knob or pad that is bound makes no sound.
        self.keeps_back: Callable[[Message, str], bool] = lambda _message, _port: False
        self._keys: dict[tuple[int, int], str] = {}
        self._pedals: dict[int, str] = {}
        self._passed: deque[tuple[int, Message]] = deque(maxlen=_KEPT)
        self._is_closed = False

    def pass_on(self, data: Sequence[int], at_ns: int, port: str) -> None:
        """Pass on a message that came at `at_ns` on `port`, where it is whole and has a channel."""
        try:
            message = bytes_to_message(data)
        except MidiError:
            return
        if self._is_closed or not hasattr(message, "channel") or self.keeps_back(message, port):
            return
        if self._has_come_round(message, at_ns):
            return
        self._note(message, port)
        with contextlib.suppress(PortError):  # the beat finds it out, and says so
            self._output.relay(data, at_ns / NS_PER_S)

    def release(self, at_s: float, port: str | None = None) -> None:
        """End what sounds of what came on `port`, or on any."""
        ends: list[Message] = [
            NoteOff(*key) for key, name in list(self._keys.items()) if port in {None, name}
        ]
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

    def _has_come_round(self, message: Message, at_ns: int) -> bool:
        """Tell whether the same was passed on just now; else remember it."""
        if any(message == before and at_ns - then_ns < LOOP_NS for then_ns, before in tuple(self._passed)):
            return True
        self._passed.append((at_ns, message))
        return False

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
