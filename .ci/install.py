"""Install with pip and show how far it is: python .ci/install.py ARGUMENT...

On a terminal that is one line that changes; in a log, a line for each large download. Where pip fails, the
last lines that it wrote are shown. It installs for the interpreter that runs it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import deque

COLLECTING = re.compile(r"\s*Collecting ([\w.-]+)")
# Files of kilobytes come at once.
DOWNLOADING = re.compile(r"\s*Downloading .*\(([\d.]+ [MG]B)\)")
INSTALLING = re.compile(r"Installing collected packages: (.*)")
INSTALLED = re.compile(r"Successfully installed (.*)")
CLEAR_LINE = "\r\033[K"
WIDTH = 76
LAST_LINES = 20


class Progress:
    """Says what pip does, in few words."""

    def __init__(self, *, is_terminal: bool) -> None:
        """Show one line that changes where that is possible."""
        self._is_terminal = is_terminal
        self._found = 0
        self._package = ""
        self.installed = 0

    def read(self, line: str) -> None:
        """Take in a line of pip's."""
        if match := COLLECTING.match(line):
            self._found, self._package = self._found + 1, match[1]
            if self._is_terminal:
                self._show(f"{self._found}: {self._package}")
        elif match := DOWNLOADING.match(line):
            self._show(f"{self._found}: {self._package}, {match[1]} to download")
        elif match := INSTALLING.match(line):
            self._show(f"unpacking {len(match[1].split(', '))} packages")
        elif match := INSTALLED.match(line):
            self.installed = len(match[1].split())

    def _show(self, text: str) -> None:
        """Show a line in place of the last one, or after it."""
        sys.stdout.write(f"{CLEAR_LINE}  {text[:WIDTH]}" if self._is_terminal else f"  {text}\n")
        sys.stdout.flush()

    def end(self) -> None:
        """Take the line that changes away, and say what was done."""
        clear = CLEAR_LINE if self._is_terminal else ""
        sys.stdout.write(f"{clear}  {self.installed} packages installed\n" if self.installed else clear)
        sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run `pip install`; return its exit code."""
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    progress = Progress(is_terminal=sys.stdout.isatty())
    last: deque[str] = deque(maxlen=LAST_LINES)
    with subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        for line in pip.stdout or ():
            last.append(line)
            progress.read(line)
    progress.end()
    if pip.returncode:
        sys.stderr.write("".join(last))
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
