"""Starts the performer's process. A jam does this first, so this module imports as little as possible."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import Final

from improviser.ipc.shared_state import SharedState

# -P: Python imports no file from the user's folder as a library.
COMMAND: Final = (sys.executable, "-P", "-m", "improviser.performer")
_HERE: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120 - this would be the only reason to import pathlib
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_DEBUG_VARIABLE: Final = "IMPROVISER_DEBUG"


class Launched:
    """A performer process that waits for its settings, and the memory that it shares with this process.

    Attributes:
        process: The process. Its three streams are text streams.
        shared_state: The notes that the performer sounds, its heartbeat and its position in the music.
    """

    def __init__(self) -> None:
        """Start the process in a session of its own, so that the terminal's signals reach only this process."""
        self.shared_state = SharedState()
        descriptor = self.shared_state.descriptor
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get(_DEBUG_VARIABLE) else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            pass_fds=() if descriptor is None or sys.platform == "win32" else (descriptor,),
            start_new_session=True,
            env=environment(),
        )

    def close(self) -> None:
        """Kill the process if it still runs, and release its streams and memory. A second call does nothing."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()
        self.shared_state.close()


# Holds at most one process, which was started before the command line was read.
_ahead: list[Launched] = []


def launch_ahead() -> Launched:
    """Start a process that the next call of `take_launched` returns."""
    _ahead.append(Launched())
    return _ahead[-1]


def take_launched() -> Launched:
    """Return the process that was started ahead, or start a new one."""
    return _ahead.pop() if _ahead else Launched()


def environment() -> dict[str, str]:
    """Return the environment variables with which a child process finds this package and writes UTF-8."""
    # The pipes do not use the terminal's encoding: port names may be in any script.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"}
    variables["PYTHONUTF8"] = "1"
    if os.path.basename(_HERE) in _INSTALLED:  # noqa: PTH119 - as above
        return variables
    # An empty or relative entry stands for the user's folder, so it is left out.
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return variables | {
        "PYTHONPATH": os.pathsep.join([_HERE, *(entry for entry in given if os.path.isabs(entry))])  # noqa: PTH117 - as above
    }
