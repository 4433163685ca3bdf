"""`improviser jam` over JACK's dummy driver: another client plays to it and hears what it sends."""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import time
from pathlib import Path

import pytest

from improviser.midi.message import NoteOn
from improviser.midi.smf import read_file
from improviser.ports.clock import MonotonicClock
from improviser.ports.link import open_link
from improviser.studies import readiness
from tests.live import PLUGGED_S, Command, Partner, Run, wait_for

pytestmark = pytest.mark.jack

# 150 beats a minute; the key is locked, so that the improviser plays in the first bar already.
BEAT_S = 0.4
JAM = ("jam", "--json", "--tempo", "150", "--key", "C", "--seed", "3", "--in", "Improviser In")
# A busy machine also delays the listening client: nine notes of ten arrive within this time.
ARRIVAL_S = 0.02
TUNE = [64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64, 64, 62, 62, 60]
C_MAJOR = {0, 2, 4, 5, 7, 9, 11}


def test_a_tune_is_answered_on_the_grid(run: Run, partner: Partner, tmp_path: Path) -> None:
    """The improviser's notes are on the sixteenths of the player's beat, in the key, and all are released.

    A note that mends a clash with the player's note leaves when that note is heard.
    """
    jam = run(*JAM, "--bars", "4", "--record", "take.mid", "--timing", "on-grid")
    ready = jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE, BEAT_S)
    assert (0, "") == jam.end()
    assert ("jack", {"in": ["Improviser In"], "out": ["Improviser Out"]}) == (
        ready["backend"],
        ready["ports"],
    )
    played, heard, summary = jam.told("played"), jam.told("heard"), jam.told("summary")[0]
    assert TUNE == [event["note"] for event in heard][:16]
    steps = [(event["due_s"] - heard[0]["at_s"]) / (BEAT_S / 4) for event in played]
    mended_s = [event["at_s"] for event in jam.told("mended")]
    on_grid = [step for step in steps if abs(step - round(step)) < 1e-3]
    assert len(steps) - len(on_grid) <= len(mended_s)
    assert len(on_grid) > 8
    assert 10 < len(played) == summary["notes_played"]
    assert {event["note"] % 12 for event in played} <= C_MAJOR
    assert [event["note"] for event in played] == [note for _, note in partner.ons]
    # The improviser's clock is JACK's, which stops while the server does; the partner's clock runs on.
    late_s = [at_s - event["due_s"] for (at_s, _), event in zip(partner.ons, played, strict=True)]
    clocks_s = statistics.median(late_s)
    assert len([late for late in late_s if abs(late - clocks_s) < ARRIVAL_S]) >= 0.9 * len(late_s)
    arrivals = [(at_s - clocks_s - heard[0]["at_s"]) / (BEAT_S / 4) for at_s, _ in partner.ons]
    assert pytest.approx(steps, abs=2 * ARRIVAL_S / BEAT_S * 4) == arrivals
    assert (set(), 0, 0) == (partner.sounding, summary["stuck_notes"], summary["late_decisions"])
    tracks = {track.name: track for track in read_file(tmp_path / "take.mid").tracks}
    assert [len(heard), len(played)] == [
        sum(isinstance(event.message, NoteOn) for event in tracks[name].events) for name in ("player", "improviser")
    ]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_in_mid_note_releases_all(run: Run, partner: Partner, name: str) -> None:
    """SIGTERM, SIGINT and SIGHUP release all sounding notes; the jam reports a summary and exits with code 0."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE, BEAT_S, until=lambda: partner.sounding)
    jam.process.send_signal(getattr(signal, name))
    assert (0, "") == jam.end()
    wait_for(lambda: not partner.sounding, "release")
    assert 0 == jam.told("summary")[0]["stuck_notes"]


def test_a_clock_is_followed(run: Run, partner: Partner) -> None:
    """Another program's clock sets the tempo and the downbeat; its stop ends all sounding notes."""
    jam = run("jam", "--json", "--key", "C", "--in", "Improviser In")
    jam.wait_until_told("ready")
    partner.connect()
    tick_s = 60 / 200 / 24
    start_s = time.monotonic()
    partner.send(0xFA)
    for tick in range(24 * 16):
        time.sleep(max(0.0, start_s + tick * tick_s - time.monotonic()))
        partner.send(0xF8)
        if tick % 24 == 0:
            partner.send(0x90, TUNE[tick // 24], 80)
    partner.send(0xFC)
    wait_for(lambda: jam.told("halted") and not partner.sounding, "the stop")
    jam.process.send_signal(signal.SIGINT)
    assert (0, "") == jam.end()
    assert 200 == pytest.approx(jam.told("synced")[-1]["tempo_bpm"], abs=2)
    assert 0.0 == jam.told("started")[0]["beat"]
    assert len(partner.ons) > 3


def test_garbage_does_not_interrupt(run: Run, partner: Partner) -> None:
    """A stream of random bytes is reported once; the jam plays on, and no note hangs."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE[:4], BEAT_S)
    noise = random.Random(0)  # noqa: S311 - no secret
    for _ in range(300):
        partner.send(*(noise.randrange(0x100) for _ in range(noise.randrange(1, 4))))
        time.sleep(0.001)
    before = len(partner.ons)
    partner.play(TUNE, BEAT_S, until=lambda: len(partner.ons) > before + 3)
    assert len(partner.ons) > before
    jam.process.terminate()
    assert (0, "") == jam.end()
    summary = jam.told("summary")[0]
    assert 0 < summary["bad_messages"]
    assert 1 == len([event for event in jam.told("warning") if "sends invalid MIDI" in event["text"]])
    assert (0, set()) == (summary["stuck_notes"], partner.sounding)


def test_a_message_without_an_end_does_not_deafen(run: Run, partner: Partner) -> None:
    """Messages after a system exclusive message that never ends are heard, and no key stays down."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    partner.send(0x90, 72, 80)
    wait_for(lambda: jam.told("heard"), "first note")
    partner.send(0xF0, 1, 2)
    partner.send(0x80, 72, 0)
    wait_for(lambda: jam.told("lifted"), "note-off")
    partner.play(TUNE[:1], BEAT_S)
    wait_for(lambda: [72, 64] == [event["note"] for event in jam.told("heard")], "second note")
    assert jam.process.poll() is None


def test_a_keyboard_without_an_end_is_heard_again(run: Run, partner: Partner) -> None:
    """The same holds for a keyboard that was connected before the jam started."""
    partner.offer()
    jam = run(*JAM[:-2], "--in", "Test Keys")
    jam.wait_until_told("ready")
    partner.send(0x90, 72, 80)
    wait_for(lambda: jam.told("heard"), "first note")
    partner.send(0xF0, 1, 2)
    partner.send(0x80, 72, 0)
    wait_for(lambda: jam.told("lifted"), "note-off")


def test_a_panic_silences_at_once(run: Run, partner: Partner) -> None:
    """The player's all notes off is not passed on; a panic is, and the jam plays on."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    partner.play(TUNE, BEAT_S, until=lambda: partner.sounding)
    partner.send(0xB0, 123, 0)
    jam.wait_until_told("controlled")
    assert (0xB0, 123, 0) not in [data for _, data in partner.received]
    assert 0 == run("ctl", "panic").end()[0]
    wait_for(lambda: (0xB0, 123, 0) in [data for _, data in partner.received], "panic")
    before = len(partner.ons)
    partner.play(TUNE, BEAT_S, until=lambda: len(partner.ons) > before)
    assert jam.process.poll() is None


def test_a_killed_performer_leaves_no_note_hanging_and_plays_on(run: Run, partner: Partner) -> None:
    """When the performer is killed, its notes are released, and another performer plays on with its connections."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    time.sleep(1.0)  # the connections are read twice a second
    partner.play(TUNE, BEAT_S, until=lambda: partner.sounding)
    os.kill(jam.performer(), signal.SIGKILL)
    wait_for(lambda: not partner.sounding, "release")
    wait_for(lambda: len(jam.told("ready")) == 2, "another performer")
    before = len(partner.ons)
    partner.play(TUNE, BEAT_S, until=lambda: len(partner.ons) > before + 2)
    jam.process.send_signal(signal.SIGINT)
    assert (0, "") == jam.end()
    assert "the performer was killed by signal 9; 1 sounding notes were ended; it plays on" in [
        event["text"] for event in jam.told("warning")
    ]
    wait_for(lambda: not partner.sounding, "release")
    replayed = run("replay", jam.told("session")[0]["path"], "--json")
    assert (0, "") == replayed.end()
    assert replayed.told("replayed")[0]["identical"]


def test_a_second_improviser_says_so(run: Run, partner: Partner) -> None:
    """A second jam on the same server exits with an error instead of opening a port of the same name."""
    del partner
    jam = run(*JAM)
    jam.wait_until_told("ready")
    code, fault = run(*JAM).end()
    assert 1 == code
    assert (
        "another jam is running: the port 'Improviser Out' exists. End it, or give this one a name of its own" in fault
    )
    assert jam.process.poll() is None


def test_a_bass_plays_beside_chords(run: Run, partner: Partner) -> None:
    """A jam with a name has ports of its own: two hear the same keyboard, and not each other, and both play.

    `improviser ctl` reaches each by its process.
    """
    partner.offer()
    keys = ("--json", "--tempo", "150", "--key", "C", "--in", "Test Keys")
    chords = run("jam", *keys, "--preset", "comping", "--bars", "4")
    bass = run("jam", *keys, "--preset", "bass", "--name", "bass", "--channel", "2", "--bars", "4")
    assert ["Improviser Out"] == chords.wait_until_told("ready")["ports"]["out"]
    assert ["Improviser bass Out"] == bass.wait_until_told("ready")["ports"]["out"]
    for port in ("Improviser Out", "Improviser bass Out"):
        partner.listen(port)
    time.sleep(PLUGGED_S)
    steered = [run("ctl", "--jam", name, "density", "0.5") for name in ("bass", str(chords.process.pid))]
    partner.play(TUNE, BEAT_S)
    assert [(0, "")] * 4 == [each.end() for each in (*steered, chords, bass)]
    for jam in (chords, bass):
        assert TUNE == [event["note"] for event in jam.told("heard")]
        assert 1 == len(jam.told("turned"))
        assert len(jam.told("played")) > 3
    told = {data[0] & 0x0F for _, data in partner.received if data[0] & 0xF0 == 0x90}
    assert {0, 1} == told
    assert not partner.sounding


def test_a_killed_parent_ends_the_performer(run: Run, partner: Partner) -> None:
    """When the command itself is killed, the performer releases its notes and ends."""
    jam = run(*JAM)
    jam.wait_until_told("ready")
    partner.connect()
    performer = jam.performer()
    partner.play(TUNE, BEAT_S, until=lambda: partner.sounding)
    jam.process.kill()
    wait_for(lambda: not partner.sounding, "release")
    wait_for(lambda: not _is_alive(performer), "end of the performer")


def _is_alive(process: int) -> bool:
    """Return whether a process runs."""
    try:
        state = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_keyboard_that_is_there_is_listened_to(run: Run, partner: Partner) -> None:
    """Without --in the jam opens every input of another program, but none of its own."""
    partner.offer()
    jam = run("jam", "--json", "--tempo", "150", "--key", "C", "--bars", "1")
    ready = jam.wait_until_told("ready")
    partner.listen()
    partner.play(TUNE[:5], BEAT_S)
    assert (0, "") == jam.end()
    assert ["Improviser In", "Test Keys:Test Keys"] == ready["ports"]["in"]
    assert (None, 64) == (ready["player"], jam.told("heard")[0]["note"])


def test_a_keyboard_may_come_late_and_go(run: Run, partner: Partner) -> None:
    """A keyboard that is plugged in during a jam is opened; when it is unplugged, its keys are released."""
    jam = run("jam", "--json")
    jam.wait_until_told("ready")
    partner.offer()
    wait_for(lambda: "'Test Keys:Test Keys' is listened to now" in texts(jam, "notice"), "the keyboard")
    time.sleep(0.1)
    partner.send(0x90, 60, 80)
    wait_for(lambda: jam.told("heard"), "a note")
    partner.unplug()
    gone = "the input 'Test Keys:Test Keys' is gone; it is used again when it returns"
    wait_for(lambda: gone in texts(jam, "warning"), "the loss")
    assert [60] == [event["note"] for event in jam.told("lifted")]
    partner.offer()
    wait_for(lambda: 2 == len([text for text in texts(jam, "notice") if "listened to" in text]), "its return")
    assert jam.process.poll() is None


def texts(jam: Command, kind: str) -> list[str]:
    """Return the texts of the events of one kind."""
    return [event["text"] for event in jam.told(kind)]


def test_ports_are_found_by_pattern(run: Run, partner: Partner) -> None:
    """--in selects an input by part of its name; a pattern without a match is an error that lists the inputs."""
    partner.offer()
    assert ["Test Keys:Test Keys"] == run("jam", "--json", "--in", "keys").wait_until_told("ready")["ports"]["in"]
    code, fault = run("jam", "--in", "Grand Piano").end()
    assert 1 == code
    expected = "no MIDI input matches 'Grand Piano' (available: 'Test Keys:Test Keys'); see: improviser ports"
    assert f"improviser: {expected}\n" == fault


def test_ports_are_listed(run: Run, partner: Partner) -> None:
    """`improviser ports` lists what --in and --out can name."""
    partner.offer()
    ports = run("ports", "--json")
    assert (0, "") == ports.end()
    listed = [json.loads(line) for line in ports.lines]
    assert ("in", "Test Keys:Test Keys", "jack") in [
        (port["direction"], port["name"], port["backend"]) for port in listed
    ]
    assert listed[0]["driver"].startswith("JACK-Client 0.")
    ports = run("ports", "--backend", "jack")
    assert (0, "") == ports.end()
    assert "--in  Test Keys:Test Keys\n" in ports.lines
    assert ports.lines[-1].startswith("(jack through JACK-Client 0.")


def test_no_ports_are_told(run: Run, jack_server: str) -> None:
    """`improviser ports` says so where there are no ports."""
    del jack_server
    ports = run("ports")
    assert (0, "") == ports.end()
    (line,) = ports.lines
    assert line.startswith("No MIDI ports (jack through JACK-Client 0.")
    assert line.endswith("); connect an instrument, or start a program that plays MIDI.\n")


def test_a_demo_plays_through_real_ports(run: Run, partner: Partner) -> None:
    """The built-in player is a client that plays to the improviser's own input."""
    del partner
    demo = run("demo", "--json", "--bars", "2", "--tempo", "200", "--key", "C")
    assert (0, "") == demo.end()
    assert "Ode to Joy" == demo.told("ready")[0]["player"]
    assert TUNE[:8] == [event["note"] for event in demo.told("heard")]
    assert 0 < len(demo.told("played")) == demo.told("summary")[0]["notes_played"]


def test_an_idle_jam_is_measured(jack_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server, an idle jam's memory above a bare client and its CPU time are measured."""
    del jack_server
    monkeypatch.setattr(readiness, "SETTLE_S", 0.0)
    monkeypatch.setattr(readiness, "IDLE_S", 1.0)
    measured = readiness.measure_idle("chorale")
    assert {"MB above a bare client", "idle CPU %"} == set(measured)
    assert 0 < measured["MB above a bare client"]
    assert 0 <= measured["idle CPU %"] < 50


def test_a_jam_plays_to_link(run: Run, partner: Partner) -> None:
    """The jam takes the tempo of another Link peer, and plays."""
    pytest.importorskip("link", reason="LinkPython-extern is not installed")
    peer = open_link(90.0, 4.0)
    jam = run("jam", "--json", "--in", "Improviser In", "--key", "C", "--seed", "1", "--clock", "link")
    jam.wait_until_told("ready")
    partner.connect()
    wait_for(lambda: peer.read(MonotonicClock()).peers, "the jam as a peer")
    peer.set_tempo(150.0)
    wait_for(lambda: [event for event in jam.told("synced") if event["tempo_bpm"] == 150.0], "the tempo")
    partner.play([60, 62, 64, 65, 67, 65, 64, 62], beat_s=0.4)
    jam.process.send_signal(signal.SIGTERM)
    assert 0 == jam.end()[0]
    peer.close()
    assert set() == partner.sounding
    assert jam.told("started")
    assert jam.told("played")
