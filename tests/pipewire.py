"""A separate PipeWire daemon, for tests of programs that play through PipeWire's JACK.

The daemon has its own runtime folder, so it does not affect a desktop. It has no session manager and so no sound card;
its dummy driver provides the clock. A process finds PipeWire's JACK library only if `pw-jack` starts it. So the test
process itself is no client: clients are processes started with `PipeWire.command`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.live import PATIENCE_S, wait_for

# The program of the package pipewire-jack that starts a program with PipeWire's JACK library.
PW_JACK: Final = "pw-jack"
PROGRAMS: Final = ("pipewire", PW_JACK)
# With these, a daemon would ask the desktop's session for permissions, or become a client of another daemon.
_FOREIGN: Final = ("DBUS_SESSION_BUS_ADDRESS", "PIPEWIRE_REMOTE", "PIPEWIRE_RUNTIME_DIR", "LD_LIBRARY_PATH")


def is_installed() -> bool:
    """Return whether PipeWire and its JACK library are installed."""
    return all(shutil.which(program) for program in PROGRAMS)


class PipeWire:
    """A PipeWire daemon that can be started, stopped and restarted in the same runtime folder.

    Attributes:
        folder: The runtime folder, which contains the daemon's socket.
        latency: The period length that clients ask for, in frames and their rate.
    """

    def __init__(self, folder: Path, latency: str = "128/48000") -> None:
        """Use `folder`, whose path must be short: a socket's path is limited to 107 bytes. Starts nothing."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.latency = latency
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """The socket on which the daemon answers."""
        return self.folder / "pipewire-0"

    @property
    def env(self) -> Mapping[str, str]:
        """The environment in which a process finds this daemon only, and no JACK server."""
        kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
        return kept | {
            "XDG_RUNTIME_DIR": str(self.folder),
            "PIPEWIRE_LATENCY": self.latency,
            "JACK_DEFAULT_SERVER": "improviser-test-none",
            "JACK_NO_START_SERVER": "1",
        }

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """Return the command line that runs a program with PipeWire's JACK library; run it with `env`."""
        return [PW_JACK, *arguments]

    @property
    def is_running(self) -> bool:
        """Whether the daemon runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the daemon and wait until it answers."""
        with (self.folder / "pipewire.log").open("ab") as log:
            self._process = subprocess.Popen(["pipewire"], stdout=log, stderr=log, env=self.env)
        wait_for(self._answers, "PipeWire")

    def stop(self) -> None:
        """Stop the daemon, as a restart of its service does; a second call does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(PATIENCE_S)

    def restart(self) -> None:
        """Stop the daemon and start another one at the same socket."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        """Return whether the daemon accepts a client."""
        done = subprocess.run(
            ["pw-cli", "info", "0"],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode == 0
