"""Ports inside the process."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from improviser.errors import PortError
from improviser.ports.loopback import LoopbackBackend, Patchbay, open_loopback

NOTE = (0x90, 60, 80)


class Listener:
    """A callback that records its messages."""

    def __init__(self) -> None:
        """Start with no messages."""
        self.heard: list[tuple[int, ...]] = []
        self.stamps: list[int] = []

    def __call__(self, data: Sequence[int], at_ns: int) -> None:
        """Record a message and its time stamp."""
        self.heard.append(tuple(data))
        self.stamps.append(at_ns)


def test_what_is_sent_on_a_virtual_output_is_heard() -> None:
    """A listener on a virtual output receives what is sent there."""
    backend, listener = open_loopback(), Listener()
    output = backend.open_virtual_output("Out")
    backend.open_input("Out", listener)
    output.send(NOTE)
    assert [NOTE] == listener.heard
    assert listener.stamps[0] > 0


def test_what_is_sent_to_a_virtual_input_is_heard() -> None:
    """A virtual input receives what others send to it."""
    backend, listener = open_loopback(), Listener()
    backend.open_virtual_input("In", listener)
    backend.open_output("In").send(NOTE)
    assert [NOTE] == listener.heard


def test_virtual_ports_are_listed_for_the_other_side() -> None:
    """A virtual output is listed as an input for others, and the other way round."""
    backend = open_loopback()
    backend.open_virtual_output("Out")
    backend.open_virtual_input("In", Listener())
    assert (("Out",), ("In",)) == (backend.input_names(), backend.output_names())


def test_backends_on_one_patchbay_reach_each_other() -> None:
    """Backends on the same patchbay reach each other's ports."""
    patchbay, listener = Patchbay(), Listener()
    LoopbackBackend(patchbay).open_virtual_input("In", listener)
    LoopbackBackend(patchbay).open_output("In").send(NOTE)
    assert [NOTE] == listener.heard


def test_missing_ports_are_an_error() -> None:
    """Opening a missing port is an error that names the existing ports."""
    backend = open_loopback()
    backend.open_virtual_output("Out")
    with pytest.raises(PortError, match="no MIDI port 'Nothing' \\(available: 'Out'\\)"):
        backend.open_input("Nothing", Listener())
    with pytest.raises(PortError, match="available: none"):
        backend.open_output("Nothing")


def test_names_are_taken_once() -> None:
    """A second virtual port of the same name is an error."""
    backend = open_loopback()
    backend.open_virtual_output("Out")
    backend.open_virtual_input("In", Listener())
    with pytest.raises(PortError, match="'Out' exists"):
        backend.open_virtual_output("Out")
    with pytest.raises(PortError, match="'In' exists"):
        backend.open_virtual_input("In", Listener())


def test_closed_ports_are_gone() -> None:
    """A closed port is not listed, sends nothing, and hears nothing."""
    backend, listener = open_loopback(), Listener()
    output = backend.open_virtual_output("Out")
    hearing = backend.open_input("Out", listener)
    hearing.close()
    output.send(NOTE)
    assert [] == listener.heard
    output.close()
    output.close()
    assert () == backend.input_names()
    with pytest.raises(PortError, match="closed"):
        output.send(NOTE)


def test_a_vanished_destination_is_an_error() -> None:
    """Sending to a virtual input that was closed, or listening on a lost source, is an error."""
    backend = open_loopback()
    virtual = backend.open_virtual_input("In", Listener())
    output = backend.open_output("In")
    virtual.close()
    with pytest.raises(PortError, match="no MIDI port 'In'"):
        output.send(NOTE)
    source = backend.open_virtual_output("Out")
    patchbay = Patchbay()
    with pytest.raises(PortError, match="no MIDI port 'Out'"):
        patchbay.listeners("Out")
    source.close()
    output.close()
    backend.close()


def test_exceptions_of_a_callback_are_counted() -> None:
    """An exception in a callback does not reach the sender, and is counted by the port."""
    backend = open_loopback()

    def broken(_data: Sequence[int], _at_ns: int) -> None:
        """Raise ValueError."""
        raise RuntimeError

    port = backend.open_virtual_input("In", broken)
    backend.open_output("In").send(NOTE)
    assert 1 == port.faults
