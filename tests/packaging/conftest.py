"""Builds of the project, and environments in which they are installed.

Nothing is downloaded: builds use the installed hatchling, and each environment sees the installed libraries, but not
the installed improviser.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
# A folder that does not exist: a user's presets and models would hide the shipped ones.
SHIPPED_ONLY = {"IMPROVISER_CONFIG_DIR": "nowhere"}
# No coverage: another copy of the code runs here.
KEPT = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE", "PYTHON"))}
ENVIRONMENT = KEPT | OFFLINE | SHIPPED_ONLY


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command and return its standard output; fail with all of its output."""
    done = subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True, slots=True)
class Installation:
    """An environment of its own, with improviser installed in one way."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.folder / "bin" / "python"

    @property
    def foreign_folder(self) -> Path:
        """A folder outside the checkout."""
        path = self.folder / "elsewhere"
        path.mkdir(exist_ok=True)
        return path

    def improviser(self, *arguments: str) -> str:
        """Run `python -m improviser` in the foreign folder and return its standard output."""
        return run(self.python, "-m", "improviser", *arguments, cwd=self.foreign_folder)


def install(folder: Path, *what: str | Path) -> Installation:
    """Create an environment in the folder and install the given packages without their dependencies."""
    venv.create(folder, symlinks=True)
    own = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    # A plain path: its .pth files are not read, so the editable improviser there is not found.
    (own / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = str(folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    run(*pip, "--no-deps", "--no-build-isolation", *what, cwd=folder)
    return Installation(folder)


def build(kind: str, source: Path, out: Path) -> Path:
    """Build a `wheel` or an `sdist` of the source folder and return the file."""
    run(sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", out, source, cwd=out)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the checkout."""
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution built from the checkout."""
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session", params=["wheel", "sdist", "editable"])
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Improviser installed from a wheel, from a source distribution, and from the checkout to be edited."""
    folder = tmp_path_factory.mktemp(request.param) / "venv"
    if request.param == "editable":
        return install(folder, "--editable", ROOT)
    return install(folder, request.getfixturevalue(request.param))
