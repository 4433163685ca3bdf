"""`improviser` on a PipeWire daemon, with its JACK library and without."""

from __future__ import annotations

import json
import re
import signal
import time
from pathlib import Path

import pytest

from improviser.midi.message import NoteOn
from improviser.midi.smf import read_file
from improviser.ports.sequencer import ALSA_SEQUENCER
from tests.live import Run, wait_for
from tests.pipewire import PipeWire

pytestmark = pytest.mark.pipewire

# A machine that runs all other tests at the same time is slow.
SLACK_S = 3.0


def test_a_jam_plays_through_pipewire(run: Run, pipewire: PipeWire, tmp_path: Path) -> None:
    """Under pw-jack the demo plays through PipeWire's ports."""
    options = ("--bars", "2", "--tempo", "240", "--key", "C", "--seed", "1", "--record", "take.mid")
    demo = run("demo", "--json", *options, pipewire=pipewire)
    ready = demo.wait_until_told("ready")
    assert ("jack", True) == (ready["backend"], ready["is_virtual"])
    assert (0, "") == demo.end()
    player, improviser = read_file(tmp_path / "take.mid").tracks
    assert any(isinstance(event.message, NoteOn) for event in player.events)
    assert any(isinstance(event.message, NoteOn) for event in improviser.events)


def test_a_daemon_that_is_started_again_is_joined(run: Run, pipewire: PipeWire) -> None:
    """A new command finds the daemon after a restart."""
    pipewire.restart()
    ports = run("ports", "--json", "--backend", "jack", pipewire=pipewire)
    assert (0, "") == ports.end()
    assert [] == ports.lines  # a daemon without a session manager has no ports of its own


def test_a_jam_survives_a_restart_of_the_daemon(run: Run, pipewire: PipeWire) -> None:
    """The jam reports that the daemon is gone, and plays within 5 s of its return. PipeWire 0.3 sends no notice."""
    jam = run("demo", "--json", "--tempo", "150", "--key", "C", "--seed", "3", pipewire=pipewire)
    wait_for(lambda: jam.told("played"), "a note")
    pipewire.restart()
    back_s = time.monotonic()
    wait_for(lambda: len(jam.told("ready")) == 2, "a performer on the new daemon")
    ready = len(jam.lines)
    wait_for(lambda: any('"played"' in line for line in jam.lines[ready:]), "a note on the new daemon")
    assert time.monotonic() - back_s < 5.0 + SLACK_S
    warnings = " ".join(told["text"] for told in jam.told("warning"))
    assert re.search("does not answer|no longer answers|the JACK server is gone", warnings)
    jam.process.send_signal(signal.SIGINT)
    assert (0, "") == jam.end()


def test_a_jam_whose_daemon_stays_away_ends_at_ctrl_c(run: Run, pipewire: PipeWire) -> None:
    """While it waits for the daemon, Ctrl-C ends the jam with code 0 and one plain line."""
    jam = run("demo", "--json", "--tempo", "150", "--key", "C", pipewire=pipewire)
    wait_for(lambda: jam.told("played"), "a note")
    pipewire.stop()
    wait_for(lambda: jam.told("warning"), "word of it")
    jam.process.send_signal(signal.SIGINT)
    assert (0, "") == jam.end()
    assert "ended while it waited for the MIDI system" in jam.told("notice")[-1]["text"]


def found(run: Run, *options: str, pipewire: PipeWire) -> dict[str, dict[str, str]]:
    """Return the doctor's findings on the daemon, by name."""
    doctor = run("doctor", "--json", *options, pipewire=pipewire)
    doctor.end()
    return {finding["name"]: finding for finding in map(json.loads, doctor.lines)}


def test_under_pw_jack_the_doctor_names_pipewire(run: Run, pipewire: PipeWire) -> None:
    """The doctor names JACK by PipeWire as the MIDI system, and a round trip takes a few of its periods."""
    findings = found(run, pipewire=pipewire)
    system = findings["MIDI system"]
    assert "pass" == system["status"]
    assert re.match(r"jack through JACK-Client [\d.]+ and PipeWire [\d.]+;", system["found"])
    assert "pass" == findings["round trip"]["status"]


def test_long_periods_are_told_with_what_shortens_them(run: Run, pipewire: PipeWire) -> None:
    """The doctor finds periods of 2,048 frames too long, and names PIPEWIRE_LATENCY as the next step."""
    pipewire.latency = "2048/48000"
    trip = found(run, pipewire=pipewire)["round trip"]
    assert "warn" == trip["status"]
    assert trip["next_step"].startswith("use shorter periods: PIPEWIRE_LATENCY=128/48000 pw-jack improviser jam")


@pytest.fixture
def without_pw_jack(pipewire: PipeWire, monkeypatch: pytest.MonkeyPatch) -> PipeWire:
    """The daemon, for programs that pw-jack does not start."""
    if ALSA_SEQUENCER.exists():
        pytest.skip("this machine has the ALSA sequencer")
    monkeypatch.setattr(pipewire, "command", lambda *arguments: list(arguments))
    return pipewire


@pytest.mark.parametrize(("options", "status"), [((), "warn"), (("--backend", "jack"), "fail")])
def test_without_pw_jack_the_doctor_names_it(
    run: Run, without_pw_jack: PipeWire, options: tuple[str, ...], status: str
) -> None:
    """Where PipeWire runs without a JACK server, the doctor suggests pw-jack and no other server."""
    system = found(run, *options, pipewire=without_pw_jack)["MIDI system"]
    assert status == system["status"]
    assert "pw-jack improviser jam" in system["next_step"]
    assert "PIPEWIRE_LATENCY=128/48000" in system["next_step"]
    assert "jackd" not in system["next_step"]


def test_a_jam_without_pw_jack_says_so_and_plays_inside(run: Run, without_pw_jack: PipeWire) -> None:
    """The built-in player jams, and one notice names pw-jack."""
    demo = run("demo", "--bars", "1", "--tempo", "240", "--key", "C", pipewire=without_pw_jack)
    assert (0, "") == demo.end()
    assert 1 == "".join(demo.lines).count("pw-jack improviser jam")
