"""Helpers for the command line tests: folders, and runs that succeed or fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.cli import main

Refuse = Callable[..., str]
Run = Callable[..., str]
RunJson = Callable[..., list[dict[str, object]]]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own folder, which is the current one; the user's folders are empty ones inside it."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IMPROVISER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs a valid command line and returns its stdout."""

    def run_command(*arguments: object) -> str:
        """Run a command, check that the exit code is 0, and return stdout."""
        assert 0 == main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    return run_command


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """A function that runs a command line with --json and returns the printed objects."""

    def run_command(*arguments: object) -> list[dict[str, object]]:
        """Run a command, and parse each line of stdout as strict JSON."""
        lines = run(*arguments, "--json").splitlines()
        return [json.loads(line, parse_constant=pytest.fail) for line in lines]

    return run_command


@pytest.fixture
def refuse(capsys: pytest.CaptureFixture[str]) -> Refuse:
    """A function that runs a command line that must fail, and returns the reason."""

    def run_command(code: int, *arguments: object) -> str:
        """Run a command, check the exit code and that stderr is one line, and return that line."""
        assert code == main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        *told, reason = captured.err.splitlines()
        assert ("", []) == (captured.out, told)
        assert not reason.startswith("improviser: unexpected")
        return reason.removeprefix("improviser: ")

    return run_command
