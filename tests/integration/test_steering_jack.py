"""A jam over JACK that is steered from the command line, by OSC and by pedals, and is then replayed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from improviser.config.preset import load_preset
from tests.free_port import free_port
from tests.live import CHECKOUT, Partner, Run, wait_for

pytestmark = pytest.mark.jack

TUNE = [60, 62, 64, 65, 67, 65, 64, 62]
BEAT_S = 0.25
JAM = ("jam", "--json", "--tempo", "240", "--key", "C", "--seed", "3", "--in", "Improviser In")


def improviser(folder: Path, *words: str) -> dict[str, Any]:
    """Run a command beside the jam whose files are in `folder`; return its JSON output."""
    folders = {
        "IMPROVISER_CONFIG_DIR": str(folder / "config"),
        "IMPROVISER_STATE_DIR": str(folder / "state"),
        "PYTHONPATH": str(CHECKOUT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "improviser", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | folders,
    )
    assert (0, "") == (done.returncode, done.stderr)
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def send_osc(port: int, address: str, *values: float) -> None:
    """Send an OSC message."""
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(builder.build().dgram, ("127.0.0.1", port))


def test_a_jam_is_steered_from_everywhere(run: Run, partner: Partner, tmp_path: Path) -> None:
    """The command line, OSC and a pedal all steer the jam, and the session replays identically."""
    port = free_port(socket.SOCK_DGRAM)
    jam = run(*JAM, "--osc", str(port))
    jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE * 2, BEAT_S)
    assert 1.5 == improviser(tmp_path, "ctl", "harmony", "1.5")["panel"]["harmony"]
    for address, value in (("/improviser/density", 1.75), ("/improviser/density", 9.0), ("/elsewhere", 1.0)):
        send_osc(port, address, value)
    wait_for(lambda: len(jam.told("turned")) == 2, "a knob turned by OSC")
    partner.send(0xB0, 67, 127)
    wait_for(lambda: jam.told("judged"), "a pedal's dislike")
    state = improviser(tmp_path, "ctl")
    assert (1, 0, 2, 1.75) == (state["dislikes"], state["likes"], state["ignored"], state["panel"]["density"])
    assert 2 == len(jam.told("warning"))
    assert improviser(tmp_path, "ctl", "mute")["mute"]
    partner.play(TUNE, BEAT_S)
    assert set() == partner.sounding
    improviser(tmp_path, "ctl", "mute")
    assert 200.0 == improviser(tmp_path, "ctl", "tempo", "200")["tempo_bpm"]
    partner.play(TUNE, BEAT_S)
    jam.process.send_signal(signal.SIGTERM)
    assert (0, "") == jam.end()
    assert set() == partner.sounding
    assert 0 == jam.told("summary")[0]["stuck_notes"]
    (session,) = (tmp_path / "state" / "sessions").glob("*.session.jsonl")
    assert improviser(tmp_path, "replay", str(session))["identical"]


def test_what_was_learned_is_there_in_the_next_session(run: Run, partner: Partner, tmp_path: Path) -> None:
    """A preset saved during the jam holds the learned preference, also after an undo, and the next jam uses it."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE * 2, BEAT_S)
    improviser(tmp_path, "ctl", "density", "1.75")
    learned = improviser(tmp_path, "ctl", "dislike")["taste"]
    saved = Path(improviser(tmp_path, "save", "mine")["path"])
    assert {} == improviser(tmp_path, "ctl", "undo")["taste"] != learned
    jam.process.send_signal(signal.SIGTERM)
    assert (0, "") == jam.end()
    preset = load_preset(str(saved))
    assert (learned, {"density": 1.75}) == (preset.taste, preset.engine_values()["panel"])
    again = run(*JAM, "--preset", str(saved))
    assert learned == again.wait_until_told("tasted")["taste"]
    state = improviser(tmp_path, "ctl")
    assert ("mine", learned, 1.75) == (state["preset"], state["taste"], state["panel"]["density"])
    again.process.send_signal(signal.SIGTERM)
    assert (0, "") == again.end()


def test_a_successor_has_the_knobs_and_the_taste(run: Run, partner: Partner, tmp_path: Path) -> None:
    """After the performer is killed the next one has the same knobs and preference, and learns from new presses."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE * 2, BEAT_S)
    for words in (("density", "1.5"), ("echo", "0"), ("dislike",), ("solo",)):
        improviser(tmp_path, "ctl", *words)
    before = improviser(tmp_path, "ctl")
    os.kill(jam.performer(), signal.SIGKILL)
    wait_for(lambda: len(jam.told("ready")) == 2, "a successor")
    partner.play(TUNE * 2, BEAT_S)
    after = improviser(tmp_path, "ctl")
    for name in ("panel", "taste", "words", "solo", "dislikes"):
        assert before[name] == after[name], name
    assert 2 == improviser(tmp_path, "ctl", "dislike")["dislikes"]
    jam.process.send_signal(signal.SIGTERM)
    assert 0 == jam.end()[0]


def test_the_next_preset_is_played_in_time(run: Run, partner: Partner, tmp_path: Path) -> None:
    """The command line switches the preset, and the next performer plays it too; the session replays identically."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE, BEAT_S)
    improviser(tmp_path, "ctl", "next_preset")
    partner.play(TUNE * 2, BEAT_S)
    (changed,) = jam.told("changed")
    assert changed["preset"] == improviser(tmp_path, "ctl")["preset"] != "chorale"
    os.kill(jam.performer(), signal.SIGKILL)
    wait_for(lambda: len(jam.told("ready")) == 2, "a successor")
    assert changed["preset"] == jam.told("ready")[1]["preset"]
    partner.play(TUNE, BEAT_S)
    jam.process.send_signal(signal.SIGTERM)
    assert 0 == jam.end()[0]
    assert set() == partner.sounding
    assert 0 == jam.told("summary")[0]["stuck_notes"]
    (session,) = (tmp_path / "state" / "sessions").glob("*.session.jsonl")
    assert improviser(tmp_path, "replay", str(session))["identical"]
