"""How soon a jam is ready and what it uses while it waits, compared with its libraries alone.

Compare figures of the same run only: each pair is measured in turn, because a machine's speed varies over time.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from improviser.errors import ImproviserError
from improviser.ipc.launch import environment
from improviser.ports.base import VIRTUAL_INPUT
from improviser.units import MS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIRS: Final = 5
# Also counts what is loaded after the ports are open, and the first decisions.
SETTLE_S: Final = 1.0
# How long an idle jam is measured.
IDLE_S: Final = 10.0
_PATIENCE_S: Final = 10.0
_KB_PER_MB = 1024.0
# python-rtmidi has no wheel from Python 3.13 on.
_DRIVER: Final = "rtmidi" if find_spec("rtmidi") else "jack"
_LIBRARIES: Final = f"import numpy, mido, {_DRIVER}"
_BARE_CLIENT: Final = """
import signal, sys, jack
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
client = jack.Client('Improviser Probe', no_start_server=True)
client.midi_inports.register('In')
client.midi_outports.register('Out')
client.set_process_callback(lambda _frames: None)
with client:
    print('{"event": "ready"}', flush=True)
    sys.stdin.read()
"""
_JAM: Final = ("-m", "improviser", "jam", "--json", "--preset")


def measure_ready(preset: str) -> dict[str, float]:
    """Return the time until a jam is ready and the time to import its libraries, as medians of PAIRS pairs.

    Raises:
        ImproviserError: The jam does not begin.
    """
    pairs = [(_seconds_until_ready(preset), _seconds_of_imports()) for _ in range(PAIRS)]
    jams, imports = zip(*pairs, strict=True)
    return {
        "jam ms": statistics.median(jams) * MS_PER_S,
        "imports ms": statistics.median(imports) * MS_PER_S,
        "jam over imports": statistics.median(jam / alone for jam, alone in pairs),
    }


def measure_idle(preset: str) -> dict[str, float]:
    """Return what a jam uses before the first note: memory of its performer, CPU time of all its processes.

    The result is empty where no JACK server answers, and on systems other than Linux.
    """
    try:
        with _ready("-c", _BARE_CLIENT) as client:
            bare = _resident_mb(client.pid)
        with _ready(*_JAM, preset, "--backend", "jack", "--in", VIRTUAL_INPUT) as jam:
            processes = (jam.pid, _child(jam.pid))
            memory_mb = _resident_mb(processes[1]) - bare
            begun_s, used_s = time.monotonic(), sum(map(_cpu_s, processes))
            time.sleep(IDLE_S)
            used_s = sum(map(_cpu_s, processes)) - used_s
            share = used_s / (time.monotonic() - begun_s)
    except (ImproviserError, OSError):
        return {}
    return {"MB above a bare client": memory_mb, "idle CPU %": 100 * share}


def _seconds_until_ready(preset: str) -> float:
    """Return the time until a jam reports that it is ready."""
    start_s = time.monotonic()
    with _ready(*_JAM, preset, settle_s=0.0):
        return time.monotonic() - start_s


def _seconds_of_imports() -> float:
    """Return the run time of a process that only imports the libraries."""
    start_s = time.monotonic()
    subprocess.run([sys.executable, "-P", "-c", _LIBRARIES], check=True, env=environment())
    return time.monotonic() - start_s


@contextlib.contextmanager
def _ready(*arguments: str, settle_s: float | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run Python with `arguments` while the block runs; the block begins when the process is ready."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-P", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            cwd=folder,
            env=environment(),
        ) as process,
    ):
        try:
            _wait_until_ready(process.stdout)
            yield _settled(process, SETTLE_S if settle_s is None else settle_s)
        finally:
            process.terminate()
            process.communicate(timeout=_PATIENCE_S)


def _wait_until_ready(stream: IO[str] | None) -> None:
    """Read events until the process is ready. Raises ImproviserError where no such event comes."""
    for line in stream or ():
        if json.loads(line).get("event") == "ready":
            return
    raise ImproviserError("the jam did not begin; see what it says: improviser jam")


def _settled(process: subprocess.Popen[str], settle_s: float) -> subprocess.Popen[str]:
    """Return a process after giving it `settle_s` seconds to load what comes after the ports."""
    time.sleep(settle_s)
    return process


def _child(parent: int) -> int:
    """Return the id of the process that `parent` started."""
    return int(Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()[0])


def _resident_mb(process: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{process}/status").read_text("utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / _KB_PER_MB


def _cpu_s(process: int) -> float:
    """Return the CPU seconds that a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
