"""Shared test configuration: options, hypothesis profiles, and the requirements of the markers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from improviser.synth.soundfont import find_soundfont
from improviser.threads import ONE_THREAD
from tests.some import all_of_some

IS_CI = os.environ.get("CI") == "true"
# The program that tests with these markers need, and the package that contains it.
PROGRAMS = {
    "jack": ("jackd", "jackd2"),
    "browser": ("chromium", "chromium"),
    "sound": ("fluidsynth", "fluidsynth timgm6mb-soundfont"),
    "pipewire": ("pw-jack", "pipewire pipewire-bin pipewire-jack"),
}

# Tests and the processes they start share the cores.
os.environ.update(ONE_THREAD)

# No deadline: on a busy machine, correct tests would fail. CI uses the same examples in every run.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if IS_CI else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this project."""
    parser.addoption("--update-golden", action="store_true", help="accept what the golden tests give now")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark tests that use the `benchmark` fixture, so that they are deselected by default."""
    if "benchmark" in getattr(item, "fixturenames", ()):
        item.add_marker("benchmark")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests whose program is missing; with CI=true, fail instead."""
    for marker, (program, package) in PROGRAMS.items():
        if item.get_closest_marker(marker) is None or not _lacks(marker, program):
            continue
        reason = f"no {program} that works here: on Debian, apt-get install {package}"
        if IS_CI:
            pytest.fail(reason)
        pytest.skip(reason)


def _lacks(marker: str, program: str) -> bool:
    """Return whether the program of a marker is missing; for "sound", also whether the soundfont is missing."""
    return shutil.which(program) is None or (marker == "sound" and find_soundfont() is None)


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the journals of the tests' sessions out of the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPROVISER_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def _all_is_of_some(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `all` fail where a test module calls it with no values, because such an assertion always passes."""
    if request.module is not None and "properties" not in request.path.parts:  # hypothesis examples may be empty
        monkeypatch.setattr(request.module, "all", all_of_some, raising=False)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are written instead of compared."""
    return bool(request.config.getoption("--update-golden"))
