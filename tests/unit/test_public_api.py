"""The public interface: the documented example runs, and all public names exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import improviser

GUIDE = Path(__file__).parents[2] / "docs" / "extending.md"


def test_every_public_name_is_there() -> None:
    """Each public name can be imported and is listed."""
    for name in improviser.__all__:
        assert getattr(improviser, name) is not None
    assert set(improviser.__all__) <= set(dir(improviser))


def test_the_example_runs() -> None:
    """The engine's example in the guide plays eight messages."""
    *_, example = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, check=False)
    assert (0, "") == (done.returncode, done.stderr)
    assert 8 <= done.stdout.count("TimedMessage(")


def test_importing_it_loads_nothing() -> None:
    """Importing the package loads neither numpy nor any of its modules before a name is used."""
    code = (
        "import sys, improviser; "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in {'numpy', 'improviser'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "['improviser', 'improviser.version']" == done.stdout.strip()
