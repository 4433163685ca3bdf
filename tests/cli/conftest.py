"""What the tests of the command line share: folders of their own, and what a refusal looks like."""

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
    """Return the test's own folder, which is the current one; the user's folders are empty ones in it."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("IMPROVISER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return the function that runs a command line that is fine and gives what it prints on stdout."""

    def run_command(*arguments: object) -> str:
        """Run, see that the exit code is 0, and return stdout."""
        assert 0 == main([str(argument) for argument in arguments])
        return capsys.readouterr().out

    return run_command


@pytest.fixture
def run_json(run: Run) -> RunJson:
    """Return the function that runs a command line with --json and gives the objects that it prints."""

    def run_command(*arguments: object) -> list[dict[str, object]]:
        """Run, and read each line of stdout as strict JSON."""
        lines = run(*arguments, "--json").splitlines()
        return [json.loads(line, parse_constant=pytest.fail) for line in lines]

    return run_command


@pytest.fixture
def refuse(capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Return the function that runs a command line that is refused and gives the reason."""

    def run_command(code: int, *arguments: object) -> str:
        """Run, see that the exit code is `code` and the reason one line on stderr, and return it."""
        assert code == main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        *told, reason = captured.err.splitlines()
        assert ("", []) == (captured.out, told)
        assert not reason.startswith("improviser: unexpected")
        return reason.removeprefix("improviser: ")

    return run_command
