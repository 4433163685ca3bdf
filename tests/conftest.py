"""What all tests share: options, hypothesis profiles, and what the markers mean."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from improviser.synth.soundfont import find_soundfont
from tests.some import all_of_some

IS_CI = os.environ.get("CI") == "true"
# What tests with these markers need, and the package it comes in.
PROGRAMS = {
    "jack": ("jackd", "jackd2"),
    "browser": ("chromium", "chromium"),
    "sound": ("fluidsynth", "fluidsynth timgm6mb-soundfont"),
    "pipewire": ("pw-jack", "pipewire pipewire-bin pipewire-jack"),
}

# No deadline: a busy machine would fail tests that are right. In CI the same examples in every run.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if IS_CI else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this project."""
    parser.addoption("--update-golden", action="store_true", help="accept what the golden tests give now")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what measures time, so that it is deselected unless asked for."""
    if "benchmark" in getattr(item, "fixturenames", ()):
        item.add_marker("benchmark")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests that need a program where it is not; with CI=true that is a failure."""
    for marker, (program, package) in PROGRAMS.items():
        if item.get_closest_marker(marker) is None or not _lacks(marker, program):
            continue
        reason = f"no {program} that works here: on Debian, apt-get install {package}"
        if IS_CI:
            pytest.fail(reason)
        pytest.skip(reason)


def _lacks(marker: str, program: str) -> bool:
    """Return whether what tests with a marker need is not here: a program, and to sound a soundfont too."""
    return shutil.which(program) is None or (marker == "sound" and find_soundfont() is None)


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the journals of the tests' sessions out of the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPROVISER_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def _all_is_of_some(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `all` fail where a test module calls it with nothing: what it asserts would hold anyway."""
    if request.module is not None and "properties" not in request.path.parts:  # examples may be empty
        monkeypatch.setattr(request.module, "all", all_of_some, raising=False)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))
