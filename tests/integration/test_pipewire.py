"""`improviser` on a PipeWire daemon, with its JACK library and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from improviser.midi.message import NoteOn
from improviser.midi.smf import read_file
from tests.live import Run
from tests.pipewire import PipeWire

pytestmark = pytest.mark.pipewire


def test_a_jam_plays_through_pipewire(run: Run, pipewire: PipeWire, tmp_path: Path) -> None:
    """Under pw-jack the demo plays through ports of PipeWire."""
    options = ("--bars", "2", "--tempo", "240", "--key", "C", "--seed", "1", "--record", "take.mid")
    demo = run("demo", "--json", *options, pipewire=pipewire)
    ready = demo.wait_until_told("ready")
    assert ("jack", True) == (ready["backend"], ready["is_virtual"])
    assert (0, "") == demo.end()
    player, improviser = read_file(tmp_path / "take.mid").tracks
    assert any(isinstance(event.message, NoteOn) for event in player.events)
    assert any(isinstance(event.message, NoteOn) for event in improviser.events)


def test_a_daemon_that_is_started_again_is_joined(run: Run, pipewire: PipeWire) -> None:
    """After a restart of the daemon a new command finds it."""
    pipewire.restart()
    ports = run("ports", "--json", "--backend", "jack", pipewire=pipewire)
    assert (0, "") == ports.end()
    assert [] == ports.lines  # a daemon without a session manager has no ports of its own
