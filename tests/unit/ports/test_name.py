"""Names of ports."""

from __future__ import annotations

import pytest

from improviser.errors import PortError
from improviser.ports.base import VIRTUAL_INPUT, VIRTUAL_OUTPUT
from improviser.ports.name import (
    distinct,
    is_match,
    is_own,
    is_through,
    loopback_name,
    match_names,
    own_ports,
    plain_name,
    twins_of,
)

KEYS = "Launchkey Mini:Launchkey Mini MIDI 1 20:0"


@pytest.mark.parametrize(
    ("plain", "name"),
    [
        ("Launchkey Mini:Launchkey Mini MIDI 1", KEYS),
        ("loopMIDI Port", "loopMIDI Port 3"),
        ("Improviser Out", "Improviser Out-01"),
        ("system:midi_capture_1", "system:midi_capture_1"),
    ],
)
def test_plain_name_loses_the_drivers_numbers(plain: str, name: str) -> None:
    """The plain name has no client and port numbers, which change from start to start."""
    assert plain == plain_name(name)


@pytest.mark.parametrize("own", [*own_ports(""), *own_ports("bass"), *own_ports("left hand 2"), "Improviser Player"])
@pytest.mark.parametrize("form", ["{0}", "{0} 128:0", "{0}:{0}", "{0}:{0} 129:0", "{0}-01:{0}", "{0} 2"])
def test_own_ports_are_known_in_every_drivers_form(own: str, form: str) -> None:
    """Our own port is recognised as client, as port, as both, and with any numbers after it."""
    assert is_own(form.format(own))


def test_the_ports_of_a_jam_bear_its_name() -> None:
    """A jam with a name has other ports than one without."""
    assert (VIRTUAL_INPUT, VIRTUAL_OUTPUT) == own_ports("")
    assert ("Improviser bass In", "Improviser bass Out") == own_ports("bass")


@pytest.mark.parametrize("name", [KEYS, "Improviser Outlet", "My Improviser Out", "Synth:midi"])
def test_foreign_ports_are_not_own(name: str) -> None:
    """A similar name is not our own."""
    assert not is_own(name)


@pytest.mark.parametrize("pattern", ["launch", "MINI MIDI 1", "Launchkey*", "*midi 1", KEYS, "20:0"])
def test_part_or_shell_pattern_matches_whatever_the_case(pattern: str) -> None:
    """Part of the name or a shell pattern matches, in any case, with or without the numbers."""
    assert is_match(pattern, KEYS)


def test_other_names_do_not_match() -> None:
    """A text that is neither part nor pattern does not match."""
    assert not is_match("Keystation", KEYS)


def test_matches_put_own_ports_last() -> None:
    """All matches are returned, our own after the others."""
    names = ("Improviser Out:Improviser Out", "Synth Out")
    assert ("Synth Out", "Improviser Out:Improviser Out") == match_names("out", names, "output")


def test_no_match_tells_what_is_available() -> None:
    """The error names the pattern, the available ports, and the command that lists them."""
    with pytest.raises(PortError, match=r"no MIDI input matches 'x' \(available: 'A', 'B'\); see: improviser"):
        match_names("x", ("A", "B"), "input")
    with pytest.raises(PortError, match="available: none"):
        match_names("x", (), "input")


def test_through_ports_are_known() -> None:
    """A port that repeats all others is recognised by its name."""
    assert is_through("Midi Through:Midi Through Port-0 14:0")
    assert not is_through(KEYS)


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ("Improviser 1", ["loopMIDI Port 0", "Improviser 1", "Default App Loopback (A) 2"]),
        ("Default App Loopback (A) 2", ["loopMIDI Port 0", "Default App Loopback (A) 2"]),
        ("loopMIDI Port 0", ["Microsoft GS Wavetable Synth 0", "loopMIDI Port 0"]),
        (None, ["Microsoft GS Wavetable Synth 0"]),
        (None, []),
    ],
)
def test_loopback_ports_of_windows_have_an_order(chosen: str | None, names: list[str]) -> None:
    """A port called Improviser is preferred, then the system's, then loopMIDI's; the synthesizer is never used."""
    assert chosen == loopback_name(names)


def test_devices_of_one_name_are_told_apart() -> None:
    """Keyboards with the same name, as in CoreMIDI, get numbers from the second one on."""
    names = distinct(["Keys", "Pad", "Keys", "Keys"])
    assert ("Keys", "Pad", "Keys #2", "Keys #3") == names
    assert ("Keys", "Keys #2", "Keys #3") == twins_of("Keys #3", names)
    assert ("Pad",) == twins_of("Pad", names)
