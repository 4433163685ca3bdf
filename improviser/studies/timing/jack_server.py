"""A JACK server of our own with the dummy driver: real ports and real periods, no sound card."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from improviser.errors import ImproviserError, PortError

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE: Final = 48_000
_PATIENCE_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        environment: What makes a process its client.
        is_realtime: Whether it gives its clients real-time priority.
    """

    environment: dict[str, str]
    is_realtime: bool


@contextlib.contextmanager
def dummy_server(period: int, *, realtime: bool) -> Iterator[Server]:
    """Run a server with periods of so many frames while the block runs.

    In synchronous mode: in the other one it loses events of clients that come too late, those in C too. Where
    it does not get the real-time priority that is asked for, it runs without.

    Raises:
        ImproviserError: There is no jackd, or it does not start.
    """
    program = shutil.which("jackd")
    if program is None:
        raise ImproviserError("timing is measured over JACK, and there is no jackd: apt-get install jackd2")
    name = f"improviser-bench-{os.getpid()}"
    own = {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"}
    driver = ("-S", "-d", "dummy", "-r", str(RATE), "-p", str(period))
    silent = subprocess.DEVNULL
    for mode in (("--realtime",),) * realtime + (("--no-realtime",),):
        command = [program, "-n", name, *mode, *driver]
        with subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent) as process:
            try:
                if _answers(process, own):
                    yield Server(os.environ | own, mode == ("--realtime",))
                    return
            finally:
                process.terminate()
    raise ImproviserError(f"jackd does not start; try: {program} -d dummy -p {period}")


def _answers(process: subprocess.Popen[bytes], own: dict[str, str]) -> bool:
    """Return whether a server lets a client in before long."""
    from improviser.ports.jack import open_jack  # noqa: PLC0415 - a library that may be missing

    before = {key: os.environ.get(key) for key in own}
    os.environ.update(own)
    try:
        give_up_s = time.monotonic() + _PATIENCE_S
        while process.poll() is None and time.monotonic() < give_up_s:
            with contextlib.suppress(PortError):
                open_jack().close()
                return True
            time.sleep(_LOOK_EVERY_S)
        return False
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
