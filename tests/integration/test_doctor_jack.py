"""`improviser doctor` on a JACK server, beside a jam and beside another program's clock."""

from __future__ import annotations

import json
import threading
import time

import pytest

from tests.live import Partner, Run

pytestmark = [pytest.mark.jack, pytest.mark.usefixtures("jack_server")]
TICK_S = 60 / 120 / 24


def looked_at(run: Run) -> dict[str, dict[str, str]]:
    """Return the doctor's findings by name; no finding may fail."""
    doctor = run("doctor", "--json")
    code, errors = doctor.end()
    found = [json.loads(line) for line in doctor.lines]
    assert (0, "", []) == (code, errors, [finding for finding in found if finding["status"] == "fail"])
    return {finding["name"]: finding for finding in found}


def test_a_jam_is_seen_and_not_disturbed(run: Run) -> None:
    """The doctor reports a running jam and does not disturb it."""
    demo = run("demo", "--json", "--seed", "1")
    demo.wait_until_told("ready")
    found = looked_at(run)
    assert found["other jams"]["found"].startswith("one is running (preset chorale)")
    assert "inputs: none; outputs: none" == found["ports"]["found"]
    demo.process.terminate()
    assert (0, "") == demo.end()
    assert (1, 1) == (len(demo.told("ready")), len(demo.told("summary")))
    assert [] == demo.told("error") + [event for event in demo.told("warning") if "real-time" not in event["text"]]


def test_clock_keyboard_and_delay_are_told(run: Run, partner: Partner) -> None:
    """The doctor finds a keyboard that sends clock, its tempo, and a round trip of a few periods."""
    partner.offer()
    is_over = threading.Event()

    def tick() -> None:
        """Send MIDI clock at a steady tempo."""
        due_s = time.monotonic()
        while not is_over.is_set():
            partner.send(0xF8)
            due_s += TICK_S
            time.sleep(max(0.0, due_s - time.monotonic()))

    ticking = threading.Thread(target=tick)
    ticking.start()
    try:
        found = looked_at(run)
    finally:
        is_over.set()
        ticking.join()
    assert "pass" == found["MIDI system"]["status"]
    assert found["MIDI system"]["found"].startswith("jack through JACK-Client 0.")
    assert "pass" == found["ports"]["status"]
    assert "'Test Keys:Test Keys'" in found["ports"]["found"]
    tempo, _, port = found["clock in"]["found"].partition(" bpm from ")
    assert 120 == pytest.approx(float(tempo), rel=0.25)  # the test ticks as precisely as a busy machine allows
    assert "'Test Keys:Test Keys'" == port
    assert found["round trip"]["found"].startswith("through jack: ")
    assert "(50 messages)" in found["round trip"]["found"]
