"""Releases the notes of a dead performer through a new port, which is connected as the old one was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from improviser.midi.message import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    SUSTAIN_PEDAL,
    ControlChange,
    Message,
    NoteOff,
    message_to_bytes,
)
from improviser.ports import LOOPBACK, open_backend
from improviser.ports.name import own_ports
from improviser.ports.patience import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from improviser.ports.base import Backend, OutputPort
    from improviser.protocol import Ready

# The server takes a moment to notice that a client has gone.
_GONE_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.02
# Programs that connect by name need this long to find the new port.
_CONNECT_S: Final = 0.5
_LINGER_S: Final = 0.3
# On a working server the whole release takes at most 2 s.
_PATIENCE_S: Final = 6.0


def release(ready: Ready, sounding: Iterable[tuple[int, int]], listeners: Sequence[str] = ()) -> bool:
    """Release the notes that a dead performer left sounding. Return whether the releases are known to be heard.

    Args:
        ready: The event in which the performer named its ports.
        sounding: The (channel, note) pairs.
        listeners: Names of the ports that the performer's virtual port was connected to.

    Raises:
        PortError: The MIDI system has gone too, or does not answer.
    """
    notes = sorted(sounding)
    if not notes or ready.backend == LOOPBACK:
        return True
    return within(_PATIENCE_S, lambda: _release(ready, notes, listeners), ready.backend)


def _release(ready: Ready, notes: Sequence[tuple[int, int]], listeners: Sequence[str]) -> bool:
    """Release notes as `release` does, but without a time limit."""
    backend = open_backend(ready.backend)
    try:
        ports, is_heard = _open(backend, ready, listeners)
        for port in ports:
            for message in _offs(notes):
                port.send(message_to_bytes(message))
            time.sleep(_LINGER_S)
            port.close()
    finally:
        backend.close()
    return is_heard


def _open(backend: Backend, ready: Ready, listeners: Sequence[str]) -> tuple[list[OutputPort], bool]:
    """Open ports to those who heard the notes begin. Return whether a port is known to reach one of them."""
    if not ready.is_virtual:
        return [backend.open_output(ready.sends_on)], True
    give_up_s, (_, output) = time.monotonic() + _GONE_S, own_ports(ready.jam)
    while any(output in name for name in backend.input_names()) and time.monotonic() < give_up_s:
        time.sleep(_LOOK_EVERY_S)
    destinations = backend.output_names()
    direct = [backend.open_output(name, output) for name in listeners if name in destinations]
    if direct:
        return direct, True
    port = backend.open_virtual_output(output)
    time.sleep(_CONNECT_S)
    return [port], False


def _offs(notes: Sequence[tuple[int, int]]) -> list[Message]:
    """Return the note-offs of `notes`, then the controllers that silence their channels."""
    offs: list[Message] = [NoteOff(channel, note) for channel, note in notes]
    for channel in sorted({channel for channel, _ in notes}):
        offs += [ControlChange(channel, control, 0) for control in (SUSTAIN_PEDAL, ALL_NOTES_OFF, ALL_SOUND_OFF)]
    return offs
