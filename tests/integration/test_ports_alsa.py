"""The driver over alsa-midi on the kernel's sequencer, where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from improviser.ports.alsa import AlsaBackend, open_alsa
from improviser.ports.base import Disconnected
from improviser.ports.sequencer import ALSA_SEQUENCER
from tests.live import Run, wait_for

pytestmark = pytest.mark.skipif(not ALSA_SEQUENCER.exists(), reason="this machine has no ALSA sequencer")
NOTES = [(0x90, note, 64) for note in range(100)]
LONG = (0xF0, *[5] * 3000, 0xF7)


@pytest.fixture
def backend() -> Iterator[AlsaBackend]:
    """The sequencer."""
    opened = open_alsa()
    yield opened
    opened.close()


def named(part: str, names: Sequence[str]) -> str:
    """Return the name that contains `part`."""
    return next(name for name in names if part in name)


def test_messages_go_both_ways(backend: AlsaBackend) -> None:
    """Notes reach our input in order, and a long message, a tick and a bend leave our output complete."""
    heard: list[tuple[int, ...]] = []
    others: list[tuple[int, ...]] = []
    hearing = backend.open_virtual_input("Improviser In", lambda data, _: heard.append(tuple(data)))
    output = backend.open_virtual_output("Improviser Out")
    playing = backend.open_output(named("Improviser In", backend.output_names()), "Keys")
    listening = backend.open_input(
        named("Improviser Out", backend.input_names()), lambda data, _: others.append(tuple(data))
    )
    for note in NOTES:
        playing.send(note)
    for message in (LONG, (0xF8,), (0xE0, 1, 2)):
        output.send(message)
    wait_for(lambda: len(heard) == len(NOTES) and len(others) == 3, "all messages")
    assert NOTES == heard
    assert [LONG, (0xF8,), (0xE0, 1, 2)] == others
    assert (0, 0) == (hearing.faults, listening.faults)
    for port in (hearing, output, playing, listening):
        port.close()
    assert not [name for name in backend.output_names() if "Improviser" in name]


def test_a_connection_that_goes_is_told(backend: AlsaBackend) -> None:
    """When a keyboard disappears, its input reports that at once and counts as unplugged."""
    news: list[object] = []
    backend.notify(news.append)
    keys = backend.open_virtual_output("Keys")
    name = named("Keys:Keys", backend.input_names())
    listening = backend.open_input(name, lambda *_: None)
    assert listening.is_plugged
    keys.close()
    wait_for(lambda: news, "news")
    assert [Disconnected(name)] == news
    assert not listening.is_plugged
    listening.close()


def test_a_demo_plays_on_the_sequencer(run: Run) -> None:
    """The built-in player is heard through the sequencer, and answered."""
    demo = run("demo", "--backend", "alsa", "--json", "--bars", "2", "--key", "C", "--seed", "1")
    assert "alsa" == demo.wait_until_told("ready")["backend"]
    assert (0, "") == demo.end()
    assert 0 < demo.told("summary")[0]["notes_heard"]
    assert 0 == demo.told("summary")[0]["stuck_notes"]


def test_ports_names_the_library(run: Run) -> None:
    """`ports --json` names the library through which each port is reached."""
    ports = run("ports", "--backend", "alsa", "--json")
    assert (0, "") == ports.end()
    drivers = {json.loads(line)["driver"] for line in ports.lines}
    assert all(driver.startswith(("alsa-midi ", "python-rtmidi ")) for driver in drivers)
