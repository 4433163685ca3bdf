"""What commands print: notices, JSON lines and progress."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from improviser.cli.console import progress, say_json, say_table, tell


def test_notices_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Notices are printed on stderr."""
    tell("hello")
    assert ("", "hello\n") == capsys.readouterr()


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An object is printed on one line; values that JSON does not support become text."""
    say_json({"name": "a\nb", "path": Path("x"), "word": "ü"})
    out = capsys.readouterr().out
    assert 1 == out.count("\n")
    assert {"name": "a\nb", "path": "x", "word": "ü"} == json.loads(out)


def test_json_has_no_number_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """A number that JSON cannot write, such as nan, becomes null wherever it occurs."""
    say_json({"a": float("nan"), "b": {"c": [1.5, float("inf")], "d": (-float("inf"), "x")}})
    assert {"a": None, "b": {"c": [1.5, None], "d": [None, "x"]}} == json.loads(capsys.readouterr().out)


def test_a_table_without_rows_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    """A table without rows shows only its header."""
    say_table(("A", "B"), [])
    assert "A  B\n" == capsys.readouterr().out


def test_progress_without_a_terminal_is_a_line_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    """Where stderr is no terminal, each 10 % is a line with the note, and rich is not needed."""
    with progress("train", 40) as advance:
        for done in range(0, 41, 2):
            advance(done, f"loss {done}")
    lines = capsys.readouterr().err.splitlines()
    assert "train: 10 % loss 4" == lines[0]
    assert [f"train: {percent} %" for percent in range(10, 101, 10)] == [line.split(" loss")[0] for line in lines]


def test_progress_of_short_work_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Progress is not shown before the delay has passed."""
    with progress("render", 10, float("inf")) as advance:
        advance(10)
    assert "" == capsys.readouterr().err


def test_progress_of_nothing_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    """A total of 0 is done at once."""
    with progress("train", 0) as advance:
        advance(0)
    assert "train: 100 %\n" == capsys.readouterr().err


def test_progress_on_a_terminal_is_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the progress is a bar with the note beside it."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress("train", 10) as advance:
        advance(10, "loss [0.5]")
    text = capsys.readouterr().err
    assert "train" in text
    assert "100%" in text
    assert "loss [0.5]" in text
