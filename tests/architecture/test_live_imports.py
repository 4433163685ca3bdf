"""Live processes start fast and stay small: they never load what only training needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.some import some_files

HEAVY = {"torch", "music21", "gymnasium"}
# The learner process, a training, and a module that opens a driver when it is imported.
APART = {"improviser.app.learner_process", "improviser.app.training_run", "improviser.ports.jack"}
LIVE = (
    *("app", "cli", "config", "doctor", "engine", "ipc", "performer", "ports", "protocol", "remote"),
    *("session", "supervisor", "synth", "web"),
)
# It runs beside the jam, unlike the rest of its package.
LEARNER_CLIENT = "improviser.online.learner_client"
PACKAGE = Path(__file__).parents[2] / "improviser"


def live_modules() -> list[str]:
    """Return every module of the live processes, except those in APART."""
    paths = [path for folder in LIVE for path in some_files(PACKAGE / folder, "**/*.py")]
    dotted = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]
    names = [name.removesuffix(".__init__") for name in dotted]
    return [name for name in [*names, LEARNER_CLIENT] if name not in APART]


@pytest.mark.parametrize("module", live_modules())
def test_live_module_loads_nothing_heavy(module: str) -> None:
    """Importing the module in a fresh process loads neither torch nor music21 nor gymnasium."""
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (0, "") == (run.returncode, run.stdout.strip()), run.stderr
