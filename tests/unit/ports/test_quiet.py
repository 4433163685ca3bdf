"""C libraries are silenced, and Python's own messages are not lost meanwhile."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, sys, threading
from improviser.ports.quiet import quiet_stderr
inside, said = threading.Event(), threading.Event()

def library():
    with quiet_stderr():
        os.write(2, b"noise of C\\n")
        inside.set()
        said.wait(10)

thread = threading.Thread(target=library)
thread.start()
inside.wait(10)
print("improviser: a fault", file=sys.stderr)
said.set()
thread.join()
os.write(2, b"C afterwards\\n")
raise ValueError("the end")
"""


def test_what_python_says_is_heard_while_a_library_is_quiet() -> None:
    """While a library is silenced, another thread's error still reaches stderr; afterwards both do."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    first, second, *_, last = run.stderr.splitlines()
    assert ("improviser: a fault", "C afterwards", "ValueError: the end") == (first, second, last)


def test_on_windows_python_writes_to_the_console_itself() -> None:
    """On Windows Python writes to the console, because a file on its descriptor would garble non-ASCII names."""
    script = "import sys; sys.platform = 'win32'; before = sys.stderr\n"
    script += "from improviser.ports.quiet import quiet_stderr\n"
    script += "with quiet_stderr(): print(sys.stderr is before)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "True\n" == run.stdout


def test_without_a_stderr_nothing_is_kept_quiet() -> None:
    """A process whose descriptor 2 is closed still runs."""
    script = "import os; os.close(2)\nfrom improviser.ports.quiet import quiet_stderr\n"
    script += "with quiet_stderr(): print('heard')"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "heard\n" == run.stdout
