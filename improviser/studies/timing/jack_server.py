"""A separate JACK server with the dummy driver: real ports and real periods, no sound card."""

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
    """A running JACK server.

    Attributes:
        environment: Environment variables that make a process its client.
        is_realtime: Whether it gives its clients real-time priority.
    """

    environment: dict[str, str]
    is_realtime: bool


@contextlib.contextmanager
def dummy_server(period: int, *, realtime: bool) -> Iterator[Server]:
    """Run a server with periods of `period` frames while the block runs.

    The server runs in synchronous mode: in asynchronous mode it loses events of clients that are late, even those
    written in C. Where real-time priority is asked for but not available, it runs without.

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
    """Return whether a server accepts a client within _PATIENCE_S."""
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
