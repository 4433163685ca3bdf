"""The guide's scripts steer a real jam: over `improviser ctl`, TCP, OSC and the page's websocket."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.free_port import free_port
from tests.live import CHECKOUT, PATIENCE_S, wait_for

GUIDE = CHECKOUT / "docs" / "extending.md"
OSC_PORT_OF_THE_GUIDE = "9000"


class ScriptedJam:
    """A jam without MIDI in a home of its own, and scripts that run beside it."""

    def __init__(self, home: Path) -> None:
        """Start the jam; its OSC port is a free one."""
        program = home / "bin" / "improviser"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m improviser "$@"\n')
        program.chmod(0o755)
        own = {"HOME": str(home), "PYTHONPATH": str(CHECKOUT), "PATH": f"{program.parent}:{os.environ['PATH']}"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("IMPROVISER_", "XDG_"))}
        self.env = kept | own
        self.osc_port = str(free_port(socket.SOCK_DGRAM))
        command = [str(program), "jam", "--backend", "loopback", "--no-open", "--json", "--osc", self.osc_port]
        self.process = subprocess.Popen(
            [*command, "--web-port", str(free_port())], env=self.env, cwd=home, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        while "ready" not in self.process.stdout.readline():
            assert self.process.poll() is None

    def run(self, script: str, timeout_s: float = PATIENCE_S) -> str:
        """Run a script; return what it printed, also if it was still running after `timeout_s`."""
        script = script.replace(OSC_PORT_OF_THE_GUIDE, self.osc_port)
        with subprocess.Popen(
            [sys.executable, "-u", "-c", script],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                printed, fault = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.communicate()[0]
        assert "" == fault
        return printed

    def state(self) -> dict[str, Any]:
        """Return the state of the jam."""
        done = subprocess.run(["improviser", "ctl", "--json"], env=self.env, capture_output=True, text=True, check=True)
        state: dict[str, Any] = json.loads(done.stdout)
        return state


@pytest.fixture
def jam(tmp_path: Path) -> Iterator[ScriptedJam]:
    """A jam that is ended with the test."""
    jam = ScriptedJam(tmp_path)
    yield jam
    jam.process.terminate()
    jam.process.communicate(timeout=PATIENCE_S)


@pytest.mark.skipif(sys.platform != "linux", reason="the guide's folder is Linux's")
def test_the_guides_scripts_run(jam: ScriptedJam) -> None:
    """Each does what the guide says."""
    (section,) = re.findall(r"\n## A script\n(.*?)\n## ", GUIDE.read_text("utf-8"), re.DOTALL)
    by_ctl, by_tcp, by_osc, by_websocket = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert jam.run(by_ctl).strip()
    wait_for(lambda: jam.state()["panel"]["density"] == 1.5, "the knob turned by ctl")
    assert "'harmony'" in jam.run(by_tcp)
    wait_for(lambda: jam.state()["panel"]["harmony"] == 1.5, "the knob turned over TCP")
    subprocess.run(["improviser", "ctl", "density", "1"], env=jam.env, check=True, stdout=subprocess.DEVNULL)
    jam.run(by_osc)
    wait_for(lambda: jam.state()["panel"]["density"] == 1.5, "the knob turned by OSC")
    before_s = time.monotonic()
    assert "hello" in jam.run(by_websocket, timeout_s=4.0).splitlines()[0]
    assert time.monotonic() - before_s >= 4.0
