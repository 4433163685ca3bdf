"""Coverage-guided fuzzing of the code that reads foreign bytes: `python tests/faults/fuzz.py -atheris_runs=9999`.

Every input is either a message or a declared error, and a message converts back to the same bytes.
"""

from __future__ import annotations

import contextlib
import itertools
import sys

import atheris

with atheris.instrument_imports(include=["improviser"]):
    from improviser.errors import MidiError, UsageError
    from improviser.ipc.shared_state import SIZE
    from improviser.midi.message import bytes_to_message, message_to_bytes
    from improviser.performer.clock.clock_sync import is_clock
    from improviser.performer.input.arrivals import Arrival, ArrivalParser
    from improviser.performer.input.echo import EchoFilter
    from improviser.performer.input.thru import Thru
    from improviser.ports.loopback import LoopbackBackend, Patchbay
    from improviser.ports.sysex import disentangled
    from improviser.protocol import line_to_value, value_to_line
    from improviser.session.session_log import parse_session

EAR = ArrivalParser()
ECHOES = EchoFilter(lambda _loop: None, lambda: 0.0)
THRU = Thru(
    LoopbackBackend(Patchbay()).open_virtual_output("Out"), bytearray(SIZE), ECHOES, lambda _message, _port: False
)
# A message each millisecond, the limit of a MIDI cable.
MILLISECONDS = itertools.count()


def hear(data: bytes) -> None:
    """Read bytes as a message, as every input does."""
    at_ms = next(MILLISECONDS)
    for piece in disentangled(data) if data[:1] == b"\xf0" else [data]:
        with contextlib.suppress(MidiError):
            message = bytes_to_message(piece)
            assert bytes_to_message(message_to_bytes(message)) == message
        EAR.parse(Arrival(piece, at_ms / 1000, "A"))
        ECHOES.is_echo(piece, at_ms / 1000, "A")
        THRU.pass_on(piece, at_ms * 1_000_000, "A")
        is_clock(piece)


def read(text: str) -> None:
    """Read text as a line with an event, and as a journal."""
    with contextlib.suppress(ValueError):
        value = line_to_value(text)
        assert value_to_line(line_to_value(value_to_line(value))) == value_to_line(value)
    with contextlib.suppress(UsageError):
        parse_session(text, "fuzz")


def one(data: bytes) -> None:
    """Try one input."""
    provider = atheris.FuzzedDataProvider(data)
    if provider.ConsumeBool():
        hear(provider.ConsumeBytes(64))
    else:
        read(provider.ConsumeUnicodeNoSurrogates(400))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
