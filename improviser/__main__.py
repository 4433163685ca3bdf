"""Run the command line: `improviser`, or `python -m improviser`.

A command that plays starts its real-time process before it loads anything else. The two processes then load
their modules in parallel, and the music is ready sooner.
"""

from __future__ import annotations

import io
import sys
from contextlib import ExitStack

_PLAYING = frozenset({"jam", "demo"})
_HELP = frozenset({"-h", "--help"})


def main() -> int:
    """Run this process's command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without "é" shows "?"
    words = sys.argv[1:]
    with ExitStack() as stack:
        if words and words[0] in _PLAYING and not _HELP & set(words):
            from improviser.ipc.launch import launch_ahead  # noqa: PLC0415 - other commands start no process

            stack.callback(launch_ahead().close)
        from improviser.cli import main as run  # noqa: PLC0415 - load it after the process has started

        return run(words)


if __name__ == "__main__":
    sys.exit(main())
