"""Third-party programs that slow tests play with; they are installed through apt where they are missing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

APT = Path(__file__).parents[1] / ".ci" / "apt"


def needed(package: str, *names: str) -> str:
    """Return the path of the first of the programs `names` that is installed; install `package` if needed.

    Skip the test, with the reason, where that is not possible.
    """
    path = _found(names)
    if path is None:
        subprocess.run([str(APT), package], check=False)
        path = _found(names)
    if path is None:
        pytest.skip(f"no {names[0]}, and it could not be installed: on Debian, apt-get install {package}")
    return path


def _found(names: tuple[str, ...]) -> str | None:
    """Return the path of the first program that is installed; None without one."""
    return next(filter(None, map(shutil.which, names)), None)
