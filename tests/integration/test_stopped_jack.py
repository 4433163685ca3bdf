"""A performer over JACK that the system stops, so that its server loses its beat."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.live import Partner, Run, wait_for

pytestmark = pytest.mark.jack


def test_a_performer_that_was_stopped_is_replaced(run: Run, partner: Partner) -> None:
    """A performer that is stopped for 5 s during a note is replaced: its notes end, and the next one plays on."""
    jam = run("jam", "--json", "--in", "Improviser In", "--key", "C", "--tempo", "150", "--seed", "3")
    jam.wait_until_told("ready")
    partner.connect()
    partner.play([60, 64, 67, 72] * 8, beat_s=0.2, until=lambda: partner.sounding)
    stopped = jam.performer()
    os.kill(stopped, signal.SIGSTOP)
    time.sleep(5.0)
    wait_for(lambda: not partner.sounding, "the end of what sounded")
    assert jam.performer() != stopped
    before = len(partner.ons)
    partner.play([60, 64, 67, 72] * 8, beat_s=0.2, until=lambda: len(partner.ons) > before)
    assert len(partner.ons) > before
    jam.process.send_signal(signal.SIGTERM)
    code, error = jam.end()
    assert (0, "") == (code, "" if "Traceback" not in error else error)
    assert set() == partner.sounding
