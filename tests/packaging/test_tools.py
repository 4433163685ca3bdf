"""Installing a wheel with pip, pipx and uv, on each Python that is available.

Slow: libraries come from the package index. None of them may be compiled, because a user has no compiler.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from improviser.version import __version__
from tests.packaging.conftest import KEPT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MINORS = (11, 12, 13, 14)
PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
# These tools fail at once where something has to be compiled.
NO_COMPILER = {"CC": "/bin/false", "CXX": "/bin/false", "PIP_ONLY_BINARY": ":all:"}
WORKS = "import ensurepip, sys, venv; sys.exit(sys.version_info[1] != {minor})"


def _pyenv_versions(minor: int) -> list[str]:
    """Return the versions of Python 3.`minor` that pyenv has, if pyenv is installed."""
    folder = PYENV / "versions"
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(name for name in names if name.startswith(f"3.{minor}."))


@cache
def interpreter(minor: int) -> str | None:
    """Return a Python 3.`minor` that can create environments, from the path or pyenv; None if there is none."""
    found: list[str | Path | None] = [
        shutil.which(f"python3.{minor}"),
        *(PYENV / "versions" / version / "bin" / "python3" for version in _pyenv_versions(minor)),
    ]
    for python in [sys.executable, *(str(path) for path in found if path is not None)]:
        done = subprocess.run([python, "-c", WORKS.format(minor=minor)], capture_output=True, check=False)
        if done.returncode == 0:
            return python
    return None


@dataclass(frozen=True, slots=True)
class Tools:
    """Pip, pipx and uv in a folder of their own, and the place of the installed command."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the tools: nothing is read from or left in the user's folders."""
        own = {
            "PIPX_HOME": str(self.folder / "pipx"),
            "PIPX_BIN_DIR": str(self.folder / "bin"),
            "UV_TOOL_DIR": str(self.folder / "uv"),
            "UV_TOOL_BIN_DIR": str(self.folder / "bin"),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_BUILD": "1",
            "IMPROVISER_CONFIG_DIR": str(self.folder / "none"),
            "IMPROVISER_STATE_DIR": str(self.folder / "state"),
        }
        return KEPT | NO_COMPILER | own

    def run(self, *command: str | Path) -> str:
        """Run a command and return its standard output; fail with all of its output."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    def install(self, tool: str, python: str, wheel: Path) -> Path:
        """Install the wheel with a tool for an interpreter; return the command."""
        if tool == "pip":
            self.run(python, "-m", "venv", "pip")
            self.run(self.folder / "pip" / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)
            return self.folder / "pip" / "bin" / "improviser"
        own = self.folder / "tools" / "bin" / tool
        install = ("install",) if tool == "pipx" else ("tool", "install")
        self.run(own, *install, "--python", python, wheel)
        return self.folder / "bin" / "improviser"


@pytest.fixture
def tools(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tools]:
    """The tools, newly installed from the index."""
    made = Tools(tmp_path)
    tool = request.node.callspec.params["tool"]
    if tool != "pip":
        venv.create(tmp_path / "tools", with_pip=True)
        made.run(tmp_path / "tools" / "bin" / "python", "-m", "pip", "install", "--quiet", tool)
    yield made
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.mark.parametrize("tool", ["pip", "pipx", "uv"])
@pytest.mark.parametrize("minor", MINORS)
def test_the_wheel_plays_wherever_it_is_installed(tools: Tools, wheel: Path, tool: str, minor: int) -> None:
    """Nothing is compiled; version, presets and doctor work, and the improviser answers the built-in player."""
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} here")
    improviser = tools.install(tool, python, wheel)
    assert __version__ in tools.run(improviser, "--version")
    presets = [json.loads(line)["name"] for line in tools.run(improviser, "presets", "--json").splitlines()]
    assert {"chorale", "comping", "fiddle"} <= set(presets)
    found = {
        finding["name"]: finding
        for finding in map(json.loads, tools.run(improviser, "doctor", "--json", "--backend", "loopback").splitlines())
    }
    assert {"pass"} == {found[name]["status"] for name in ("MIDI system", "model", "page", "presets")}
    shown = tools.run(
        improviser,
        *("demo", "--backend", "loopback", "--json", "--bars", "4", "--tempo", "240", "--key", "C"),
    )
    events = [json.loads(line) for line in shown.splitlines()]
    assert any(event["event"] == "played" for event in events)
    (summary,) = (event for event in events if event["event"] == "summary")
    assert 0 == summary["stuck_notes"]
