"""Waits for the player to move a knob, pad or pedal, to learn which message it sends (MIDI learn)."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import MidiError, PortError
from improviser.listening.window import PEDAL_DOWN
from improviser.midi.message import (
    SUSTAIN_PEDAL,
    ControlChange,
    NoteOn,
    ProgramChange,
    bytes_to_message,
)
from improviser.performer.midi_mapping import sent_by
from improviser.performer.ports.opening import wanted_inputs
from improviser.ports.name import plain_name
from improviser.protocol import ControlMessage, PortSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from improviser.midi.message import Message
    from improviser.ports.base import Backend

# The sustain pedal cannot be learned, because it is used in all playing.
_SUSTAIN: Final = (ControlMessage.CONTROL_CHANGE, SUSTAIN_PEDAL)
# A knob that has sent this many values was turned, not only touched.
KNOB_VALUES: Final = 3


@dataclass(frozen=True, slots=True)
class LearnedControl:
    """What a control sends.

    Attributes:
        port: The name of its port, without what drivers add to it.
        kind: "control_change", "note" or "program_change".
        number: 0-127.
        channel: 0-15.
    """

    port: str
    kind: str
    number: int
    channel: int


def wait_for_control(backend: Backend, pattern: str | None, wait_s: float, *, is_knob: bool) -> LearnedControl | None:
    """Return the first control that is used on the inputs whose names match, or None if none is used in time.

    Args:
        backend: The MIDI system.
        pattern: Which inputs to listen to; None for all but our own.
        wait_s: The longest wait in seconds.
        is_knob: Whether to wait for a knob, which is turned through some values; else for a pad or pedal.

    Raises:
        PortError: There is no such input, or it cannot be opened.
    """
    heard: queue.SimpleQueue[tuple[str, Message]] = queue.SimpleQueue()
    names = wanted_inputs(PortSettings(input_pattern=pattern), backend.input_names())
    if not names:
        raise PortError("there is no MIDI input; connect the controller (see: improviser ports)")
    ports = [backend.open_input(name, _PortListener(plain_name(name), heard)) for name in names]
    try:
        return _first_control(heard, time.monotonic() + wait_s, is_knob=is_knob)
    finally:
        for port in ports:
            port.close()


class _PortListener:
    """Puts the messages of a port into a queue.

    Threads: The driver's thread calls the object.
    """

    def __init__(self, port: str, heard: queue.SimpleQueue[tuple[str, Message]]) -> None:
        """Label the messages with `port`."""
        self._port, self._heard = port, heard

    def __call__(self, data: Sequence[int], _at_ns: int) -> None:
        """Put a message into the queue. Ignore invalid data."""
        try:
            self._heard.put((self._port, bytes_to_message(data)))
        except MidiError:
            return


def _first_control(
    heard: queue.SimpleQueue[tuple[str, Message]], until_s: float, *, is_knob: bool
) -> LearnedControl | None:
    """Return the first control whose messages show clearly that it is meant."""
    values: dict[LearnedControl, set[int]] = {}
    while (left_s := until_s - time.monotonic()) > 0:
        try:
            port, message = heard.get(timeout=left_s)
        except queue.Empty:
            return None
        sent = sent_by(message)
        if sent is None or sent[:2] == _SUSTAIN:
            continue
        touch = LearnedControl(port, *sent)
        if not is_knob and _goes_down(message):
            return touch
        if is_knob and isinstance(message, ControlChange):
            seen = values.setdefault(touch, set())
            seen.add(message.value)
            if len(seen) >= KNOB_VALUES:
                return touch
    return None


def _goes_down(message: Message) -> bool:
    """Return whether a pad or pedal goes down with a message."""
    if isinstance(message, ControlChange):
        return message.value >= PEDAL_DOWN
    return isinstance(message, NoteOn | ProgramChange)
