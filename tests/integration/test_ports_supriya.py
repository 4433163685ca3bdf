"""The driver over supriya-midi with its real library: here RtMidi's JACK stands in for CoreMIDI.

Its wheel brings a JACK library that refuses servers of other versions, so the system's library is loaded first.
RtMidi's own code for CoreMIDI and WinMM does not run here.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import subprocess
import sys

import pytest

from tests.live import CHECKOUT, PATIENCE_S

pytestmark = [pytest.mark.jack, pytest.mark.usefixtures("jack_server")]
PLAYS = """
import json, threading
from improviser.ports.rtmidi import opened
from improviser.ports.supriya import binding
backend = opened(binding(), "rtmidi-jack", "API_UNIX_JACK", "")
heard, is_all = [], threading.Event()
def hear(data, at_ns):
    heard.append([list(data), at_ns > 0])
    if len(heard) == 3:
        is_all.set()
hearing = backend.open_virtual_input("Improviser In", hear)
output = backend.open_virtual_output("Improviser Out")
playing = backend.open_output(next(name for name in backend.output_names() if "Improviser In" in name))
for message in ((0x90, 60, 80), (0xF8,), (0xF0, 1, 2, 0xF7)):
    playing.send(message)
is_all.wait(5)
print(json.dumps({"heard": heard, "in": backend.input_names(), "faults": hearing.faults,
                  "driver": backend.driver}))
for port in (playing, output, hearing):
    port.close()
backend.close()
"""


def test_messages_go_through_its_ports() -> None:
    """Virtual ports are opened and listed, and messages arrive with their times, in RtMidi's format."""
    library = ctypes.util.find_library("jack")
    assert library is not None
    done = subprocess.run(
        [sys.executable, "-c", PLAYS],
        env=os.environ | {"LD_PRELOAD": library, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    told = json.loads(done.stdout)
    assert [[[0x90, 60, 80], True], [[0xF8], True], [[0xF0, 1, 2, 0xF7], True]] == told["heard"]
    assert "Improviser Out:Improviser Out" in told["in"]
    assert 0 == told["faults"]
    assert told["driver"].startswith("supriya-midi 26.")
