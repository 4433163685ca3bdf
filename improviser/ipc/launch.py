"""Starting the performer's process, with as little loaded as that takes: it is the first thing a jam does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from typing import Final

from improviser.ipc.shared_state import SharedState

# -P: no file in the user's folder is taken for a library.
COMMAND: Final = (sys.executable, "-P", "-m", "improviser.performer")
_HERE: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120 - pathlib would be loaded for this alone
_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_DEBUG_VARIABLE: Final = "IMPROVISER_DEBUG"


class Launched:
    """A performer's process that waits for its settings, and the memory it shares with us.

    Attributes:
        process: The process, its three streams as text.
        shared_state: What it sounds.
    """

    def __init__(self) -> None:
        """Start the process, in a session of its own: signals of the terminal come through us."""
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
        """End the process at once, where it has not ended, and return all back; a second call does nothing."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()
        self.shared_state.close()


# At most one: a process that was started before the command line was read.
_ahead: list[Launched] = []


def launch_ahead() -> Launched:
    """Start a process for whoever asks for one next."""
    _ahead.append(Launched())
    return _ahead[-1]


def take_launched() -> Launched:
    """Return the process that was started ahead, else a new one."""
    return _ahead.pop() if _ahead else Launched()


def environment() -> dict[str, str]:
    """Return the environment in which a process of ours finds this package and writes UTF-8."""
    # The terminal's encoding is not that of the pipes between us: names of ports may be in any script.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONIOENCODING"}
    variables["PYTHONUTF8"] = "1"
    if os.path.basename(_HERE) in _INSTALLED:  # noqa: PTH119 - as above
        return variables
    # An entry that is empty or relative stands for the user's folder.
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return variables | {
        "PYTHONPATH": os.pathsep.join([_HERE, *(entry for entry in given if os.path.isabs(entry))])  # noqa: PTH117 - as above
    }
