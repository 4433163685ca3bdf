"""Run the command line: `improviser`, or `python -m improviser`.

A command that plays has its real-time process started before anything else is loaded: so the two processes
load side by side what they need, and the music is ready sooner.
"""

from __future__ import annotations

import io
import sys
from contextlib import ExitStack

_PLAYING = frozenset({"jam", "demo"})
_HELP = frozenset({"-h", "--help"})


def main() -> int:
    """Run the process's own command line and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no "é" shows "?"
    words = sys.argv[1:]
    with ExitStack() as stack:
        if words and words[0] in _PLAYING and not _HELP & set(words):
            from improviser.ipc.launch import launch_ahead  # noqa: PLC0415 - other commands need none

            stack.callback(launch_ahead().close)
        from improviser.cli import main as run  # noqa: PLC0415 - after the process has been started

        return run(words)


if __name__ == "__main__":
    sys.exit(main())
